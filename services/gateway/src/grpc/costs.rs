//! The service `Costs`.

use std::sync::Arc;

use clinflow_proto::v1::{
    BudgetsRequest, BudgetsResponse, CostReport, CostReportRequest, costs_server::Costs,
};
use tonic::{Request, Response, Status};

use crate::{costs::Costing, grpc::caller};

/// Shows what was spent and what may be.
pub(super) struct Service {
    pub(super) costing: Arc<Costing>,
}

#[tonic::async_trait]
impl Costs for Service {
    async fn report(&self, request: Request<CostReportRequest>) -> Result<Response<CostReport>, Status> {
        let caller = caller(&request)?;
        Ok(Response::new(self.costing.report(&caller, request.get_ref()).await?))
    }

    async fn budgets(&self, request: Request<BudgetsRequest>) -> Result<Response<BudgetsResponse>, Status> {
        let caller = caller(&request)?;
        Ok(Response::new(self.costing.budgets(&caller).await?))
    }
}
