//! The nlp service: reads documents for the fields of their workflow, and answers questions about them.
//!
//! This is the only service that may link a model: who wants to know where documents can go reads one dependency
//! list. Who reads and answers is a [`Reader`]; the one that is always there is [`LocalModel`]. None is believed: what
//! it says is found again in the text ([`align`]), and what it answers passes the guardrail and rests on spans
//! ([`answering`]).

pub mod align;
pub mod answering;
pub mod billing;
mod classified;
mod documents;
pub mod fields;
mod input;
pub mod local;
pub mod prompted;
pub mod question;
pub mod reader;
mod stored;
pub mod wanted;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use clinflow_core::{Failure, Role};
use clinflow_ports::{Objects, Sessions};
use clinflow_runtime::{Catalog, Context, Done, Handler, telemetry::Metrics};
use clinflow_workflow::Bundle;

use crate::{answering::Questions, documents::Documents};
pub use crate::{input::Input, local::LocalModel, prompted::PromptedModel, reader::Reader};

/// Reads documents, and answers questions about them.
pub struct Comprehend {
    documents: Documents,
    questions: Questions,
}

impl Comprehend {
    /// A service that reads and writes `objects`, takes workflows from `bundles`, remembers questions in `sessions`,
    /// lets `reader` read and answer, and counts in `metrics`.
    pub fn new(
        objects: Arc<dyn Objects>,
        bundles: Arc<Catalog<Bundle>>,
        sessions: Arc<dyn Sessions>,
        reader: Arc<dyn Reader>,
        metrics: Metrics,
    ) -> Self {
        Self {
            documents: Documents {
                objects: objects.clone(),
                bundles: bundles.clone(),
                reader: reader.clone(),
            },
            questions: Questions { objects, bundles, sessions, reader, metrics },
        }
    }
}

impl Handler for Comprehend {
    const ROLE: Role = Role::Nlp;
    type Input = Input;

    async fn handle(&self, input: Input, context: &Context) -> Result<Done, Failure> {
        match input {
            Input::Classified(document) => self.documents.read(*document, context).await,
            Input::Asked(question) => self.questions.answer(*question, context).await,
        }
    }
}
