//! Where values come from: a recorded result traced to its span, its invocation and its audit record (INV-09).

use clinflow_core::{
    AgentId, Evidence, Execution, Field, FieldSet, Finding, Phi, Role, Severity, Status, Step,
    audit::{ChainHead, Entry, Event, Record},
    field::{Alignment, Assertion, Confidence, Offsets, Source},
    id::ObjectHash,
    step::{ObjectRef, Outcome},
};
use clinflow_ports::{AuditLog as _, Executions as _, Objects as _};
use clinflow_proto::v1::TraceRequest;
use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

use crate::house::{House, NOW};

const TEXT: &str = "Subject 0042 had a headache on 11-JAN-2026, grade 2.";

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(NOW + seconds).unwrap()
}

/// A field with this value, where it stands in the text.
fn field(name: &str, group: Option<(&str, u32)>, value: &str, role: Role) -> Field {
    let start = TEXT.find(value).unwrap();
    Field {
        name: name.to_owned(),
        group: group.map(|(group, _)| group.to_owned()),
        index: group.map(|(_, index)| index),
        value: Phi::new(value),
        normalized: None,
        unit: None,
        codes: Vec::new(),
        assertion: Assertion::default(),
        evidence: vec![Evidence {
            span: Offsets::new(TEXT).span(start..start + value.len()),
            page: Some(1),
            status: Alignment::Verbatim,
        }],
        confidence: Confidence::from_thousandths(875),
        source: if role == Role::Nlp { Source::Model } else { Source::Pattern },
        agent_id: AgentId::new(format!("ae-report.{role}")).unwrap(),
        invocation_id: Uuid::from_u128(5),
        model: (role == Role::Nlp).then(|| "anthropic.claude/1".to_owned()),
        findings: Vec::new(),
    }
}

fn step(role: Role, output: Option<ObjectRef>, second: i64) -> Step {
    Step {
        role,
        agent_id: AgentId::new(format!("ae-report.{role}")).unwrap(),
        invocation_id: Uuid::from_u128(if role == Role::Classifier { 4 } else { 5 }),
        attempt: 1,
        started_at: at(second),
        ended_at: at(second + 1),
        outcome: Outcome::Succeeded,
        code: None,
        model: (role == Role::Nlp).then(|| "anthropic.claude/1".to_owned()),
        prompt: (role == Role::Nlp).then(|| ObjectHash::of(b"prompt")),
        output,
        cost_nano_usd: if role == Role::Nlp { 1_250_000 } else { 0 },
    }
}

impl House {
    /// Appends to an execution's chain, as the auditor does.
    async fn append(&self, execution: &Execution, id: u128, event: Event) -> Record {
        let entry = Entry {
            execution: execution.id,
            message_id: Uuid::from_u128(id),
            document: execution.document.sha256,
            bundle: execution.bundle,
            session: execution.session.clone(),
            at: at(5),
            event,
        };
        self.log.append(ChainHead::genesis(execution.id), entry).await.unwrap()
    }

    /// An execution with a recorded result of two fields and a finding.
    pub(crate) async fn with_result(&self, document: &'static [u8]) -> Execution {
        let answer = self.post("?workflow=ae-report&session=s-7", document).await.json();
        let execution = self.stored(answer["execution_id"].as_str().unwrap()).await;
        let id = execution.id;
        let text = json!({"schema": "clinflow.text/1", "text": TEXT, "pages": []}).to_string();
        let text = self.objects.put(&format!("executions/{id}/text.json"), text.into()).await.unwrap();
        let mut term = field("term", Some(("event", 2)), "headache", Role::Nlp);
        term.findings = vec!["AE-SER-02".to_owned()];
        let set = FieldSet {
            fields: vec![field("onset_date", None, "11-JAN-2026", Role::Extractor), term],
            findings: vec![Finding {
                rule: "AE-SER-02".to_owned(),
                version: 1,
                severity: Severity::Review,
                field: Some("term".to_owned()),
                index: Some(2),
                message: Phi::new("`headache` has no seriousness"),
            }],
            ..FieldSet::new(Role::Validator)
        };
        let bytes = serde_json::to_vec(&set).unwrap();
        let fields = self.objects.put(&format!("executions/{id}/fields.json"), bytes.into()).await.unwrap();
        let steps = vec![
            step(Role::Classifier, Some(text), 0),
            step(Role::Extractor, None, 1),
            step(Role::Nlp, None, 1),
        ];
        let findings = vec![("AE-SER-02".to_owned(), 1)];
        let event = Event::Recorded { steps, fields, field_count: 2, findings, missing: Vec::new() };
        let record = self.append(&execution, 10, event).await;
        let guarded = |field: Option<&str>| Event::Guarded {
            guardrail: "pharma".to_owned(),
            policy: "sensitive-information".to_owned(),
            action: "anonymized".to_owned(),
            field: field.map(str::to_owned),
        };
        self.append(&execution, 11, guarded(Some("event.term"))).await;
        self.append(&execution, 12, guarded(None)).await;
        self.settle(id, Status::NeedsReview, record.head()).await;
        self.stored(&id.to_string()).await
    }
}

