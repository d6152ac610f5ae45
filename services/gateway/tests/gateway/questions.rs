//! Questions asked over both protocols, with an nlp and an auditor of the test's.

use std::time::Duration;

use clinflow_core::{
    Answer, Citation, Execution, Phi, Question, Role, SessionId, Span, Status, Step, WorkflowId,
    audit::{ChainHead, Entry, Event},
    step::{ObjectRef, Outcome},
};
use clinflow_ports::{
    AuditLog as _, Broker as _, Envelope, Objects as _, Sessions as _, objects::key, sessions::Turn,
};
use clinflow_proto::v1::{self, AskRequest, questions_client::QuestionsClient};
use clinflow_runtime::wire;
use jiff::Timestamp;
use prost::Message as _;
use serde_json::json;
use tonic::Code;
use uuid::Uuid;

use crate::house::{Answer as Response, House, NOW, config};

const QUEUE: &str = "clinflow.nlp.interactive";
const WORDS: &str = "What dose did Jane Roe receive?";

fn step(role: Role, invocation_id: Uuid, output: Option<ObjectRef>, outcome: Outcome) -> Step {
    let at = Timestamp::from_second(NOW).unwrap();
    Step {
        role,
        agent_id: WorkflowId::new("ae-report").unwrap().agent(role),
        invocation_id,
        attempt: 1,
        started_at: at,
        ended_at: at,
        outcome,
        code: None,
        model: None,
        prompt: None,
        output,
        cost_nano_usd: 0,
    }
}

impl House {
    /// Appends to an execution's chain, as the auditor does.
    async fn note(&self, execution: &Execution, message_id: Uuid, event: Event) -> ChainHead {
        let entry = Entry {
            execution: execution.id,
            message_id,
            document: execution.document.sha256,
            bundle: execution.bundle,
            session: None,
            at: Timestamp::from_second(NOW).unwrap(),
            event,
        };
        self.log.append(ChainHead::genesis(execution.id), entry).await.unwrap().head()
    }

    /// An execution that is recorded and completed.
    async fn answerable(&self) -> Execution {
        let answer = self.post("?workflow=ae-report", b"a report").await.json();
        let execution = self.stored(answer["execution_id"].as_str().unwrap()).await;
        let text = self.objects.put("text.json", "{}".into()).await.unwrap();
        let fields = self.objects.put("fields.json", "{}".into()).await.unwrap();
        let recorded = Event::Recorded {
            steps: vec![step(Role::Classifier, Uuid::from_u128(1), Some(text), Outcome::Succeeded)],
            fields,
            field_count: 0,
            findings: Vec::new(),
            missing: Vec::new(),
        };
        let head = self.note(&execution, Uuid::from_u128(2), recorded).await;
        self.settle(execution.id, Status::Completed, head).await;
        execution
    }

    /// Asks a question over HTTP.
    async fn question(&self, execution: &Execution, body: serde_json::Value) -> Response {
        let request = self.http.post(self.url(&format!("/v1/executions/{}/questions", execution.id)));
        let request = request.header("content-type", "application/json").body(body.to_string());
        Response::of(request.send().await.unwrap()).await
    }

