//! `clinflow cost`: where money went, how much is left, and counters made from the ledger again.

use std::{collections::BTreeSet, fmt::Write as _, path::Path, time::Duration};

use clinflow_core::TeamId;
use clinflow_dynamodb::{Database, DynamoBundles, DynamoLedger};
use clinflow_gateway::json;
use clinflow_ports::{
    Clock as _,
    reconcile::{self, Rebuilt},
};
use clinflow_proto::v1;
use clinflow_redis::{Connection, RedisCounters};
use clinflow_reporter::csv::Table;
use clinflow_runtime::{Catalog, SystemClock};
use clinflow_workflow::Bundle;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    Ended,
    arguments::{self, Place, Report},
    client::{Client, refused},
    print,
    show::{dollars, time},
    up::Misconfigured,
};

/// How long the rebuild of one team's counters may take before somebody else may take over.
const WITHIN: Duration = Duration::from_secs(60);

/// `clinflow cost report|budget|rebuild`
pub(crate) async fn command(command: arguments::Cost) -> anyhow::Result<Ended> {
    match command {
        arguments::Cost::Report(wanted) => report(wanted).await,
        arguments::Cost::Budget { place, json } => budget(&place, json).await,
        arguments::Cost::Rebuild { team, config } => rebuild(team, config.as_deref()).await,
    }
}

async fn report(wanted: Report) -> anyhow::Result<Ended> {
    let (mut client, _house) = Client::of(&wanted.place).await?;
    let request = v1::CostReportRequest {
        team_id: wanted.team.map(|team| team.to_string()).unwrap_or_default(),
        from: wanted.from.map(|day| day.to_string()).unwrap_or_default(),
        to: wanted.to.map(|day| day.to_string()).unwrap_or_default(),
        by: wanted.by.as_str().to_owned(),
        limit: wanted.limit,
    };
    let report = client.costs.report(request).await.map_err(|status| refused(&status))?.into_inner();
    if wanted.csv {
        print::answer(&String::from_utf8(csv(&report).to_csv())?)?;
        // Whoever reads the rows sees no sum that would say that some are missing.
        if report.left_out > 0 {
            eprintln!("clinflow: {} more rows are left out; ask for them with --limit", report.left_out);
        }
        return Ok(Ended::Well);
    }
    print::answer(&if wanted.json { format!("{}\n", json::cost_report(&report)) } else { table(&report) })?;
    Ok(Ended::Well)
}

/// A report, as text.
fn table(report: &v1::CostReport) -> String {
    let row = |name: &str, row: &v1::CostRow| {
        let tokens = row.tokens.unwrap_or_default();
        let spent = u128::from(row.settled_nano_usd) + u128::from(row.suspense_nano_usd);
        let permille = (u128::from(row.repeated_nano_usd) * 1000).checked_div(spent).unwrap_or_default();
        vec![
            name.to_owned(),
            row.calls.to_string(),
            row.attempts.to_string(),
            tokens.input.to_string(),
            tokens.cache_read.to_string(),
            (tokens.cache_write_5m + tokens.cache_write_1h).to_string(),
            tokens.output.to_string(),
            dollars(row.settled_nano_usd),
            dollars(row.suspense_nano_usd),
            format!("{}.{}", permille / 10, permille % 10),
        ]
    };
    let mut text = format!("{} to {} ({}), in US dollars\n\n", report.from, report.to, report.time_zone);
    if report.rows.is_empty() {
        text.push_str("nothing was asked for that costs anything\n");
        return text;
    }
    let mut rows: Vec<_> = report.rows.iter().map(|one| row(&one.name, one)).collect();
    rows.push(row("all", &report.total.clone().unwrap_or_default()));
    let header = [
        report.by.as_str(),
        "calls",
        "attempts",
        "input",
        "cache read",
        "cache write",
        "output",
        "settled",
        "in suspense",
        "paid again %",
    ];
    text.push_str(&print::table(&header, &rows));
    if report.left_out > 0 {
        let _ = writeln!(text, "\n{} more rows are left out; ask for them with --limit", report.left_out);
    }
    text
}

/// The rows of a report, in integers.
fn csv(report: &v1::CostReport) -> Table {
    let header = [
        report.by.as_str(),
        "calls",
        "attempts",
        "input_tokens",
        "cache_read_tokens",
        "cache_write_5m_tokens",
        "cache_write_1h_tokens",
        "output_tokens",
        "settled_nano_usd",
        "suspense_nano_usd",
        "repeated_nano_usd",
    ];
    let row = |row: &v1::CostRow| {
        let tokens = row.tokens.unwrap_or_default();
        let numbers = [
            row.calls,
            row.attempts,
            tokens.input,
            tokens.cache_read,
            tokens.cache_write_5m,
            tokens.cache_write_1h,
            tokens.output,
            row.settled_nano_usd,
            row.suspense_nano_usd,
            row.repeated_nano_usd,
        ];
        std::iter::once(row.name.clone()).chain(numbers.map(|number| number.to_string())).collect()
    };
    Table { header: header.map(str::to_owned).to_vec(), rows: report.rows.iter().map(row).collect() }
}

async fn budget(place: &Place, as_json: bool) -> anyhow::Result<Ended> {
    let (mut client, _house) = Client::of(place).await?;
    let budgets = client.costs.budgets(v1::BudgetsRequest {}).await.map_err(|status| refused(&status))?;
    let budgets = budgets.into_inner();
    print::answer(&if as_json { format!("{}\n", json::budgets(&budgets)) } else { accounts(&budgets) })?;
    Ok(Ended::Well)
}

