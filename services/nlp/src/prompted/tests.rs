//! A language model behind counters, ledger and object store in memory: what is asked, what is paid, and when it stops.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use clinflow_core::{AgentId, DocumentHash, ExecutionId, Failure, Role, TeamId, WorkflowId};
use clinflow_cost::{NanoUsd, Usage};
use clinflow_ports::{
    Counters as _, Ledger as _, Model,
    memory::{ManualClock, MemoryCounters, MemoryLedger, MemoryObjects},
    model::{Asker, ModelError, Reply, Request, Stop},
    reconcile,
};
use clinflow_runtime::telemetry::Metrics;
use clinflow_workflow::{Bundle, FieldType, shipped};
use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

use crate::{
    billing::Billing,
    prompted::PromptedModel,
    question::Wanted,
    reader::{Client, Reader as _, Reading},
};

const MODEL: &str = "us.anthropic.claude-sonnet-5-5";
const TEXT: &str = "She had a mild rash on day 2.";

/// What one call of the model costs: 1,000 tokens in at $2.20 and 100 out at $11.00 a million.
const CALL: NanoUsd = NanoUsd::new(3_300_000);

/// Answers what it was told to, in order, then the last for ever; remembers what it was asked.
#[derive(Default)]
struct Scripted {
    script: Mutex<VecDeque<Result<String, ModelError>>>,
    last: Mutex<Option<String>>,
    asked: Mutex<Vec<Request>>,
}

impl Scripted {
    fn says(self, answer: &str) -> Self {
        self.script.lock().unwrap().push_back(Ok(answer.to_owned()));
        *self.last.lock().unwrap() = Some(answer.to_owned());
        self
    }

    fn fails(self, error: ModelError) -> Self {
        self.script.lock().unwrap().push_back(Err(error));
        self
    }

