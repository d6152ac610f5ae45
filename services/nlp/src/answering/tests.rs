//! Questions over stores in memory, with readers that say what a test wants and a policy of their own.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use clinflow_core::{
    Answer, BundleFiles, Citation, DocumentHash, ExecutionId, Failure, FieldSet, Lane, Phi, Question, Role,
    SessionId, Span, TeamId, WorkflowId, id::ObjectHash, step::ObjectRef,
};
use clinflow_ingest::Text;
use clinflow_ports::{
    Bundles as _, Meta, Objects as _, Sessions as _,
    memory::{MemoryBundles, MemoryObjects, MemorySessions},
    objects::key,
};
use clinflow_proto::v1;
use clinflow_runtime::{
    Catalog, Context, Done, Handler as _,
    telemetry::Metrics,
    wire::{self, Publish},
};
use clinflow_workflow::{Bundle, shipped};
use jiff::Timestamp;
use uuid::Uuid;

use crate::{
    Comprehend, Input, LocalModel, Reader,
    answering::{Answered, Material, NOT_SAID},
    question::Wanted,
    reader::{Client, Reading},
};

const EXECUTION: ExecutionId = ExecutionId::from_uuid(Uuid::from_u128(7));
const TEXT: &str =
    "Jane Roe, a 57-year-old woman. The subject received the first dose of ABX-104, 150 mg orally.";

/// Answers what a test wants, and remembers what it was asked.
struct Scripted {
    answer: &'static str,
    cites: &'static str,
    asked: Mutex<Vec<String>>,
}

impl Scripted {
    fn new(answer: &'static str, cites: &'static str) -> Arc<Self> {
        Arc::new(Self { answer, cites, asked: Mutex::default() })
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

#[async_trait]
impl Reader for Scripted {
    fn id(&self) -> &'static str {
        "test/1"
    }

    async fn read(&self, _: &str, _: &[Wanted], _: &Client<'_>) -> Result<Reading, Failure> {
        Ok(Reading::default())
    }

    async fn answer(
        &self,
        question: &Phi,
        material: &Material<'_>,
        _: &Client<'_>,
    ) -> Result<Answered, Failure> {
        let earlier = material.earlier.iter().map(|one| one.question.expose());
        let asked = earlier.chain([question.expose()]).collect::<Vec<_>>().join(" | ");
        self.asked.lock().unwrap().push(asked);
        let citations = TEXT.find(self.cites).filter(|_| !self.cites.is_empty()).map(|start| {
            let end = start + self.cites.len();
            Citation { span: Span { start, end, byte_start: start, byte_end: end }, page: None, field: None }
        });
        Ok(Answered {
            answer: Phi::new(self.answer),
            citations: citations.into_iter().collect(),
            model: "test/1".to_owned(),
            prompt: Some(ObjectHash::of(b"prompt")),
            cost_nano_usd: 42,
        })
    }
}

/// Blocks what holds "forbidden" and what does not follow from the document, and masks "Jane Roe".
const POLICY: &str = "
Name: policy
BlockedInputMessaging: Not here.
BlockedOutputsMessaging: Not here.
WordPolicyConfig: { WordsConfig: [{ Text: forbidden }] }
SensitiveInformationPolicyConfig: { RegexesConfig: [{ Name: NAME, Action: ANONYMIZE, Pattern: Jane Roe }] }
ContextualGroundingPolicyConfig: { FiltersConfig: [{ Type: GROUNDING, Threshold: 0.7 }] }
";

/// An nlp that answers questions, and what is around it.
struct House {
    handler: Comprehend,
    objects: Arc<MemoryObjects>,
    sessions: Arc<MemorySessions>,
    metrics: Metrics,
    bundle: Bytes,
}

impl House {
    async fn open(reader: Arc<dyn Reader>, files: BundleFiles) -> Self {
        let (objects, bundles) = (Arc::new(MemoryObjects::default()), Arc::new(MemoryBundles::default()));
        let sessions = Arc::new(MemorySessions::default());
        let bundle = bundles.publish(&files).await.unwrap();
        let catalog = Arc::new(Catalog::new(bundles, Bundle::read));
        let metrics = Metrics::default();
        let (team, workflow) =
            (TeamId::new("team-medical-writing").unwrap(), WorkflowId::new("patient-narrative").unwrap());
        metrics.admit(Role::Nlp, &team, &workflow, &[]);
        let (kept, counted) = (sessions.clone(), metrics.clone());
        let handler = Comprehend::new(objects.clone(), catalog, kept, reader, counted);
        let bundle = Bytes::copy_from_slice(bundle.as_bytes());
        Self { handler, objects, sessions, metrics, bundle }
    }

    /// One whose workflows are held to [`POLICY`].
    async fn with(reader: Arc<dyn Reader>) -> Self {
        let mut files = shipped();
        let before = files.0.insert("guardrails/pharma-clinical.yaml".to_owned(), POLICY.to_owned());
        assert!(before.is_some(), "no workflow would be held to it");
        Self::open(reader, files).await
    }

    async fn put(&self, name: &str, value: &impl serde::Serialize) -> ObjectRef {
        self.objects.put(name, serde_json::to_vec(value).unwrap().into()).await.unwrap()
    }

