//! What was spent and what may be, read from the ledger: what the counters forget, it knows.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use clinflow_core::{Role, TeamId, WorkflowId};
use clinflow_cost::{By, Entry, Report, Scope, ScopeKind, Standing, Standings, Sums};
use clinflow_ports::{Clock, Ledger, StoreError};
use clinflow_proto::v1;
use clinflow_runtime::{Catalog, wire::timestamp_to_wire};
use clinflow_workflow::Bundle;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};

use crate::{auth::Caller, ports::Ports, refusal::Refusal};

/// The longest time of a report. Every attempt in it is read.
const LONGEST_DAYS: i32 = 400;

/// How many rows a report has when its reader does not say, and at most.
const ROWS: usize = 1000;
const MOST_ROWS: usize = 10_000;

/// How much of the ledger is read in one go: what is held in memory at once.
const PART: SignedDuration = SignedDuration::from_hours(7 * 24);

/// How many parts are read at once.
const AT_ONCE: usize = 4;

/// Shows what the ledger says.
pub(crate) struct Costing {
    ledger: Arc<dyn Ledger>,
    catalog: Arc<Catalog<Bundle>>,
    clock: Arc<dyn Clock>,
    retry_after: Duration,
}

/// What is wanted of a report.
#[derive(Debug, PartialEq, Eq)]
struct Wanted {
    team: Option<TeamId>,
    first: Date,
    last: Date,
    by: By,
    rows: usize,
}

impl Wanted {
    /// Reads the words of a request; empty words and 0 are "not said".
    fn read(request: &v1::CostReportRequest, today: Date) -> Result<Self, Refusal> {
        let unreadable = |field, expected| Refusal::Unreadable { field, expected };
        let day = |text: &str, field, other: Date| match text {
            "" => Ok(other),
            text => text.parse().map_err(|_| unreadable(field, "a day such as `2026-11-23`")),
        };
        let last = day(&request.to, "to", today)?;
        let first = day(&request.from, "from", last.first_of_month())?;
        let days = last.since(first).map(|span| span.get_days());
        if !days.is_ok_and(|days| (0..LONGEST_DAYS).contains(&days)) {
            return Err(unreadable("from", "a day that is not after `to`, and at most 400 days before it"));
        }
        let by = match request.by.as_str() {
            "" => By::Agent,
            name => By::parse(name).ok_or_else(|| {
                unreadable("by", "`agent`, `workflow`, `team`, `model`, `document` or `day`")
            })?,
        };
        let team = match request.team_id.as_str() {
            "" => None,
            id => Some(TeamId::new(id).map_err(|_| unreadable("team", "the id of a team"))?),
        };
        let rows = match usize::try_from(request.limit) {
            Ok(0) => ROWS,
            Ok(limit) if limit <= MOST_ROWS => limit,
            _ => return Err(unreadable("limit", "a number from 1 to 10000")),
        };
        Ok(Self { team, first, last, by, rows })
    }

    /// From when to when in a time zone.
    fn time(&self, zone: &TimeZone) -> (Timestamp, Timestamp) {
        let midnight = |day: Date| day.to_zoned(zone.clone()).map(|midnight| midnight.timestamp());
        // Both exist for any day but the last of the year 9999, and those are in no ledger.
        let from = midnight(self.first).unwrap_or(Timestamp::MAX);
        (from, self.last.tomorrow().and_then(midnight).unwrap_or(Timestamp::MAX))
    }
}

impl Costing {
    /// Shows the ledger of `ports`.
    pub(crate) fn new(ports: &Ports, retry_after: Duration) -> Arc<Self> {
        let Ports { ledger, catalog, clock, .. } = ports.clone();
        Arc::new(Self { ledger, catalog, clock, retry_after })
    }

