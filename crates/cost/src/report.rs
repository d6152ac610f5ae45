//! What the ledger says to people: where money went, and how much is left of each budget.
//!
//! Entries are added one by one, so that a long time can be read in parts. Everything is booked to the time at which the
//! attempt's intent was written.

use std::collections::{BTreeMap, HashSet};

use clinflow_core::id::ObjectHash;
use jiff::{Timestamp, tz::TimeZone};
use uuid::Uuid;

use crate::{Account, Budgets, Entry, Limit, NanoUsd, Period, Scope, Span, Usage};

/// What the rows of a report are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// Who asked.
    Agent,
    /// In which workflow.
    Workflow,
    /// Who pays.
    Team,
    /// Who was asked.
    Model,
    /// About which document, by its hash.
    Document,
    /// When, in the budgets' time zone.
    Day,
}

impl By {
    /// Every one.
    pub const ALL: [Self; 6] =
        [Self::Agent, Self::Workflow, Self::Team, Self::Model, Self::Document, Self::Day];

    /// The one spelling.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Workflow => "workflow",
            Self::Team => "team",
            Self::Model => "model",
            Self::Document => "document",
            Self::Day => "day",
        }
    }

    /// The one with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|by| by.as_str() == name)
    }

    /// The row that an entry belongs to.
    fn row(self, entry: &Entry, zone: &TimeZone) -> String {
        let intent = &entry.intent;
        match self {
            Self::Agent => intent.agent.to_string(),
            Self::Workflow => intent.workflow.to_string(),
            Self::Team => intent.team.to_string(),
            Self::Model => intent.model.clone(),
            Self::Document => intent.document.to_string(),
            Self::Day => Period::containing(intent.at, Span::Day, zone).name,
        }
    }
}

/// What was asked for and what it cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sums {
    /// Calls that began here: however often one is attempted, it is one.
    pub calls: u64,
    /// Attempts at calls.
    pub attempts: u64,
    /// Tokens of the attempts whose use is known.
    pub tokens: Usage,
    /// What is booked.
    pub settled: NanoUsd,
    /// What attempts without an outcome may have cost at most.
    pub suspense: NanoUsd,
    /// The part of both that is paid again: of attempts that ask what was paid for before, or may have been. A retry after
    /// an attempt that cost nothing is not among them.
    pub repeated: NanoUsd,
}

impl Sums {
    /// What is booked, and what may still be.
    pub const fn spent(&self) -> NanoUsd {
        self.settled.plus(self.suspense)
    }

    fn add(&mut self, entry: &Entry, seen: Seen) {
        self.attempts += 1;
        self.calls += u64::from(seen.new_call);
        match &entry.outcome {
            Some(outcome) => {
                self.tokens = self.tokens.plus(outcome.usage);
                self.settled = self.settled.plus(outcome.cost);
            }
            None => self.suspense = self.suspense.plus(entry.intent.hold),
        }
        if seen.repeated {
            self.repeated = self.repeated.plus(cost(entry));
        }
    }
}

/// What an entry cost, or may have cost at most.
fn cost(entry: &Entry) -> NanoUsd {
    entry.outcome.as_ref().map_or(entry.intent.hold, |outcome| outcome.cost)
}

/// What an attempt is, compared with those before it.
#[derive(Debug, Clone, Copy)]
struct Seen {
    new_call: bool,
    repeated: bool,
}

/// Where money went.
#[derive(Debug)]
pub struct Report {
    by: By,
    zone: TimeZone,
    rows: BTreeMap<String, Sums>,
    total: Sums,
    calls: HashSet<(Uuid, u32)>,
    paid: HashSet<ObjectHash>,
}

impl Report {
    /// A report without entries; `zone` is where days begin.
    pub fn new(by: By, zone: TimeZone) -> Self {
        let (calls, paid) = (HashSet::new(), HashSet::new());
        Self { by, zone, rows: BTreeMap::new(), total: Sums::default(), calls, paid }
    }