    /// The message with which a gateway asks.
    async fn message(&self, words: &str, session: &str, turn: u32) -> v1::QuestionAsked {
        let question = Question::new(Phi::new(words));
        let id = question.id(EXECUTION, SessionId::new(session).ok().as_ref(), turn);
        let text = Text {
            schema: Text::SCHEMA.to_owned(),
            media_type: "text/plain".to_owned(),
            text: TEXT.to_owned(),
            pages: Vec::new(),
        };
        v1::QuestionAsked {
            execution: Some(v1::ExecutionContext {
                execution_id: EXECUTION.to_string(),
                document: Some(v1::DocumentRef {
                    sha256: Bytes::copy_from_slice(DocumentHash::of(b"document").as_bytes()),
                    ..v1::DocumentRef::default()
                }),
                bundle: self.bundle.clone(),
                ..v1::ExecutionContext::default()
            }),
            workflow_id: "patient-narrative".to_owned(),
            question_id: id.to_string(),
            question: Some(wire::to_wire(&self.put(&key::question(EXECUTION, id), &question).await)),
            asked_at: Some(wire::timestamp_to_wire(Timestamp::UNIX_EPOCH)),
            text: Some(wire::to_wire(&self.put("text.json", &text).await)),
            fields: Some(wire::to_wire(&self.put("fields.json", &FieldSet::new(Role::Validator)).await)),
            session_id: session.to_owned(),
            turn,
        }
    }

    async fn handle(&self, message: v1::QuestionAsked) -> Done {
        let meta = Meta {
            message_id: message.question_id.parse().unwrap(),
            execution: Some(EXECUTION),
            type_name: "clinflow.v1.QuestionAsked".to_owned(),
            timestamp: Timestamp::UNIX_EPOCH,
            workflow: WorkflowId::new("patient-narrative").unwrap(),
            lane: Lane::Interactive,
            team: None,
            session: None,
            attempt: 1,
            redrive: 0,
            hops: 0,
            deadline: None,
            traceparent: None,
        };
        let context = Context { meta, now: Timestamp::UNIX_EPOCH, remaining: Duration::from_secs(30) };
        self.handler.handle(Input::Asked(Box::new(message)), &context).await.unwrap()
    }

    /// Asks by itself; answers what was done and the answer that was stored.
    async fn ask(&self, words: &str) -> (Done, Answer) {
        let message = self.message(words, "", 0).await;
        let id: Uuid = message.question_id.parse().unwrap();
        let done = self.handle(message).await;
        let stored = self.objects.get(&key::answer(EXECUTION, id)).await.unwrap();
        (done, serde_json::from_slice(&stored).unwrap())
    }
}

/// The messages of `T` that were published.
fn published<T: Publish + Clone + 'static>(done: &Done) -> Vec<T> {
    done.outputs.iter().filter_map(|output| output.message().as_any().downcast_ref::<T>()).cloned().collect()
}

#[tokio::test]
async fn an_answer_is_stored_with_its_citations_and_told_by_reference() {
    let reader = Scripted::new("It was 150 mg.", "150 mg");
    let house = House::with(reader.clone()).await;
    let (done, answer) = house.ask("What dose?").await;
    assert_eq!(
        (answer.answer.expose(), answer.refused, answer.message.as_deref()),
        ("It was 150 mg.", false, None)
    );
    assert_eq!(answer.citations[0].span.of(TEXT), Some("150 mg"));
    assert_eq!((answer.model.as_deref(), answer.cost_nano_usd), (Some("test/1"), 42));
    let [told] = published::<v1::QuestionAnswered>(&done).try_into().unwrap();
    let work = done.work.unwrap();
    assert_eq!(told.answer, work.output.as_ref().map(wire::to_wire));
    assert_eq!((told.refused, work.model.as_deref(), work.cost_nano_usd), (false, Some("test/1"), 42));
    assert_eq!(work.prompt, Some(ObjectHash::of(b"prompt")));
    assert!(!format!("{told:?}").contains("150 mg"));
}

#[tokio::test]
async fn a_redelivered_question_asks_nobody_again_and_says_the_same() {
    let reader = Scripted::new("It was 150 mg.", "150 mg");
    let house = House::with(reader.clone()).await;
    let (first, _) = house.ask("What dose?").await;
    let (again, _) = house.ask("What dose?").await;
    assert_eq!(reader.asked(), ["What dose?"]);
    assert_eq!(published::<v1::QuestionAnswered>(&first), published::<v1::QuestionAnswered>(&again));
    assert_eq!(first.work.unwrap().cost_nano_usd, again.work.unwrap().cost_nano_usd);
}

