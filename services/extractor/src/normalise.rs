//! From a value as written to its normal form, by the field's type.

use clinflow_clinical::{Label, attributes, dates, demographics, lexicon::Lexicon, quantity};
use clinflow_core::field::Code;
use clinflow_workflow::{CodeList, FieldSpec, FieldType, Term};

/// A value in its normal form.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Normal {
    /// The form itself; `None` when a person must settle which of two it is.
    pub(crate) form: Option<String>,
    /// UCUM unit.
    pub(crate) unit: Option<String>,
    /// Codes of the value.
    pub(crate) codes: Vec<Code>,
    /// Whether a date can be read in two ways.
    pub(crate) ambiguous: bool,
}

impl Normal {
    fn form(form: impl Into<String>) -> Self {
        Self { form: Some(form.into()), ..Self::default() }
    }
}

/// In which order a document writes day and month when both are numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DateOrder {
    /// `13/01/2026` occurs.
    DayFirst,
    /// `01/13/2026` occurs.
    MonthFirst,
    /// Nothing in the document decides.
    Unknown,
}

/// The normal form of `written` as a value of `field`; `None` when it cannot be one.
pub(crate) fn normalise(field: &FieldSpec, written: &str, order: DateOrder) -> Option<Normal> {
    let written = written.trim();
    if !written.chars().any(|c| c.is_alphanumeric() || matches!(c, '+' | '-' | '*' | '%' | '↑' | '↓')) {
        return None;
    }
    match &field.kind {
        FieldType::Text => {
            written.chars().any(char::is_alphanumeric).then(|| Normal::form(single_spaced(written)))
        }
        FieldType::Date => date(written, order),
        FieldType::Number => Some(number(written)),
        FieldType::Quantity if field.label.as_deref() == Some(Label::Age.as_str()) => age(written),
        FieldType::Quantity => amount(written),
        FieldType::Unit => {
            let ucum = quantity::ucum(written)?;
            Some(Normal { unit: Some(ucum.to_owned()), ..Normal::form(ucum) })
        }
        FieldType::Code(list) => {
            let term = term(list, field.label.as_deref(), written)?;
            Some(Normal { codes: term.codes.clone(), ..Normal::form(&term.value) })
        }
        FieldType::Boolean => yes_or_no(written).map(|yes| Normal::form(if yes { "Y" } else { "N" })),
    }
}

/// With every run of white space one space.
pub(crate) fn single_spaced(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn date(written: &str, order: DateOrder) -> Option<Normal> {
    let date = dates::parse(&single_spaced(written)).ok()?;
    // Nobody writes the month first with dots between; a guessed century is no doubt about a trial's documents.
    let swappable = date.ambiguous() && written.contains(['/', '-']) && date.swapped().is_some();
    if !swappable {
        return Some(Normal::form(date.iso()));
    }
    match order {
        DateOrder::DayFirst => Some(Normal::form(date.iso())),
        DateOrder::MonthFirst => Some(Normal::form(date.swapped().unwrap_or(date).iso())),
        DateOrder::Unknown => Some(Normal { ambiguous: true, ..Normal::default() }),
    }
}

/// A number; words (a result can be "Non-reactive") stay words.
fn number(written: &str) -> Normal {
    const ORDINALS: [&str; 9] =
        ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth"];
    if let Some(position) = ORDINALS.iter().position(|ordinal| written.eq_ignore_ascii_case(ordinal)) {
        return Normal::form((position + 1).to_string());
    }
    quantity::parse_number(written)
        .map_or_else(|| Normal::form(single_spaced(written)), |number| Normal::form(number.to_string()))
}

fn age(written: &str) -> Option<Normal> {
    let age = demographics::age(written)?;
    Some(Normal { unit: Some(age.unit.ucum().to_owned()), ..Normal::form(age.value.to_string()) })
}

fn amount(written: &str) -> Option<Normal> {
    let quantity = quantity::parse_quantity(written)?;
    let number = quantity.low.to_string();
    let form = match &quantity.high {
        Some(high) => format!("{number}-{high}"),
        None => number,
    };
    Some(Normal { unit: quantity.unit.map(|unit| unit.ucum.to_owned()), ..Normal::form(form) })
}

/// The normal form of words that are a term as they stand, with nothing else around them.
pub(crate) fn exact(field: &FieldSpec, words: &str) -> Option<Normal> {
    let list = field.code_list()?;
    let of_lexicon = || {
        let label = field.label.as_deref()?.parse::<Label>().ok()?;
        list.find(Lexicon::shipped().lookup(label, words)?.preferred)
    };
    let term = list.find(words).or_else(of_lexicon)?;
    Some(Normal { codes: term.codes.clone(), ..Normal::form(&term.value) })
}

/// The term of `list` that `written` is: by its own spellings, else by those of the lexicon for the field's label.
fn term<'a>(list: &'a CodeList, label: Option<&str>, written: &str) -> Option<&'a Term> {
    if let Some(term) = list.find(written) {
        return Some(term);
    }
    let preferred = match label?.parse::<Label>().ok()? {
        Label::Route => quantity::route(written)?.preferred.to_owned(),
        Label::Frequency => quantity::frequency(written)?,
        Label::Outcome => attributes::outcome(written)?.preferred.to_owned(),
        Label::ActionTaken => attributes::action_taken(written)?.preferred.to_owned(),
        Label::Causality => attributes::causality(written)?.preferred.to_owned(),
        Label::Severity => attributes::severity(written)?.preferred.to_owned(),
        Label::Sex => demographics::sex(written)?.preferred.to_owned(),
        _ => return None,
    };
    list.find(&preferred)
}

