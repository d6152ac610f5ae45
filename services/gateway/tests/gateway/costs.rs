//! What was spent and what may be, over HTTP and gRPC, from the ledger alone.

use clinflow_core::{DocumentHash, ExecutionId, Role, TeamId, WorkflowId, id::ObjectHash};
use clinflow_cost::{Attempt, Budgets, Intent, NanoUsd, Payer, Usage};
use clinflow_gateway::{AuthSettings, json};
use clinflow_ports::Ledger as _;
use clinflow_proto::v1::{BudgetsRequest, CostReportRequest, costs_client::CostsClient};
use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    house::{House, NOW},
    issuer::{FIRST, Issuer},
};

const DAY: i64 = 86_400;

/// An attempt at a call.
struct Tried {
    workflow: &'static str,
    call: u128,
    number: u32,
    /// How many days before today.
    days_ago: i64,
    /// What it cost in nano-dollars; `None` while nobody knows.
    cost: Option<u64>,
}

impl House {
    /// Writes an attempt into the ledger, held at a dollar.
    async fn spend(&self, tried: Tried) {
        let shipped = clinflow_workflow::shipped();
        let budgets = Budgets::read("budgets.yaml", &shipped.0["budgets.yaml"]).unwrap();
        let workflow = WorkflowId::new(tried.workflow).unwrap();
        let at = Timestamp::from_second(NOW - tried.days_ago * DAY).unwrap();
        let document = DocumentHash::of(&tried.call.to_be_bytes());
        let (team, agent) = (TeamId::new("team-a").unwrap(), workflow.agent(Role::Nlp));
        let payer = Payer { team, workflow, agent, session: None, document };
        let accounts = budgets.charges(&payer, at).into_iter().map(|charge| charge.account).collect();
        let intent = Intent {
            attempt: Attempt { invocation: Uuid::from_u128(tried.call), ordinal: 0, number: tried.number },
            at,
            team: payer.team,
            workflow: payer.workflow,
            agent: payer.agent,
            session: None,
            execution: ExecutionId::from_uuid(Uuid::nil()),
            document,
            fingerprint: ObjectHash::of(&tried.call.to_be_bytes()),
            model: "us.anthropic.claude-sonnet-5-5".to_owned(),
            prices: ObjectHash::of(b"prices"),
            hold: NanoUsd::new(1_000_000_000),
            accounts,
        };
        self.ledger.put_intent(&intent).await.unwrap();
        if let Some(cost) = tried.cost {
            let usage = Usage { input: 100, cache_read: 20, output: 7, ..Usage::default() };
            let outcome = intent.billed(at, usage, NanoUsd::new(cost), None);
            self.ledger.put_outcome(&outcome).await.unwrap();
        }
    }

    /// A call whose first attempt got lost, one of another workflow, and one of last month.
    async fn spent(&self) {
        let (workflow, other) = ("ae-report", "lab-report");
        self.spend(Tried { workflow, call: 1, number: 1, days_ago: 1, cost: None }).await;
        self.spend(Tried { workflow, call: 1, number: 2, days_ago: 0, cost: Some(123_456_789) }).await;
        self.spend(Tried { workflow: other, call: 2, number: 1, days_ago: 0, cost: Some(1) }).await;
        self.spend(Tried { workflow, call: 3, number: 1, days_ago: 20, cost: Some(5) }).await;
    }
}

/// Name, calls, attempts, money settled, in suspense and repeated.
fn row(row: &Value) -> (&str, [u64; 5]) {
    let number = |name: &str| row[name].as_u64().unwrap();
    let money = ["settled_nano_usd", "suspense_nano_usd", "repeated_nano_usd"].map(number);
    (
        row["name"].as_str().unwrap_or_default(),
        [number("calls"), number("attempts"), money[0], money[1], money[2]],
    )
}

fn rows(report: &Value) -> Vec<(&str, [u64; 5])> {
    report["rows"].as_array().unwrap().iter().map(row).collect()
}

#[tokio::test]
async fn a_report_of_this_month_says_where_money_went_to_the_nano_dollar() {
    let house = House::open().await;
    house.spent().await;
    let report = house.get("/v1/costs").await.json();
    assert_eq!(
        (&report["schema"], &report["from"], &report["to"], &report["time_zone"]),
        (&json!("clinflow.cost-report/1"), &json!("2023-11-01"), &json!("2023-11-14"), &json!("UTC"))
    );
    let (ae, lab) = ([1, 2, 123_456_789, 1_000_000_000, 123_456_789], [1, 1, 1, 0, 0]);
    assert_eq!(rows(&report), [("ae-report.nlp", ae), ("lab-report.nlp", lab)]);
    assert_eq!(row(&report["total"]), ("", [2, 3, 123_456_790, 1_000_000_000, 123_456_789]));
    assert_eq!(
        report["rows"][0]["tokens"],
        json!({"input": 100, "cache_read": 20, "cache_write_5m": 0, "cache_write_1h": 0, "output": 7})
    );

    let days = house.get("/v1/costs?by=day&from=2023-10-01").await.json();
    let names: Vec<_> = rows(&days).into_iter().map(|(name, [_, attempts, ..])| (name, attempts)).collect();
    assert_eq!(names, [("2023-10-25", 1), ("2023-11-13", 1), ("2023-11-14", 2)]);
    let october = house.get("/v1/costs?to=2023-10-31").await.json();
    assert_eq!(row(&october["total"]).1, [1, 1, 5, 0, 0]);
    let documents = house.get("/v1/costs?by=document&limit=1").await.json();
    let hash = DocumentHash::of(&1_u128.to_be_bytes()).to_string();
    assert_eq!((rows(&documents)[0].0, &documents["left_out"]), (hash.as_str(), &json!(1)));
    assert_eq!(row(&documents["total"]), row(&report["total"]), "what is left out is in the sum");
    let nothing = house.get("/v1/costs?team=team-b").await.json();
    assert_eq!((rows(&nothing), row(&nothing["total"]).1), (vec![], [0; 5]));
}