    /// Where money went, of the workflows that the caller may use.
    pub(crate) async fn report(
        &self,
        caller: &Caller,
        request: &v1::CostReportRequest,
    ) -> Result<v1::CostReport, Refusal> {
        caller.check_operator()?;
        let bundle = self.bundle().await?;
        let zone = bundle.budgets().zone();
        let wanted = Wanted::read(request, self.clock.now().to_zoned(zone.clone()).date())?;
        let teams = wanted.team.clone().map_or_else(|| teams(caller, &bundle), |team| BTreeSet::from([team]));
        let mut report = Report::new(wanted.by, zone.clone());
        let add = |entry: &Entry| {
            if caller.may(&entry.intent.workflow) {
                report.add(entry);
            }
        };
        self.each(teams, wanted.time(zone), add).await?;
        let rows = report.rows();
        Ok(v1::CostReport {
            from: wanted.first.to_string(),
            to: wanted.last.to_string(),
            time_zone: name(zone),
            by: wanted.by.as_str().to_owned(),
            rows: rows.iter().take(wanted.rows).map(|(name, sums)| row(name, *sums)).collect(),
            total: Some(row("", report.total())),
            left_out: rows.len().saturating_sub(wanted.rows) as u64,
        })
    }

    /// How the teams, workflows and agents stand whose workflows the caller may use. A team is shown with everything that it
    /// has spent.
    pub(crate) async fn budgets(&self, caller: &Caller) -> Result<v1::BudgetsResponse, Refusal> {
        caller.check_operator()?;
        let (bundle, now) = (self.bundle().await?, self.clock.now());
        let budgets = bundle.budgets();
        let scopes = bundle.workflows().filter(|workflow| caller.may(&workflow.id)).flat_map(|workflow| {
            // Nobody else asks models that cost anything.
            let agent = workflow.id.agent(Role::Nlp);
            [Scope::team(&workflow.team), Scope::workflow(&workflow.id), Scope::agent(&agent)]
        });
        let mut standings = Standings::new(budgets, now, scopes);
        // The clocks of those who write intents may be ahead of ours.
        let until = now.checked_add(SignedDuration::from_hours(24)).unwrap_or(Timestamp::MAX);
        self.each(teams(caller, &bundle), (standings.since(), until), |entry| standings.add(entry)).await?;
        let shown = standings.list().into_iter().filter(|one| sees(caller, &one.account.scope));
        Ok(v1::BudgetsResponse {
            at: Some(timestamp_to_wire(now)),
            time_zone: name(budgets.zone()),
            version: budgets.version(),
            accounts: shown.map(|one| account(&one)).collect(),
        })
    }

    /// Every entry of the teams in a time, those of a team in their order.
    async fn each(
        &self,
        teams: BTreeSet<TeamId>,
        time: (Timestamp, Timestamp),
        mut take: impl FnMut(&Entry),
    ) -> Result<(), Refusal> {
        let mut wanted = Vec::new();
        for team in teams {
            wanted.extend(parts(time).into_iter().map(|part| (team.clone(), part)));
        }
        let read = |(team, (from, until)): (TeamId, (Timestamp, Timestamp))| {
            let ledger = self.ledger.clone();
            async move { ledger.read(&team, from, until).await }
        };
        let mut read = stream::iter(wanted).map(read).buffered(AT_ONCE);
        while let Some(entries) = read.try_next().await.map_err(|error| self.refuse(error))? {
            entries.iter().for_each(&mut take);
        }
        Ok(())
    }

    async fn bundle(&self) -> Result<Arc<Bundle>, Refusal> {
        let current = self.catalog.current().await;
        current.map(|(_, bundle)| bundle).map_err(|failure| Refusal::of_failure(&failure, self.retry_after))
    }

    fn refuse(&self, error: StoreError) -> Refusal {
        Refusal::of_store(error, self.retry_after)
    }
}

/// A time in parts that are read one by one.
fn parts((from, until): (Timestamp, Timestamp)) -> Vec<(Timestamp, Timestamp)> {
    let next = |at: &Timestamp| at.checked_add(PART).ok().filter(|at| *at < until);
    let starts: Vec<_> = std::iter::successors(Some(from).filter(|from| *from < until), next).collect();
    let ends = starts.iter().skip(1).copied().chain([until]);
    starts.iter().copied().zip(ends).collect()
}

/// The teams of the workflows that the caller may use.
fn teams(caller: &Caller, bundle: &Bundle) -> BTreeSet<TeamId> {
    let allowed = bundle.workflows().filter(|workflow| caller.may(&workflow.id));
    allowed.map(|workflow| workflow.team.clone()).collect()
}

