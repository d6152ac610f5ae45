//! The client of a gateway, which every command that looks at executions uses; a data folder is looked at through
//! a gateway in this process.

use anyhow::Context as _;
use clinflow_proto::v1::{
    audit_client::AuditClient, costs_client::CostsClient, executions_client::ExecutionsClient,
    ingest_client::IngestClient, operations_client::OperationsClient, questions_client::QuestionsClient,
    reviews_client::ReviewsClient,
};
use tonic::{
    Request, Status,
    metadata::{Ascii, MetadataValue},
    service::{Interceptor, interceptor::InterceptedService},
    transport::{Channel, Endpoint},
};

use crate::{arguments::Place, house::House};

/// Documents are sent in one message, so a message may be as large as the gateway's upload limit allows.
const MAX_MESSAGE: usize = 64 << 20;

/// Adds the bearer token to every call.
#[derive(Clone)]
pub(crate) struct Bearer(Option<MetadataValue<Ascii>>);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(token) = &self.0 {
            request.metadata_mut().insert("authorization", token.clone());
        }
        Ok(request)
    }
}

/// Calls a gateway.
#[derive(Clone)]
pub(crate) struct Client {
    pub(crate) ingest: IngestClient<InterceptedService<Channel, Bearer>>,
    pub(crate) executions: ExecutionsClient<InterceptedService<Channel, Bearer>>,
    pub(crate) audit: AuditClient<InterceptedService<Channel, Bearer>>,
    pub(crate) costs: CostsClient<InterceptedService<Channel, Bearer>>,
    pub(crate) operations: OperationsClient<InterceptedService<Channel, Bearer>>,
    pub(crate) questions: QuestionsClient<InterceptedService<Channel, Bearer>>,
    pub(crate) reviews: ReviewsClient<InterceptedService<Channel, Bearer>>,
}

impl Client {
    /// Connects to the gateway at `url`.
    pub(crate) async fn connect(url: &str, token: Option<&str>) -> anyhow::Result<Self> {
        let bearer = token.map(|token| format!("Bearer {token}").parse()).transpose();
        let bearer = Bearer(bearer.context("the token holds characters that a header cannot")?);
        let endpoint =
            Endpoint::from_shared(url.to_owned()).with_context(|| format!("`{url}` is not a URL"))?;
        let channel = endpoint.connect().await.with_context(|| {
            format!(
                "no gateway answers at {url}; start one with `clinflow up`, or name another with --gateway"
            )
        })?;
        Ok(Self {
            ingest: IngestClient::with_interceptor(channel.clone(), bearer.clone())
                .max_encoding_message_size(MAX_MESSAGE),
            executions: ExecutionsClient::with_interceptor(channel.clone(), bearer.clone())
                .max_decoding_message_size(MAX_MESSAGE),
            audit: AuditClient::with_interceptor(channel.clone(), bearer.clone()),
            costs: CostsClient::with_interceptor(channel.clone(), bearer.clone())
                .max_decoding_message_size(MAX_MESSAGE),
            operations: OperationsClient::with_interceptor(channel.clone(), bearer.clone()),
            questions: QuestionsClient::with_interceptor(channel.clone(), bearer.clone()),
            reviews: ReviewsClient::with_interceptor(channel, bearer).max_decoding_message_size(MAX_MESSAGE),
        })
    }

    /// The client for where the command is to look. A house in the answer must be kept while the client is used.
    pub(crate) async fn of(place: &Place) -> anyhow::Result<(Self, Option<House>)> {
        match &place.data {
            None => Ok((Self::connect(&place.gateway, place.token.as_deref()).await?, None)),
            Some(folder) => {
                anyhow::ensure!(folder.is_dir(), "{}: there is no such data folder", folder.display());
                // On the heap: opening a house takes kilobytes, which every command would carry around.
                let house = Box::pin(House::open(folder, None)).await?;
                let client = Box::pin(house.serve_gateway()).await?;
                Ok((client, Some(house)))
            }
        }
    }
}

/// What a refused call says to people: the gateway's words and its code.
pub(crate) fn refused(status: &Status) -> anyhow::Error {
    let code = status.metadata().get("code").and_then(|code| code.to_str().ok());
    match code {
        Some(code) => anyhow::anyhow!("{} ({code})", status.message()),
        None => anyhow::anyhow!("{}", status.message()),
    }
}
