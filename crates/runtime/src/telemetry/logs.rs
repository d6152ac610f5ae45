//! Logs: one event per outcome, ids in the span, JSON for machines and pretty for people. Never document text.

use std::io::IsTerminal as _;

use serde::{Deserialize, Serialize};
use tracing_subscriber::{
    EnvFilter, Layer as _, Registry, fmt, layer::SubscriberExt as _, reload, util::SubscriberInitExt as _,
};

use super::{panics, trace};

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Pretty on a terminal, JSON otherwise.
    Auto,
    /// One JSON object a line.
    Json,
    /// For people.
    Pretty,
}

/// What is logged and where traces go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogSettings {
    /// Filter directives: `info`, `clinflow_runtime=debug,info`.
    pub filter: String,
    /// How lines look.
    pub format: Format,
    /// OTLP endpoint for traces (gRPC): `http://collector:4317`. Empty sends none.
    pub otlp_endpoint: String,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self { filter: "info,lapin=error".to_owned(), format: Format::Auto, otlp_endpoint: String::new() }
    }
}

/// Changes the filter of a running process.
#[derive(Clone)]
pub struct FilterHandle(reload::Handle<EnvFilter, Registry>);

impl FilterHandle {
    /// Replaces the filter; the error says what is wrong with the directives.
    pub fn set(&self, directives: &str) -> Result<(), String> {
        let filter = EnvFilter::try_new(directives).map_err(|error| error.to_string())?;
        self.0.reload(filter).map_err(|error| error.to_string())
    }
}

/// Starts logging and tracing for this process, also of panics; answers the filter handle and what must be flushed at
/// the end.
pub fn start(service: &str, settings: &LogSettings) -> anyhow::Result<(FilterHandle, trace::Flush)> {
    let (filter, handle) = reload::Layer::new(EnvFilter::try_new(&settings.filter)?);
    let json = match settings.format {
        Format::Json => true,
        Format::Pretty => false,
        Format::Auto => !std::io::stderr().is_terminal(),
    };
    let lines = fmt::layer().with_writer(std::io::stderr);
    let lines =
        if json { lines.json().flatten_event(true).with_span_list(false).boxed() } else { lines.boxed() };
    let (spans, flush) = trace::layer(service, &settings.otlp_endpoint)?;
    tracing_subscriber::registry().with(filter).with(lines).with(spans).try_init()?;
    panics::say_where_only();
    Ok((FilterHandle(handle), flush))
}
