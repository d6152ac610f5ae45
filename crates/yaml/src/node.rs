//! A YAML file as a tree in which every value knows its line, so that every mistake can be placed.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_saphyr::Spanned;

/// A value and the line it begins on.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) line: u64,
    pub(crate) kind: Kind,
}

/// What a value is.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    Null,
    Boolean(bool),
    Number(f64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

impl Kind {
    /// What it is called in a message.
    pub(crate) const fn name(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Boolean(_) => "true or false",
            Self::Number(_) => "a number",
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Map(_) => "a table",
        }
    }
}

/// Reads a file. The error is the line and the reader's words; it stops at the first, because what follows broken
/// YAML cannot be known.
pub(crate) fn parse(text: &str) -> Result<Node, (u64, String)> {
    // `yes` and `no` are words here, as YAML 1.2 has it.
    let options = serde_saphyr::options! { strict_booleans: true };
    serde_saphyr::from_str_with_options::<Spanned<Kind>>(text, options).map(Node::from).map_err(|error| {
        let line = error.location().map_or(0, |location| location.line());
        (line, format!("not readable as YAML: {}", error.without_snippet()))
    })
}

impl From<Spanned<Kind>> for Node {
    fn from(spanned: Spanned<Kind>) -> Self {
        Self { line: spanned.referenced.line(), kind: spanned.value }
    }
}

impl<'de> Deserialize<'de> for Kind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(KindVisitor)
    }
}

struct KindVisitor;

impl<'de> Visitor<'de> for KindVisitor {
    type Value = Kind;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any YAML value")
    }

    fn visit_unit<E>(self) -> Result<Kind, E> {
        Ok(Kind::Null)
    }

    fn visit_none<E>(self) -> Result<Kind, E> {
        Ok(Kind::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Kind, E> {
        Ok(Kind::Boolean(value))
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "numbers of a bundle are weights, versions and limits below 2^53"
    )]
    fn visit_i64<E>(self, value: i64) -> Result<Kind, E> {
        Ok(Kind::Number(value as f64))
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "numbers of a bundle are weights, versions and limits below 2^53"
    )]
    fn visit_u64<E>(self, value: u64) -> Result<Kind, E> {
        Ok(Kind::Number(value as f64))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Kind, E> {
        Ok(Kind::Number(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Kind, E> {
        Ok(Kind::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Kind, E> {
        Ok(Kind::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Kind, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element::<Spanned<Kind>>()? {
            list.push(Node::from(item));
        }
        Ok(Kind::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Kind, A::Error> {
        let mut map = Vec::new();
        while let Some(key) = entries.next_key::<String>()? {
            map.push((key, Node::from(entries.next_value::<Spanned<Kind>>()?)));
        }
        Ok(Kind::Map(map))
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, parse};

    #[test]
    fn every_value_knows_its_line() {
        let node = parse("a: 1\nb:\n  - x\n  - {c: no}\n").unwrap();
        let Kind::Map(map) = node.kind else { panic!() };
        assert_eq!((map[0].0.as_str(), map[0].1.line), ("a", 1));
        let Kind::List(list) = &map[1].1.kind else { panic!() };
        assert_eq!((list[0].line, list[1].line), (3, 4));
        let Kind::Map(inner) = &list[1].kind else { panic!() };
        assert!(matches!(&inner[0].1.kind, Kind::Text(text) if text == "no"));
    }

    #[test]
    fn broken_yaml_is_placed() {
        let (line, message) = parse("a: 1\nb: [1, 2\n").unwrap_err();
        assert!(line >= 2, "{line}");
        assert!(message.starts_with("not readable as YAML"), "{message}");
    }
}