    /// Adds an entry. Those of a team come in the order of their time: of two that ask the same, the later one is the
    /// repetition.
    pub fn add(&mut self, entry: &Entry) {
        let attempt = entry.intent.attempt;
        let costs = cost(entry) > NanoUsd::ZERO;
        let seen = Seen {
            new_call: self.calls.insert((attempt.invocation, attempt.ordinal)),
            repeated: costs && !self.paid.insert(entry.intent.fingerprint),
        };
        self.rows.entry(self.by.row(entry, &self.zone)).or_default().add(entry, seen);
        self.total.add(entry, seen);
    }

    /// The sum of all rows.
    pub const fn total(&self) -> Sums {
        self.total
    }

    /// The rows by name: days in their order, everything else the dearest first.
    pub fn rows(&self) -> Vec<(&str, Sums)> {
        let mut rows: Vec<(&str, Sums)> =
            self.rows.iter().map(|(name, sums)| (name.as_str(), *sums)).collect();
        if self.by != By::Day {
            rows.sort_by_key(|(_, sums)| std::cmp::Reverse(sums.spent()));
        }
        rows
    }
}

/// How an account stands by the ledger. A call under way is in suspense here: the ledger cannot tell it from one that
/// nobody will finish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The account.
    pub account: Account,
    /// The limit on it; `None` when it is only counted.
    pub limit: Option<Limit>,
    /// What is booked.
    pub settled: NanoUsd,
    /// What attempts without an outcome may have cost at most.
    pub suspense: NanoUsd,
}

impl Standing {
    /// Whole per cents of the limit that are spent or in suspense, rounded down, so that it is no less than a threshold
    /// exactly when the threshold is reached; of a limit of nothing, everything.
    pub fn percent(&self) -> Option<u64> {
        let limit = u128::from(self.limit.as_ref()?.amount.get());
        let spent = u128::from(self.settled.plus(self.suspense).get());
        let percent = (spent * 100).checked_div(limit).unwrap_or(100);
        Some(u64::try_from(percent).unwrap_or(u64::MAX))
    }
}

/// How teams, workflows and agents stand in the periods that a time lies in.
#[derive(Debug)]
pub struct Standings<'a> {
    budgets: &'a Budgets,
    month: Period,
    day: Period,
    sums: BTreeMap<Scope, (NanoUsd, NanoUsd)>,
}

impl<'a> Standings<'a> {
    /// How `scopes` stand at `now` when nothing is booked.
    pub fn new(budgets: &'a Budgets, now: Timestamp, scopes: impl IntoIterator<Item = Scope>) -> Self {
        let period = |span| Period::containing(now, span, budgets.zone());
        let sums = scopes.into_iter().map(|scope| (scope, (NanoUsd::ZERO, NanoUsd::ZERO))).collect();
        Self { budgets, month: period(Span::Month), day: period(Span::Day), sums }
    }

    /// From when on entries can matter.
    pub const fn since(&self) -> Timestamp {
        self.month.starts
    }

    /// Adds an entry to the accounts that it is booked to.
    pub fn add(&mut self, entry: &Entry) {
        for Account { scope, period } in &entry.intent.accounts {
            if !scope.kind().is_listed() || period != self.period(scope) {
                continue;
            }
            let (settled, suspense) = self.sums.entry(scope.clone()).or_default();
            match &entry.outcome {
                Some(outcome) => *settled = settled.plus(outcome.cost),
                None => *suspense = suspense.plus(entry.intent.hold),
            }
        }
    }

    /// Every scope that was named or booked to: teams, then workflows, then agents.
    pub fn list(&self) -> Vec<Standing> {
        let standing = |(scope, (settled, suspense)): (&Scope, &(NanoUsd, NanoUsd))| Standing {
            account: Account { scope: scope.clone(), period: self.period(scope).clone() },
            limit: self.budgets.limit(scope),
            settled: *settled,
            suspense: *suspense,
        };
        self.sums.iter().map(standing).collect()
    }