/// Budgets, as text.
fn accounts(budgets: &v1::BudgetsResponse) -> String {
    let row = |one: &v1::BudgetAccount| {
        vec![
            one.scope.clone(),
            one.id.clone(),
            one.period.clone(),
            one.limit_nano_usd.map(dollars).unwrap_or_default(),
            dollars(one.settled_nano_usd),
            dollars(one.suspense_nano_usd),
            one.used_percent.map(|percent| percent.to_string()).unwrap_or_default(),
        ]
    };
    let rows: Vec<_> = budgets.accounts.iter().map(row).collect();
    let header = ["budget", "of", "period", "limit", "settled", "in suspense", "used %"];
    let mut text = print::table(&header, &rows);
    let _ = writeln!(
        text,
        "\nin US dollars, by the ledger at {}; version {} of the budgets; days begin in {}",
        time(budgets.at.as_ref()),
        budgets.version,
        budgets.time_zone
    );
    text
}

/// The sections of a service's configuration that a rebuild needs.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Config {
    redis: Option<clinflow_redis::Config>,
    dynamodb: clinflow_dynamodb::Config,
}

/// Makes the counters of one team, or of all of the current bundle, from the ledger.
async fn rebuild(team: Option<TeamId>, config: Option<&Path>) -> anyhow::Result<Ended> {
    let config: Config = clinflow_runtime::config::load(config).map_err(Misconfigured)?;
    let redis = config.redis.ok_or_else(|| {
        Misconfigured(anyhow::anyhow!(
            "`redis` is missing: name the file of the aggregator with --config, or set CLINFLOW__REDIS__URL; counters that \
             live in a process are made from the ledger when it starts"
        ))
    })?;
    let counters = RedisCounters::new(Connection::new(&redis)?);
    let database = Database::connect(&config.dynamodb).await?;
    let ledger = DynamoLedger::new(database.clone());
    let catalog = Catalog::new(std::sync::Arc::new(DynamoBundles::new(database)), Bundle::read);
    let (_, bundle) = catalog.current().await.map_err(|failure| failure.source)?;
    let teams = team.map_or_else(
        || bundle.workflows().map(|workflow| workflow.team.clone()).collect(),
        |team| BTreeSet::from([team]),
    );
    let mut ended = Ended::Well;
    for team in teams {
        let turn = (token(), WITHIN);
        let now = SystemClock.now();
        let rebuilt = reconcile::rebuild(&counters, &ledger, bundle.budgets(), &team, turn, now).await?;
        if !matches!(rebuilt, Rebuilt::Done { .. }) {
            ended = Ended::WithFailures;
        }
        print::answer(&format!("{team}: {}\n", words(&rebuilt)))?;
    }
    Ok(ended)
}

/// A name that no other rebuild has: it becomes the generation of the counters.
#[expect(clippy::disallowed_methods, reason = "two rebuilds of the same ledger must not have the same name")]
fn token() -> Uuid {
    Uuid::now_v7()
}

/// What a rebuild did, in words.
fn words(rebuilt: &Rebuilt) -> String {
    match rebuilt {
        Rebuilt::Done { entries, open, settled } => {
            format!("rebuilt from {entries} attempts, {open} of them without an end; {settled} are settled")
        }
        Rebuilt::Busy => "somebody else is rebuilding; nothing was changed".to_owned(),
        Rebuilt::Lost => {
            format!(
                "it took longer than {} seconds and somebody else took over; nothing was changed",
                WITHIN.as_secs()
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sums(name: &str) -> v1::CostRow {
        v1::CostRow {
            name: name.to_owned(),
            calls: 1,
            attempts: 2,
            tokens: Some(v1::TokenCounts {
                input: 1200,
                cache_read: 30,
                cache_write_5m: 4,
                cache_write_1h: 5,
                output: 60,
            }),
            settled_nano_usd: 123_456_789,
            suspense_nano_usd: 876_543_211,
            repeated_nano_usd: 123_456_789,
        }
    }

    fn report() -> v1::CostReport {
        v1::CostReport {
            from: "2026-11-01".to_owned(),
            to: "2026-11-23".to_owned(),
            time_zone: "UTC".to_owned(),
            by: "agent".to_owned(),
            rows: vec![sums("ae-report.nlp")],
            total: Some(sums("")),
            left_out: 3,
        }
    }

    #[test]
    fn a_report_shows_every_nano_dollar_and_how_much_was_paid_again() {
        insta::assert_snapshot!(table(&report()));
        let nothing = v1::CostReport { rows: vec![], total: None, left_out: 0, ..report() };
        assert!(table(&nothing).ends_with("nothing was asked for that costs anything\n"));
    }

    #[test]
    fn a_spreadsheet_gets_integers() {
        let csv = String::from_utf8(csv(&report()).to_csv()).unwrap();
        let lines: Vec<_> = csv.lines().collect();
        assert_eq!(lines[1], "ae-report.nlp,1,2,1200,30,4,5,60,123456789,876543211,123456789");
        assert_eq!(lines[0].split(',').count(), 11);
        assert_eq!(lines.len(), 2, "no sum among the rows");
    }

    #[test]
    fn budgets_are_shown_with_what_is_left_and_without_a_limit_none_is_invented() {
        let account = |scope: &str, limit: Option<u64>| v1::BudgetAccount {
            scope: scope.to_owned(),
            id: "safety".to_owned(),
            period: "2026-11".to_owned(),
            ends_at: None,
            limit_nano_usd: limit,
            settled_nano_usd: 1_500_000_001,
            suspense_nano_usd: 0,
            used_percent: limit.map(|_| 75),
        };
        insta::assert_snapshot!(accounts(&v1::BudgetsResponse {
            at: Some(prost_types::Timestamp { seconds: 1_700_000_000, nanos: 0 }),
            time_zone: "UTC".to_owned(),
            version: 3,
            accounts: vec![account("team", Some(2_000_000_000)), account("workflow", None)],
        }));
    }
}
