//! Where alerts go: always to the log, and to a webhook or an Amazon SNS topic where one is configured.

mod config;
mod log;
mod sns;
mod webhook;

use std::sync::Arc;

use async_trait::async_trait;
use clinflow_ports::{Alert, Alerts, StoreError};

pub use config::Config;
use log::Log;
use sns::Sns;
use webhook::Webhook;

/// Everybody who is told.
pub struct Everybody(Vec<Arc<dyn Alerts>>);

impl Everybody {
    /// Those whom `config` names, and the log.
    ///
    /// # Errors
    ///
    /// When a URL is none, or a topic is named and no AWS region is configured.
    pub async fn open(config: &Config) -> anyhow::Result<Self> {
        let mut everybody: Vec<Arc<dyn Alerts>> = vec![Arc::new(Log)];
        if let Some(url) = &config.webhook {
            everybody.push(Arc::new(Webhook::new(url, config.timeout)?));
        }
        if let Some(topic) = &config.sns_topic {
            everybody.push(Arc::new(Sns::connect(topic, config).await?));
        }
        Ok(Self(everybody))
    }
}

#[async_trait]
impl Alerts for Everybody {
    /// Tells everybody; one who cannot be reached keeps nobody else from hearing it.
    async fn raise(&self, alert: &Alert) -> Result<(), StoreError> {
        let mut outcome = Ok(());
        for one in &self.0 {
            outcome = outcome.and(one.raise(alert).await);
        }
        outcome
    }
}