    fn calls(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

#[async_trait]
impl Model for Scripted {
    fn id(&self) -> &str {
        MODEL
    }

    fn context_tokens(&self) -> u64 {
        1_000_000
    }

    async fn count_input_tokens(&self, _request: &Request) -> u64 {
        1_000
    }

    async fn converse(&self, request: &Request, _: &Asker, _: Duration) -> Result<Reply, ModelError> {
        self.asked.lock().unwrap().push(request.clone());
        let next = self.script.lock().unwrap().pop_front();
        let text = match next {
            Some(Err(error)) => return Err(error),
            Some(Ok(text)) => text,
            None => self.last.lock().unwrap().clone().unwrap(),
        };
        let usage = Usage { input: 1_000, output: 100, ..Usage::default() };
        Ok(Reply { text: text.into(), stop: Stop::Whole, usage })
    }
}

/// Everything around a scripted model.
struct Desk {
    model: Arc<Scripted>,
    counters: Arc<MemoryCounters>,
    ledger: Arc<MemoryLedger>,
    reader: PromptedModel,
    bundle: Bundle,
    metrics: Metrics,
}

fn now() -> Timestamp {
    "2026-11-23T10:00:00Z".parse().unwrap()
}

fn team() -> TeamId {
    TeamId::new("team-pv").unwrap()
}

impl Desk {
    async fn open(model: Scripted) -> Self {
        Self::with_budgets(model, |text| text).await
    }

    async fn with_budgets(model: Scripted, change: impl Fn(String) -> String) -> Self {
        let mut files = shipped();
        let budgets = files.0.remove("budgets.yaml").unwrap();
        files.0.insert("budgets.yaml".to_owned(), change(budgets));
        let bundle = Bundle::read(&files).unwrap();
        let clock = Arc::new(ManualClock::at(now()));
        let counters = Arc::new(MemoryCounters::new(clock.clone()));
        let ledger = Arc::new(MemoryLedger::default());
        let turn = (Uuid::from_u128(1), Duration::from_secs(60));
        reconcile::rebuild(counters.as_ref(), ledger.as_ref(), bundle.budgets(), &team(), turn, now())
            .await
            .unwrap();
        let (model, objects) = (Arc::new(model), Arc::new(MemoryObjects::default()));
        let metrics = Metrics::default();
        for (team, workflow) in bundle.owners() {
            metrics.admit(Role::Nlp, &team, &workflow, &[MODEL]);
        }
        let (counted, booked) = (counters.clone(), ledger.clone());
        let billing = Billing::new(model.clone(), counted, booked, objects, clock, metrics.clone());
        Self { model, counters, ledger, reader: PromptedModel::new(billing), bundle, metrics }
    }

    /// Reads `document` in the hands of `invocation`.
    async fn read(&self, document: &str, invocation: u128) -> Result<Reading, Failure> {
        let workflow = WorkflowId::new("ae-report").unwrap();
        let agent: AgentId = workflow.agent(Role::Nlp);
        let client = Client {
            bundle: &self.bundle,
            execution: ExecutionId::from_uuid(Uuid::from_u128(invocation)),
            workflow: &workflow,
            agent: &agent,
            team: &team(),
            session: None,
            document: &DocumentHash::of(document.as_bytes()),
            invocation: Uuid::from_u128(invocation),
            within: Duration::from_secs(30),
        };
        let wanted = [Wanted {
            name: "event_term".to_owned(),
            group: Some("event".to_owned()),
            kind: FieldType::Text,
            label: "adverse_event".to_owned(),
            description: "The event".to_owned(),
        }];
        self.reader.read(document, &wanted, &client).await
    }

    /// The series of ae-report's nlp that are not 0, without what they all have in common.
    fn counted(&self, metric: &str) -> Vec<String> {
        let agent = r#"team_id="team-pv",workflow_id="ae-report",agent_id="ae-report.nlp","#;
        let text = self.metrics.render().unwrap();
        let series =
            text.lines().filter_map(|line| line.strip_prefix(&format!("clinflow_{metric}_total{{{agent}")));
        let series = series.filter(|line| !line.ends_with(" 0") && !line.ends_with(" 0.0"));
        series.map(|line| line.replace(&format!("model=\"{MODEL}\","), "")).collect()
    }

    /// What the ledger says was spent, and what the counters say of the team.
    async fn books(&self) -> (NanoUsd, NanoUsd, NanoUsd) {
        let until = Timestamp::MAX;
        let entries = self.ledger.read(&team(), Timestamp::MIN, until).await.unwrap();
        let costs = entries.iter().filter_map(|entry| entry.outcome.as_ref()).map(|outcome| outcome.cost);
        let spent = costs.fold(NanoUsd::ZERO, NanoUsd::plus);
        let positions = self.counters.positions(&team()).await.unwrap();
        let position = positions.iter().find(|position| position.scope.to_string() == "team:team-pv");
        let counted = position.map(|position| (position.settled, position.suspense));
        let (settled, suspense) = counted.unwrap_or_default();
        (spent, settled, suspense)
    }
}

fn rash() -> String {
    json!({"claims": [{"field": "event.event_term", "index": 1, "value": "rash", "normalized": null, "unit": null,
        "quote": "a mild rash", "negated": false, "historical": false, "hypothetical": false, "uncertain": false,
        "experiencer": "patient"}]})
    .to_string()
}

fn code(result: Result<Reading, Failure>) -> &'static str {
    result.unwrap_err().code
}

#[tokio::test]
async fn an_answer_is_paid_once_and_an_identical_call_costs_nothing() {
    let desk = Desk::open(Scripted::default().says(&rash())).await;
    let first = desk.read(TEXT, 1).await.unwrap();
    assert_eq!((first.claims[0].value.expose(), first.cost_nano_usd), ("rash", CALL.get()));
    let again = desk.read(TEXT, 2).await.unwrap();
    assert_eq!((again.claims, again.cost_nano_usd), (first.claims, 0));
    assert_eq!(desk.model.calls(), 1);
    assert_eq!(desk.books().await, (CALL, CALL, NanoUsd::ZERO));
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_is_asked_for_again_with_the_reason() {
    let desk = Desk::open(Scripted::default().says("Sorry, I am").says(&rash())).await;
    let reading = desk.read(TEXT, 1).await.unwrap();
    assert_eq!((reading.claims.len(), reading.cost_nano_usd), (1, 2 * CALL.get()));
    let asked = desk.model.asked.lock().unwrap();
    assert!(asked[1].query.expose().contains("it was not JSON of the given schema"));
    assert!(asked[1].query.expose().contains("Sorry, I am"));
}

#[tokio::test]
async fn a_prompt_that_always_asks_for_another_try_stops_at_the_third_identical_call() {
    let desk = Desk::open(Scripted::default().says("Please try again.")).await;
    assert_eq!(code(desk.read(TEXT, 1).await), "budget.loop");
    assert_eq!(
        desk.model.calls(),
        2,
        "the question, and the question with the answer to it; then the same again"
    );
    assert_eq!(
        desk.books().await,
        (NanoUsd::new(2 * CALL.get()), NanoUsd::new(2 * CALL.get()), NanoUsd::ZERO)
    );
    for redelivery in 0..847 {
        assert_eq!(code(desk.read(TEXT, 2 + redelivery).await), "budget.loop");
    }
    assert_eq!(desk.model.calls(), 2, "847 times over");
    let alerts = desk.counters.take_alerts(&team(), 10_000, Duration::from_secs(1)).await.unwrap();
    let loops = alerts.iter().filter(|alert| alert.id.starts_with("loop|"));
    assert_eq!(loops.count(), 1, "{alerts:?}");
    // Another document of the same workflow is none of its business.
    assert_eq!(code(desk.read("Another text.", 9_999).await), "budget.loop");
    assert_eq!(desk.model.calls(), 4);
}

#[tokio::test]
async fn every_attempt_is_counted_with_its_end_its_reason_and_its_cost() {
    let throttled = ModelError::Throttled { after: None };
    let desk = Desk::open(Scripted::default().fails(throttled).says(&rash())).await;
    assert_eq!(code(desk.read(TEXT, 1).await), "model.throttled");
    for invocation in [1, 1, 2] {
        desk.read(TEXT, invocation).await.unwrap();
    }
    let mut attempts = desk.counted("invocations");
    attempts.sort();
    assert_eq!(
        attempts,
        [
            r#"outcome="ok",cost_class="retry"} 1"#,
            r#"outcome="stored",cost_class="redelivery"} 1"#,
            r#"outcome="stored",cost_class="reprocess"} 1"#,
            r#"outcome="throttled",cost_class="first"} 1"#,
        ]
    );
    assert_eq!(desk.counted("cost_usd"), [r#"cost_class="retry"} 0.0033"#], "what the ledger has");
    assert_eq!(desk.books().await, (CALL, CALL, NanoUsd::ZERO));
    let mut tokens = desk.counted("tokens");
    tokens.sort();
    assert_eq!(tokens, [r#"token_type="input"} 1000"#, r#"token_type="output"} 100"#]);
    let decisions = desk.counted("budget_decisions");
    assert_eq!(
        decisions,
        [r#"decision="allow",scope="none"} 3"#],
        "two calls, and a stored answer to another message"
    );
}

#[tokio::test]
async fn a_refused_call_is_a_decision_and_no_attempt() {
    let tight = |text: String| text.replace("document: { default: 2.00", "document: { default: 0.01");
    let desk = Desk::with_budgets(Scripted::default().says(&rash()), tight).await;
    assert_eq!(code(desk.read(TEXT, 1).await), "budget.exhausted");
    assert_eq!(desk.counted("budget_decisions"), [r#"decision="exhausted",scope="document"} 1"#]);
    assert!(desk.counted("invocations").is_empty());
    let desk = Desk::open(Scripted::default().says("Please try again.")).await;
    assert_eq!(code(desk.read(TEXT, 1).await), "budget.loop");
    let mut decisions = desk.counted("budget_decisions");
    decisions.sort();
    assert_eq!(decisions, [r#"decision="allow",scope="none"} 3"#, r#"decision="loop",scope="document"} 1"#]);
}

#[tokio::test]
async fn a_throttled_call_costs_nothing_and_the_next_delivery_goes_through() {
    let throttled = ModelError::Throttled { after: Some(Duration::from_secs(700)) };
    let desk = Desk::open(Scripted::default().fails(throttled).says(&rash())).await;
    let failure = desk.read(TEXT, 1).await.unwrap_err();
    assert_eq!(failure.code, "model.throttled");
    assert_eq!(failure.verdict, clinflow_core::Verdict::Retry { after: Some(Duration::from_secs(700)) });
    assert_eq!(desk.books().await, (NanoUsd::ZERO, NanoUsd::ZERO, NanoUsd::ZERO));
    assert_eq!(desk.read(TEXT, 1).await.unwrap().cost_nano_usd, CALL.get());
}

#[tokio::test]
async fn a_call_without_an_answer_counts_at_the_most_it_can_have_cost() {
    let desk = Desk::open(Scripted::default().fails(ModelError::TimedOut).says(&rash())).await;
    assert_eq!(code(desk.read(TEXT, 1).await), "model.timed-out");
    let (spent, settled, suspense) = desk.books().await;
    // 1,000 tokens at the dearest prompt rate ($4.40, writing the cache for an hour) and 8,192 out.
    assert_eq!((spent, settled, suspense), (NanoUsd::ZERO, NanoUsd::ZERO, NanoUsd::new(94_512_000)));
    assert_eq!(code(desk.read(TEXT, 1).await), "model.lost", "it is too short to be asked about in halves");
    assert_eq!(desk.model.calls(), 1, "the same call is not made again");
}

#[tokio::test]
async fn what_was_lost_is_asked_about_in_halves_by_the_next_delivery() {
    let text = format!("{TEXT}\n\n{}", "And nothing else was noted. ".repeat(20));
    let desk = Desk::open(Scripted::default().fails(ModelError::TimedOut).says(&rash())).await;
    assert_eq!(code(desk.read(&text, 1).await), "model.timed-out");
    let reading = desk.read(&text, 1).await.unwrap();
    assert_eq!((desk.model.calls(), reading.cost_nano_usd), (3, 2 * CALL.get()));
    assert_eq!(
        desk.read(&text, 2).await.unwrap().cost_nano_usd,
        0,
        "and by whoever asks after it, for nothing"
    );
    let asked = desk.model.asked.lock().unwrap();
    let halves: String = asked[1..].iter().map(|request| request.document.expose()).collect();
    assert_eq!(halves, text, "the halves are the whole");
}

#[tokio::test]
async fn what_does_not_fit_in_the_budget_is_not_asked_and_waits() {
    let tight = |text: String| text.replace("document: { default: 2.00", "document: { default: 0.01");
    let desk = Desk::with_budgets(Scripted::default().says(&rash()), tight).await;
    let failure = desk.read(TEXT, 1).await.unwrap_err();
    assert_eq!((failure.code, failure.verdict), ("budget.exhausted", clinflow_core::Verdict::Park));
    assert_eq!(desk.model.calls(), 0);
}

#[tokio::test]
async fn an_attempt_that_rebuilt_counters_have_forgotten_is_not_booked_twice_nor_for_nothing() {
    let throttled = ModelError::Throttled { after: None };
    let desk = Desk::open(Scripted::default().fails(throttled).says(&rash())).await;
    assert_eq!(code(desk.read(TEXT, 1).await), "model.throttled");
    let turn = (Uuid::from_u128(2), Duration::from_secs(60));
    let (counters, ledger) = (desk.counters.as_ref(), desk.ledger.as_ref());
    reconcile::rebuild(counters, ledger, desk.bundle.budgets(), &team(), turn, now()).await.unwrap();
    assert_eq!(desk.read(TEXT, 1).await.unwrap().cost_nano_usd, CALL.get());
    assert_eq!(desk.books().await, (CALL, CALL, NanoUsd::ZERO));
}
