//! The calls that carry writes: one write alone, or a group in a transaction.

use aws_sdk_dynamodb::{
    Client,
    error::SdkError,
    operation::{
        put_item::PutItemError, transact_write_items::TransactWriteItemsError, update_item::UpdateItemError,
    },
    types::CancellationReason,
};
use clinflow_ports::StoreError;

use crate::{
    error::{unavailable, words},
    item::Item,
    write::{Change, Outcome, Write},
};

/// What became of a transaction.
#[derive(Debug)]
pub(super) enum Sent {
    /// Every write is durable.
    All,
    /// Nothing was written; the reasons stand in the order of the actions.
    Cancelled(Vec<CancellationReason>),
    /// The call as a whole is not well-formed, because one of its writes is not; in DynamoDB's words.
    Malformed(String),
}

/// Sends a change that needs no transaction.
pub(super) async fn alone(client: &Client, change: &Change) -> Result<Outcome, StoreError> {
    match change.clone() {
        Change::Put(put) => {
            let sent = client
                .put_item()
                .table_name(put.table_name)
                .set_item(Some(put.item))
                .set_condition_expression(put.condition_expression)
                .set_expression_attribute_names(put.expression_attribute_names)
                .set_expression_attribute_values(put.expression_attribute_values)
                .set_return_values_on_condition_check_failure(put.return_values_on_condition_check_failure)
                .send()
                .await;
            outcome(sent, |error| match error {
                PutItemError::ConditionalCheckFailedException(failed) => Some(failed.item.clone()),
                _ => None,
            })
        }
        Change::Update(update) => {
            let sent = client
                .update_item()
                .table_name(update.table_name)
                .set_key(Some(update.key))
                .update_expression(update.update_expression)
                .set_condition_expression(update.condition_expression)
                .set_expression_attribute_names(update.expression_attribute_names)
                .set_expression_attribute_values(update.expression_attribute_values)
                .set_return_values_on_condition_check_failure(update.return_values_on_condition_check_failure)
                .send()
                .await;
            outcome(sent, |error| match error {
                UpdateItemError::ConditionalCheckFailedException(failed) => Some(failed.item.clone()),
                _ => None,
            })
        }
    }
}

/// Reads the answer to a single write; `conflict` finds the item that a failed condition answers.
fn outcome<T, E: std::error::Error + 'static>(
    sent: Result<T, SdkError<E>>,
    conflict: impl FnOnce(&E) -> Option<Option<Item>>,
) -> Result<Outcome, StoreError> {
    let Err(error) = sent else { return Ok(Outcome::Written) };
    match error.as_service_error().and_then(conflict) {
        Some(item) => Ok(Outcome::Conflict(item.into_iter().collect())),
        None => Err(unavailable(error)),
    }
}

/// Sends `writes` as one transaction; fails with words for every caller.
pub(super) async fn together<'a>(
    client: &Client,
    writes: impl Iterator<Item = &'a Write>,
) -> Result<Sent, String> {
    let items = writes.flat_map(Write::items).collect();
    let Err(error) = client.transact_write_items().set_transact_items(Some(items)).send().await else {
        return Ok(Sent::All);
    };
    match error.as_service_error() {
        Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
            Ok(Sent::Cancelled(cancelled.cancellation_reasons().to_vec()))
        }
        Some(other) if other.meta().code() == Some("ValidationException") => {
            Ok(Sent::Malformed(words(error)))
        }
        _ => Err(words(error)),
    }
}
