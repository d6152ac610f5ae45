//! The command line's public contract: `--help` documents it.

mod cost;
mod operators;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clinflow_core::{Role, Status};

pub(crate) use cost::{Cost, Report};
pub(crate) use operators::{Abort, Audit, Chains, Parked, Redrive, Rerun, Review, Trace, Word};

/// Turns clinical-trial documents into validated, traceable structured data.
///
/// Exit codes: 0 done, 1 some work failed, 2 wrong usage, 64 wrong configuration.
#[derive(Debug, Parser)]
#[command(name = "clinflow", version, propagate_version = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Process documents here and now, with every service in this process.
    Run(Run),
    /// Serve every role, or some, in one process, until a signal.
    Up(Up),
    /// Submit documents to a gateway.
    Submit(Submit),
    /// Show where one execution stands.
    Status(One),
    /// List executions, newest first.
    Executions(Executions),
    /// Show one execution: steps, attempts, timings, cost, errors.
    Show(One),
    /// Ask a question about an execution; it is answered with the places in the document that say so.
    Ask(Ask),
    /// Show where the values of an execution's result come from, down to the span in the source.
    Trace(Trace),
    /// The audit log.
    #[command(subcommand)]
    Audit(Audit),
    /// Messages that are right and wait for a person.
    #[command(subcommand)]
    Parked(Parked),
    /// Let parked, failed or aborted executions go on from where they failed.
    Redrive(Redrive),
    /// Make a new execution of the same work.
    Rerun(Rerun),
    /// Stop a running or parked execution for good.
    Abort(Abort),
    /// What people must settle.
    #[command(subcommand)]
    Review(Review),
    /// What was spent, and what may be.
    #[command(subcommand)]
    Cost(Cost),
    /// Print the text of a document, tables kept in columns.
    Text(Text),
    /// Take out of texts what identifies people.
    Redact(Redact),
    /// Say whether values follow from texts, and where they stand.
    Ground(Ground),
    /// The policy of a guardrail.
    #[command(subcommand)]
    Policy(Policy),
    /// The exchanges, queues and bindings on the broker.
    #[command(subcommand)]
    Topology(Topology),
    /// The workflows.
    #[command(subcommand)]
    Workflow(Workflow),
}

/// Process documents here and now.
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// Documents, or folders of documents.
    #[arg(required = true)]
    pub(crate) paths: Vec<PathBuf>,
    /// The workflow of every document; without it, the classifier chooses.
    #[arg(long, value_name = "ID")]
    pub(crate) workflow: Option<String>,
    /// Write each document's record and reports to a folder of its own in DIR, named by document and workflow.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// Keep executions and objects in DIR, so that `clinflow show --data DIR` finds them; without it they are
    /// forgotten at the end.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// Who reads the documents: `local`, or a model of Amazon Bedrock with your AWS credentials,
    /// `bedrock:us.anthropic.claude-sonnet-5-5`.
    #[arg(long, value_name = "MODEL", default_value = "local")]
    pub(crate) model: Model,
    /// Another endpoint of Bedrock than AWS'.
    #[arg(long, env = "CLINFLOW_BEDROCK_ENDPOINT", value_name = "URL")]
    pub(crate) bedrock_endpoint: Option<String>,
    /// Print one JSON object a document (`clinflow.run/1`) instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Who reads documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Model {
    /// The local model.
    Local,
    /// A model of Bedrock, by its id.
    Bedrock(String),
}

impl std::str::FromStr for Model {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == "local" => Ok(Self::Local),
            Some(("bedrock", id)) if !id.is_empty() => Ok(Self::Bedrock(id.to_owned())),
            _ => Err("expected `local` or `bedrock:<model id>`".to_owned()),
        }
    }
}

