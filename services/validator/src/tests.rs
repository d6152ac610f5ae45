//! The handler over stores in memory.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use clinflow_core::{BundleHash, DocumentHash, ExecutionId, FieldSet, Lane, Role, TeamId, WorkflowId};
use clinflow_ports::{
    Bundles as _, Meta, Objects as _,
    memory::{MemoryBundles, MemoryObjects},
};
use clinflow_proto::v1;
use clinflow_runtime::{Catalog, Context, Done, Handler as _, telemetry::Metrics, wire};
use clinflow_workflow::{Bundle, shipped};
use jiff::Timestamp;
use uuid::Uuid;

use crate::{
    Validate,
    testing::{pattern, set, text},
};

const EXECUTION: ExecutionId = ExecutionId::from_uuid(Uuid::from_u128(7));
const TEXT: &str = "Study ABX-104-301, subject 104-0032, dated 05-MAR-2026.";

fn context() -> Context {
    Context {
        meta: Meta {
            message_id: Uuid::from_u128(9),
            execution: Some(EXECUTION),
            type_name: "clinflow.v1.FieldsMerged".to_owned(),
            timestamp: Timestamp::UNIX_EPOCH,
            workflow: WorkflowId::new("ae-report").unwrap(),
            lane: Lane::Batch,
            team: None,
            session: None,
            attempt: 1,
            redrive: 0,
            hops: 3,
            deadline: None,
            traceparent: None,
        },
        now: "2026-03-10T00:00:00Z".parse().unwrap(),
        remaining: Duration::from_secs(30),
    }
}

/// A validator, its objects, and a merged document whose text and pattern fields are among them.
async fn setup(submitted: &str) -> (Validate, Arc<MemoryObjects>, v1::FieldsMerged) {
    let (objects, bundles) = (Arc::new(MemoryObjects::default()), Arc::new(MemoryBundles::default()));
    let bundle: BundleHash = bundles.publish(&shipped()).await.unwrap();
    let catalog = Arc::new(Catalog::new(bundles, Bundle::read));
    let fields = set(
        Role::Extractor,
        vec![
            pattern(TEXT, "study_id", "ABX-104-301", "ABX-104-301"),
            pattern(TEXT, "subject_id", "104-0032", "104-0032"),
            pattern(TEXT, "document_date", "05-MAR-2026", "2026-03-05"),
        ],
    );
    let stored_text =
        objects.put("text.json", serde_json::to_vec(&text(TEXT)).unwrap().into()).await.unwrap();
    let stored_fields =
        objects.put("fields.json", serde_json::to_vec(&fields).unwrap().into()).await.unwrap();
    let submitted: Timestamp = submitted.parse().unwrap();
    let execution = v1::ExecutionContext {
        execution_id: EXECUTION.to_string(),
        document: Some(v1::DocumentRef {
            sha256: Bytes::copy_from_slice(DocumentHash::of(b"document").as_bytes()),
            ..v1::DocumentRef::default()
        }),
        bundle: Bytes::copy_from_slice(bundle.as_bytes()),
        submitted_at: Some(wire::timestamp_to_wire(submitted)),
        ..v1::ExecutionContext::default()
    };
    let merged = v1::FieldsMerged {
        document: Some(v1::DocumentClassified {
            execution: Some(execution),
            workflow_id: "ae-report".to_owned(),
            text: Some(wire::to_wire(&stored_text)),
            ..v1::DocumentClassified::default()
        }),
        branches: vec![v1::Branch {
            name: "extractor".to_owned(),
            fields: Some(wire::to_wire(&stored_fields)),
        }],
        missing: vec!["nlp".to_owned()],
    };
    (Validate::new(objects.clone(), catalog, Metrics::default()), objects, merged)
}

fn validated(done: &Done) -> &v1::FieldsValidated {
    done.outputs[0].message().as_any().downcast_ref().unwrap()
}

