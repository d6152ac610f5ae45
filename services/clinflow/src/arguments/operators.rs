//! The commands of operators, reviewers and auditors.

use clap::{Args, Subcommand};
use clinflow_core::review::Decision;

use super::Place;

/// Show where values come from.
#[derive(Debug, Args)]
pub(crate) struct Trace {
    /// The execution's id.
    pub(crate) execution: String,
    /// Only this field: `onset_date`, `event.term`, or `event[2].term` for one repetition.
    pub(crate) field: Option<String>,
    #[command(flatten)]
    pub(crate) place: Place,
    /// Print JSON (`clinflow.trace/1`).
    #[arg(long)]
    pub(crate) json: bool,
}

/// The audit log.
#[derive(Debug, Subcommand)]
pub(crate) enum Audit {
    /// Check that no record was removed, changed or reordered. Exits 1 and names the record when one was.
    Verify {
        #[command(flatten)]
        chains: Chains,
        /// Print one JSON object a chain (`clinflow.audit-verification/1`).
        #[arg(long)]
        json: bool,
    },
    /// Print every record as JSON, one on each line (`clinflow.audit-record/1`).
    Export {
        #[command(flatten)]
        chains: Chains,
    },
}

/// Which chains of the audit log.
#[derive(Debug, Args)]
pub(crate) struct Chains {
    /// The execution's id.
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    pub(crate) execution: Option<String>,
    /// Every execution.
    #[arg(long)]
    pub(crate) all: bool,
    #[command(flatten)]
    pub(crate) place: Place,
}

/// Who does something, and why.
#[derive(Debug, Args)]
pub(crate) struct Word {
    /// Why, in one word such as `wrong-document`. It goes into the audit log, so it names no patient.
    #[arg(long, value_name = "WORD")]
    pub(crate) reason: Option<String>,
    /// Who does it, for the audit log, where the gateway asks for no token.
    #[arg(long, env = "CLINFLOW_OPERATOR", value_name = "NAME")]
    pub(crate) operator: Option<String>,
}

/// Messages that are right and wait.
#[derive(Debug, Subcommand)]
pub(crate) enum Parked {
    /// List them, the longest waiting first.
    List {
        /// Only those with this failure code.
        #[arg(long, value_name = "CODE")]
        code: Option<String>,
        /// At most this many.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
        #[command(flatten)]
        place: Place,
        /// Print one JSON object a message (`clinflow.parked/1`).
        #[arg(long)]
        json: bool,
    },
    /// Show one.
    Show {
        /// The message's id.
        message: String,
        #[command(flatten)]
        place: Place,
        /// Print JSON (`clinflow.parked/1`).
        #[arg(long)]
        json: bool,
    },
    /// Put messages back to work; their executions run again.
    Replay {
        /// The messages' ids.
        #[arg(required = true)]
        messages: Vec<String>,
        #[command(flatten)]
        word: Word,
        #[command(flatten)]
        place: Place,
        /// Print one JSON object a message (`clinflow.operation/1`).
        #[arg(long)]
        json: bool,
    },
    /// Give messages up for good; their executions stay as they are. Needs a reason.
    Drop {
        /// The messages' ids.
        #[arg(required = true)]
        messages: Vec<String>,
        #[command(flatten)]
        word: Word,
        #[command(flatten)]
        place: Place,
        /// Print one JSON object a message (`clinflow.operation/1`).
        #[arg(long)]
        json: bool,
    },
}

/// Let executions go on.
#[derive(Debug, Args)]
pub(crate) struct Redrive {
    /// The executions' ids.
    #[arg(required = true)]
    pub(crate) executions: Vec<String>,
    #[command(flatten)]
    pub(crate) word: Word,
    #[command(flatten)]
    pub(crate) place: Place,
    /// Print one JSON object an execution (`clinflow.operation/1`).
    #[arg(long)]
    pub(crate) json: bool,
}

/// Make a new execution of the same work.
#[derive(Debug, Args)]
pub(crate) struct Rerun {
    /// The execution's id.
    pub(crate) execution: String,
    /// Under the workflows that are current now; without it, under those that it ran under.
    #[arg(long)]
    pub(crate) current_bundle: bool,
    #[command(flatten)]
    pub(crate) word: Word,
    #[command(flatten)]
    pub(crate) place: Place,
    /// Print JSON (`clinflow.operation/1`).
    #[arg(long)]
    pub(crate) json: bool,
}

/// Stop executions for good.
#[derive(Debug, Args)]
pub(crate) struct Abort {
    /// The executions' ids.
    #[arg(required = true)]
    pub(crate) executions: Vec<String>,
    #[command(flatten)]
    pub(crate) word: Word,
    #[command(flatten)]
    pub(crate) place: Place,
    /// Print one JSON object an execution (`clinflow.operation/1`).
    #[arg(long)]
    pub(crate) json: bool,
}

/// What people must settle.
#[derive(Debug, Subcommand)]
pub(crate) enum Review {
    /// List the items that are open, the oldest first.
    List {
        /// Only those of this execution.
        #[arg(long, value_name = "ID")]
        execution: Option<String>,
        /// Those that are settled instead.
        #[arg(long)]
        resolved: bool,
        /// At most this many.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
        #[command(flatten)]
        place: Place,
        /// Print one JSON object an item (`clinflow.review/1`).
        #[arg(long)]
        json: bool,
    },
    /// Show one item with the fields it is about and what they rest on.
    Show {
        /// The item's id.
        item: String,
        #[command(flatten)]
        place: Place,
        /// Print JSON (`clinflow.review/1`).
        #[arg(long)]
        json: bool,
    },
    /// Settle an item, once. The last one of an execution completes it.
    Resolve {
        /// The item's id.
        item: String,
        /// What is decided.
        #[arg(long, value_parser = decision, value_name = "accepted|corrected|rejected")]
        decision: Decision,
        /// The right value, for `corrected`; `-` reads it from standard input, out of the shell's history.
        #[arg(long, value_name = "VALUE", required_if_eq("decision", "corrected"))]
        value: Option<String>,
        /// Who decides, for the audit log, where the gateway asks for no token.
        #[arg(long, env = "CLINFLOW_REVIEWER", value_name = "NAME")]
        reviewer: Option<String>,
        #[command(flatten)]
        place: Place,
        /// Print JSON (`clinflow.review-resolution/1`).
        #[arg(long)]
        json: bool,
    },
}

fn decision(name: &str) -> Result<Decision, String> {
    Decision::parse(name).ok_or_else(|| {
        let known = Decision::ALL.map(Decision::as_str).join(", ");
        format!("unknown decision; expected one of {known}")
    })
}
