//! A server with a plan, a client of it, and a request about a story.

use std::time::Duration;

use clinflow_bedrock::{Bedrock, Config, GuardrailRef};
use clinflow_ports::{
    Model as _,
    model::{Asker, ModelError, Reply, Request, Schema},
};
use clinflow_stand_in_bedrock::{Plan, Server};

pub(crate) const SONNET: &str = "us.anthropic.claude-sonnet-5-5";

pub(crate) const STORY: &str = "Subject Zoë Canary-Quist, MRN 4711-CANARY, SSN 078-05-1120, phone 555-0142. A \
    61-year-old man received the first dose of QRS-77 on 02-FEB-2026. On 10-FEB-2026 severe pancreatitis was \
    reported as an adverse event. He was treated with meropenem 1 g IV every 8 hours.\n";

/// What of the story may never leave the adapter in an error or a log line. Nothing short of digits: ids and times of a
/// log are full of them.
pub(crate) const CANARIES: [&str; 6] =
    ["Canary", "Quist", "4711-CANARY", "078-05-1120", "pancreatitis", "meropenem"];

pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn config(url: &str, model: &str) -> Config {
    Config { model: model.to_owned(), endpoint: Some(url.to_owned()), ..Config::default() }
}

pub(crate) fn guardrail(id: &str) -> GuardrailRef {
    GuardrailRef { id: id.to_owned(), version: "1".to_owned() }
}

/// A server with this plan, and the model at it.
pub(crate) async fn serve(plan: Plan, model: &str) -> (Server, Bedrock) {
    let server = Server::start(plan).await.unwrap();
    let bedrock = Bedrock::connect(&config(&server.url(), model)).await.unwrap();
    (server, bedrock)
}

pub(crate) fn request() -> Request {
    let schema = r#"{"type":"object","properties":{"claims":{"type":"array","items":{"type":"object","properties":
        {"field":{"enum":["age","treatment.drug_name","event.event_term"]}}}}}}"#;
    Request {
        instructions: "Report what the document says.".to_owned(),
        document: STORY.into(),
        query: "Report the fields of this document.".into(),
        schema: Some(Schema { name: "claims".to_owned(), json: schema.to_owned() }),
        max_output_tokens: 4096,
    }
}

pub(crate) fn asker() -> Asker {
    Asker {
        attempt: "0f9d#1".to_owned(),
        agent: "ae-report.nlp".to_owned(),
        workflow: "ae-report".to_owned(),
        team: "pv (eu)".to_owned(),
        document: "00ff".to_owned(),
    }
}

pub(crate) async fn ask(bedrock: &Bedrock, request: &Request) -> Result<Reply, ModelError> {
    bedrock.converse(request, &asker(), PATIENCE).await
}
