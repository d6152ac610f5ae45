//! `clinflow run`: documents in, records out, with every service in this process.

use std::{
    fs,
    io::IsTerminal as _,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::Context as _;
use clinflow_core::Status;
use clinflow_proto::v1;
use futures_util::{StreamExt as _, stream};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Value, json};

use crate::{
    Ended, arguments,
    client::{Client, refused},
    documents,
    house::House,
    print,
    submit::{Labels, submit},
    summary::summary,
};

/// How many documents are under way together: enough to keep every role busy.
const CONCURRENT: usize = 16;

/// How often an execution is looked at.
const LOOK: Duration = Duration::from_millis(20);

/// What became of one document.
struct Outcome {
    path: PathBuf,
    took: Duration,
    result: anyhow::Result<Processed>,
}

/// A document whose execution has ended.
struct Processed {
    execution: v1::Execution,
    /// `record.json`, when there is one.
    record: Option<Value>,
    /// Where the outputs were written.
    folder: Option<PathBuf>,
}

/// `clinflow run PATH...`
pub(crate) async fn command(command: arguments::Run) -> anyhow::Result<Ended> {
    let paths = documents::find(&command.paths)?;
    let scratch = tempfile::tempdir()?;
    let data = command.data.as_deref().unwrap_or_else(|| scratch.path());
    fs::create_dir_all(data).with_context(|| data.display().to_string())?;
    let house = House::open(data, bedrock(&command)).await?;
    house.start_roles().await?;
    let client = house.serve_gateway().await?;
    let labels = Labels { workflow: command.workflow, session: None, interactive: true };
    let bar = bar(paths.len());
    let began = Instant::now();
    let mut outcomes = stream::iter(paths)
        .map(|path| process(&house, client.clone(), path, &labels, command.out.as_deref()))
        .buffered(CONCURRENT);
    let (mut rows, mut records) = (Vec::new(), Vec::new());
    let mut tally = Tally::default();
    while let Some(outcome) = outcomes.next().await {
        tally.add(&outcome);
        if command.json {
            bar.suspend(|| print::answer(&format!("{}\n", line(&outcome))))?;
        } else {
            rows.push(row(&outcome));
            records.extend(named(outcome));
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    if !command.json {
        let header = ["document", "workflow", "status", "fields", "to review", "ms", "record or reason"];
        let further =
            command.data.as_deref().map(|data| further(data, tally.example.as_deref())).unwrap_or_default();
        let table = print::table(&header, &rows);
        let records: Vec<_> = records.iter().map(|(name, record)| (name.clone(), record)).collect();
        let (words, summary) = (tally.words(began.elapsed()), summary(&records));
        print::answer(&format!("{table}\n{words}\n{summary}{further}"))?;
    }
    let ended = if tally.failed > 0 { Ended::WithFailures } else { Ended::Well };
    drop(outcomes);
    house.close().await;
    Ok(ended)
}

/// The model of Bedrock that is asked for.
fn bedrock(command: &arguments::Run) -> Option<clinflow_bedrock::Config> {
    let arguments::Model::Bedrock(model) = &command.model else { return None };
    Some(clinflow_bedrock::Config {
        model: model.clone(),
        endpoint: command.bedrock_endpoint.clone(),
        ..clinflow_bedrock::Config::default()
    })
}

/// How to look further into a data folder that was kept.
fn further(data: &Path, example: Option<&str>) -> String {
    let data = data.display();
    let about = |id: &str| {
        format!(
            "  clinflow show {id} --data {data}\n  clinflow trace {id} --data {data}\n  clinflow ask {id} \"What dose did \
             the patient receive?\" --data {data}\n"
        )
    };
    let about = example.map(about).unwrap_or_default();
    format!(
        "\nlook further:\n  clinflow executions --data {data}\n{about}  clinflow review list --data {data}\n  clinflow \
         audit verify --all --data {data}\n"
    )
}

/// The record of a document under the document's name.
fn named(outcome: Outcome) -> Option<(String, Value)> {
    let record = outcome.result.ok()?.record?;
    let name = outcome.path.file_name().map(|name| name.to_string_lossy().into_owned());
    Some((name.unwrap_or_default(), record))
}

/// A progress bar on a terminal; nothing where nobody looks.
fn bar(length: usize) -> ProgressBar {
    let target = if std::io::stderr().is_terminal() {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    };
    let bar = ProgressBar::with_draw_target(Some(length as u64), target);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} documents, {elapsed}") {
        bar.set_style(style);
    }
    bar
}

async fn process(
    house: &House,
    client: Client,
    path: PathBuf,
    labels: &Labels,
    out: Option<&Path>,
) -> Outcome {
    let began = Instant::now();
    let result = follow(house, client, &path, labels, out).await;
    Outcome { path, took: began.elapsed(), result }
}