    const fn period(&self, scope: &Scope) -> &Period {
        match scope.kind().span() {
            Span::Month => &self.month,
            Span::Day => &self.day,
        }
    }
}

#[cfg(test)]
mod tests {
    use clinflow_core::{AgentId, DocumentHash, ExecutionId, TeamId, WorkflowId};

    use super::*;
    use crate::{Attempt, Intent, Payer};

    const BUDGETS: &str = "
version: 7
time_zone: America/New_York
limits:
  team: { default: 0.000000200, thresholds: [80, 100] }
  workflow: { thresholds: [100] }
  agent: { default: 0, thresholds: [100] }
  session: { thresholds: [100] }
  document: { thresholds: [100] }
loop_guard: { identical_calls: 3, calls_per_stage: 12, window: 24h }
";

    fn budgets() -> Budgets {
        Budgets::read("budgets.yaml", BUDGETS).unwrap()
    }

    /// An intent of 100 at `when`: attempt `number` of invocation `call`, which asks `question`.
    fn intent(workflow: &str, (call, number): (u128, u32), question: &[u8], when: &str) -> Intent {
        let workflow = WorkflowId::new(workflow).unwrap();
        let at = when.parse().unwrap();
        let payer = Payer {
            team: TeamId::new("safety").unwrap(),
            agent: AgentId::new(format!("{workflow}.nlp")).unwrap(),
            workflow,
            session: None,
            document: DocumentHash::of(question),
        };
        Intent {
            attempt: Attempt { invocation: Uuid::from_u128(call), ordinal: 0, number },
            at,
            team: payer.team.clone(),
            workflow: payer.workflow.clone(),
            agent: payer.agent.clone(),
            session: None,
            execution: ExecutionId::from_uuid(Uuid::nil()),
            document: payer.document,
            fingerprint: ObjectHash::of(question),
            model: "model".to_owned(),
            prices: ObjectHash::of(b"prices"),
            hold: NanoUsd::new(100),
            accounts: budgets().charges(&payer, at).into_iter().map(|charge| charge.account).collect(),
        }
    }

    fn open(intent: Intent) -> Entry {
        Entry { intent, outcome: None }
    }

    fn billed(intent: Intent, cost: u64) -> Entry {
        let usage = Usage { input: 10, output: cost, ..Usage::default() };
        let outcome = intent.billed(intent.at, usage, NanoUsd::new(cost), None);
        Entry { intent, outcome: Some(outcome) }
    }

    /// A call that is answered at its second attempt, one that asks the same, and one of another workflow after midnight.
    fn entries() -> [Entry; 4] {
        [
            open(intent("ae-report", (1, 1), b"a", "2026-11-23T03:00:00Z")),
            billed(intent("ae-report", (1, 2), b"a", "2026-11-23T04:00:00Z"), 20),
            billed(intent("ae-report", (2, 1), b"a", "2026-11-23T04:30:00Z"), 5),
            billed(intent("lab-report", (3, 1), b"b", "2026-11-23T05:30:00Z"), 60),
        ]
    }

    fn report(by: By) -> Report {
        let mut report = Report::new(by, budgets().zone().clone());
        entries().iter().for_each(|entry| report.add(entry));
        report
    }

    fn row(sums: Sums) -> (u64, u64, u64, u64, u64) {
        (sums.calls, sums.attempts, sums.settled.get(), sums.suspense.get(), sums.repeated.get())
    }

