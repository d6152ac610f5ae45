//! The service `Operations`.

use std::sync::Arc;

use clinflow_proto::v1::{
    ListParkedRequest, ListParkedResponse, OperationRequest, OperationResponse, ParkedMessage, ParkedRequest,
    RerunRequest, operations_server::Operations,
};
use tonic::{Request, Response, Status};

use crate::{
    grpc::caller,
    operate::{Operator, Said},
    show::execution_id,
};

/// Does what operators ask for.
pub(super) struct Service {
    pub(super) operator: Arc<Operator>,
}

#[tonic::async_trait]
impl Operations for Service {
    async fn list_parked(
        &self,
        request: Request<ListParkedRequest>,
    ) -> Result<Response<ListParkedResponse>, Status> {
        let caller = caller(&request)?;
        let ListParkedRequest { limit, code } = request.get_ref();
        Ok(Response::new(self.operator.list(&caller, *limit, code).await?))
    }

    async fn get_parked(&self, request: Request<ParkedRequest>) -> Result<Response<ParkedMessage>, Status> {
        let caller = caller(&request)?;
        Ok(Response::new(self.operator.get(&caller, &request.get_ref().message_id).await?))
    }

    async fn replay_parked(
        &self,
        request: Request<ParkedRequest>,
    ) -> Result<Response<OperationResponse>, Status> {
        let caller = caller(&request)?;
        let ParkedRequest { message_id, reason, operator } = request.get_ref();
        Ok(Response::new(self.operator.replay(&caller, message_id, Said { reason, operator }).await?))
    }

    async fn drop_parked(
        &self,
        request: Request<ParkedRequest>,
    ) -> Result<Response<OperationResponse>, Status> {
        let caller = caller(&request)?;
        let ParkedRequest { message_id, reason, operator } = request.get_ref();
        Ok(Response::new(self.operator.drop_parked(&caller, message_id, Said { reason, operator }).await?))
    }

    async fn redrive(
        &self,
        request: Request<OperationRequest>,
    ) -> Result<Response<OperationResponse>, Status> {
        let caller = caller(&request)?;
        let OperationRequest { execution_id: id, reason, operator } = request.get_ref();
        let done = self.operator.redrive(&caller, execution_id(id)?, Said { reason, operator }).await?;
        Ok(Response::new(done))
    }

    async fn rerun(&self, request: Request<RerunRequest>) -> Result<Response<OperationResponse>, Status> {
        let caller = caller(&request)?;
        let RerunRequest { execution_id: id, reason, operator, current_bundle } = request.get_ref();
        let said = Said { reason, operator };
        Ok(Response::new(self.operator.rerun(&caller, execution_id(id)?, said, *current_bundle).await?))
    }

    async fn abort(&self, request: Request<OperationRequest>) -> Result<Response<OperationResponse>, Status> {
        let caller = caller(&request)?;
        let OperationRequest { execution_id: id, reason, operator } = request.get_ref();
        let done = self.operator.abort(&caller, execution_id(id)?, Said { reason, operator }).await?;
        Ok(Response::new(done))
    }
}
