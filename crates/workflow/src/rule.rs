//! Rules: what must hold between the fields of a document, as data. The validator evaluates them.

use std::{fmt, sync::Arc};

use clinflow_core::Severity;

use crate::CodeList;

/// A rule about the fields of a document.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Its id, as findings and metrics name it: `AE-SER-02`.
    pub id: String,
    /// Raised by whoever changes its meaning.
    pub version: u32,
    /// What a finding of it asks for.
    pub severity: Severity,
    /// What it demands, in one sentence.
    pub title: String,
    /// What is said when it does not hold.
    pub message: Message,
    /// What must hold; each check that does not is a finding.
    pub checks: Vec<Check>,
}

/// A field by group and name; written `event.onset_date`, or `age` for a field of no group.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldRef {
    /// The repeated group.
    pub group: Option<String>,
    /// The name.
    pub name: String,
}

impl FieldRef {
    /// Reads `group.name` or `name`.
    pub fn parse(text: &str) -> Self {
        match text.split_once('.') {
            Some((group, name)) => Self { group: Some(group.to_owned()), name: name.to_owned() },
            None => Self { group: None, name: text.to_owned() },
        }
    }
}

impl fmt::Display for FieldRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(group) = &self.group {
            write!(f, "{group}.")?;
        }
        f.write_str(&self.name)
    }
}

/// A field and the values that are meant. Values are normal forms: a code list's term, `Y`, `5`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// The field.
    pub field: FieldRef,
    /// Any of these; never empty.
    pub is: Vec<String>,
}

/// The latest date that is still right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Latest {
    /// The day on which the document is checked.
    Today,
    /// The date in this field.
    Field(FieldRef),
}

/// Something that must hold.
///
/// A check that names fields of a group is made for each repetition of it; fields of no group are the same in every
/// repetition. At most one group occurs in a check. A check holds when a field it needs is absent, unless its words
/// say otherwise. Normal forms are compared, never words as written.
#[derive(Debug, Clone)]
pub enum Check {
    /// `earlier` is not after `later`. Only the parts both dates have are compared: `2026-01` agrees with
    /// `2026-01-20`.
    DatesInOrder {
        /// The date that comes first.
        earlier: FieldRef,
        /// The date that comes last.
        later: FieldRef,
    },
    /// No date in `dates` is after `latest`, compared as in [`Check::DatesInOrder`].
    NotAfter {
        /// The dates; they may be of different groups, each is checked for itself.
        dates: Vec<FieldRef>,
        /// The limit.
        latest: Latest,
    },
    /// From `from` to `to` are at least `days` days; holds when either is not exact to the day.
    DaysApart {
        /// The first day.
        from: FieldRef,
        /// The last day.
        to: FieldRef,
        /// How many.
        days: u32,
    },
    /// When any of `any` is `Y`, `required` is `Y`; an absent `required` breaks it.
    AnyTrueRequires {
        /// The criteria.
        any: Vec<FieldRef>,
        /// What they require.
        required: FieldRef,
    },
    /// When `when` is `Y`, at least one of `any` is `Y`.
    TrueRequiresAny {
        /// The flag.
        when: FieldRef,
        /// What it requires one of.
        any: Vec<FieldRef>,
    },
    /// When `when` holds, `present` is there.
    ValueRequiresPresent {
        /// The condition.
        when: Value,
        /// What it requires.
        present: FieldRef,
    },
    /// When `when` holds, `absent` is not there.
    ValueForbidsPresent {
        /// The condition.
        when: Value,
        /// What it forbids.
        absent: FieldRef,
    },
    /// When `when` holds and `then`'s field is there, `then` holds.
    ValueImplies {
        /// The condition.
        when: Value,
        /// What follows.
        then: Value,
    },
    /// `left` holds exactly when `right` does, where both fields are there.
    ValuesTogether {
        /// One side.
        left: Value,
        /// The other side.
        right: Value,
    },
    /// The normal form of `field` is a number, perhaps with a comparison; where `with` is named, only in
    /// repetitions that have it (a result with a unit must be a number, "non-reactive" needs none).
    IsNumber {
        /// The field.
        field: FieldRef,
        /// The field that makes it a number.
        with: Option<FieldRef>,
    },
    /// `low` ≤ `field` ≤ `high`; a comparison counts as its number.
    NumberIn {
        /// The field.
        field: FieldRef,
        /// The least.
        low: f64,
        /// The most.
        high: f64,
    },
    /// A value in `field` has a unit.
    HasUnit {
        /// The field.
        field: FieldRef,
    },
    /// The unit in `unit` is one that `analytes` allows for the analyte in `test`. Holds for analytes the list does
    /// not know and for those without a list of units.
    UnitFits {
        /// The analyte.
        test: FieldRef,
        /// Its unit.
        unit: FieldRef,
        /// Analytes with their units.
        analytes: Arc<CodeList>,
    },
    /// `low` is less than `high`.
    RangeOrdered {
        /// The lower limit.
        low: FieldRef,
        /// The upper limit.
        high: FieldRef,
    },
    /// `flag` (`HIGH`, `LOW`, `NORMAL`; `ABNORMAL` agrees with either side) is what `value` is between `low` and
    /// `high`. An absent flag means nothing; a comparison is judged only where it decides.
    FlagAgreesWithRange {
        /// The result.
        value: FieldRef,
        /// The lower limit.
        low: FieldRef,
        /// The upper limit.
        high: FieldRef,
        /// The flag.
        flag: FieldRef,
    },
    /// A value in `field` is a term of the field's code list.
    InCodeList {
        /// The field.
        field: FieldRef,
    },
    /// The document has one distinct value of `field`.
    OneValue {
        /// The field.
        field: FieldRef,
    },
    /// Every field has evidence that its normal form follows from (GRD-01).
    Grounded,
    /// Where both sources have a field, they agree after normalisation (GRD-02).
    SourcesAgree,
}

