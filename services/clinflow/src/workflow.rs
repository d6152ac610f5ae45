//! `clinflow workflow`: list, check and publish workflows.

use anyhow::Context as _;
use clinflow_core::BundleFiles;
use clinflow_dynamodb::{Database, DynamoBundles};
use clinflow_ports::Bundles as _;
use clinflow_workflow::{Bundle, from_dir, shipped};
use serde_json::json;

use crate::{arguments, print};

pub(crate) async fn command(command: arguments::Workflow) -> anyhow::Result<()> {
    match command {
        arguments::Workflow::List(which) => list(&which),
        arguments::Workflow::Check(which) => check(&which),
        arguments::Workflow::Publish { workflows, config } => publish(&workflows, config.as_deref()).await,
    }
}

fn files(which: &arguments::Workflows) -> anyhow::Result<BundleFiles> {
    which.folder.as_deref().map_or_else(|| Ok(shipped()), |folder| Ok(from_dir(folder)?))
}

fn list(which: &arguments::Workflows) -> anyhow::Result<()> {
    let bundle = Bundle::read(&files(which)?)?;
    if which.json {
        let line = |workflow: &std::sync::Arc<clinflow_workflow::Workflow>| {
            json!({"id": workflow.id, "version": workflow.version, "title": workflow.title, "team": workflow.team,
                   "fields": workflow.fields.len(), "rules": workflow.rules.len(), "bundle": bundle.hash()})
        };
        return print::answer(
            &bundle.workflows().map(|workflow| format!("{}\n", line(workflow))).collect::<String>(),
        );
    }
    let row = |workflow: &std::sync::Arc<clinflow_workflow::Workflow>| {
        vec![
            workflow.id.to_string(),
            workflow.version.to_string(),
            workflow.team.to_string(),
            workflow.fields.len().to_string(),
            workflow.rules.len().to_string(),
            workflow.title.clone(),
        ]
    };
    let rows: Vec<_> = bundle.workflows().map(row).collect();
    let table = print::table(&["workflow", "version", "team", "fields", "rules", "title"], &rows);
    print::answer(&format!("{table}\nbundle {}\n", bundle.hash()))
}

fn check(which: &arguments::Workflows) -> anyhow::Result<()> {
    let bundle = Bundle::read(&files(which)?)?;
    if which.json {
        return print::answer(&format!(
            "{}\n",
            json!({"bundle": bundle.hash(), "workflows": bundle.workflows().count()})
        ));
    }
    print::answer(&format!(
        "{} workflows, no mistakes; bundle {}\n",
        bundle.workflows().count(),
        bundle.hash()
    ))
}

/// The one section of a service's configuration that publishing needs.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
#[serde(default)]
struct Config {
    dynamodb: clinflow_dynamodb::Config,
}

async fn publish(which: &arguments::Workflows, config: Option<&std::path::Path>) -> anyhow::Result<()> {
    let files = files(which)?;
    let bundle = Bundle::read(&files)?;
    let config: Config = clinflow_runtime::config::load(config).context("configuration")?;
    let bundles = DynamoBundles::new(Database::connect(&config.dynamodb).await?);
    let hash = bundles.publish(&files).await?;
    print::answer(&format!("{} workflows are current; bundle {hash}\n", bundle.workflows().count()))
}