    #[test]
    fn rows_hold_calls_attempts_money_and_what_was_asked_again_and_add_up() {
        let report = report(By::Workflow);
        let rows: Vec<_> = report.rows().into_iter().map(|(name, sums)| (name, row(sums))).collect();
        assert_eq!(rows, [("ae-report", (2, 3, 25, 100, 25)), ("lab-report", (1, 1, 60, 0, 0))]);
        assert_eq!(row(report.total()), (3, 4, 85, 100, 25));
        let tokens = Usage { input: 30, output: 85, ..Usage::default() };
        assert_eq!(report.total().tokens, tokens, "nobody knows what the first attempt used");
        for by in By::ALL {
            let report = self::report(by);
            let sum = |of: fn(Sums) -> u64| report.rows().into_iter().map(|(_, sums)| of(sums)).sum::<u64>();
            assert_eq!(sum(|sums| sums.calls), 3, "{}", by.as_str());
            assert_eq!(sum(|sums| sums.spent().get()), 185, "{}", by.as_str());
        }
    }

    #[test]
    fn a_retry_after_a_throttle_is_not_paid_again() {
        let mut report = Report::new(By::Agent, TimeZone::UTC);
        let throttled = intent("ae-report", (1, 1), b"a", "2026-11-23T03:00:00Z");
        report.add(&Entry { outcome: Some(throttled.free(throttled.at)), intent: throttled });
        report.add(&billed(intent("ae-report", (1, 2), b"a", "2026-11-23T03:01:00Z"), 20));
        assert_eq!(row(report.total()), (1, 2, 20, 0, 0));
        report.add(&billed(intent("ae-report", (1, 3), b"a", "2026-11-23T03:02:00Z"), 20));
        assert_eq!(row(report.total()), (1, 3, 40, 0, 20));
    }

    #[test]
    fn a_day_begins_where_the_budgets_say() {
        let report = report(By::Day);
        let rows: Vec<_> = report.rows().into_iter().map(|(name, sums)| (name, sums.attempts)).collect();
        assert_eq!(rows, [("2026-11-22", 2 + 1), ("2026-11-23", 1)], "midnight is at 05:00Z");
    }

    #[test]
    fn the_other_rows_are_named_by_what_asked_paid_answered_and_was_asked_about() {
        let names = |by| report(by).rows().iter().map(|(name, _)| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(names(By::Agent), ["ae-report.nlp", "lab-report.nlp"]);
        assert_eq!(
            (names(By::Team), names(By::Model)),
            (vec!["safety".to_owned()], vec!["model".to_owned()])
        );
        assert_eq!(names(By::Document)[0], DocumentHash::of(b"a").to_string());
        assert_eq!(By::ALL.map(|by| By::parse(by.as_str())), By::ALL.map(Some));
    }

    #[test]
    fn a_month_holds_all_of_it_and_a_day_only_todays_and_what_nobody_booked_to_is_there_too() {
        let budgets = budgets();
        let unused = Scope::workflow(&WorkflowId::new("aa").unwrap());
        let mut standings = Standings::new(&budgets, "2026-11-23T12:00:00Z".parse().unwrap(), [unused]);
        assert_eq!(standings.since().to_string(), "2026-11-01T04:00:00Z");
        entries().iter().for_each(|entry| standings.add(entry));
        standings.add(&billed(intent("ae-report", (4, 1), b"c", "2026-10-31T12:00:00Z"), 1000));
        let list = standings.list();
        let seen: Vec<_> = list
            .iter()
            .map(|one| (one.account.name(), one.settled.get(), one.suspense.get(), one.percent()))
            .collect();
        assert_eq!(
            seen,
            [
                ("team:safety|2026-11".to_owned(), 85, 100, Some(92)),
                ("workflow:aa|2026-11".to_owned(), 0, 0, None),
                ("workflow:ae-report|2026-11".to_owned(), 25, 100, None),
                ("workflow:lab-report|2026-11".to_owned(), 60, 0, None),
                ("agent:lab-report.nlp|2026-11-23".to_owned(), 60, 0, Some(100)),
            ]
        );
        assert_eq!(list[0].limit.as_ref().map(|limit| limit.version), Some(7));
    }
}
