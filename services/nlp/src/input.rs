//! The messages nlp consumes, as one type.

use bytes::Bytes;
use clinflow_core::Failure;
use clinflow_ports::Event;
use clinflow_proto::v1;
use clinflow_runtime::wire::{Publish as _, Receive, wrong_type};

/// What nlp is to do.
pub enum Input {
    /// Read a document for the fields of its workflow.
    Classified(Box<v1::DocumentClassified>),
    /// Answer a question about an execution.
    Asked(Box<v1::QuestionAsked>),
}

impl Receive for Input {
    fn receive(event: Event, body: &[u8]) -> Result<Self, Failure> {
        match event {
            Event::DocumentClassified => {
                Receive::receive(event, body).map(|one| Self::Classified(Box::new(one)))
            }
            Event::QuestionAsked => Receive::receive(event, body).map(|one| Self::Asked(Box::new(one))),
            other => Err(wrong_type(other)),
        }
    }

    fn received_execution(&self) -> Option<&v1::ExecutionContext> {
        match self {
            Self::Classified(message) => message.execution(),
            Self::Asked(message) => message.execution(),
        }
    }

    fn patch(event: Event, step: v1::Step) -> Bytes {
        match event {
            Event::DocumentClassified => v1::DocumentClassified::patch(event, step),
            Event::QuestionAsked => v1::QuestionAsked::patch(event, step),
            _ => Bytes::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use prost::Message as _;

    use super::*;

    #[test]
    fn both_messages_are_read_and_a_retried_one_carries_its_failed_step() {
        let step = v1::Step { role: "nlp".to_owned(), attempt: 1, ..v1::Step::default() };
        for event in [Event::DocumentClassified, Event::QuestionAsked] {
            let body = Input::patch(event, step.clone());
            let input = Input::receive(event, &body).unwrap_or_else(|failure| panic!("{failure}"));
            assert_eq!(input.received_execution().unwrap().steps, std::slice::from_ref(&step));
        }
        let asked = v1::QuestionAsked { turn: 3, ..v1::QuestionAsked::default() }.encode_to_vec();
        assert!(
            matches!(Input::receive(Event::QuestionAsked, &asked), Ok(Input::Asked(asked)) if asked.turn == 3)
        );
        assert_eq!(Input::receive(Event::FieldsMerged, b"").err().unwrap().code, "message.wrong-type");
    }
}
