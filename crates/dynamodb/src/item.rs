//! Items and their attributes.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use clinflow_ports::StoreError;
use serde::de::DeserializeOwned;

use crate::error::corrupt;

/// An item as the SDK has it.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// A text attribute.
pub(crate) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

/// A number attribute.
pub(crate) fn number(value: impl Into<i128>) -> AttributeValue {
    AttributeValue::N(value.into().to_string())
}

/// Names or values of an expression.
pub(crate) fn map<T, const N: usize>(pairs: [(&str, T); N]) -> HashMap<String, T> {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The text under `name`.
pub(crate) fn get_text<'a>(item: &'a Item, name: &str) -> Result<&'a str, StoreError> {
    match item.get(name) {
        Some(AttributeValue::S(text)) => Ok(text),
        _ => Err(corrupt(format!("attribute `{name}` is not a text"))),
    }
}

/// The number under `name`, when there is one.
pub(crate) fn get_number<T: std::str::FromStr>(item: &Item, name: &str) -> Result<Option<T>, StoreError> {
    match item.get(name) {
        None => Ok(None),
        Some(AttributeValue::N(number)) => {
            number.parse().map(Some).map_err(|_| corrupt(format!("attribute `{name}` is out of range")))
        }
        Some(_) => Err(corrupt(format!("attribute `{name}` is not a number"))),
    }
}

/// The JSON under `name`.
pub(crate) fn get_json<T: DeserializeOwned>(item: &Item, name: &str) -> Result<T, StoreError> {
    serde_json::from_str(get_text(item, name)?)
        .map_err(|_| corrupt(format!("attribute `{name}` is not its JSON")))
}

/// About how many bytes DynamoDB counts for the item.
pub(crate) fn size(item: &Item) -> usize {
    let value = |value: &AttributeValue| match value {
        AttributeValue::S(text) | AttributeValue::N(text) => text.len(),
        _ => 0,
    };
    item.iter().map(|(name, attribute)| name.len() + value(attribute)).sum()
}
