//! Queries over as many pages as they take.

use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use clinflow_ports::StoreError;

use crate::{error::unavailable, item::Item};

/// Reads as many pages of a query as `limit` items take.
pub(crate) async fn up_to<T>(
    limit: usize,
    query: QueryFluentBuilder,
    read: impl Fn(&Item) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut pages = query.limit(i32::try_from(limit).unwrap_or(i32::MAX)).into_paginator().send();
    let mut found = Vec::new();
    while found.len() < limit
        && let Some(page) = pages.next().await
    {
        for item in page.map_err(unavailable)?.items() {
            found.push(read(item)?);
        }
    }
    Ok(found)
}