#[tokio::test]
async fn a_blocked_question_is_an_answer_with_the_policys_message_and_reaches_no_model() {
    let reader = Scripted::new("It was 150 mg.", "150 mg");
    let house = House::with(reader.clone()).await;
    let (done, answer) = house.ask("Tell me the forbidden thing").await;
    assert_eq!(
        (answer.refused, answer.message.as_deref(), answer.question.expose()),
        (true, Some("Not here."), "")
    );
    assert_eq!((answer.model, answer.cost_nano_usd, answer.citations.len()), (None, 0, 0));
    let found = &answer.guardrail[0];
    assert_eq!(
        (found.source.as_str(), found.policy.as_str(), found.action.as_str()),
        ("input", "word", "blocked")
    );
    assert_eq!(reader.asked(), Vec::<String>::new());
    let [event] = published::<v1::GuardrailIntervened>(&done).try_into().unwrap();
    assert_eq!((event.guardrail.split('/').next(), event.policy.as_str()), (Some("policy"), "word"));
    assert_eq!(event.field, format!("question/{}", answer.question_id));
    assert!(published::<v1::QuestionAnswered>(&done)[0].refused);
}

#[tokio::test]
async fn what_identifies_a_person_is_masked_before_a_model_reads_it_and_after_it_answers() {
    let reader = Scripted::new("Jane Roe received 150 mg.", "150 mg");
    let house = House::with(reader.clone()).await;
    let (done, answer) = house.ask("What did Jane Roe receive, and did Jane Roe recover?").await;
    assert_eq!(reader.asked(), ["What did {NAME} receive, and did {NAME} recover?"]);
    assert_eq!((answer.answer.expose(), answer.refused), ("{NAME} received 150 mg.", false));
    let events = published::<v1::GuardrailIntervened>(&done);
    assert_eq!(events.len(), 1, "one event for each policy and action");
}

#[tokio::test]
async fn what_the_guardrail_found_is_counted_once_however_often_a_question_is_delivered() {
    let house = House::with(Scripted::new("Jane Roe received 150 mg.", "150 mg")).await;
    for _ in 0..3 {
        house.ask("What did she receive?").await;
    }
    house.ask("Tell me the forbidden thing").await;
    let text = house.metrics.render().unwrap();
    for counted in
        [r#"policy="sensitive-information",action="anonymized"} 1"#, r#"policy="word",action="blocked"} 1"#]
    {
        let line = format!(
            r#"clinflow_guardrail_interventions_total{{team_id="team-medical-writing",workflow_id="patient-narrative",agent_id="patient-narrative.nlp",{counted}"#
        );
        assert!(text.contains(&line), "`{line}` is not in\n{text}");
    }
}

#[tokio::test]
async fn an_answer_that_the_guardrail_blocks_or_that_rests_on_nothing_is_not_given() {
    for (said, cites, message, name) in [
        ("the forbidden thing", "150 mg", "Not here.", "custom"),
        ("It was not 150 mg.", "150 mg", "Not here.", "GROUNDING"),
        ("It was 250 mg.", "150 mg", super::WITHHELD, "CITATIONS"),
        ("It was 150 mg.", "", super::WITHHELD, "CITATIONS"),
    ] {
        let house = House::with(Scripted::new(said, cites)).await;
        let (_, answer) = house.ask("What dose?").await;
        assert_eq!((answer.refused, answer.message.as_deref()), (true, Some(message)), "{said}");
        assert_eq!((answer.answer.expose(), answer.citations.len()), ("", 0));
        assert_eq!(
            (answer.guardrail[0].name.as_str(), answer.guardrail[0].action.as_str()),
            (name, "blocked")
        );
        assert_eq!(answer.cost_nano_usd, 42, "it was paid for");
    }
}

#[tokio::test]
async fn that_the_document_does_not_say_is_an_answer_though_it_cites_nothing() {
    let house = House::with(Scripted::new(NOT_SAID, "")).await;
    let (_, answer) = house.ask("What was the weight?").await;
    assert_eq!((answer.answer.expose(), answer.refused), (NOT_SAID, false));
}

#[tokio::test]
async fn a_session_remembers_what_was_answered_masked_and_not_what_was_refused() {
    let reader = Scripted::new("It was 150 mg.", "150 mg");
    let house = House::with(reader.clone()).await;
    for (turn, words) in (0..).zip(["What did Jane Roe get?", "The forbidden thing?", "And when?"]) {
        let message = house.message(words, "s-1", turn).await;
        house.handle(message).await;
    }
    assert_eq!(reader.asked(), ["What did {NAME} get?", "What did {NAME} get? | And when?"]);
    let session = SessionId::new("s-1").unwrap();
    let turns = house.sessions.recent(&session, EXECUTION, 9).await.unwrap();
    assert_eq!(turns.iter().map(|turn| turn.turn).collect::<Vec<_>>(), [0, 1, 2]);
    assert!(!format!("{turns:?}").contains("Jane"));
}

#[tokio::test]
async fn the_seed_policy_answers_what_was_given_and_refuses_what_should_be() {
    let house = House::open(Arc::new(LocalModel::new()), shipped()).await;
    let (_, answer) = house.ask("What dose did the patient receive?").await;
    assert!(!answer.refused, "{:?}", answer.guardrail);
    assert_eq!(answer.citations[0].span.of(TEXT), Some("150 mg"));
    let (_, answer) = house.ask("What dose should this patient receive?").await;
    assert!(answer.refused);
    let message = "This query is outside the permitted scope for clinical data processing.";
    assert_eq!(answer.message.as_deref(), Some(message));
}
