//! The service `Questions`.

use std::sync::Arc;

use clinflow_core::Answer;
use clinflow_proto::v1::{self, AskRequest, AskResponse, questions_server::Questions};
use tonic::{Request, Response, Status};

use crate::{
    ask::{Asker, Wish},
    grpc::caller,
    show::execution_id,
    trace,
};

/// Asks for callers.
pub(super) struct Service {
    pub(super) asker: Arc<Asker>,
}

#[tonic::async_trait]
impl Questions for Service {
    async fn ask(&self, request: Request<AskRequest>) -> Result<Response<AskResponse>, Status> {
        let caller = caller(&request)?;
        let traceparent = trace::traceparent(request.metadata().as_ref());
        let AskRequest { execution_id: id, question, session_id } = request.into_inner();
        let wish = Wish::read(&question, &session_id)?;
        let answer = self.asker.ask(&caller, execution_id(&id)?, wish, traceparent).await?;
        Ok(Response::new(message(answer)))
    }
}

/// An answer as a message.
fn message(answer: Answer) -> AskResponse {
    let citation = |one: clinflow_core::Citation| v1::Citation {
        start: one.span.start as u64,
        end: one.span.end as u64,
        byte_start: one.span.byte_start as u64,
        byte_end: one.span.byte_end as u64,
        page: one.page.unwrap_or_default(),
        field: one.field.unwrap_or_default(),
    };
    let finding = |one: clinflow_core::question::GuardrailFinding| v1::GuardrailFinding {
        source: one.source,
        policy: one.policy,
        name: one.name,
        action: one.action,
    };
    AskResponse {
        execution_id: answer.execution_id.to_string(),
        question_id: answer.question_id.to_string(),
        answer: answer.answer.into_exposed(),
        refused: answer.refused,
        message: answer.message.unwrap_or_default(),
        citations: answer.citations.into_iter().map(citation).collect(),
        guardrail: answer.guardrail.into_iter().map(finding).collect(),
        model: answer.model.unwrap_or_default(),
        cost_nano_usd: answer.cost_nano_usd,
    }
}