/// Serve every role, or some.
#[derive(Debug, Args)]
pub(crate) struct Up {
    /// Only these roles, separated by commas.
    #[arg(long, value_delimiter = ',', value_name = "LIST")]
    pub(crate) roles: Vec<Role>,
    /// Configuration file (TOML). Without it everything is in this process and in `clinflow-data/`.
    #[arg(long, env = "CLINFLOW_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

/// Where executions are looked up.
#[derive(Debug, Args)]
pub(crate) struct Place {
    /// The gateway.
    #[arg(long, env = "CLINFLOW_GATEWAY", default_value = "http://127.0.0.1:8080", value_name = "URL")]
    pub(crate) gateway: String,
    /// Bearer token for the gateway.
    #[arg(long, env = "CLINFLOW_TOKEN", hide_env_values = true, value_name = "JWT")]
    pub(crate) token: Option<String>,
    /// A data folder of `clinflow run --data` or `clinflow up`, while nobody else uses it, instead of a gateway.
    #[arg(long, value_name = "DIR", conflicts_with = "gateway")]
    pub(crate) data: Option<PathBuf>,
}

/// Submit documents to a gateway.
#[derive(Debug, Args)]
pub(crate) struct Submit {
    /// Documents, or folders of documents.
    #[arg(required = true)]
    pub(crate) paths: Vec<PathBuf>,
    /// The workflow of every document; without it, the classifier chooses.
    #[arg(long, value_name = "ID")]
    pub(crate) workflow: Option<String>,
    /// What to group the executions by.
    #[arg(long, value_name = "ID")]
    pub(crate) session: Option<String>,
    /// A person is waiting.
    #[arg(long)]
    pub(crate) interactive: bool,
    #[command(flatten)]
    pub(crate) place: Place,
    /// Print one JSON object a document instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Ask about an execution.
#[derive(Debug, Args)]
pub(crate) struct Ask {
    /// The execution's id.
    pub(crate) execution: String,
    /// The question.
    pub(crate) question: String,
    /// The conversation it belongs to: "and when did it start?" is understood from the question before.
    #[arg(long, value_name = "ID")]
    pub(crate) session: Option<String>,
    #[command(flatten)]
    pub(crate) place: Place,
    /// Print JSON (`clinflow.answer/1`).
    #[arg(long)]
    pub(crate) json: bool,
}

/// One execution.
#[derive(Debug, Args)]
pub(crate) struct One {
    /// The execution's id.
    pub(crate) execution: String,
    #[command(flatten)]
    pub(crate) place: Place,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// List executions.
#[derive(Debug, Args)]
pub(crate) struct Executions {
    /// Only those with this status: running, parked, completed, needs-review, failed, aborted.
    #[arg(long, value_parser = status)]
    pub(crate) status: Option<Status>,
    /// At most this many.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) limit: u32,
    #[command(flatten)]
    pub(crate) place: Place,
    /// Print one JSON object an execution instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Print the text of a document.
#[derive(Debug, Args)]
pub(crate) struct Text {
    /// The document.
    pub(crate) path: PathBuf,
    /// Print text and geometry as JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

/// Take out of texts what identifies people.
///
/// Removes what HIPAA's Safe Harbor removes: names, places, dates, contacts and numbers of people; ages up to 89 stay.
#[derive(Debug, Args)]
pub(crate) struct Redact {
    /// A text, or with --jsonl lines; `-` is standard input.
    #[arg(default_value = "-")]
    pub(crate) file: PathBuf,
    /// Read one `{"id","text"}` a line and answer `{"id","text","spans":[{"start","end","type","replacement"}]}`, with
    /// half-open offsets in code points.
    #[arg(long)]
    pub(crate) jsonl: bool,
}

/// Say whether values follow from texts.
///
/// Reads one `{"id","text","value"}` a line and answers `{"id","status","spans":[[start,end],..]}` with half-open
/// offsets in code points. A value with status verbatim, normalised or assembled follows from the text; one that is
/// partial or absent does not.
#[derive(Debug, Args)]
pub(crate) struct Ground {
    /// Lines; `-` is standard input.
    #[arg(default_value = "-")]
    pub(crate) file: PathBuf,
    /// One JSON object a line: the only form there is.
    #[arg(long, required = true)]
    pub(crate) jsonl: bool,
}

/// The policy of a guardrail: a YAML file with the Properties of AWS::Bedrock::Guardrail.
#[derive(Debug, Subcommand)]
pub(crate) enum Policy {
    /// Find every mistake in it, with file and line, and say what the local engine enforces and how.
    Check {
        /// The policy.
        file: PathBuf,
    },
    /// Put cases to the local engine: one JSON object a line with text and expected decision.
    Test {
        /// The policy.
        file: PathBuf,
        /// The cases.
        cases: PathBuf,
    },
    /// Print a CloudFormation template of the guardrail and a version of it.
    Render {
        /// The policy.
        file: PathBuf,
    },
}

/// The broker's topology.
#[derive(Debug, Subcommand)]
pub(crate) enum Topology {
    /// Print it.
    Show {
        /// As a RabbitMQ definitions file, for `rabbitmqctl import_definitions`.
        #[arg(long)]
        definitions: bool,
    },
    /// Declare it. Changes nothing that is there; names what differs.
    Apply {
        /// The broker.
        #[arg(long, env = "CLINFLOW__BROKER__URL", hide_env_values = true, value_name = "AMQP_URL")]
        broker: String,
    },
}

/// The workflows.
#[derive(Debug, Subcommand)]
pub(crate) enum Workflow {
    /// List them.
    List(Workflows),
    /// Find every mistake in them, with file and line.
    Check(Workflows),
    /// Make them the current bundle: new executions run under them, running ones finish under theirs.
    Publish {
        #[command(flatten)]
        workflows: Workflows,
        /// Configuration file with a `[dynamodb]` section.
        #[arg(long, env = "CLINFLOW_CONFIG", value_name = "FILE")]
        config: Option<PathBuf>,
    },
}

/// Which workflows.
#[derive(Debug, Args)]
pub(crate) struct Workflows {
    /// A folder of workflows; without it, those that come with the program.
    pub(crate) folder: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

fn status(name: &str) -> Result<Status, String> {
    Status::parse(name).ok_or_else(|| {
        let known = Status::ALL.map(Status::as_str).join(", ");
        format!("unknown status; expected one of {known}")
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::Arguments;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }
}
