//! Every place outside the object store where words of a document could end up, as bytes that can be searched.

mod broker;
mod database;
mod search;

use std::{fs, path::Path};

use clinflow_core::Role;

use crate::fleet::Fleet;

pub use broker::{Copied, Tap, queues};
pub use database::{Monitor, dynamodb, redis};
pub use search::{Leak, Search};

/// Something that was found somewhere.
#[derive(Clone)]
pub struct Sink {
    /// Where: `queue clinflow.parked`, `log of nlp`.
    pub name: String,
    /// What stands there.
    pub content: Vec<u8>,
}

impl Sink {
    /// What stands at `name`.
    pub fn new(name: impl Into<String>, content: impl Into<Vec<u8>>) -> Self {
        Self { name: name.into(), content: content.into() }
    }
}

/// What the eight services have logged.
pub fn logs(fleet: &Fleet) -> Vec<Sink> {
    Role::ALL.map(|role| Sink::new(format!("log of {role}"), fleet.log_text(role))).into()
}

/// What the eight services say at `/metrics`.
pub async fn metrics(fleet: &Fleet) -> anyhow::Result<Vec<Sink>> {
    let mut sinks = Vec::new();
    for role in Role::ALL {
        let (status, text) = fleet.operators(role).get("/metrics").await?;
        anyhow::ensure!(status.is_success() && !text.is_empty(), "{role} has no metrics");
        sinks.push(Sink::new(format!("metrics of {role}"), text));
    }
    Ok(sinks)
}

/// Objects whose key begins with `prefix`, each with its key.
pub fn objects(fleet: &Fleet, prefix: &str) -> anyhow::Result<Vec<Sink>> {
    let root = fleet.objects_folder();
    let mut sinks = Vec::new();
    collect(&root, &root, &mut sinks)?;
    sinks.retain(|sink| sink.name.starts_with(prefix));
    Ok(sinks)
}

fn collect(root: &Path, folder: &Path, sinks: &mut Vec<Sink>) -> anyhow::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(root, &path, sinks)?;
        } else {
            let name = path.strip_prefix(root)?.display().to_string();
            sinks.push(Sink::new(name, fs::read(&path)?));
        }
    }
    Ok(())
}