/// Submits a document, waits for the end of its execution and fetches what it gave.
async fn follow(
    house: &House,
    client: Client,
    path: &Path,
    labels: &Labels,
    out: Option<&Path>,
) -> anyhow::Result<Processed> {
    let submitted = submit(client.clone(), path, labels, house.max_document_bytes()).await?;
    let mut execution = submitted.execution.unwrap_or_default();
    let mut executions = client.executions;
    while matches!(Status::parse(&execution.status), None | Some(Status::Running)) {
        tokio::time::sleep(LOOK).await;
        let request = v1::GetExecutionRequest { execution_id: execution.execution_id };
        let response = executions.get(request).await.map_err(|status| refused(&status))?.into_inner();
        execution = response.execution.unwrap_or_default();
    }
    let outputs = house.outputs(&execution.outputs).await?;
    let record = outputs.iter().find(|(name, _)| name == "record.json");
    let record: Option<Value> = record.map(|(_, bytes)| serde_json::from_slice(bytes)).transpose()?;
    let folder = match (out, &record) {
        (Some(out), Some(record)) => Some(write(out, &execution, record, &outputs)?),
        _ => None,
    };
    Ok(Processed { execution, record, folder })
}

/// Writes the outputs to `DIR/<document>-<workflow>/`.
fn write(
    out: &Path,
    execution: &v1::Execution,
    record: &Value,
    outputs: &[(String, bytes::Bytes)],
) -> anyhow::Result<PathBuf> {
    let document: String = execution.document_sha256.chars().take(12).collect();
    let workflow = record["workflow_id"].as_str().unwrap_or(&execution.workflow_id);
    let folder = out.join(format!("{document}-{workflow}"));
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string())?;
    for (name, bytes) in outputs {
        let path = folder.join(name);
        fs::write(&path, bytes).with_context(|| path.display().to_string())?;
    }
    Ok(folder)
}

/// How the documents of a call ended.
#[derive(Default)]
struct Tally {
    completed: usize,
    review: usize,
    failed: usize,
    /// An execution worth showing: the first that asks for a person.
    example: Option<String>,
}

impl Tally {
    fn add(&mut self, outcome: &Outcome) {
        let status = outcome.result.as_ref().ok().and_then(|done| Status::parse(&done.execution.status));
        match status {
            Some(Status::Completed) => self.completed += 1,
            Some(Status::NeedsReview) => {
                self.review += 1;
                if self.example.is_none() {
                    self.example =
                        outcome.result.as_ref().ok().map(|done| done.execution.execution_id.clone());
                }
            }
            Some(Status::Running | Status::Parked | Status::Failed | Status::Aborted) | None => {
                self.failed += 1;
            }
        }
    }

    fn words(&self, took: Duration) -> String {
        let Self { completed, review, failed, .. } = self;
        let total = completed + review + failed;
        let seconds = took.as_secs_f64();
        format!(
            "{total} documents in {seconds:.1} s: {completed} completed, {review} need review, {failed} failed"
        )
    }
}

/// The fields of a record, and how many of its findings ask for a person.
fn counts(record: &Value) -> (usize, usize) {
    let length = |list: &Value| list.as_array().map_or(0, Vec::len);
    let asks = |finding: &&Value| matches!(finding["severity"].as_str(), Some("review" | "block"));
    let review = record["findings"].as_array().map_or(0, |findings| findings.iter().filter(asks).count());
    (length(&record["fields"]), review)
}

fn row(outcome: &Outcome) -> Vec<String> {
    let name = print::cut(&outcome.path.display().to_string(), 64);
    let took = outcome.took.as_millis().to_string();
    match &outcome.result {
        Err(error) => {
            vec![
                name,
                String::new(),
                "refused".to_owned(),
                String::new(),
                String::new(),
                took,
                format!("{error:#}"),
            ]
        }
        Ok(done) => {
            let workflow = done.record.as_ref().and_then(|record| record["workflow_id"].as_str());
            let (fields, review) = done
                .record
                .as_ref()
                .map(counts)
                .map_or_else(Default::default, |(f, r)| (f.to_string(), r.to_string()));
            let reason = match (&done.folder, done.execution.code.as_str()) {
                (Some(folder), _) => folder.display().to_string(),
                (None, "") => String::new(),
                (None, code) => format!("{} ({code})", done.execution.message),
            };
            let workflow = workflow.unwrap_or_default().to_owned();
            vec![name, workflow, done.execution.status.clone(), fields, review, took, reason]
        }
    }
}

/// `clinflow.run/1`
fn line(outcome: &Outcome) -> Value {
    let milliseconds = u64::try_from(outcome.took.as_millis()).unwrap_or(u64::MAX);
    let mut line = json!({
        "schema": "clinflow.run/1",
        "path": outcome.path,
        "milliseconds": milliseconds,
        "execution_id": null, "document_sha256": null, "workflow_id": null, "status": "refused",
        "fields": null, "to_review": null, "folder": null, "code": null, "message": null,
    });
    match &outcome.result {
        Err(error) => line["message"] = json!(format!("{error:#}")),
        Ok(done) => {
            let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
            line["execution_id"] = json!(done.execution.execution_id);
            line["document_sha256"] = json!(done.execution.document_sha256);
            line["status"] = json!(done.execution.status);
            line["code"] = json!(some(&done.execution.code));
            line["message"] = json!(some(&done.execution.message));
            line["folder"] = json!(done.folder);
            if let Some(record) = &done.record {
                let (fields, review) = counts(record);
                line["workflow_id"] = record["workflow_id"].clone();
                line["fields"] = json!(fields);
                line["to_review"] = json!(review);
            }
        }
    }
    line
}
