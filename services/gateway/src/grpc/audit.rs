//! The service `Audit`.

use std::sync::Arc;

use clinflow_core::ExecutionId;
use clinflow_proto::v1::{AuditRecord, AuditRequest, VerifiedChain, audit_server::Audit};
use futures_util::TryStreamExt as _;
use tonic::{Request, Response, Status};

use crate::{
    audit::Auditing,
    grpc::{Answers, caller},
    refusal::Refusal,
    show::execution_id,
};

/// Shows the audit log.
pub(super) struct Service {
    pub(super) auditing: Arc<Auditing>,
}

#[tonic::async_trait]
impl Audit for Service {
    type VerifyStream = Answers<VerifiedChain>;

    async fn verify(&self, request: Request<AuditRequest>) -> Result<Response<Self::VerifyStream>, Status> {
        let (caller, one) = (caller(&request)?, one(request.get_ref())?);
        Ok(Response::new(Box::pin(self.auditing.clone().verify(caller, one).map_err(Status::from))))
    }

    type ExportStream = Answers<AuditRecord>;

    async fn export(&self, request: Request<AuditRequest>) -> Result<Response<Self::ExportStream>, Status> {
        let (caller, one) = (caller(&request)?, one(request.get_ref())?);
        Ok(Response::new(Box::pin(self.auditing.clone().export(caller, one).map_err(Status::from))))
    }
}

/// The execution that is asked for; `None` for all.
fn one(request: &AuditRequest) -> Result<Option<ExecutionId>, Refusal> {
    let id = request.execution_id.as_str();
    if id.is_empty() { Ok(None) } else { execution_id(id).map(Some) }
}
