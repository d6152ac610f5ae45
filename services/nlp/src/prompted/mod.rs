//! A language model as a reader: told what is wanted, asked about each piece of the text, and read with suspicion.

pub mod answer;
pub mod chunk;
pub mod prompt;
#[cfg(test)]
mod tests;

use async_trait::async_trait;
use clinflow_core::{Failure, field::Offsets};
use clinflow_ports::model::{Reply, Request, Stop};

use self::answer::Unreadable;
use crate::{
    billing::{Billing, Paid},
    question::{Claim, Wanted},
    reader::{Client, Reader, Reading},
};

/// What a document has cost so far, and how often the model was asked.
#[derive(Default)]
struct Spent {
    calls: u32,
    nano_usd: u64,
}

impl Spent {
    fn add(&mut self, paid: &Paid) {
        self.calls += 1;
        self.nano_usd = self.nano_usd.saturating_add(paid.cost.get());
    }
}

/// Bytes of a document that are shown at once. Answers about longer texts get less complete long before a context is
/// full.
const PIECE: usize = 48_000;

/// Tokens an answer about one piece may have.
const ANSWER_TOKENS: u32 = 8_192;

/// A language model that reads documents for money.
pub struct PromptedModel {
    billing: Billing,
}

impl PromptedModel {
    /// Reads with the model that `billing` pays for.
    pub const fn new(billing: Billing) -> Self {
        Self { billing }
    }

    /// What the model says about one piece. An answer that cannot be read is asked for again with what was wrong with
    /// it; how often is the loop guard's decision, because an identical call is what a loop consists of.
    async fn piece(
        &self,
        request: Request,
        read: impl Fn(&Reply) -> Result<Vec<Claim>, Unreadable>,
        client: &Client<'_>,
        spent: &mut Spent,
    ) -> Result<Vec<Claim>, Failure> {
        let mut asked = request.clone();
        loop {
            let paid = self.billing.converse(&asked, client, spent.calls).await?;
            spent.add(&paid);
            match read(&paid.reply) {
                Ok(claims) => return Ok(claims),
                Err(reason) => {
                    tracing::warn!(%reason, "the model's answer cannot be read; it is asked again");
                    asked = prompt::again(&request, paid.reply.text.expose(), &reason.to_string());
                }
            }
        }
    }
}

#[async_trait]
impl Reader for PromptedModel {
    fn id(&self) -> &str {
        self.billing.model()
    }

    async fn read(&self, text: &str, wanted: &[Wanted], client: &Client<'_>) -> Result<Reading, Failure> {
        let (offsets, pieces) = (Offsets::new(text), chunk::chunks(text, PIECE));
        let (mut spent, mut said) = (Spent::default(), Vec::with_capacity(pieces.len()));
        for (number, piece) in pieces.iter().enumerate() {
            let part = (number + 1, pieces.len());
            let request = prompt::request(wanted, &text[piece.clone()], part, ANSWER_TOKENS);
            let read = |reply: &Reply| match &reply.stop {
                Stop::Whole => answer::claims(reply.text.expose(), wanted, &offsets, piece),
                // What the provider stopped is said by its guardrail, not by us; there is nothing to read.
                Stop::Blocked => Ok(Vec::new()),
                Stop::CutOff => Err(Unreadable::CutOff),
                Stop::Malformed | Stop::Unknown(_) => Err(Unreadable::Malformed),
            };
            said.push(self.piece(request, read, client, &mut spent).await?);
        }
        Ok(Reading { claims: answer::join(said), cost_nano_usd: spent.nano_usd })
    }
}
