//! Which limit holds for what, in which period, and files with mistakes.

use std::time::Duration;

use clinflow_core::{AgentId, DocumentHash, SessionId, TeamId, WorkflowId};

use super::{Budgets, Payer};
use crate::{NanoUsd, Scope};

const SHIPPED: &str = include_str!("../../../../workflows/budgets.yaml");

fn read(text: &str) -> Budgets {
    Budgets::read("budgets.yaml", text).unwrap()
}

fn payer() -> Payer {
    Payer {
        team: TeamId::new("safety").unwrap(),
        workflow: WorkflowId::new("ae-report").unwrap(),
        agent: AgentId::new("ae-report.nlp").unwrap(),
        session: Some(SessionId::new("session-1").unwrap()),
        document: DocumentHash::of(b"document"),
    }
}

#[test]
fn the_shipped_budgets_bound_a_document_at_two_dollars_and_the_third_identical_call() {
    let budgets = read(SHIPPED);
    let limit = budgets.limit(&Scope::document(&payer().document)).unwrap();
    assert_eq!((limit.amount, limit.version), (NanoUsd::new(2_000_000_000), 1));
    let percents: Vec<u8> = limit.thresholds.iter().map(|threshold| threshold.percent).collect();
    assert_eq!(percents, [100]);
    let guard = budgets.guard();
    assert_eq!((guard.identical_calls, guard.calls_per_stage), (3, 12));
    assert_eq!(guard.window, Duration::from_hours(24));
}

#[test]
fn a_call_is_booked_on_every_scope_the_widest_first_in_the_budgets_time_zone() {
    let budgets = read(&SHIPPED.replace("time_zone: UTC", "time_zone: America/New_York"));
    let at = "2026-12-01T04:59:59Z".parse().unwrap();
    let names: Vec<String> =
        budgets.charges(&payer(), at).iter().map(|charge| charge.account.name()).collect();
    let document = format!("document:{}|2026-11", payer().document);
    assert_eq!(
        names,
        [
            "team:safety|2026-11",
            "workflow:ae-report|2026-11",
            "agent:ae-report.nlp|2026-11-30",
            "session:session-1|2026-11",
            &document
        ]
    );
    let without = Payer { session: None, ..payer() };
    assert_eq!(budgets.charges(&without, at).len(), 4);
}

#[test]
fn a_named_limit_goes_before_the_default_and_no_default_means_no_limit() {
    let text = SHIPPED
        .replace("team: { default: 2000.00,", "team: { default: 2000.00, named: { safety: 12.34 },")
        .replace("agent: { default: 100.00, ", "agent: { ");
    let budgets = read(&text);
    let amount = |scope: &Scope| budgets.limit(scope).map(|limit| limit.amount.get());
    assert_eq!(amount(&Scope::team(&payer().team)), Some(12_340_000_000));
    assert_eq!(amount(&Scope::team(&TeamId::new("another").unwrap())), Some(2_000_000_000_000));
    assert_eq!(amount(&Scope::agent(&payer().agent)), None);
}

#[test]
fn a_threshold_is_rounded_up_so_that_it_is_never_told_too_early() {
    let text = SHIPPED.replace("team: { default: 2000.00,", "team: { default: 0.000000001,");
    let limit = read(&text).limit(&Scope::team(&payer().team)).unwrap();
    let amounts: Vec<u64> = limit.thresholds.iter().map(|threshold| threshold.amount.get()).collect();
    assert_eq!(amounts, [1, 1]);
}

#[test]
fn every_mistake_is_named_with_its_line() {
    let cases = [
        ("version: 1", "version: 0", "`version`: expected a whole number from 1"),
        ("time_zone: UTC", "time_zone: Mars/Base", "`time_zone`: unknown time zone `Mars/Base`"),
        ("default: 2.00", "default: two", "`limits.document.default`: expected a number, found a text"),
        (
            "default: 2.00",
            "default: 9007200",
            "`limits.document.default`: $9007200.000000000 is more than counters can hold",
        ),
        ("default: 2.00", "default: -2", "`limits.document.default`: `-2` is no amount"),
        (
            "team: { default: 2000.00, thresholds: [80, 100]",
            "team: { default: 1, thresholds: [100, 80]",
            "`limits.team.thresholds[1]`: expected ascending",
        ),
        (
            "team: { default: 2000.00,",
            "team: { named: { 'a b': 1 },",
            "`limits.team.named.a b`: `a b` is no team id",
        ),
        (
            "identical_calls: 3",
            "identical_calls: 1",
            "`loop_guard.identical_calls`: with 1 no call could be made",
        ),
        ("window: 24h", "window: tomorrow", "`loop_guard.window`: `tomorrow` is no duration"),
        ("window: 24h", "windows: 24h", "`loop_guard.windows`: unknown key `windows`"),
    ];
    for (good, bad, expected) in cases {
        assert!(SHIPPED.contains(good), "{good}");
        let text = SHIPPED.replacen(good, bad, 1);
        let line = text.lines().position(|line| line.contains(bad)).unwrap() + 1;
        let found = Budgets::read("budgets.yaml", &text).unwrap_err().to_string();
        assert!(found.contains(&format!("budgets.yaml:{line}: {expected}")), "{bad}: {found}");
    }
}
