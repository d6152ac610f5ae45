//! Envelopes as AMQP properties and headers, and back.

use std::collections::BTreeMap;

use bytes::Bytes;
use clinflow_ports::Envelope;
use lapin::{
    BasicProperties,
    types::{AMQPValue, FieldTable, ShortString},
};

/// AMQP's delivery mode for messages that survive the broker.
const PERSISTENT: u8 = 2;

/// AMQP's limit for a short string: ids, type, content type and header names.
const SHORT: usize = 255;

/// The properties and headers of a persistent message; the body travels as it is. A property that is longer than AMQP
/// can carry is an error, because lapin would send a frame that ends the connection.
pub(crate) fn properties(message: &Envelope) -> anyhow::Result<BasicProperties> {
    let mut properties = BasicProperties::default().with_delivery_mode(PERSISTENT);
    if let Some(id) = &message.message_id {
        properties = properties.with_message_id(short("message-id", id)?);
    }
    if let Some(id) = &message.correlation_id {
        properties = properties.with_correlation_id(short("correlation-id", id)?);
    }
    if let Some(name) = &message.type_name {
        properties = properties.with_type(short("type", name)?);
    }
    if let Some(name) = &message.content_type {
        properties = properties.with_content_type(short("content-type", name)?);
    }
    if let Some(seconds) = message.timestamp {
        properties = properties.with_timestamp(seconds);
    }
    if !message.headers.is_empty() {
        let mut headers = BTreeMap::new();
        for (name, value) in &message.headers {
            headers.insert(short("header name", name)?, AMQPValue::LongString(value.as_str().into()));
        }
        properties = properties.with_headers(FieldTable::from(headers));
    }
    Ok(properties)
}

/// A short string, or an error that names the property.
pub(crate) fn short(property: &'static str, value: &str) -> anyhow::Result<ShortString> {
    anyhow::ensure!(value.len() <= SHORT, "`{property}` is longer than the {SHORT} bytes AMQP allows");
    Ok(value.into())
}

/// The envelope a delivery carries. Header values that are neither text nor number nor truth value are left out.
pub(crate) fn envelope(properties: &BasicProperties, body: Vec<u8>) -> Envelope {
    let owned = |value: &Option<ShortString>| value.as_ref().map(ToString::to_string);
    Envelope {
        message_id: owned(properties.message_id()),
        correlation_id: owned(properties.correlation_id()),
        type_name: owned(properties.kind()),
        content_type: owned(properties.content_type()),
        timestamp: *properties.timestamp(),
        headers: properties.headers().as_ref().map(headers).unwrap_or_default(),
        body: Bytes::from(body),
    }
}

fn headers(table: &FieldTable) -> BTreeMap<String, String> {
    table.inner().iter().filter_map(|(name, value)| Some((name.to_string(), text(value)?))).collect()
}

/// A header value as text: other clients send numbers and truth values as such.
fn text(value: &AMQPValue) -> Option<String> {
    match value {
        AMQPValue::LongString(text) => String::from_utf8(text.as_bytes().to_vec()).ok(),
        AMQPValue::ShortString(text) => Some(text.to_string()),
        AMQPValue::ByteArray(bytes) => String::from_utf8(bytes.as_slice().to_vec()).ok(),
        AMQPValue::Boolean(value) => Some(value.to_string()),
        AMQPValue::ShortShortInt(value) => Some(value.to_string()),
        AMQPValue::ShortShortUInt(value) => Some(value.to_string()),
        AMQPValue::ShortInt(value) => Some(value.to_string()),
        AMQPValue::ShortUInt(value) => Some(value.to_string()),
        AMQPValue::LongInt(value) => Some(value.to_string()),
        AMQPValue::LongUInt(value) => Some(value.to_string()),
        AMQPValue::LongLongInt(value) => Some(value.to_string()),
        AMQPValue::Float(value) => Some(value.to_string()),
        AMQPValue::Double(value) => Some(value.to_string()),
        AMQPValue::Timestamp(seconds) => Some(seconds.to_string()),
        AMQPValue::DecimalValue(_)
        | AMQPValue::FieldArray(_)
        | AMQPValue::FieldTable(_)
        | AMQPValue::Void => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        let sent = Envelope {
            message_id: Some("m-1".to_owned()),
            correlation_id: Some("c-1".to_owned()),
            type_name: Some("clinflow.v1.DocumentSubmitted".to_owned()),
            content_type: Some("application/x-protobuf".to_owned()),
            timestamp: Some(1_700_000_000),
            headers: [("attempt".to_owned(), "3".to_owned()), ("team".to_owned(), "pv-é".to_owned())].into(),
            body: Bytes::from_static(b"body"),
        };
        let properties = properties(&sent).unwrap();
        assert_eq!(*properties.delivery_mode(), Some(PERSISTENT));
        assert_eq!(envelope(&properties, sent.body.to_vec()), sent);
    }

    #[test]
    fn numbers_and_truth_values_of_other_clients_are_text() {
        let table = FieldTable::from(BTreeMap::from([
            ("attempt".into(), AMQPValue::LongInt(2)),
            ("lane".into(), AMQPValue::ShortString("batch".into())),
            ("last".into(), AMQPValue::Boolean(true)),
            ("nested".into(), AMQPValue::FieldTable(FieldTable::default())),
            ("x-death".into(), AMQPValue::FieldArray(lapin::types::FieldArray::default())),
        ]));
        let read: Vec<_> = headers(&table).into_iter().collect();
        let text = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(read, [text("attempt", "2"), text("lane", "batch"), text("last", "true")]);
    }

    #[test]
    fn a_property_that_amqp_cannot_carry_is_an_error_that_names_it() {
        let message = Envelope { message_id: Some("x".repeat(256)), ..Envelope::default() };
        assert_eq!(
            properties(&message).unwrap_err().to_string(),
            "`message-id` is longer than the 255 bytes AMQP allows"
        );
    }
}
