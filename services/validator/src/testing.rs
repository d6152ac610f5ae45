//! What the tests of this crate share: fields cut out of texts, and the shipped workflows.

use std::sync::{Arc, LazyLock};

use clinflow_core::{
    AgentId, Evidence, Field, FieldSet, Phi, Role, WorkflowId,
    field::{Alignment, Assertion, Confidence, Offsets, Source},
};
use clinflow_ingest::Text;
use clinflow_workflow::{Bundle, Workflow, shipped};

/// A shipped workflow. The bundle is read once: its patterns take a while to compile.
pub(crate) fn workflow(id: &str) -> Arc<Workflow> {
    static SHIPPED: LazyLock<Bundle> = LazyLock::new(|| Bundle::read(&shipped()).unwrap());
    let bundle = &SHIPPED;
    bundle.workflow(&WorkflowId::new(id).unwrap()).unwrap().clone()
}

/// A text without pages.
pub(crate) fn text(text: &str) -> Text {
    Text {
        schema: Text::SCHEMA.to_owned(),
        media_type: "text/plain".to_owned(),
        text: text.to_owned(),
        pages: Vec::new(),
    }
}

/// The pattern's field `name` of no group, with the first place in `text` where `value` stands as its evidence.
pub(crate) fn pattern(text: &str, name: &str, value: &str, normalized: &str) -> Field {
    let start = text.find(value).unwrap();
    let span = Offsets::new(text).span(start..start + value.len());
    Field {
        name: name.to_owned(),
        group: None,
        index: None,
        value: Phi::new(value),
        normalized: Some(Phi::new(normalized)),
        unit: None,
        codes: Vec::new(),
        assertion: Assertion::default(),
        evidence: vec![Evidence { span, page: None, status: Alignment::Verbatim }],
        confidence: Confidence::from_thousandths(900),
        source: Source::Pattern,
        agent_id: AgentId::new("ae-report.extractor").unwrap(),
        invocation_id: uuid::Uuid::nil(),
        model: None,
        findings: Vec::new(),
    }
}

/// The same field, said by the model.
pub(crate) fn by_model(field: Field) -> Field {
    Field {
        confidence: Confidence::from_thousandths(700),
        source: Source::Model,
        agent_id: AgentId::new("ae-report.nlp").unwrap(),
        model: Some("local/1".to_owned()),
        ..field
    }
}

/// The same field, as repetition `index` of `group`.
pub(crate) fn nth(field: Field, group: &str, index: u32) -> Field {
    Field { group: Some(group.to_owned()), index: Some(index), ..field }
}

/// What a branch found.
pub(crate) fn set(role: Role, fields: Vec<Field>) -> FieldSet {
    FieldSet { fields, ..FieldSet::new(role) }
}
