//! Traces: W3C trace context travels in the `traceparent` header whether or not this process exports spans.

use opentelemetry::{
    Context, TraceId,
    propagation::{Extractor, Injector, TextMapPropagator as _},
    trace::{TraceContextExt as _, TracerProvider as _},
};
use opentelemetry_otlp::WithExportConfig as _;
use opentelemetry_sdk::{Resource, propagation::TraceContextPropagator, trace::SdkTracerProvider};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::{Layer, registry::LookupSpan};

const HEADER: &str = "traceparent";

/// Sends what is still buffered when the process ends.
pub struct Flush(Option<SdkTracerProvider>);

impl Drop for Flush {
    fn drop(&mut self) {
        if let Some(Err(error)) = self.0.as_ref().map(SdkTracerProvider::shutdown) {
            tracing::debug!(%error, "the last spans were not exported");
        }
    }
}

/// The layer that exports spans to `endpoint`, if there is one.
pub(crate) fn layer<S>(
    service: &str,
    endpoint: &str,
) -> anyhow::Result<(Option<impl Layer<S> + use<S>>, Flush)>
where
    S: tracing::Subscriber + for<'span> LookupSpan<'span>,
{
    if endpoint.is_empty() {
        return Ok((None, Flush(None)));
    }
    let exporter =
        opentelemetry_otlp::SpanExporter::builder().with_tonic().with_endpoint(endpoint).build()?;
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_resource(Resource::builder().with_service_name(format!("clinflow-{service}")).build())
        .build();
    let tracer = provider.tracer("clinflow");
    Ok((Some(tracing_opentelemetry::layer().with_tracer(tracer)), Flush(Some(provider))))
}

/// Makes `span` a child of the trace a message carries.
pub(crate) fn adopt(span: &Span, traceparent: Option<&str>) {
    struct One<'a>(&'a str);
    impl Extractor for One<'_> {
        fn get(&self, key: &str) -> Option<&str> {
            (key == HEADER).then_some(self.0)
        }

        fn keys(&self) -> Vec<&str> {
            vec![HEADER]
        }
    }
    if let Some(traceparent) = traceparent {
        let parent = TraceContextPropagator::new().extract(&One(traceparent));
        // Fails only when no exporter is installed, and then there is nothing to link.
        let _ = span.set_parent(parent);
    }
}

/// The `traceparent` of messages that `span` publishes: its own when spans are exported, else `received`, so
/// that a trace is not cut by a process that exports none.
pub(crate) fn current_traceparent(span: &Span, received: Option<&str>) -> Option<String> {
    #[derive(Default)]
    struct One(Option<String>);
    impl Injector for One {
        fn set(&mut self, key: &str, value: String) {
            if key == HEADER {
                self.0 = Some(value);
            }
        }
    }
    let context: Context = span.context();
    if context.span().span_context().trace_id() == TraceId::INVALID {
        return received.map(str::to_owned);
    }
    let mut one = One::default();
    TraceContextPropagator::new().inject_context(&context, &mut one);
    one.0
}
