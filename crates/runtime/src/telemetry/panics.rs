//! A panic is logged by its place: its words may quote a document, as those about a slice inside a character do.

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    panic,
};

/// From now on no panic of this process says more than where it happened, and with `RUST_BACKTRACE` how it came there.
pub(super) fn say_where_only() {
    panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(ToString::to_string);
        let backtrace = Backtrace::capture();
        let backtrace = (backtrace.status() == BacktraceStatus::Captured).then(|| backtrace.to_string());
        tracing::error!(location, backtrace, "panicked; its words may quote a document and are not repeated");
    }));
}
