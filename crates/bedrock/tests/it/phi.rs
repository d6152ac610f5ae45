//! Nothing of a document in errors or logs, although the server quotes it in every error (INV-08).

use std::{
    error::Error,
    io::Write,
    sync::{Arc, Mutex},
};

use clinflow_bedrock::{ApplyGuardrail, Config};
use clinflow_guardrail::{Content, Source};
use clinflow_ports::{Guardrail as _, Model as _};
use clinflow_stand_in_bedrock::{Fault, Operation, Plan, Server};
use tracing_subscriber::{Layer as _, filter::LevelFilter, fmt::MakeWriter, layer::SubscriberExt as _};

use crate::support::{CANARIES, SONNET, STORY, ask, config, guardrail, request, serve};

/// Where log lines are kept.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl Lines {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

/// Keeps every line of this thread, which all of a test runs on.
fn listen() -> (Lines, tracing::subscriber::DefaultGuard) {
    let lines = Lines::default();
    let layer = tracing_subscriber::fmt::layer().with_writer(lines.clone()).with_filter(LevelFilter::DEBUG);
    let guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));
    (lines, guard)
}

fn is_clean(text: &str, of: &str) {
    for canary in CANARIES {
        assert!(!text.contains(canary), "{of} holds `{canary}`: {text}");
    }
}

/// An error with all its causes, as people and as programmers see it.
fn shown(error: &(dyn Error + 'static)) -> String {
    let mut text = format!("{error} {error:?}");
    let mut next = error.source();
    while let Some(source) = next {
        text.push_str(&format!(" {source} {source:?}"));
        next = source.source();
    }
    text
}

#[tokio::test]
async fn no_error_and_no_log_line_of_a_call_quotes_the_document() {
    let (lines, _guard) = listen();
    let faults = Fault::ALL.iter().copied().filter(|fault| *fault != Fault::Hang);
    let count = faults.clone().count();
    let (server, bedrock) = serve(Plan::scripted(faults), SONNET).await;
    let mut errors = 0;
    for _ in 0..count {
        match ask(&bedrock, &request()).await {
            Ok(reply) => is_clean(&format!("{reply:?}"), "a reply"),
            Err(error) => {
                errors += 1;
                is_clean(&shown(&error), "an error");
            }
        }
    }
    bedrock.count_input_tokens(&request()).await;
    assert_eq!((server.calls().len(), errors), (count, 13));
    is_clean(&lines.text(), "the log");
    assert!(lines.text().contains("DEBUG"), "the log is being listened to");
    is_clean(&format!("{:?} {:?}", request(), bedrock), "a request");
}

#[tokio::test]
async fn no_failure_and_no_log_line_of_a_guardrail_quotes_the_text() {
    let (lines, _guard) = listen();
    let faults = [Fault::Throttle, Fault::Invalid, Fault::Denied, Fault::Internal, Fault::Unreadable];
    let server = Server::start(Plan::default().with(Operation::ApplyGuardrail, faults)).await.unwrap();
    let config = Config { guardrail: Some(guardrail("abcd1234")), ..config(&server.url(), SONNET) };
    let guardrail = ApplyGuardrail::connect(&config).await.unwrap();
    for fault in faults {
        let failure = guardrail.assess(Source::Input, Content::of(STORY)).await.unwrap_err();
        is_clean(&format!("{failure} {failure:?} {:?}", failure.source), &format!("the failure of {fault}"));
    }
    is_clean(&lines.text(), "the log");
}
