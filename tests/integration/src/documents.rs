//! Documents for a run: the samples, each made different by a last line that says nothing.

use std::{fs, path::Path};

use anyhow::Context as _;
use bytes::Bytes;

/// One document to submit.
#[derive(Debug, Clone)]
pub struct Document {
    /// Where its sample is.
    pub name: String,
    /// The bytes.
    pub bytes: Bytes,
    /// `text/plain` or `application/pdf`.
    pub media_type: &'static str,
    /// The workflow its sample belongs to.
    pub workflow: String,
}

/// The workflows that have samples.
pub const WORKFLOWS: [&str; 4] = ["ae-report", "patient-narrative", "protocol-amendment", "lab-report"];

/// The samples as they are.
pub fn samples() -> anyhow::Result<Vec<Document>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples");
    let mut samples = Vec::new();
    for workflow in WORKFLOWS {
        let folder = folder.join(workflow);
        let mut files = fs::read_dir(&folder)
            .with_context(|| folder.display().to_string())?
            .collect::<Result<Vec<_>, _>>()?;
        files.sort_by_key(fs::DirEntry::file_name);
        for file in files {
            let name = format!("{workflow}/{}", file.file_name().to_string_lossy());
            let media_type = if name.ends_with(".pdf") { "application/pdf" } else { "text/plain" };
            let bytes = fs::read(file.path())?.into();
            samples.push(Document { name, bytes, media_type, workflow: workflow.to_owned() });
        }
    }
    Ok(samples)
}

/// `count` documents that differ from each other and from those of every other `run`.
pub fn distinct(run: &str, count: usize) -> anyhow::Result<Vec<Document>> {
    let samples = samples()?;
    Ok((0..count)
        .map(|n| {
            let sample = &samples[n % samples.len()];
            // Behind a PDF's end a comment is ignored; in a text it is a line of its own.
            let mark = format!("\n% copy {n} for {run}\n");
            Document { bytes: [&sample.bytes, mark.as_bytes()].concat().into(), ..sample.clone() }
        })
        .collect())
}
