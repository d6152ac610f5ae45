//! From a message to what the log says about it. Pure: references, hashes, counts and codes; no text.

use clinflow_core::{
    Failure, ReviewItem, Role, Severity, Status, WorkflowId,
    audit::{ChainHead, Event, Record},
    review::{Decision, ReviewId},
};
use clinflow_proto::v1;
use clinflow_runtime::wire::{self, Publish, malformed, required_object};

/// The workflow of a classified document.
pub(crate) fn workflow(document: Option<&v1::DocumentClassified>) -> Result<WorkflowId, Failure> {
    let document = document.ok_or_else(|| malformed("`document` is missing"))?;
    WorkflowId::new(document.workflow_id.clone()).map_err(|_| malformed("`workflow_id` is not a workflow id"))
}

/// What is recorded of validated fields.
pub(crate) fn recorded(message: &v1::FieldsValidated) -> Result<Event, Failure> {
    Ok(Event::Recorded {
        steps: steps(message)?,
        fields: required_object(message.fields.as_ref(), "`fields` is missing")?,
        field_count: message.field_count,
        findings: message.findings.iter().map(|finding| (finding.rule.clone(), finding.count)).collect(),
        missing: message.missing.clone(),
    })
}

/// What is recorded of written outputs, which rest on the record `rests_on`. The steps before it are in it.
pub(crate) fn reported(message: &v1::ReportCompleted, rests_on: ChainHead) -> Result<Event, Failure> {
    let since = |step: &clinflow_core::Step| matches!(step.role, Role::Auditor | Role::Reporter);
    Ok(Event::Reported {
        steps: steps(message)?.into_iter().filter(since).collect(),
        outputs: message.outputs.iter().map(wire::object_ref).collect::<Result<_, _>>()?,
        rests_on: Some(rests_on),
    })
}

/// What is recorded of an answer. The steps up to the record it rests on are in that record.
pub(crate) fn answered(message: &v1::QuestionAnswered) -> Result<Event, Failure> {
    Ok(Event::Answered {
        question: message.question_id.parse().map_err(|_| malformed("`question_id` is not a UUID"))?,
        answer: required_object(message.answer.as_ref(), "`answer` is missing")?,
        refused: message.refused,
        steps: steps(message)?,
    })
}

/// What is recorded of a failure.
pub(crate) fn failed(message: &v1::DocumentFailed, status: Status) -> Result<Event, Failure> {
    Ok(Event::Failed {
        steps: steps(message)?,
        code: message.code.clone(),
        message: message.message.clone(),
        parked: status == Status::Parked,
    })
}

/// What is recorded of a decision of the guardrail.
pub(crate) fn guarded(message: &v1::GuardrailIntervened) -> Event {
    Event::Guarded {
        guardrail: message.guardrail.clone(),
        policy: message.policy.clone(),
        action: message.action.clone(),
        field: Some(message.field.clone()).filter(|field| !field.is_empty()),
    }
}

/// What is recorded of a settled review item.
pub(crate) fn resolved(message: &v1::ReviewResolved) -> Result<(ReviewId, Event), Failure> {
    let id: ReviewId =
        message.review_id.parse().map_err(|_| malformed("`review_id` is not a review item's id"))?;
    let decision =
        Decision::parse(&message.decision).ok_or_else(|| malformed("`decision` is not a decision"))?;
    let value = message.value.as_ref().map(wire::object_ref).transpose()?;
    Ok((id, Event::Resolved { item: id.number, decision, by: message.reviewer.clone(), value }))
}

/// Whether two records tell of the same fields, whatever way they took.
pub(crate) fn is_same_result(one: &Event, other: &Event) -> bool {
    match (one, other) {
        (Event::Recorded { fields: one, .. }, Event::Recorded { fields: other, .. }) => one == other,
        _ => false,
    }
}

/// What a person must settle about a recorded result.
pub(crate) fn review_items(
    message: &v1::FieldsValidated,
    run: &wire::Run,
    workflow: &WorkflowId,
    record: &Record,
) -> Result<Vec<ReviewItem>, Failure> {
    let numbered = (1..).zip(&message.review_items);
    numbered.map(|(number, item)| wire::review_item(item, run, workflow, number, record.entry.at)).collect()
}

/// What a person must settle about a document that nothing can be read from by itself.
pub(crate) fn review_of_document(
    run: &wire::Run,
    workflow: &WorkflowId,
    code: &str,
    record: &Record,
) -> ReviewItem {
    ReviewItem {
        id: ReviewId { execution: run.execution, number: 1 },
        workflow: workflow.clone(),
        rule: code.to_owned(),
        severity: Severity::Review,
        field: None,
        index: None,
        spans: Vec::new(),
        created_at: record.entry.at,
        resolution: None,
    }
}

/// The message that says that items wait for a person: the first, and how many there are.
pub(crate) fn requested(
    execution: Option<v1::ExecutionContext>,
    items: &[ReviewItem],
) -> Option<v1::ReviewRequested> {
    let first = items.first()?;
    // The history is in the audit log, and this message adds nothing to it.
    let execution = execution.map(|context| v1::ExecutionContext { steps: Vec::new(), ..context });
    Some(v1::ReviewRequested {
        execution,
        workflow_id: first.workflow.to_string(),
        review_id: first.id.to_string(),
        rule: first.rule.clone(),
        field: first.field.clone().unwrap_or_default(),
        items: u32::try_from(items.len()).unwrap_or(u32::MAX),
    })
}

fn steps(message: &impl Publish) -> Result<Vec<clinflow_core::Step>, Failure> {
    message.execution().map_or_else(|| Ok(Vec::new()), wire::steps)
}
