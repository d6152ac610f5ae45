//! What is found in a document: fields, the evidence they rest on, and what rules say about them.

use serde::{Deserialize, Serialize};

use crate::{guarded::Guarded, id::AgentId, phi::Phi, role::Role};

/// A half-open stretch of extracted text, counted twice: in Unicode code points and in UTF-8 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Span {
    /// First code point.
    pub start: usize,
    /// One past the last code point.
    pub end: usize,
    /// First byte.
    pub byte_start: usize,
    /// One past the last byte.
    pub byte_end: usize,
}

impl Span {
    /// The text this span covers, or `None` when it does not lie on character boundaries of `text`.
    pub fn of<'a>(&self, text: &'a str) -> Option<&'a str> {
        text.get(self.byte_start..self.byte_end)
    }

    /// True when both spans share at least one byte.
    pub const fn overlaps(&self, other: &Self) -> bool {
        self.byte_start < other.byte_end && other.byte_start < self.byte_end
    }
}

/// Turns byte offsets into [`Span`]s in one forward pass over a text, however many are asked for.
///
/// Code points are counted once per 256-byte block, so that a lookup costs at most one block.
pub struct Offsets<'a> {
    text: &'a str,
    /// Code points before each 256-byte block.
    blocks: Vec<usize>,
}

/// Block size of [`Offsets`]: large enough to be cheap to hold, small enough to be cheap to scan.
const BLOCK: usize = 256;

impl<'a> Offsets<'a> {
    /// Indexes `text`.
    pub fn new(text: &'a str) -> Self {
        let mut blocks = Vec::with_capacity(text.len() / BLOCK + 1);
        let mut seen = 0;
        for block in text.as_bytes().chunks(BLOCK) {
            blocks.push(seen);
            seen += block.iter().filter(|byte| !is_continuation(**byte)).count();
        }
        Self { text, blocks }
    }

    /// The text this index was made from.
    pub const fn text(&self) -> &'a str {
        self.text
    }

    /// The number of code points before `byte`. A byte inside a character counts that character as begun;
    /// a byte past the end counts the whole text.
    pub fn char_at(&self, byte: usize) -> usize {
        let byte = byte.min(self.text.len());
        let block = byte / BLOCK;
        let Some(before) = self.blocks.get(block).copied() else {
            // Only reached when the text ends exactly at a block boundary.
            return self.text.chars().count();
        };
        let within = &self.text.as_bytes()[block * BLOCK..byte];
        before + within.iter().filter(|byte| !is_continuation(**byte)).count()
    }

    /// The span of a byte range.
    pub fn span(&self, bytes: std::ops::Range<usize>) -> Span {
        Span {
            start: self.char_at(bytes.start),
            end: self.char_at(bytes.end),
            byte_start: bytes.start,
            byte_end: bytes.end,
        }
    }
}

/// UTF-8 continuation bytes have the form `10xxxxxx`; all others begin a code point.
const fn is_continuation(byte: u8) -> bool {
    byte & 0b1100_0000 == 0b1000_0000
}

/// How a value relates to the text it came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Alignment {
    /// The text at the span is the value, letter for letter.
    Verbatim,
    /// The text at the span normalises to the value.
    Normalised,
    /// The value is put together from several spans.
    Assembled,
    /// Only a part of the value is in the text.
    Partial,
    /// Nothing in the text supports the value.
    Absent,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The stretch of extracted text.
    #[serde(flatten)]
    pub span: Span,
    /// 1-based page, when the document has pages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<u32>,
    /// How the value relates to that text.
    pub status: Alignment,
}

/// Who found a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// A pattern of the workflow.
    Pattern,
    /// A clinical model.
    Model,
    /// Both, and they agree after normalisation.
    Both,
    /// Computed from other fields.
    Derived,
}

/// The ConText properties of a mention. `Default` is an affirmed, recent, certain fact about the patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Assertion {
    /// "no evidence of sepsis".
    #[serde(default)]
    pub negated: bool,
    /// "history of myocardial infarction".
    #[serde(default)]
    pub historical: bool,
    /// "return if fever develops".
    #[serde(default)]
    pub hypothetical: bool,
    /// "possible pneumonia".
    #[serde(default)]
    pub uncertain: bool,
    /// Whom the mention is about.
    #[serde(default)]
    pub experiencer: Experiencer,
}

/// Whom a mention is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Experiencer {
    /// The subject of the document.
    #[default]
    Patient,
    /// A relative.
    Family,
    /// Anyone else.
    Other,
}

/// A code in a terminology.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Code {
    /// The terminology, as its publisher names it: `CDISC C66768`, `E2B E.i.7`, `LOINC`, `UCUM`.
    pub system: String,
    /// The code itself.
    pub code: String,
    /// The publisher's words for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display: Option<String>,
}

/// How sure we are, in thousandths: 0 to 1000. Serialises as a decimal, `0.875`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Confidence(u16);

impl Confidence {
    /// Nothing speaks for it.
    pub const NONE: Self = Self(0);
    /// Nothing speaks against it.
    pub const FULL: Self = Self(1000);

