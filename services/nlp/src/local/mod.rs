//! The local model: rules over what the clinical annotator sees. It costs nothing, needs no network, and answers the
//! same question the same way for ever.
//!
//! It knows fields by their names: of no group `age`, `sex`, `study_drug`, `hospital_admission_date`,
//! `hospital_discharge_date`, `reconsent_required`; the groups `event`, `treatment`, `concomitant_drug`, `negated` and
//! `history`. What else is wanted it leaves unanswered. To teach it a field, give its part of the story a `say`.

mod amendment;
mod claims;
mod conditions;
mod drugs;
mod events;
mod stay;
mod story;
mod subject;
mod term;

use async_trait::async_trait;
use clinflow_core::Failure;

use self::{claims::Claims, story::Story};
use crate::{
    question::{Claim, Wanted},
    reader::{Client, Reader, Reading},
};

/// The model.
#[derive(Debug, Clone, Copy, Default)]
pub struct LocalModel;

impl LocalModel {
    /// The model. Its word lists are compiled when it is first asked.
    pub const fn new() -> Self {
        Self
    }
}

#[async_trait]
impl Reader for LocalModel {
    fn id(&self) -> &'static str {
        "local/1"
    }

    async fn read(&self, text: &str, wanted: &[Wanted], _client: &Client<'_>) -> Result<Reading, Failure> {
        let (text, wanted) = (text.to_owned(), wanted.to_vec());
        // Reading a long text takes longer than a task may keep its thread.
        let claims = tokio::task::spawn_blocking(move || claims(&text, &wanted))
            .await
            // The words of a panic may quote the document.
            .map_err(|_| Failure::park("model.panicked", anyhow::anyhow!("the local model panicked")))?;
        Ok(Reading { claims, ..Reading::default() })
    }
}

/// What the model says about `text`, in document order; repetitions of a group are numbered in document order.
pub fn claims(text: &str, wanted: &[Wanted]) -> Vec<Claim> {
    if wanted.is_empty() {
        return Vec::new();
    }
    let story = Story::read(text);
    let mut claims = Claims::new(wanted);
    subject::tell(&story, &mut claims);
    events::tell(&story, &mut claims);
    drugs::tell(&story, &mut claims);
    conditions::tell(&story, &mut claims);
    stay::tell(&story, &mut claims);
    amendment::tell(&story, &mut claims);
    claims.finish()
}

#[cfg(test)]
mod tests;