/// The rules that had something to say, with how often.
fn rules(done: &Done) -> Vec<(&str, u32)> {
    validated(done).findings.iter().map(|count| (count.rule.as_str(), count.count)).collect()
}

#[tokio::test]
async fn what_may_leave_is_stored_and_announced_with_its_findings() {
    let (validate, objects, merged) = setup("2026-03-05T10:00:00Z").await;
    let done = validate.handle(merged, &context()).await.unwrap();
    let message = validated(&done);
    assert_eq!((message.field_count, message.needs_review), (3, true));
    assert_eq!(message.missing, ["nlp"]);
    assert_eq!(rules(&done), [("PARTIAL-01", 1), ("REQ-01", 1)]);
    let stored = wire::object_ref(message.fields.as_ref().unwrap()).unwrap();
    assert!(stored.key.starts_with(&format!("executions/{EXECUTION}/validator-")), "{}", stored.key);
    let set: FieldSet = serde_json::from_slice(&objects.get(&stored.key).await.unwrap()).unwrap();
    assert_eq!((set.role, set.fields.len(), set.findings.len()), (Role::Validator, 3, 2));
    assert_eq!(done.work.unwrap().agent_id.as_str(), "ae-report.validator");
}

#[tokio::test]
async fn the_day_of_the_submission_is_today_however_late_it_is_handled() {
    let (validate, _, merged) = setup("2026-03-04T23:59:59Z").await;
    let done = validate.handle(merged.clone(), &context()).await.unwrap();
    assert!(rules(&done).contains(&("X-DATE-03", 1)), "{:?}", rules(&done));
    let again = validate.handle(merged, &context()).await.unwrap();
    assert_eq!(validated(&again), validated(&done));
}

#[tokio::test]
async fn what_the_guardrail_did_to_a_field_is_counted() {
    let (validate, objects, mut merged) = setup("2026-03-05T10:00:00Z").await;
    let words = "Reported by Jane Roe.";
    let fields = set(Role::Extractor, vec![pattern(words, "reporter_name", "Jane Roe", "Jane Roe")]);
    let put = async |name: &str, bytes: Vec<u8>| objects.put(name, bytes.into()).await.unwrap();
    let stored_text = put("words.json", serde_json::to_vec(&text(words)).unwrap()).await;
    let stored_fields = put("named.json", serde_json::to_vec(&fields).unwrap()).await;
    merged.document.as_mut().unwrap().text = Some(wire::to_wire(&stored_text));
    merged.branches[0].fields = Some(wire::to_wire(&stored_fields));
    let (team, workflow) = (TeamId::new("team-pv").unwrap(), WorkflowId::new("ae-report").unwrap());
    validate.metrics.admit(Role::Validator, &team, &workflow, &[]);
    validate.handle(merged, &context()).await.unwrap();
    let line = r#"clinflow_guardrail_interventions_total{team_id="team-pv",workflow_id="ae-report",agent_id="ae-report.validator",policy="sensitive-information",action="anonymized"} 1"#;
    let text = validate.metrics.render().unwrap();
    assert!(text.contains(line), "`{line}` is not in\n{text}");
}

#[tokio::test]
async fn a_changed_field_set_waits_for_a_person() {
    let (validate, objects, merged) = setup("2026-03-05T10:00:00Z").await;
    objects.put("fields.json", Bytes::from_static(b"{}")).await.unwrap();
    assert_eq!(validate.handle(merged, &context()).await.err().unwrap().code, "store.corrupt");
}

#[tokio::test]
async fn a_workflow_that_the_bundle_does_not_have_waits_for_a_person() {
    let (validate, _, mut merged) = setup("2026-03-05T10:00:00Z").await;
    merged.document.as_mut().unwrap().workflow_id = "no-such".to_owned();
    assert_eq!(validate.handle(merged, &context()).await.err().unwrap().code, "workflow.unknown");
}