    /// `thousandths`, cut off at 1000.
    pub const fn from_thousandths(thousandths: u16) -> Self {
        Self(if thousandths > 1000 { 1000 } else { thousandths })
    }

    /// The value in thousandths.
    pub const fn thousandths(self) -> u16 {
        self.0
    }
}

impl Serialize for Confidence {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(f64::from(self.0) / 1000.0)
    }
}

impl<'de> Deserialize<'de> for Confidence {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = f64::deserialize(deserializer)?;
        if !(0.0..=1.0).contains(&value) {
            return Err(serde::de::Error::custom("confidence lies between 0 and 1"));
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "checked to lie in 0..=1000"
        )]
        Ok(Self((value * 1000.0).round() as u16))
    }
}

/// A named value found in a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// The field's id in its workflow: `onset_date`, `result`.
    pub name: String,
    /// For a repeated group (a table row, one of several events): the group's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// For a repeated group: which repetition, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<u32>,
    /// The value as written.
    pub value: Phi,
    /// The value in its normal form: an ISO 8601 date, a number, a code list's term.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub normalized: Option<Phi>,
    /// The unit in UCUM, where the value has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Codes of the value.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub codes: Vec<Code>,
    /// The ConText properties of the mention.
    #[serde(default)]
    pub assertion: Assertion,
    /// What the value rests on. Empty only for derived fields.
    pub evidence: Vec<Evidence>,
    /// How sure we are, from evidence.
    pub confidence: Confidence,
    /// Who found it.
    pub source: Source,
    /// The agent that found it.
    pub agent_id: AgentId,
    /// The invocation of that agent: the id of the message it was handling.
    pub invocation_id: uuid::Uuid,
    /// Model id and version, when a model found it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// Ids of the rules that have something to say about it; the words are in [`FieldSet::findings`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<String>,
}

impl Field {
    /// The normal form where there is one, else the value as written.
    pub fn best(&self) -> &str {
        self.normalized.as_ref().unwrap_or(&self.value).expose()
    }

    /// What makes this field the same one in two sources: name, group and repetition.
    pub fn key(&self) -> (&str, Option<&str>, Option<u32>) {
        (&self.name, self.group.as_deref(), self.index)
    }
}

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Probably wrong.
    Warning,
    /// A person must look: the execution ends in needs-review.
    Review,
    /// The value was withheld.
    Block,
}

/// What a rule, guardrail or validator says about a field or about the whole document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The rule's id: `AE-SER-02`.
    pub rule: String,
    /// The rule's version.
    pub version: u32,
    /// How much it matters.
    pub severity: Severity,
    /// The field it is about, by name; `None` for the whole document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The repetition it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<u32>,
    /// Words a data manager understands. May quote the document, so it lives where the fields live.
    pub message: Phi,
}

/// How many rows of a table or repeated group were there, and how many were taken (INV-12).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowCount {
    /// The group.
    pub group: String,
    /// Rows counted independently of the extraction.
    pub found: u32,
    /// Rows extracted.
    pub extracted: u32,
}

/// What one agent found in one document: the body of an object in the object store, never of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldSet {
    /// Schema of this object: [`FieldSet::SCHEMA`].
    pub schema: String,
    /// Who made it.
    pub role: Role,
    /// The fields, in document order.
    pub fields: Vec<Field>,
    /// Findings about them.
    #[serde(default)]
    pub findings: Vec<Finding>,
    /// Row counts of repeated groups.
    #[serde(default)]
    pub rows: Vec<RowCount>,
    /// The guardrail they have passed; `None` before they have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guarded: Option<Guarded>,
}

impl FieldSet {
    /// The schema name written into every field set.
    pub const SCHEMA: &'static str = "clinflow.field-set/1";

    /// An empty set made by `role`.
    pub fn new(role: Role) -> Self {
        Self {
            schema: Self::SCHEMA.to_owned(),
            role,
            fields: Vec::new(),
            findings: Vec::new(),
            rows: Vec::new(),
            guarded: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Confidence, Offsets};

    #[test]
    fn a_span_counts_code_points_and_bytes() {
        let text = "µg and 38.9 °C";
        let span = Offsets::new(text).span(7..15);
        assert_eq!((span.start, span.end), (6, 13));
        assert_eq!(span.of(text).unwrap(), " 38.9 °");
    }

    #[test]
    fn confidence_is_written_as_a_decimal_and_reads_back() {
        let text = serde_json::to_string(&Confidence::from_thousandths(875)).unwrap();
        assert_eq!(text, "0.875");
        assert_eq!(serde_json::from_str::<Confidence>(&text).unwrap().thousandths(), 875);
        assert!(serde_json::from_str::<Confidence>("1.2").is_err());
    }

    proptest! {
        #[test]
        fn offsets_agree_with_counting_from_the_start(text in "\\PC{0,700}", at in 0usize..2000) {
            let at = at.min(text.len());
            prop_assume!(text.is_char_boundary(at));
            prop_assert_eq!(Offsets::new(&text).char_at(at), text[..at].chars().count());
        }
    }
}
