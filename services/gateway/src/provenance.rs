//! Where a value comes from: the recorded result of an execution, joined with its history, the guardrail's decisions
//! and the text it was read from.

use std::{sync::Arc, time::Duration};

use clinflow_core::{
    Evidence, Execution, ExecutionId, Field, FieldSet, Role, Step,
    audit::{Broken, Event, Record, history, verify_up_to},
    field::Source,
    step::ObjectRef,
};
use clinflow_ports::{StoreError, objects::get_checked};
use clinflow_proto::v1;
use clinflow_runtime::wire;
use serde::{Deserialize, de::DeserializeOwned};

use crate::{auth::Caller, grpc::words, ports::Ports, refusal::Refusal, show::Show};

/// Which fields are wanted: `onset_date`, `event.term`, `event[2].term`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Selector<'a> {
    name: Option<&'a str>,
    group: Option<&'a str>,
    index: Option<u32>,
}

impl<'a> Selector<'a> {
    /// Reads a selector; an empty one wants every field.
    pub(crate) fn read(text: &'a str) -> Result<Self, Refusal> {
        let unreadable = || Refusal::Unreadable {
            field: "field",
            expected: "`name`, `group.name` or `group[number].name`",
        };
        if text.is_empty() {
            return Ok(Self::default());
        }
        let Some((group, name)) = text.split_once('.') else {
            return Ok(Self { name: Some(text), ..Self::default() });
        };
        let (group, index) = match group.split_once('[') {
            None => (group, None),
            Some((group, rest)) => {
                let number = rest.strip_suffix(']').and_then(|number| number.parse().ok());
                (group, Some(number.ok_or_else(unreadable)?))
            }
        };
        if group.is_empty() || name.is_empty() {
            return Err(unreadable());
        }
        Ok(Self { name: Some(name), group: Some(group), index })
    }

    fn wants(&self, field: &Field) -> bool {
        self.name.is_none_or(|name| name == field.name)
            && self.group.is_none_or(|group| field.group.as_deref() == Some(group))
            && self.index.is_none_or(|index| field.index == Some(index))
    }
}

/// The extracted text, of which only the words are needed here.
#[derive(Deserialize)]
struct Text {
    text: String,
}

/// A recorded result with everything that is known about how it came about.
pub(crate) struct Traced {
    record: Record,
    fields_object: ObjectRef,
    pub(crate) set: FieldSet,
    text: String,
    steps: Vec<Step>,
    guarded: Vec<Guarded>,
    broken: Option<Broken>,
}

/// A decision of the guardrail, and the field it was about.
struct Guarded {
    field: Option<String>,
    decision: v1::GuardrailDecision,
}

/// Traces values.
pub(crate) struct Provenance {
    ports: Ports,
    show: Arc<Show>,
    retry_after: Duration,
}

impl Provenance {
    /// Traces what `ports` hold.
    pub(crate) fn new(ports: Ports, show: Arc<Show>, retry_after: Duration) -> Arc<Self> {
        Arc::new(Self { ports, show, retry_after })
    }

    /// Where the wanted fields of an execution come from.
    pub(crate) async fn trace(
        &self,
        caller: &Caller,
        id: ExecutionId,
        wanted: Selector<'_>,
    ) -> Result<v1::TraceResponse, Refusal> {
        let execution = self.show.execution(caller, id).await?;
        let result = self.result(&execution).await?;
        tracing::info!("a result was traced");
        let fields = result.set.fields.iter().filter(|field| wanted.wants(field));
        Ok(v1::TraceResponse {
            execution: Some(words::execution(&execution)),
            fields: fields.map(|field| result.field(field)).collect(),
            chain_sequence: result.record.sequence,
            chain_hash: result.record.hash.as_bytes().to_vec().into(),
            chain_verified: result.broken.is_none(),
            chain_broken: result.broken.as_ref().map(ToString::to_string).unwrap_or_default(),
            fields_object: Some(wire::to_wire(&result.fields_object)),
            guardrail: result.decisions(|about| about.is_none()),
        })
    }

    /// The recorded result of an execution.
    pub(crate) async fn result(&self, execution: &Execution) -> Result<Traced, Refusal> {
        let refuse = |error| Refusal::of_store(error, self.retry_after);
        let records = self.ports.log.read(execution.id).await.map_err(refuse)?;
        let found = records.iter().find_map(|record| match &record.entry.event {
            Event::Recorded { steps, fields, .. } => Some((record.clone(), steps, fields.clone())),
            _ => None,
        });
        let (record, before, fields_object) = found.ok_or(Refusal::NoRecord)?;
        let text = before.iter().find(|step| step.role == Role::Classifier && step.output.is_some());
        let text: Text = match text.and_then(|step| step.output.as_ref()) {
            Some(object) => self.read(object).await.map_err(refuse)?,
            None => Text { text: String::new() },
        };
        Ok(Traced {
            set: self.read(&fields_object).await.map_err(refuse)?,
            text: text.text,
            steps: history(&records),
            guarded: records.iter().filter_map(guarded).collect(),
            broken: verify_up_to(execution.id, &records, execution.known_head()).err(),
            record,
            fields_object,
        })
    }

