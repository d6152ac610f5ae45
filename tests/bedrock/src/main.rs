//! The stand-in as a program of its own, for the demo and for compose.

use std::{fs, io::Write as _, net::SocketAddr, path::PathBuf, process::ExitCode, time::Duration};

use anyhow::Context as _;
use clap::Parser;
use clinflow_guardrail::Policy;
use clinflow_stand_in_bedrock::{Chances, Plan, Server};

/// What a command is told of the stand-in it runs beside.
const ENDPOINT: &str = "CLINFLOW_BEDROCK_ENDPOINT";

/// A Bedrock that runs here: Converse, CountTokens and ApplyGuardrail, with faults by plan. `GET /calls` lists what was
/// asked, without its text.
#[derive(Debug, Parser)]
#[command(name = "stand-in-bedrock")]
struct Arguments {
    /// Where to listen. Port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:8791")]
    listen: SocketAddr,
    /// The port to listen on, when only that matters.
    #[arg(long)]
    port: Option<u16>,
    /// What chance is drawn from.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// What goes wrong, and how often: `throttle=5%,hang=2%,garbage=2%`.
    #[arg(long, default_value = "")]
    faults: Chances,
    /// For how many seconds a call that hangs is left alone; then its connection ends, still without an answer.
    #[arg(long, default_value_t = 600)]
    hang: u64,
    /// For how many milliseconds an answer takes.
    #[arg(long, default_value_t = 0)]
    latency: u64,
    /// A guardrail: its id and its policy file, `abcd1234=policy.yaml`. Can be given more than once.
    #[arg(long, value_name = "ID=FILE", value_parser = guardrail)]
    guardrail: Vec<(String, PathBuf)>,
    /// A command to run beside it, on a free port that the command finds in CLINFLOW_BEDROCK_ENDPOINT; both end together.
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
}

fn guardrail(argument: &str) -> Result<(String, PathBuf), String> {
    let (id, file) = argument.split_once('=').ok_or("write ID=FILE")?;
    Ok((id.to_owned(), PathBuf::from(file)))
}

#[tokio::main]
async fn main() -> ExitCode {
    match serve(Arguments::parse()).await {
        Ok(code) => code,
        Err(error) => {
            // Nothing is left to be told when this cannot be said.
            let _ = writeln!(std::io::stderr(), "{error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let mut plan = Plan {
        seed: arguments.seed,
        chances: arguments.faults,
        hang: Duration::from_secs(arguments.hang),
        latency: Duration::from_millis(arguments.latency),
        ..Plan::default()
    };
    for (id, file) in arguments.guardrail {
        let name = file.display().to_string();
        let text = fs::read_to_string(&file).with_context(|| format!("read the policy `{name}`"))?;
        plan.guardrails.insert(id, Policy::read(&name, &text)?);
    }
    let mut listen = arguments.listen;
    if let Some(port) = arguments.port {
        listen.set_port(port);
    }
    if let Some((program, rest)) = arguments.command.split_first() {
        let server = Server::start(plan).await?;
        let mut command = tokio::process::Command::new(program);
        let status = command.args(rest).env(ENDPOINT, server.url()).status().await;
        let status = status.with_context(|| format!("run `{program}`"))?;
        // A command that a signal ended has no code.
        return Ok(status
            .code()
            .and_then(|code| u8::try_from(code).ok())
            .map_or(ExitCode::FAILURE, ExitCode::from));
    }
    let server = Server::bind(plan, listen).await?;
    writeln!(std::io::stdout(), "listening on {}", server.url())?;
    tokio::select! {
        ended = server.ended() => ended?,
        _ = tokio::signal::ctrl_c() => {}
    }
    Ok(ExitCode::SUCCESS)
}