/// What a cell says by its first words: "yes", "no - see page 2", "not required".
fn yes_or_no(written: &str) -> Option<bool> {
    let folded = clinflow_workflow::fold(written);
    let starts =
        |word: &str| folded == word || folded.strip_prefix(word).is_some_and(|rest| rest.starts_with(' '));
    if ["no", "n", "nein", "not", "none", "need not", "false"].into_iter().any(starts) {
        return Some(false);
    }
    ["yes", "y", "ja", "true", "required", "must", "are to", "x"].into_iter().any(starts).then_some(true)
}

#[cfg(test)]
mod tests {
    use clinflow_workflow::{Bundle, shipped};

    use super::{DateOrder, normalise};

    fn normal(
        workflow: &str,
        field: &str,
        written: &str,
        order: DateOrder,
    ) -> Option<(Option<String>, Option<String>)> {
        let bundle = Bundle::read(&shipped()).unwrap();
        let workflow = bundle.workflow(&workflow.parse().unwrap()).unwrap().clone();
        let spec = workflow.resolve(&clinflow_workflow::FieldRef::parse(field)).unwrap();
        normalise(spec, written, order).map(|normal| (normal.form, normal.unit))
    }

    fn some(form: &str) -> Option<(Option<String>, Option<String>)> {
        Some((Some(form.to_owned()), None))
    }

    #[test]
    fn a_date_that_can_be_read_in_two_ways_has_no_form_unless_the_document_decides() {
        let date = |written, order| normal("ae-report", "document_date", written, order);
        assert_eq!(date("03/04/2026", DateOrder::Unknown), Some((None, None)));
        assert_eq!(date("03/04/2026", DateOrder::DayFirst), some("2026-04-03"));
        assert_eq!(date("03/04/2026", DateOrder::MonthFirst), some("2026-03-04"));
        assert_eq!(date("09.01.2026", DateOrder::Unknown), some("2026-01-09"));
        assert_eq!(date("UN JAN 2026", DateOrder::Unknown), some("2026-01"));
        assert_eq!(date("unknown", DateOrder::Unknown), None);
    }

    #[test]
    fn terms_are_those_of_the_code_list_however_they_are_written() {
        let ae = |field, written| normal("ae-report", field, written, DateOrder::Unknown);
        assert_eq!(ae("event.outcome", "Not recovered"), some("NOT RECOVERED/NOT RESOLVED"));
        assert_eq!(ae("event.outcome", "has not resolved"), some("NOT RECOVERED/NOT RESOLVED"));
        assert_eq!(ae("suspect_drug.frequency", "q12h"), some("Q12H"));
        assert_eq!(ae("suspect_drug.route", "s.c."), some("SUBCUTANEOUS"));
        assert_eq!(ae("event.ctcae_grade", "CTC grade 3"), some("3"));
        assert_eq!(ae("event.outcome", "blue"), None);
    }

    #[test]
    fn amounts_units_and_flags_have_their_normal_forms() {
        assert_eq!(
            normal("ae-report", "suspect_drug.dose", "400 mcg", DateOrder::Unknown),
            Some((Some("400".to_owned()), Some("ug".to_owned())))
        );
        assert_eq!(
            normal("lab-report", "row.unit", "K/uL", DateOrder::Unknown),
            Some((Some("10*3/uL".to_owned()), Some("10*3/uL".to_owned())))
        );
        assert_eq!(normal("lab-report", "row.flag", "↑", DateOrder::Unknown), some("HIGH"));
        assert_eq!(normal("lab-report", "row.result", "13,8", DateOrder::Unknown), some("13.8"));
        assert_eq!(normal("lab-report", "fasting", "Not fasting", DateOrder::Unknown), some("N"));
    }
}
