//! The service `Executions`.

use std::sync::Arc;

use clinflow_proto::v1::{
    Execution, GetExecutionRequest, GetExecutionResponse, ListExecutionsRequest, ListExecutionsResponse,
    TraceRequest, TraceResponse, executions_server::Executions,
};
use tonic::{Request, Response, Status};

use crate::{
    grpc::{Answers, caller, watch, words},
    provenance::{Provenance, Selector},
    show::{Show, Wanted, execution_id},
    watch::Watcher,
};

/// Shows executions.
pub(super) struct Service {
    pub(super) show: Arc<Show>,
    pub(super) watcher: Watcher,
    pub(super) provenance: Arc<Provenance>,
}

#[tonic::async_trait]
impl Executions for Service {
    async fn get(
        &self,
        request: Request<GetExecutionRequest>,
    ) -> Result<Response<GetExecutionResponse>, Status> {
        let caller = caller(&request)?;
        let id = execution_id(&request.get_ref().execution_id)?;
        let execution = self.show.execution(&caller, id).await?;
        let history = self.show.history(&execution).await?;
        Ok(Response::new(words::detail(&execution, &history)))
    }

    async fn list(
        &self,
        request: Request<ListExecutionsRequest>,
    ) -> Result<Response<ListExecutionsResponse>, Status> {
        let caller = caller(&request)?;
        let ListExecutionsRequest { status, page_size, page_token } = request.get_ref();
        let page = self.show.list(&caller, Wanted::read(status, *page_size, page_token)?).await?;
        Ok(Response::new(ListExecutionsResponse {
            executions: page.executions.iter().map(words::execution).collect(),
            next_page_token: page.next.unwrap_or_default(),
        }))
    }

    type WatchStream = Answers<Execution>;

    async fn watch(
        &self,
        request: Request<GetExecutionRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let id = execution_id(&request.get_ref().execution_id)?;
        Ok(Response::new(watch(&self.watcher, caller(&request)?, id).await?))
    }

    async fn trace(&self, request: Request<TraceRequest>) -> Result<Response<TraceResponse>, Status> {
        let caller = caller(&request)?;
        let TraceRequest { execution_id: id, field } = request.get_ref();
        let (id, wanted) = (execution_id(id)?, Selector::read(field)?);
        Ok(Response::new(self.provenance.trace(&caller, id, wanted).await?))
    }
}