    /// What was published for nlp, once something is.
    async fn next_question(&self) -> (Envelope, v1::QuestionAsked) {
        loop {
            if let Some(delivery) = self.broker.take(QUEUE).await.unwrap() {
                let envelope = delivery.envelope().clone();
                let settled =
                    clinflow_ports::Settled::publishing(self.broker.as_ref(), Vec::new()).await.unwrap();
                delivery.ack(settled).await.unwrap();
                let message = v1::QuestionAsked::decode(envelope.body.clone()).unwrap();
                return (envelope, message);
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Answers as nlp and the auditor do.
    async fn answer_question(&self, execution: &Execution, message: &v1::QuestionAsked) {
        let question_id: Uuid = message.question_id.parse().unwrap();
        let answer = Answer {
            schema: Answer::SCHEMA.to_owned(),
            execution_id: execution.id,
            question_id,
            question: Phi::new("What dose did {NAME} receive?"),
            answer: Phi::new("\"150 mg\""),
            refused: false,
            message: None,
            citations: vec![Citation {
                span: Span { start: 3, end: 9, byte_start: 4, byte_end: 10 },
                page: Some(2),
                field: Some("suspect_drug[1].dose".to_owned()),
            }],
            guardrail: Vec::new(),
            model: Some("local/1".to_owned()),
            prompt: None,
            cost_nano_usd: 42,
        };
        let bytes = serde_json::to_vec(&answer).unwrap();
        let stored = self.objects.put(&key::answer(execution.id, question_id), bytes.into()).await.unwrap();
        if let Ok(session) = SessionId::new(&message.session_id) {
            let turn = Turn {
                execution: execution.id,
                turn: message.turn,
                question_id,
                question: wire::object_ref(message.question.as_ref().unwrap()).unwrap(),
                answer: stored.clone(),
                at: Timestamp::from_second(NOW).unwrap(),
            };
            self.sessions.append(&session, &turn).await.unwrap();
        }
        // Nobody may be told before this is recorded.
        tokio::time::sleep(Duration::from_millis(30)).await;
        let steps = vec![step(Role::Nlp, question_id, Some(stored.clone()), Outcome::Succeeded)];
        let answered = Event::Answered { question: question_id, answer: stored, refused: false, steps };
        self.note(execution, Uuid::from_u128(question_id.as_u128() ^ 1), answered).await;
    }
}

#[tokio::test]
async fn a_question_is_answered_over_both_protocols_and_its_words_are_in_the_object_store_only() {
    let house = House::open().await;
    let execution = house.answerable().await;
    let (answer, (envelope, message)) =
        tokio::join!(house.question(&execution, json!({"question": WORDS})), async {
            let (envelope, message) = house.next_question().await;
            house.answer_question(&execution, &message).await;
            (envelope, message)
        });
    assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store"), "{}", answer.body);
    let answer = answer.json();
    assert_eq!((&answer["answer"], &answer["cost_nano_usd"]), (&"\"150 mg\"".into(), &42.into()));
    assert_eq!(
        answer["citations"],
        json!([{"start": 3, "end": 9, "byte_start": 4, "byte_end": 10, "page": 2, "field": "suspect_drug[1].dose"}])
    );
    assert!(!format!("{envelope:?}").contains("Jane"), "a message holds no words");
    let question = wire::object_ref(message.question.as_ref().unwrap()).unwrap();
    let stored: Question = serde_json::from_slice(&house.objects.get(&question.key).await.unwrap()).unwrap();
    assert_eq!(stored.question.expose(), WORDS);
    assert_eq!(
        (message.workflow_id.as_str(), message.turn, message.session_id.as_str()),
        ("ae-report", 0, "")
    );

    let request = AskRequest {
        execution_id: execution.id.to_string(),
        question: WORDS.to_owned(),
        ..AskRequest::default()
    };
    let again = QuestionsClient::new(house.channel().await).ask(request).await.unwrap().into_inner();
    assert_eq!((again.question_id, again.answer.as_str()), (message.question_id, "\"150 mg\""));
    assert_eq!((again.citations[0].page, again.model.as_str()), (2, "local/1"));
    assert_eq!(
        house.broker.depth(QUEUE).await.unwrap(),
        0,
        "the answer that is there is found, and nobody is asked"
    );
}

#[tokio::test]
async fn a_question_of_a_session_has_its_turn_and_the_same_once_more_is_no_new_one() {
    let house = House::open().await;
    let execution = house.answerable().await;
    let ask = |words: &'static str| house.question(&execution, json!({"question": words, "session": "s-1"}));
    let next = async || {
        let (_, message) = house.next_question().await;
        house.answer_question(&execution, &message).await;
        message
    };
    let (_, first) = tokio::join!(ask("What dose?"), next());
    let (_, second) = tokio::join!(ask("And the route?"), next());
    assert_eq!((first.turn, second.turn), (0, 1));
    assert_eq!(second.execution.unwrap().session_id, "s-1", "its cost is the session's");
    assert_eq!(ask("And the route?").await.json()["question_id"], second.question_id);
    let (_, third) = tokio::join!(ask("What dose?"), next());
    assert_ne!(third.question_id, first.question_id, "asked again later, it may mean something else");
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused_before_anything_is_published() {
    let house = House::open().await;
    let execution = house.answerable().await;
    for (body, field) in [
        (json!({"question": " "}), "question"),
        (json!({"question": "Why?", "session": "Jane Roe"}), "session"),
        (json!({"words": "Why?"}), "body"),
    ] {
        let answer = house.question(&execution, body).await;
        assert_eq!(answer.problem(), (400, "request.unreadable".to_owned()));
        assert!(answer.body.contains(field) && !answer.body.contains("Jane"), "{}", answer.body);
    }
    let running = house.post("", b"another").await.json()["execution_id"].as_str().unwrap().to_owned();
    let running = house.stored(&running).await;
    let answer = house.question(&running, json!({"question": "Why?"})).await;
    assert_eq!(answer.problem(), (404, "execution.no-record".to_owned()));
    let request = AskRequest {
        execution_id: Uuid::nil().to_string(),
        question: "Why?".to_owned(),
        ..AskRequest::default()
    };
    let status = QuestionsClient::new(house.channel().await).ask(request).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
    assert_eq!(house.broker.depth(QUEUE).await.unwrap(), 0);
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_said_to_be_late_and_is_found_by_asking_again() {
    let mut config = config();
    config.ask.timeout = Duration::from_millis(40);
    let house = House::with(config).await;
    let execution = house.answerable().await;
    let late = house.question(&execution, json!({"question": WORDS})).await;
    assert_eq!(late.problem(), (504, "question.late".to_owned()));
    let (_, message) = house.next_question().await;
    house.answer_question(&execution, &message).await;
    let found = house.question(&execution, json!({"question": WORDS})).await;
    assert_eq!(
        (found.status, found.json()["question_id"].as_str().unwrap()),
        (200, message.question_id.as_str())
    );
}

#[tokio::test]
async fn a_question_that_failed_is_said_to_have_failed_and_may_be_asked_again() {
    let house = House::open().await;
    let execution = house.answerable().await;
    let fail = async || {
        let (_, message) = house.next_question().await;
        let id = message.question_id.parse().unwrap();
        let failed = Event::Failed {
            steps: vec![step(Role::Nlp, id, None, Outcome::Failed)],
            code: "store.corrupt".to_owned(),
            message: "an object cannot be read".to_owned(),
            parked: true,
        };
        house.note(&execution, Uuid::from_u128(id.as_u128() ^ 2), failed).await;
    };
    let (answer, ()) = tokio::join!(house.question(&execution, json!({"question": WORDS})), fail());
    assert_eq!(answer.problem(), (502, "question.failed".to_owned()));
    assert!(answer.body.contains("store.corrupt"), "{}", answer.body);
    let (answer, ()) = tokio::join!(house.question(&execution, json!({"question": WORDS})), async {
        let (_, message) = house.next_question().await;
        house.answer_question(&execution, &message).await;
    });
    assert_eq!(answer.status, 200, "{}", answer.body);
}