impl Check {
    /// Every spelling in `rules.yaml`.
    pub const NAMES: [&str; 19] = [
        "dates_in_order",
        "not_after",
        "days_apart",
        "any_true_requires",
        "true_requires_any",
        "value_requires_present",
        "value_forbids_present",
        "value_implies",
        "values_together",
        "is_number",
        "number_in",
        "has_unit",
        "unit_fits",
        "range_ordered",
        "flag_agrees_with_range",
        "in_code_list",
        "one_value",
        "grounded",
        "sources_agree",
    ];

    /// The spelling in `rules.yaml`.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::DatesInOrder { .. } => "dates_in_order",
            Self::NotAfter { .. } => "not_after",
            Self::DaysApart { .. } => "days_apart",
            Self::AnyTrueRequires { .. } => "any_true_requires",
            Self::TrueRequiresAny { .. } => "true_requires_any",
            Self::ValueRequiresPresent { .. } => "value_requires_present",
            Self::ValueForbidsPresent { .. } => "value_forbids_present",
            Self::ValueImplies { .. } => "value_implies",
            Self::ValuesTogether { .. } => "values_together",
            Self::IsNumber { .. } => "is_number",
            Self::NumberIn { .. } => "number_in",
            Self::HasUnit { .. } => "has_unit",
            Self::UnitFits { .. } => "unit_fits",
            Self::RangeOrdered { .. } => "range_ordered",
            Self::FlagAgreesWithRange { .. } => "flag_agrees_with_range",
            Self::InCodeList { .. } => "in_code_list",
            Self::OneValue { .. } => "one_value",
            Self::Grounded => "grounded",
            Self::SourcesAgree => "sources_agree",
        }
    }

    /// The fields it is about, each under the word that messages and `rules.yaml` have for it.
    pub fn fields(&self) -> Vec<(&'static str, &FieldRef)> {
        fn each<'a>(word: &'static str, fields: &'a [FieldRef]) -> Vec<(&'static str, &'a FieldRef)> {
            fields.iter().map(|field| (word, field)).collect()
        }
        match self {
            Self::DatesInOrder { earlier, later } => vec![("earlier", earlier), ("later", later)],
            Self::NotAfter { dates, latest } => {
                let mut fields = each("date", dates);
                if let Latest::Field(latest) = latest {
                    fields.push(("latest", latest));
                }
                fields
            }
            Self::DaysApart { from, to, .. } => vec![("from", from), ("to", to)],
            Self::AnyTrueRequires { any, required } => {
                let mut fields = each("any", any);
                fields.push(("required", required));
                fields
            }
            Self::TrueRequiresAny { when, any } => {
                let mut fields = vec![("when", when)];
                fields.extend(each("any", any));
                fields
            }
            Self::ValueRequiresPresent { when, present } => vec![("when", &when.field), ("present", present)],
            Self::ValueForbidsPresent { when, absent } => vec![("when", &when.field), ("absent", absent)],
            Self::ValueImplies { when, then } => vec![("when", &when.field), ("then", &then.field)],
            Self::ValuesTogether { left, right } => vec![("left", &left.field), ("right", &right.field)],
            Self::IsNumber { field, with } => {
                let mut fields = vec![("field", field)];
                fields.extend(with.iter().map(|with| ("with", with)));
                fields
            }
            Self::NumberIn { field, .. }
            | Self::HasUnit { field }
            | Self::InCodeList { field }
            | Self::OneValue { field } => vec![("field", field)],
            Self::UnitFits { test, unit, .. } => vec![("test", test), ("unit", unit)],
            Self::RangeOrdered { low, high } => vec![("low", low), ("high", high)],
            Self::FlagAgreesWithRange { value, low, high, flag } => {
                vec![("value", value), ("low", low), ("high", high), ("flag", flag)]
            }
            Self::Grounded | Self::SourcesAgree => Vec::new(),
        }
    }
}

