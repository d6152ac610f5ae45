//! Private servers, builders and comparisons for tests. A dev-dependency only.

pub mod dynamodb;
pub mod load;
pub mod ports;
pub mod process;
pub mod rabbitmq;
pub mod redis;