/// Whether the caller may use the workflow of a scope.
fn sees(caller: &Caller, scope: &Scope) -> bool {
    let workflow = match scope.kind() {
        ScopeKind::Team => return true,
        ScopeKind::Workflow => Some(scope.id()),
        ScopeKind::Agent => scope.id().rsplit_once('.').map(|(workflow, _)| workflow),
        ScopeKind::Session | ScopeKind::Document => None,
    };
    workflow.and_then(|id| WorkflowId::new(id).ok()).is_some_and(|id| caller.may(&id))
}

fn name(zone: &TimeZone) -> String {
    zone.iana_name().unwrap_or("UTC").to_owned()
}

fn row(name: &str, sums: Sums) -> v1::CostRow {
    let Sums { calls, attempts, tokens, settled, suspense, repeated } = sums;
    v1::CostRow {
        name: name.to_owned(),
        calls,
        attempts,
        tokens: Some(v1::TokenCounts {
            input: tokens.input,
            cache_read: tokens.cache_read,
            cache_write_5m: tokens.cache_write_5m,
            cache_write_1h: tokens.cache_write_1h,
            output: tokens.output,
        }),
        settled_nano_usd: settled.get(),
        suspense_nano_usd: suspense.get(),
        repeated_nano_usd: repeated.get(),
    }
}

fn account(standing: &Standing) -> v1::BudgetAccount {
    let Standing { account, limit, settled, suspense } = standing;
    v1::BudgetAccount {
        scope: account.scope.kind().as_str().to_owned(),
        id: account.scope.id().to_owned(),
        period: account.period.name.clone(),
        ends_at: Some(timestamp_to_wire(account.period.ends)),
        limit_nano_usd: limit.as_ref().map(|limit| limit.amount.get()),
        settled_nano_usd: settled.get(),
        suspense_nano_usd: suspense.get(),
        used_percent: standing.percent(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(from: &str, to: &str) -> Result<(String, String), String> {
        let request =
            v1::CostReportRequest { from: from.to_owned(), to: to.to_owned(), ..Default::default() };
        let wanted = Wanted::read(&request, jiff::civil::date(2026, 11, 23));
        wanted
            .map(|wanted| (wanted.first.to_string(), wanted.last.to_string()))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn without_days_a_report_is_of_this_month_so_far() {
        let days = |first: &str, last: &str| Ok((first.to_owned(), last.to_owned()));
        assert_eq!(read("", ""), days("2026-11-01", "2026-11-23"));
        assert_eq!(read("", "2026-10-31"), days("2026-10-01", "2026-10-31"));
        assert_eq!(read("2025-10-20", ""), days("2025-10-20", "2026-11-23"), "400 days");
        for (from, to) in [("2025-10-19", ""), ("2026-11-24", ""), ("2026-11-02", "2026-11-01")] {
            assert!(read(from, to).unwrap_err().starts_with("`from` cannot be read"), "{from} {to}");
        }
        assert!(read("", "yesterday").unwrap_err().starts_with("`to` cannot be read"));
    }

    #[test]
    fn a_time_is_read_in_parts_that_leave_nothing_out_and_hold_nothing_twice() {
        let day = |n: i64| Timestamp::from_second(n * 86_400).unwrap();
        assert_eq!(parts((day(0), day(16))), [(day(0), day(7)), (day(7), day(14)), (day(14), day(16))]);
        assert_eq!(parts((day(0), day(7))), [(day(0), day(7))]);
        assert_eq!(parts((day(7), day(7))), []);
    }

    #[test]
    fn days_begin_at_midnight_where_the_budgets_say() {
        let request = v1::CostReportRequest { from: "2026-11-01".to_owned(), ..Default::default() };
        let wanted = Wanted::read(&request, jiff::civil::date(2026, 11, 1)).unwrap();
        let (from, until) = wanted.time(&TimeZone::get("America/New_York").unwrap());
        assert_eq!(
            (from.to_string(), until.to_string()),
            ("2026-11-01T04:00:00Z".to_owned(), "2026-11-02T05:00:00Z".to_owned())
        );
    }
}
