//! Converse and CountTokens as a model.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_bedrockruntime::{
    Client,
    types::{ConverseTokensRequest, CountTokensInput},
};
use clinflow_ports::{
    Model,
    model::{Asker, ModelError, Reply, Request},
};

use crate::{
    Capabilities, Config, capabilities, client, error, reply,
    request::{Writer, metadata},
};

/// A model of Amazon Bedrock. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Bedrock {
    client: Client,
    /// What is called.
    model: String,
    /// What is paid.
    id: String,
    writer: Writer,
    counts: bool,
    timeout: Duration,
    connect_timeout: Duration,
}

impl Bedrock {
    /// Reads the configuration, refuses a model that is not in the table, and finds credentials; sends nothing to
    /// Bedrock.
    pub async fn connect(config: &Config) -> anyhow::Result<Self> {
        config.check()?;
        let (id, capabilities) = capabilities::find(config)?;
        let guardrail = config.guardrail.clone();
        Ok(Self {
            client: Box::pin(client::connect(config)).await?,
            model: config.model.clone(),
            id,
            writer: Writer { capabilities, cache: config.cache, guardrail },
            counts: config.count_tokens && capabilities.count_tokens,
            timeout: config.timeout,
            connect_timeout: config.connect_timeout,
        })
    }

    /// What the model takes and gives.
    pub const fn capabilities(&self) -> &'static Capabilities {
        self.writer.capabilities
    }

    /// The provider's own count, where it gives one.
    async fn counted(&self, request: &Request) -> Option<u64> {
        let converse = ConverseTokensRequest::builder()
            .set_system(Some(self.writer.system(request)))
            .set_messages(Some(Writer::plain_messages(request)))
            .build();
        let call = self
            .client
            .count_tokens()
            .model_id(&self.model)
            .input(CountTokensInput::Converse(converse))
            .customize()
            .config_override(self.limited(self.timeout));
        match Box::pin(call.send()).await {
            Ok(output) => u64::try_from(output.input_tokens).ok(),
            Err(failure) => {
                let failure = error::read(&failure);
                tracing::debug!(%failure, model = self.id, "the tokens of a request are not counted; its bytes are");
                None
            }
        }
    }

    fn limited(&self, within: Duration) -> aws_sdk_bedrockruntime::config::Builder {
        aws_sdk_bedrockruntime::config::Config::builder()
            .timeout_config(client::time_limits(within, self.connect_timeout.min(within)))
    }
}

#[async_trait]
impl Model for Bedrock {
    fn id(&self) -> &str {
        &self.id
    }

    fn context_tokens(&self) -> u64 {
        self.writer.capabilities.context_tokens
    }

    async fn count_input_tokens(&self, request: &Request) -> u64 {
        let most = Writer::most_input_tokens(request);
        if !self.counts {
            return most;
        }
        // `CountTokens` is not told about the schema.
        let counted = self.counted(request).await;
        counted.map_or(most, |counted| counted.saturating_add(Writer::schema_tokens(request)))
    }

    async fn converse(
        &self,
        request: &Request,
        asker: &Asker,
        within: Duration,
    ) -> Result<Reply, ModelError> {
        if within.is_zero() {
            return Err(ModelError::Unavailable { code: "no time left".to_owned() });
        }
        let call = self
            .client
            .converse()
            .model_id(&self.model)
            .set_system(Some(self.writer.system(request)).filter(|blocks| !blocks.is_empty()))
            .set_messages(Some(self.writer.messages(request)))
            .inference_config(self.writer.inference(request))
            .set_output_config(self.writer.output(request))
            .set_guardrail_config(self.writer.guardrail())
            .set_request_metadata(Some(metadata(asker)))
            .customize()
            .config_override(self.limited(within));
        match Box::pin(call.send()).await {
            Ok(output) => reply::read(output),
            Err(failure) => Err(error::read(&failure)),
        }
    }
}
