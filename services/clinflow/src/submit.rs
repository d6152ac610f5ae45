//! `clinflow submit`: documents to a gateway, many at a time.

use std::path::{Path, PathBuf};

use clinflow_proto::v1;
use futures_util::{StreamExt as _, stream};
use serde_json::json;

use crate::{
    Ended, arguments,
    client::{Client, refused},
    documents, print,
};

/// How many submissions are under way together.
const CONCURRENT: usize = 8;

/// Larger files are not read: every gateway refuses them.
const MAX_BYTES: u64 = 64 << 20;

/// What all documents of a call have in common.
#[derive(Clone)]
pub(crate) struct Labels {
    pub(crate) workflow: Option<String>,
    pub(crate) session: Option<String>,
    pub(crate) interactive: bool,
}

/// `clinflow submit PATH...`
pub(crate) async fn command(command: arguments::Submit) -> anyhow::Result<Ended> {
    let paths = documents::find(&command.paths)?;
    let (client, _house) = Client::of(&command.place).await?;
    let labels =
        Labels { workflow: command.workflow, session: command.session, interactive: command.interactive };
    let mut submissions = stream::iter(paths)
        .map(|path| {
            let (client, labels) = (client.clone(), labels.clone());
            async move {
                let outcome = submit(client, &path, &labels, MAX_BYTES).await;
                (path, outcome)
            }
        })
        .buffered(CONCURRENT);
    let (mut rows, mut failed) = (Vec::new(), false);
    while let Some((path, outcome)) = submissions.next().await {
        failed |= outcome.is_err();
        if command.json {
            print::answer(&format!("{}\n", line(&path, &outcome)))?;
        } else {
            rows.push(row(&path, &outcome));
        }
    }
    if !command.json {
        print::answer(&print::table(&["document", "execution", "status"], &rows))?;
    }
    Ok(if failed { Ended::WithFailures } else { Ended::Well })
}

/// Submits one file.
pub(crate) async fn submit(
    mut client: Client,
    path: &Path,
    labels: &Labels,
    max_bytes: u64,
) -> anyhow::Result<v1::SubmitResponse> {
    let request = v1::SubmitRequest {
        content: documents::read(path, max_bytes)?.into(),
        media_type: media_type(path).to_owned(),
        workflow_id: labels.workflow.clone().unwrap_or_default(),
        session_id: labels.session.clone().unwrap_or_default(),
        team_id: String::new(),
        lane: if labels.interactive { "interactive" } else { "batch" }.to_owned(),
        name: path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
    };
    Ok(client.ingest.submit(request).await.map_err(|status| refused(&status))?.into_inner())
}

/// What a file's name says it is; the bytes must agree.
fn media_type(path: &Path) -> &'static str {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("pdf") => "application/pdf",
        Some("txt") => "text/plain",
        _ => "",
    }
}

fn row(path: &Path, outcome: &anyhow::Result<v1::SubmitResponse>) -> Vec<String> {
    let name = path.display().to_string();
    match outcome {
        Ok(response) => {
            let execution = response.execution.clone().unwrap_or_default();
            let known = if response.existing { ", known" } else { "" };
            vec![name, execution.execution_id, format!("{}{known}", execution.status)]
        }
        Err(error) => vec![name, String::new(), format!("refused: {error:#}")],
    }
}

fn line(path: &PathBuf, outcome: &anyhow::Result<v1::SubmitResponse>) -> serde_json::Value {
    match outcome {
        Ok(response) => {
            let execution = response.execution.clone().unwrap_or_default();
            json!({"schema": "clinflow.submit/1", "path": path, "execution_id": execution.execution_id,
                   "status": execution.status, "existing": response.existing, "error": null})
        }
        Err(error) => {
            json!({"schema": "clinflow.submit/1", "path": path, "execution_id": null, "status": null,
                             "existing": false, "error": format!("{error:#}")})
        }
    }
}