#[tokio::test]
async fn every_field_is_traced_to_its_span_its_invocation_its_record_and_the_guardrail() {
    let house = House::open().await;
    let execution = house.with_result(b"one").await;
    let answer = house.get(&format!("/v1/executions/{}/trace", execution.id)).await;
    assert_eq!(answer.header("cache-control"), "no-store");
    let trace = answer.json();
    let record = &house.log.read(execution.id).await.unwrap()[0];
    assert_eq!(trace["schema"], "clinflow.trace/1");
    assert_eq!(trace["document_sha256"], execution.document.sha256.to_string());
    assert_eq!((&trace["session_id"], &trace["bundle"]), (&json!("s-7"), &json!(execution.bundle)));
    assert_eq!(trace["record"], json!({"sequence": 1, "hash": record.hash.to_string()}));
    assert_eq!(trace["chain"], json!({"verified": true, "broken": null}));
    assert_eq!(trace["guardrail"][0]["record"], 3);
    let fields = trace["fields"].as_array().unwrap();
    assert_eq!(fields.len(), 2);
    for field in fields {
        assert_eq!(field["evidence"][0]["text"], field["value"], "the span says the value");
        assert_eq!(field["invocation_id"], Uuid::from_u128(5).to_string());
        assert_eq!(field["step"]["agent_id"], field["agent_id"]);
    }
    assert_eq!((&fields[0]["model"], &fields[0]["prompt_sha256"]), (&json!(null), &json!(null)));
    assert_eq!(fields[1]["model"], "anthropic.claude/1");
    assert_eq!(fields[1]["prompt_sha256"], ObjectHash::of(b"prompt").to_string());
    assert_eq!(fields[1]["step"]["cost_nano_usd"], 1_250_000);
    assert_eq!(
        (&fields[1]["findings"], &fields[1]["guardrail"][0]["action"]),
        (&json!(["AE-SER-02"]), &json!("anonymized"))
    );
}

#[tokio::test]
async fn one_field_is_traced_by_name_group_and_repetition_over_both_protocols() {
    let house = House::open().await;
    let id = house.with_result(b"one").await.id;
    for (wanted, found) in [
        ("onset_date", 1),
        ("term", 1),
        ("event.term", 1),
        ("event[2].term", 1),
        ("event[1].term", 0),
        ("nothing", 0),
        ("", 2),
    ] {
        let request = TraceRequest { execution_id: id.to_string(), field: wanted.to_owned() };
        let trace = house.executions().await.trace(request).await.unwrap().into_inner();
        assert_eq!(trace.fields.len(), found, "{wanted}");
    }
    let one = house.get(&format!("/v1/executions/{id}/trace?field=event%5B2%5D.term")).await.json();
    assert_eq!(one["fields"][0]["value"], "headache");
    let refused = house.get(&format!("/v1/executions/{id}/trace?field=event%5Bx%5D.term")).await;
    assert_eq!(refused.problem(), (400, "request.unreadable".to_owned()));
}

#[tokio::test]
async fn fields_that_are_not_those_that_were_recorded_are_not_shown() {
    let house = House::open().await;
    let id = house.with_result(b"one").await.id;
    house.objects.put(&format!("executions/{id}/fields.json"), "{}".into()).await.unwrap();
    let answer = house.get(&format!("/v1/executions/{id}/trace")).await;
    assert_eq!(answer.problem(), (500, "store.corrupt".to_owned()));
}

#[tokio::test]
async fn a_trace_says_when_its_chain_was_cut_and_an_execution_without_a_result_has_none() {
    let house = House::open().await;
    let execution = house.with_result(b"one").await;
    let cut = ChainHead { sequence: 9, hash: ObjectHash::of(b"gone") };
    house.executions.witness(execution.id, cut).await.unwrap();
    let trace = house.get(&format!("/v1/executions/{}/trace", execution.id)).await.json();
    assert_eq!(trace["chain"]["verified"], false);
    assert!(trace["chain"]["broken"].as_str().unwrap().starts_with("record 4 is missing"));
    let shown = house.get(&format!("/v1/executions/{}", execution.id)).await.json();
    assert_eq!(shown["chain"]["verified"], false);
    let without = house.post("", b"two").await.json()["execution_id"].as_str().unwrap().to_owned();
    let answer = house.get(&format!("/v1/executions/{without}/trace")).await;
    assert_eq!(answer.problem(), (404, "execution.no-record".to_owned()));
}