#[tokio::test]
async fn every_budget_of_the_period_is_listed_with_what_is_left_of_it() {
    let house = House::open().await;
    house.spent().await;
    let answer = house.get("/v1/budgets").await.json();
    assert_eq!((&answer["schema"], &answer["version"]), (&json!("clinflow.budgets/1"), &json!(1)));
    let accounts: Vec<Value> = answer["accounts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            json!([
                one["scope"],
                one["id"],
                one["period"],
                one["limit_nano_usd"],
                one["settled_nano_usd"],
                one["suspense_nano_usd"],
                one["used_percent"]
            ])
        })
        .collect();
    let dollar = 1_000_000_000_u64;
    assert_eq!(
        accounts,
        [
            json!(["team", "team-a", "2023-11", 2000 * dollar, 123_456_790, dollar, 0]),
            json!(["workflow", "ae-report", "2023-11", 500 * dollar, 123_456_789, dollar, 0]),
            json!(["workflow", "lab-report", "2023-11", 500 * dollar, 1, 0, 0]),
            json!(["agent", "ae-report.nlp", "2023-11-14", 100 * dollar, 123_456_789, 0, 0]),
            json!(["agent", "lab-report.nlp", "2023-11-14", 100 * dollar, 1, 0, 0]),
        ]
    );
    assert_eq!(answer["accounts"][0]["ends_at"], "2023-12-01T00:00:00Z");
    let call = Tried { workflow: "ae-report", call: 9, number: 1, days_ago: 0, cost: Some(80 * dollar) };
    house.spend(call).await;
    assert_eq!(house.get("/v1/budgets").await.json()["accounts"][3]["used_percent"], 80);
}

#[tokio::test]
async fn both_protocols_say_the_same() {
    let house = House::open().await;
    house.spent().await;
    let mut costs = CostsClient::new(house.channel().await);
    let request = CostReportRequest { by: "model".to_owned(), ..Default::default() };
    let report = costs.report(request).await.unwrap().into_inner();
    assert_eq!(json::cost_report(&report), house.get("/v1/costs?by=model").await.json());
    assert_eq!(report.rows[0].name, "us.anthropic.claude-sonnet-5-5");
    let budgets = costs.budgets(BudgetsRequest {}).await.unwrap().into_inner();
    assert_eq!(json::budgets(&budgets), house.get("/v1/budgets").await.json());
}

#[tokio::test]
async fn what_cannot_be_reported_is_refused_in_words() {
    let house = House::open().await;
    for query in
        ["by=person", "from=today", "from=2023-11-15", "from=2020-01-01", "limit=10001", "team=a%20b", "wf=x"]
    {
        let refused = house.get(&format!("/v1/costs?{query}")).await;
        assert_eq!(refused.problem(), (400, "request.unreadable".to_owned()), "{query}");
    }
}

#[tokio::test]
async fn costs_are_for_operators_and_of_the_workflows_that_they_may_use() {
    let issuer = Issuer::with(vec![FIRST]).await;
    let nobody = House::with(issuer.trusted()).await;
    for path in ["/v1/costs", "/v1/budgets"] {
        let refused = nobody.get_as(&FIRST.token(json!({})), path).await;
        assert_eq!(refused.problem(), (403, "auth.not-operator".to_owned()), "{path}");
    }
    let mut config = issuer.trusted();
    let AuthSettings::Jwt(settings) = &mut config.auth else { panic!("no issuer") };
    settings.operators.push("pv".to_owned());
    let house = House::with(config).await;
    house.spent().await;
    let seen = async |token: &str| {
        let report = house.get_as(token, "/v1/costs").await.json();
        let names: Vec<String> = rows(&report).iter().map(|(name, _)| (*name).to_owned()).collect();
        (names, house.get_as(token, "/v1/budgets").await.json()["accounts"].as_array().unwrap().len())
    };
    // The team, which `lab-report` pays from too, and the workflow and agent that they may use.
    assert_eq!(seen(&FIRST.token(json!({}))).await, (vec!["ae-report.nlp".to_owned()], 3));
    let all = FIRST.token(json!({"cognito:groups": ["operators"]}));
    assert_eq!(seen(&all).await, (vec!["ae-report.nlp".to_owned(), "lab-report.nlp".to_owned()], 5));
}
