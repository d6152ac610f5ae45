//! A record that has one of everything, for the tests of this crate.

use std::sync::LazyLock;

use clinflow_core::{
    AgentId, BundleHash, DocumentHash, Evidence, ExecutionId, Field, Finding, Guarded, Intervention, Phi,
    Role, SessionId, Severity, Status, Step, WorkflowId,
    field::{Alignment, Assertion, Code, Confidence, Offsets, Source},
    id::ObjectHash,
    step::{ObjectRef, Outcome},
};
use clinflow_workflow::{Bundle, Format, Workflow, shipped};
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

/// A field that says `value` somewhere.
pub(crate) fn said(name: &str, group: Option<(&str, u32)>, value: &str, normalized: &str) -> Field {
    let somewhere = Evidence {
        span: Offsets::new(value).span(0..value.len()),
        page: None,
        status: Alignment::Normalised,
    };
    Field {
        value: Phi::new(value),
        evidence: vec![somewhere],
        ..field(name, group, TEXT, Some(normalized).filter(|text| !text.is_empty()))
    }
}

/// The shipped workflow `id`, asked for `outputs`.
pub(crate) fn workflow(id: &str, outputs: &[Format]) -> Workflow {
    static BUNDLE: LazyLock<Bundle> = LazyLock::new(|| Bundle::read(&shipped()).unwrap());
    let workflow = BUNDLE.workflow(&WorkflowId::new(id).unwrap()).unwrap();
    Workflow { outputs: outputs.to_vec(), ..workflow.as_ref().clone() }
}

/// A record of `id` that needs no review, with these fields.
pub(crate) fn record_of(id: &str, fields: Vec<Field>) -> Record {
    Record {
        workflow_id: WorkflowId::new(id).unwrap(),
        document_type: id.to_owned(),
        status: Status::Completed,
        fields,
        findings: Vec::new(),
        ..record()
    }
}

/// A case with one of everything that FHIR and Dataset-JSON say about it.
pub(crate) fn case() -> Record {
    let event = |name, index, value, normalized| said(name, Some(("event", index)), value, normalized);
    let drug = |name, value, normalized| said(name, Some(("suspect_drug", 1)), value, normalized);
    let with_unit = |field, unit: &str| Field { unit: Some(unit.to_owned()), ..field };
    let by_model = |field| Field { source: Source::Model, model: Some("local/1".to_owned()), ..field };
    let fields = vec![
        said("study_id", None, "ABX-104-301", ""),
        said("site_id", None, "104", ""),
        said("subject_id", None, "104-0032", ""),
        with_unit(said("age", None, "57 y", "57"), "a"),
        said("sex", None, "Female", "F"),
        by_model(event("event_term", 1, "febrile neutropenia", "febrile neutropenia")),
        event("onset_date", 1, "09-JAN-2026 14:20", "2026-01-09T14:20"),
        event("end_date", 1, "JAN 2026", "2026-01"),
        event("severity", 1, "severe", "SEVERE"),
        event("ctcae_grade", 1, "G3", "3"),
        event("serious", 1, "Yes", "Y"),
        event("seriousness_hospitalisation", 1, "[X] Hospitalisation", "Y"),
        event("outcome", 1, "Recovered", "RECOVERED/RESOLVED"),
        event("action_taken", 1, "held", "DRUG INTERRUPTED"),
        event("causality", 1, "possible", "POSSIBLY RELATED"),
        drug("drug_name", "ABX-104", ""),
        with_unit(drug("dose", "1.50 mg/kg", "1.50"), "mg/kg"),
        drug("route", "PO", "ORAL"),
        drug("frequency", "twice daily", "BID"),
        drug("start_date", "20-DEC-2025", "2025-12-20"),
        drug("lot_number", "12A-0771", ""),
        said("drug_name", Some(("concomitant_drug", 1)), "ondansetron", ""),
        said("reporter_name", None, "Dr Zoe Example", ""),
    ];
    record_of("ae-report", fields)
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
        prompt: None,
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
        guardrail: guarded(),
        cost: Cost::of_steps(&steps),
        steps,
    }
}

/// A guardrail that has masked the reporter's name.
pub(crate) fn guarded() -> Guarded {
    Guarded {
        guardrail: "pharma-clinical-guardrail-prod/0123456789ab".to_owned(),
        interventions: vec![Intervention {
            policy: "sensitive-information".to_owned(),
            name: "NAME".to_owned(),
            action: "anonymized".to_owned(),
            field: Some("reporter_name".to_owned()),
            index: None,
        }],
    }
}
