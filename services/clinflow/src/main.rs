//! The command line, and every role in one process.

mod arguments;
mod ask;
mod audit;
mod client;
mod cost;
mod documents;
mod ground;
mod house;
mod jsonl;
mod operate;
mod parked;
mod policy;
mod ports;
mod print;
mod redact;
mod review;
mod run;
mod show;
mod submit;
mod summary;
mod text;
mod topology;
mod trace;
mod up;
mod workflow;

use std::process::ExitCode;

use clap::Parser as _;
use clinflow_runtime::telemetry::{Format, LogSettings};

use crate::arguments::{Arguments, Command};

/// Exit code of a configuration that cannot be used (`EX_USAGE` of sysexits.h).
const EXIT_CONFIGURATION: u8 = 64;

/// What a command came to.
pub(crate) enum Ended {
    /// Everything worked.
    Well,
    /// Some work failed; what and why has been printed.
    WithFailures,
}

fn main() -> ExitCode {
    match dispatch(Arguments::parse().command) {
        Ok(Ended::Well) => ExitCode::SUCCESS,
        Ok(Ended::WithFailures) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("clinflow: {error:#}");
            // A mistake in a bundle or in a configuration file is the operator's to mend, not a failure of work.
            let configuration = error.is::<clinflow_workflow::Problems>() || error.is::<up::Misconfigured>();
            ExitCode::from(if configuration { EXIT_CONFIGURATION } else { 1 })
        }
    }
}

fn dispatch(command: Command) -> anyhow::Result<Ended> {
    match command {
        Command::Up(up) => up::command(&up),
        Command::Text(text) => text::command(&text).map(|()| Ended::Well),
        Command::Redact(redact) => redact::command(&redact),
        Command::Ground(ground) => ground::command(&ground),
        Command::Policy(policy) => policy::command(&policy),
        Command::Run(run) => foreground(run::command(run)),
        Command::Submit(submit) => foreground(submit::command(submit)),
        Command::Status(one) => foreground(show::status(one)),
        Command::Executions(executions) => foreground(show::executions(executions)),
        Command::Show(one) => foreground(show::show(one)),
        Command::Ask(ask) => foreground(ask::command(ask)),
        Command::Trace(trace) => foreground(trace::command(trace)),
        Command::Audit(audit) => foreground(audit::command(audit)),
        Command::Parked(parked) => foreground(parked::command(parked)),
        Command::Redrive(redrive) => foreground(operate::redrive(redrive)),
        Command::Rerun(rerun) => foreground(operate::rerun(rerun)),
        Command::Abort(abort) => foreground(operate::abort(abort)),
        Command::Review(review) => foreground(review::command(review)),
        Command::Cost(cost) => foreground(cost::command(cost)),
        Command::Topology(topology) => {
            foreground(async { topology::command(topology).await.map(|()| Ended::Well) })
        }
        Command::Workflow(workflow) => {
            foreground(async { workflow::command(workflow).await.map(|()| Ended::Well) })
        }
    }
}

/// Runs a command that ends by itself. Only warnings are logged, so that its answer stands alone.
fn foreground(work: impl Future<Output = anyhow::Result<Ended>>) -> anyhow::Result<Ended> {
    let settings =
        LogSettings { filter: "error".to_owned(), format: Format::Pretty, ..LogSettings::default() };
    let _flush = clinflow_runtime::telemetry::start("cli", &settings)?;
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(work)
}
