//! `clinflow text`: what every later offset points into.

use anyhow::Context as _;
use clinflow_ingest::{Limits, ingest};

use crate::{arguments, print};

pub(crate) fn command(command: &arguments::Text) -> anyhow::Result<()> {
    let limits = Limits::default();
    let path = command.path.display();
    let bytes = crate::documents::read(&command.path, limits.max_bytes as u64)?;
    let ingested = ingest(&bytes, "", &limits).map_err(|error| {
        let code = error.code();
        anyhow::Error::new(error).context(format!("{path} ({code})"))
    })?;
    if command.json {
        let both = serde_json::json!({"text": ingested.text, "geometry": ingested.geometry});
        return print::answer(&format!("{both}\n")).context("print");
    }
    let mut text = ingested.text.text;
    if !text.ends_with('\n') {
        text.push('\n');
    }
    print::answer(&text)
}