/// What a finding says: words with places for the names and values of the fields it is about.
///
/// `{earlier}` is the name of the field that the check calls `earlier`, `{earlier.value}` is its value. A check over
/// every field ([`Check::Grounded`], [`Check::SourcesAgree`]) calls the one it complains about `field`. A word that
/// stands for several fields (`any`, `date`) is the one the finding is about, or all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message(pub(crate) Vec<Part>);

/// A stretch of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Words.
    Words(String),
    /// The name of the field with this word.
    Name(String),
    /// The value of the field with this word.
    Value(String),
}

impl Message {
    /// Its parts.
    pub fn parts(&self) -> &[Part] {
        &self.0
    }

    /// The words, with `name` and `value` asked for what stands in each place.
    pub fn render(&self, name: impl Fn(&str) -> String, value: impl Fn(&str) -> String) -> String {
        self.0
            .iter()
            .map(|part| match part {
                Part::Words(words) => words.clone(),
                Part::Name(word) => name(word),
                Part::Value(word) => value(word),
            })
            .collect()
    }

    /// Reads a message. The error says what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(open) = rest.find('{') {
            if open > 0 {
                parts.push(Part::Words(rest[..open].to_owned()));
            }
            let Some(length) = rest[open..].find('}') else { return Err("`{` without `}`") };
            let place = &rest[open + 1..open + length];
            match place.strip_suffix(".value") {
                Some(word) => parts.push(Part::Value(word.to_owned())),
                None => parts.push(Part::Name(place.to_owned())),
            }
            rest = &rest[open + length + 1..];
        }
        if !rest.is_empty() {
            parts.push(Part::Words(rest.to_owned()));
        }
        if parts.is_empty() {
            return Err("a message has words");
        }
        Ok(Self(parts))
    }
}

#[cfg(test)]
mod tests {
    use super::Message;

    #[test]
    fn a_message_names_fields_and_quotes_values() {
        let message = Message::parse("`{earlier}` ({earlier.value}) is after `{later}`").unwrap();
        let text = message.render(|word| format!("the {word} date"), |word| format!("value of {word}"));
        assert_eq!(text, "`the earlier date` (value of earlier) is after `the later date`");
        assert!(Message::parse("open {place").is_err());
    }
}