    /// Reads an object that a record refers to, if it is still the one that was recorded.
    async fn read<T: DeserializeOwned>(&self, object: &ObjectRef) -> Result<T, StoreError> {
        let bytes = get_checked(self.ports.objects.as_ref(), object).await?;
        serde_json::from_slice(&bytes).map_err(|_| StoreError::Corrupt {
            store: "objects",
            // The parser's words may quote the document.
            what: format!("`{}` is not what it should be", object.key),
        })
    }
}

/// The guardrail's decision in a record, if it is one.
fn guarded(record: &Record) -> Option<Guarded> {
    let Event::Guarded { guardrail, policy, action, field } = &record.entry.event else { return None };
    let decision = v1::GuardrailDecision {
        guardrail: guardrail.clone(),
        policy: policy.clone(),
        action: action.clone(),
        chain_sequence: record.sequence,
    };
    Some(Guarded { field: field.clone(), decision })
}

impl Traced {
    /// Where `field` comes from.
    pub(crate) fn field(&self, field: &Field) -> v1::FieldTrace {
        let step = self.steps.iter().rev().find(|step| {
            step.agent_id == field.agent_id
                && step.invocation_id == field.invocation_id
                && step.code.is_none()
        });
        let name = match &field.group {
            None => field.name.clone(),
            Some(group) => format!("{group}.{}", field.name),
        };
        let about = |about: Option<&str>| about.is_some_and(|about| about == field.name || about == name);
        v1::FieldTrace {
            name: field.name.clone(),
            group: field.group.clone().unwrap_or_default(),
            index: field.index.unwrap_or_default(),
            value: field.value.expose().to_owned(),
            normalized: field.normalized.as_ref().map(|text| text.expose().to_owned()).unwrap_or_default(),
            unit: field.unit.clone().unwrap_or_default(),
            evidence: field.evidence.iter().map(|evidence| self.span(evidence)).collect(),
            confidence: field.confidence.thousandths().into(),
            source: source(field.source).to_owned(),
            agent_id: field.agent_id.to_string(),
            invocation_id: field.invocation_id.to_string(),
            step: step.map(wire::step_to_wire),
            model: field.model.clone().unwrap_or_default(),
            prompt_sha256: step
                .and_then(|step| step.prompt)
                .map(|prompt| prompt.as_bytes().to_vec().into())
                .unwrap_or_default(),
            findings: field.findings.clone(),
            guardrail: self.decisions(about),
        }
    }

    fn span(&self, evidence: &Evidence) -> v1::TracedSpan {
        let status = serde_json::to_value(evidence.status).ok();
        v1::TracedSpan {
            span: Some(wire::span_to_wire(&evidence.span)),
            page: evidence.page.unwrap_or_default(),
            status: status.as_ref().and_then(serde_json::Value::as_str).unwrap_or_default().to_owned(),
            text: evidence.span.of(&self.text).unwrap_or_default().to_owned(),
        }
    }

    /// The guardrail's decisions about the fields that `about` names.
    fn decisions(&self, about: impl Fn(Option<&str>) -> bool) -> Vec<v1::GuardrailDecision> {
        let decisions = self.guarded.iter().filter(|guarded| about(guarded.field.as_deref()));
        decisions.map(|guarded| guarded.decision.clone()).collect()
    }
}

const fn source(source: Source) -> &'static str {
    match source {
        Source::Pattern => "pattern",
        Source::Model => "model",
        Source::Both => "both",
        Source::Derived => "derived",
    }
}

#[cfg(test)]
mod tests {
    use super::Selector;

    #[test]
    fn a_selector_names_a_field_a_group_and_a_repetition() {
        let read = |text| Selector::read(text).unwrap();
        assert_eq!(read("dose"), Selector { name: Some("dose"), group: None, index: None });
        assert_eq!(read("event.term"), Selector { name: Some("term"), group: Some("event"), index: None });
        assert_eq!(
            read("event[2].term"),
            Selector { name: Some("term"), group: Some("event"), index: Some(2) }
        );
        assert_eq!(read(""), Selector::default());
        for bad in ["event[x].term", "event[2.term", ".term", "event."] {
            assert!(Selector::read(bad).is_err(), "{bad}");
        }
    }
}
