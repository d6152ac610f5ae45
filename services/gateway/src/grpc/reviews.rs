//! The service `Reviews`.

use std::sync::Arc;

use clinflow_core::Phi;
use clinflow_proto::v1::{
    GetReviewRequest, ListReviewsRequest, ListReviewsResponse, ResolveReviewRequest, ResolveReviewResponse,
    ReviewView, reviews_server::Reviews,
};
use tonic::{Request, Response, Status};

use crate::{
    grpc::caller,
    reviews::{Reviewing, Said},
};

/// Shows and settles review items.
pub(super) struct Service {
    pub(super) reviewing: Arc<Reviewing>,
}

#[tonic::async_trait]
impl Reviews for Service {
    async fn list(
        &self,
        request: Request<ListReviewsRequest>,
    ) -> Result<Response<ListReviewsResponse>, Status> {
        let caller = caller(&request)?;
        Ok(Response::new(self.reviewing.list(&caller, request.get_ref()).await?))
    }

    async fn get(&self, request: Request<GetReviewRequest>) -> Result<Response<ReviewView>, Status> {
        let caller = caller(&request)?;
        Ok(Response::new(self.reviewing.get(&caller, &request.get_ref().review_id).await?))
    }

    async fn resolve(
        &self,
        request: Request<ResolveReviewRequest>,
    ) -> Result<Response<ResolveReviewResponse>, Status> {
        let caller = caller(&request)?;
        let ResolveReviewRequest { review_id, decision, value, reviewer } = request.into_inner();
        let said = Said { decision: &decision, value: Phi::new(value), reviewer: &reviewer };
        Ok(Response::new(self.reviewing.resolve(&caller, &review_id, said).await?))
    }
}
