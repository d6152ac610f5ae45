//! Consume, handle, publish with confirms, acknowledge: written once, used by every service.
//!
//! A service is a [`Handler`]: it fetches, decides and stores. Everything else (headers, claims, attempts, retry
//! and parking, ids of outputs, steps of the history, traces, metrics, drain) is here.

pub mod catalog;
pub mod clock;
pub mod config;
pub mod disposition;
pub mod handler;
mod http;
pub mod lifecycle;
pub mod retry;
pub mod review;
mod service;
pub mod submission;
pub mod telemetry;
pub mod wire;
pub mod worker;

pub use catalog::Catalog;
pub use clock::SystemClock;
pub use handler::{Context, Done, Handler, Output, Work};
pub use lifecycle::Lifecycle;
pub use retry::RetryPolicy;
pub use service::{Boot, Settings, main, serve};
pub use worker::{Limits, Powers, Worker};
