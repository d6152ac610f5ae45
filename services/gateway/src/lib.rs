//! The gateway: takes documents in over gRPC and HTTP, and shows what became of them.
//!
//! Both protocols live on one port and say the same: a submission is `submit`, a refusal is `refusal`, and
//! who may do what is `auth`, each written once. Health and reflection are open to everybody; all else asks
//! for a caller.

mod ask;
mod audit;
mod auth;
mod config;
mod costs;
mod grpc;
mod health;
mod http;
pub mod json;
mod media;
mod operate;
mod ports;
mod provenance;
mod refusal;
mod reviews;
mod router;
mod show;
mod submit;
mod trace;
mod uploads;
mod watch;

pub use crate::{
    auth::{AuthSettings, JwtSettings, TokenUse},
    config::{AskSettings, Config, Invalid, WatchSettings},
    ports::Ports,
    router::{build, serve, start},
};
