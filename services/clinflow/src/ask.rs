//! `clinflow ask`: a question about an execution, its answer, and where in the document it stands.

use std::{fmt::Write as _, time::Duration};

use clinflow_core::{Answer, Lane, Role};
use clinflow_ports::topology::queue_name;
use clinflow_proto::v1;
use serde_json::{Value, json};

use crate::{
    Ended, arguments,
    client::{Client, refused},
    house::House,
    print, show,
};

/// How often it is looked whether everything is recorded, and how often at most, before a data folder is closed.
const LOOK: Duration = Duration::from_millis(20);
const LOOKS: u32 = 100;

/// `clinflow ask EXECUTION QUESTION`
pub(crate) async fn command(command: arguments::Ask) -> anyhow::Result<Ended> {
    let (mut client, house) = Client::of(&command.place).await?;
    if let Some(house) = &house {
        // Nobody else works on a data folder.
        house.start_role(Role::Nlp).await?;
        house.start_role(Role::Auditor).await?;
    }
    let request = v1::AskRequest {
        execution_id: command.execution,
        question: command.question,
        session_id: command.session.unwrap_or_default(),
    };
    let asked = client.questions.ask(request).await;
    if let Some(house) = house {
        finish(&house).await?;
        house.close().await;
    }
    let response = asked.map_err(|status| refused(&status))?.into_inner();
    let text = if command.json { format!("{}\n", answer_json(&response)) } else { view(&response) };
    print::answer(&text)?;
    Ok(Ended::Well)
}

/// Waits until the auditor has taken what the question left on its queue, which would end with the process.
async fn finish(house: &House) -> anyhow::Result<()> {
    let queue = queue_name(Role::Auditor, Lane::Interactive);
    for _ in 0..LOOKS {
        if house.ports().broker.depth(&queue).await? == 0 {
            break;
        }
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}

/// The answer as text.
fn view(response: &v1::AskResponse) -> String {
    let said =
        if response.refused { format!("refused: {}", response.message) } else { response.answer.clone() };
    let mut text = format!("{said}\n");
    let by = if response.model.is_empty() { "no model was asked" } else { &response.model };
    for one in &response.citations {
        let page = if one.page == 0 { String::new() } else { format!(", page {}", one.page) };
        let field = if one.field.is_empty() { String::new() } else { format!("  {}", one.field) };
        let _ = writeln!(text, "  characters {} to {}{page}{field}", one.start, one.end);
    }
    for one in &response.guardrail {
        let _ =
            writeln!(text, "  guardrail: {} {} in the {} ({})", one.policy, one.action, side(one), one.name);
    }
    let _ = writeln!(text, "  {by}, ${}", show::dollars(response.cost_nano_usd));
    text
}

/// On which side of the model something was found, in words.
fn side(finding: &v1::GuardrailFinding) -> &'static str {
    if finding.source == "input" { "question" } else { "answer" }
}

/// `clinflow.answer/1`
fn answer_json(response: &v1::AskResponse) -> Value {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let citation = |one: &v1::Citation| {
        json!({"start": one.start, "end": one.end, "byte_start": one.byte_start, "byte_end": one.byte_end,
               "page": (one.page > 0).then_some(one.page), "field": some(&one.field)})
    };
    let finding = |one: &v1::GuardrailFinding| json!({"source": one.source, "policy": one.policy, "name": one.name, "action": one.action});
    json!({
        "schema": Answer::SCHEMA,
        "execution_id": response.execution_id,
        "question_id": response.question_id,
        "answer": response.answer,
        "refused": response.refused,
        "message": some(&response.message),
        "citations": response.citations.iter().map(citation).collect::<Vec<_>>(),
        "guardrail": response.guardrail.iter().map(finding).collect::<Vec<_>>(),
        "model": some(&response.model),
        "cost_nano_usd": response.cost_nano_usd,
    })
}

#[cfg(test)]
mod tests {
    use clinflow_core::{Status, audit::verify};

    use super::*;
    use crate::submit::{Labels, submit};

    #[tokio::test(flavor = "multi_thread")]
    async fn a_document_is_asked_about_and_its_chain_holds_question_answer_and_step() {
        let folder = tempfile::tempdir().unwrap();
        let house = House::open(folder.path(), None).await.unwrap();
        house.start_roles().await.unwrap();
        let mut client = house.serve_gateway().await.unwrap();
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../samples/ae-report/03-followup-by-email.txt");
        let labels = Labels { workflow: None, session: None, interactive: true };
        let submitted = submit(client.clone(), path.as_ref(), &labels, 1 << 20).await.unwrap();
        let execution_id = submitted.execution.unwrap().execution_id;
        let id = execution_id.parse().unwrap();
        let ask = |question: &str| v1::AskRequest {
            execution_id: execution_id.clone(),
            question: question.to_owned(),
            session_id: "s-1".to_owned(),
        };
        let ended = |execution: &clinflow_core::Execution| execution.status != Status::Running;
        while !house.ports().executions.get(id).await.unwrap().as_ref().is_some_and(ended) {
            tokio::time::sleep(LOOK).await;
        }
        let answer =
            client.questions.ask(ask("What dose did the patient receive?")).await.unwrap().into_inner();
        assert_eq!((answer.refused, answer.model.as_str()), (false, "local/1"), "{}", answer.message);
        assert!(answer.answer.contains("\"75 mg\""), "{}", answer.answer);
        assert_eq!(answer.citations[0].field, "suspect_drug[1].dose");
        let refused =
            client.questions.ask(ask("What dose should this patient receive?")).await.unwrap().into_inner();
        assert!(
            refused.refused && refused.message.starts_with("This query is outside"),
            "{}",
            refused.answer
        );

        let chain = house.ports().log.read(id).await.unwrap();
        verify(id, &chain).unwrap();
        let asked = clinflow_core::audit::history(&chain);
        let step = asked.iter().find(|step| step.invocation_id.to_string() == answer.question_id).unwrap();
        assert_eq!((step.role, step.model.as_deref()), (Role::Nlp, Some("local/1")));
        house.close().await;
    }

    #[test]
    fn an_answer_shows_where_it_stands_and_a_refusal_shows_why() {
        let citation = v1::Citation {
            start: 7,
            end: 13,
            page: 2,
            field: "suspect_drug[1].dose".to_owned(),
            ..v1::Citation::default()
        };
        let answered = v1::AskResponse {
            answer: "ABX-104: \"150 mg\"".to_owned(),
            citations: vec![citation],
            model: "local/1".to_owned(),
            ..v1::AskResponse::default()
        };
        assert_eq!(
            view(&answered),
            "ABX-104: \"150 mg\"\n  characters 7 to 13, page 2  suspect_drug[1].dose\n  local/1, $0\n"
        );
        let finding = v1::GuardrailFinding {
            source: "input".to_owned(),
            policy: "topic".to_owned(),
            name: "ClinicalTreatmentAdvice".to_owned(),
            action: "blocked".to_owned(),
        };
        let refused = v1::AskResponse {
            refused: true,
            message: "Outside the scope.".to_owned(),
            guardrail: vec![finding],
            ..v1::AskResponse::default()
        };
        assert_eq!(
            view(&refused),
            "refused: Outside the scope.\n  guardrail: topic blocked in the question (ClinicalTreatmentAdvice)\n  no model was \
             asked, $0\n"
        );
        assert_eq!(answer_json(&refused)["message"], "Outside the scope.");
        assert_eq!(answer_json(&answered)["message"], Value::Null);
    }
}
