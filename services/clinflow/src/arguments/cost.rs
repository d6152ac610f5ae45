//! The commands about money.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use clinflow_core::TeamId;
use clinflow_cost::By;
use jiff::civil::Date;

use super::Place;

/// What was spent, and what may be.
#[derive(Debug, Subcommand)]
pub(crate) enum Cost {
    /// Show where money went, to the nano-dollar, by what the ledger says.
    Report(Report),
    /// Show how much of each team's, workflow's and agent's budget is used in the current period.
    Budget {
        #[command(flatten)]
        place: Place,
        /// Print JSON (`clinflow.budgets/1`).
        #[arg(long)]
        json: bool,
    },
    /// Make the counters in Redis from the ledger again. Calls of models wait meanwhile; nothing is lost. May be run at any
    /// time and twice. Exits 1 when somebody else is at it.
    Rebuild {
        /// Only this team's; without it, those of every team of the current workflows.
        #[arg(long, value_name = "ID")]
        team: Option<TeamId>,
        /// Configuration file with the sections `[redis]` and `[dynamodb]`: the aggregator's.
        #[arg(long, env = "CLINFLOW_CONFIG", value_name = "FILE")]
        config: Option<PathBuf>,
    },
}

/// Show where money went.
#[derive(Debug, Args)]
pub(crate) struct Report {
    /// Only what this team pays; without it, every team of the current workflows.
    #[arg(long, value_name = "ID")]
    pub(crate) team: Option<TeamId>,
    /// The first day, `2026-11-01`; without it, the first of the month of the last day.
    #[arg(long, value_name = "DAY")]
    pub(crate) from: Option<Date>,
    /// The last day, which is in the report; without it, today. Days are those of the budgets' time zone.
    #[arg(long, value_name = "DAY")]
    pub(crate) to: Option<Date>,
    /// What the rows are: agent, workflow, team, model, document (by its hash) or day.
    #[arg(long, value_parser = by, default_value = "agent", value_name = "WHAT")]
    pub(crate) by: By,
    /// At most this many rows, the dearest; the sum is of all.
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) limit: u32,
    #[command(flatten)]
    pub(crate) place: Place,
    /// Print JSON (`clinflow.cost-report/1`).
    #[arg(long)]
    pub(crate) json: bool,
    /// Print the rows as CSV, money in nano-dollars.
    #[arg(long, conflicts_with = "json")]
    pub(crate) csv: bool,
}

fn by(name: &str) -> Result<By, String> {
    By::parse(name).ok_or_else(|| {
        let known = By::ALL.map(By::as_str).join(", ");
        format!("expected one of {known}")
    })
}
