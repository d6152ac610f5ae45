//! JSON with its members in the order they were put and its decimals as they were read: `2.20` stays `2.20`.

use serde::{
    Serialize, Serializer,
    ser::{SerializeMap as _, SerializeSeq as _},
};
use serde_json::value::RawValue;

/// A JSON value.
#[derive(Debug, Clone)]
pub(crate) enum Node {
    /// A value that is missing.
    Null,
    /// `true` or `false`.
    Flag(bool),
    /// A whole number.
    Whole(u64),
    /// A decimal number, digit for digit.
    Decimal(Box<RawValue>),
    /// A string.
    Text(String),
    /// An array.
    List(Vec<Node>),
    /// An object.
    Object(Object),
}

impl Node {
    /// The decimal that `text` is, written as JSON writes numbers; `None` for anything else.
    pub(crate) fn decimal(text: &str) -> Option<Self> {
        is_decimal(text).then(|| {
            let raw = RawValue::from_string(text.to_owned());
            Self::Decimal(raw.expect("digits with at most one point between them are JSON"))
        })
    }

    /// The bytes of a file: one line, and a newline at its end.
    pub(crate) fn to_file(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec(self).expect("its keys are strings and memory takes every byte");
        bytes.push(b'\n');
        bytes
    }
}

/// True for an optional minus, digits without a needless zero before them, and at most one point between digits.
pub(crate) fn is_decimal(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    digits(whole) && digits(fraction) && (whole == "0" || !whole.starts_with('0'))
}

impl From<&str> for Node {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Node {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Object> for Node {
    fn from(object: Object) -> Self {
        Self::Object(object)
    }
}

impl From<Vec<Self>> for Node {
    fn from(list: Vec<Self>) -> Self {
        Self::List(list)
    }
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Flag(flag) => serializer.serialize_bool(*flag),
            Self::Whole(number) => serializer.serialize_u64(*number),
            Self::Decimal(digits) => digits.serialize(serializer),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(items) => {
                let mut sequence = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    sequence.serialize_element(item)?;
                }
                sequence.end()
            }
            Self::Object(object) => {
                let mut map = serializer.serialize_map(Some(object.0.len()))?;
                for (key, value) in &object.0 {
                    map.serialize_entry(key, value)?;
                }
                map.end()
            }
        }
    }
}

/// A JSON object under construction.
#[derive(Debug, Clone, Default)]
pub(crate) struct Object(Vec<(&'static str, Node)>);

impl Object {
    /// An object without members.
    pub(crate) const fn new() -> Self {
        Self(Vec::new())
    }

    /// With a member after those it has.
    pub(crate) fn with(mut self, key: &'static str, value: impl Into<Node>) -> Self {
        self.0.push((key, value.into()));
        self
    }

    /// With a member where there is a value, as it is where there is none.
    pub(crate) fn maybe(self, key: &'static str, value: Option<impl Into<Node>>) -> Self {
        match value {
            Some(value) => self.with(key, value),
            None => self,
        }
    }

    /// With the members of `other` after those it has.
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// With a list, unless it is empty: FHIR has no empty arrays.
    pub(crate) fn list(self, key: &'static str, items: Vec<Node>) -> Self {
        if items.is_empty() { self } else { self.with(key, items) }
    }
}

#[cfg(test)]
mod tests {
    use super::{Node, Object, is_decimal};

    #[test]
    fn members_keep_their_order_and_decimals_their_digits() {
        let object = Object::new()
            .with("z", "last letter, first member")
            .maybe("value", Node::decimal("2.20"))
            .maybe("absent", None::<Node>)
            .list("empty", Vec::new())
            .list("a", vec![Node::Null, Node::Flag(true), Node::Whole(7)]);
        let bytes = Node::Object(object).to_file();
        let expected = "{\"z\":\"last letter, first member\",\"value\":2.20,\"a\":[null,true,7]}\n";
        assert_eq!(String::from_utf8(bytes).unwrap(), expected);
    }

    #[test]
    fn only_what_json_writes_as_a_number_is_a_decimal() {
        for text in ["0", "0.06", "-4.2", "1.020", "2000"] {
            assert!(is_decimal(text), "{text}");
            assert!(serde_json::from_str::<f64>(text).is_ok(), "{text}");
        }
        for text in ["", "-", "<6", "4,5", ".5", "5.", "007", "1e3", "+1", "TNTC", "1.2.3"] {
            assert!(!is_decimal(text), "{text}");
            assert!(Node::decimal(text).is_none(), "{text}");
        }
    }
}
