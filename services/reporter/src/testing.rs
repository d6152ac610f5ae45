//! A record that has one of everything, for the tests of this crate.

use clinflow_core::{
    AgentId, BundleHash, DocumentHash, Evidence, ExecutionId, Field, Finding, Phi, Role, SessionId, Severity,
    Status, Step, WorkflowId,
    field::{Alignment, Assertion, Code, Confidence, Offsets, Source},
    id::ObjectHash,
    step::{ObjectRef, Outcome},
};
use jiff::Timestamp;
use uuid::Uuid;

use crate::{
    cost::Cost,
    record::{Document, Record},
};

/// The text the fields point into.
pub(crate) const TEXT: &str =
    "Subject 104-0032. Started -1 mg ABX-104. =HYPERLINK(\"x\"), moderate; 2 mg on 11-JAN-2026. No sepsis.";

/// A field with the first place where `value` stands in [`TEXT`] as its evidence.
pub(crate) fn field(name: &str, group: Option<(&str, u32)>, value: &str, normalized: Option<&str>) -> Field {
    let start = TEXT.find(value).unwrap();
    Field {
        name: name.to_owned(),
        group: group.map(|(group, _)| group.to_owned()),
        index: group.map(|(_, index)| index),
        value: Phi::new(value),
        normalized: normalized.map(Phi::new),
        unit: None,
        codes: Vec::new(),
        assertion: Assertion::default(),
        evidence: vec![Evidence {
            span: Offsets::new(TEXT).span(start..start + value.len()),
            page: Some(1),
            status: Alignment::Verbatim,
        }],
        confidence: Confidence::from_thousandths(900),
        source: Source::Pattern,
        agent_id: AgentId::new("ae-report.extractor").unwrap(),
        invocation_id: Uuid::from_u128(1),
        model: None,
        findings: Vec::new(),
    }
}

/// The fields: one of no group, three repetitions of `event`, one denied condition.
pub(crate) fn fields() -> Vec<Field> {
    let mut severity = field("severity", Some(("event", 2)), "moderate", Some("MODERATE"));
    severity.codes.push(Code {
        system: "CDISC C66769".to_owned(),
        code: "MODERATE".to_owned(),
        display: None,
    });
    severity.findings = vec!["AE-OUT-04".to_owned(), "GRD-02".to_owned()];
    severity.source = Source::Both;
    severity.model = Some("local/1".to_owned());
    let mut sepsis = field("condition", Some(("negated", 1)), "sepsis", Some("sepsis"));
    sepsis.assertion.negated = true;
    let dose = |index, value, normalized| Field {
        unit: Some("mg".to_owned()),
        ..field("dose", Some(("event", index)), value, Some(normalized))
    };
    vec![
        field("subject_id", None, "104-0032", None),
        dose(1, "-1 mg", "-1"),
        field("event_term", Some(("event", 2)), "=HYPERLINK(\"x\")", None),
        severity,
        dose(3, "2 mg", "2"),
        field("onset_date", Some(("event", 3)), "11-JAN-2026", Some("2026-01-11")),
        sepsis,
    ]
}

/// A record with these fields, a finding and two steps.
pub(crate) fn record() -> Record {
    let step = |role: Role, cost_nano_usd, output: bool| Step {
        role,
        agent_id: AgentId::new(format!("ae-report.{role}")).unwrap(),
        invocation_id: Uuid::from_u128(2),
        attempt: 1,
        started_at: Timestamp::from_second(1_770_000_000).unwrap(),
        ended_at: Timestamp::from_millisecond(1_770_000_000_250).unwrap(),
        outcome: Outcome::Succeeded,
        code: None,
        model: output.then(|| "local/1".to_owned()),
        output: output.then(|| ObjectRef {
            key: "executions/e/fields.json".to_owned(),
            sha256: ObjectHash::of(b"o"),
            size: 1,
        }),
        cost_nano_usd,
    };
    let steps = vec![step(Role::Classifier, 0, false), step(Role::Nlp, 12_345, true)];
    Record {
        schema: Record::SCHEMA.to_owned(),
        execution_id: ExecutionId::from_uuid(Uuid::from_u128(7)),
        document: Document {
            sha256: DocumentHash::of(b"document"),
            media_type: "application/pdf".to_owned(),
            pages: Some(1),
            name: Some(Phi::new("report.pdf")),
        },
        workflow_id: WorkflowId::new("ae-report").unwrap(),
        document_type: "ae-report".to_owned(),
        status: Status::NeedsReview,
        bundle: BundleHash::of(b"bundle"),
        session_id: Some(SessionId::new("s-1").unwrap()),
        fields: fields(),
        findings: vec![Finding {
            rule: "GRD-02".to_owned(),
            version: 1,
            severity: Severity::Review,
            field: Some("severity".to_owned()),
            index: Some(2),
            message: Phi::new("the sources differ"),
        }],
        guardrail: (),
        cost: Cost::of_steps(&steps),
        steps,
    }
}
