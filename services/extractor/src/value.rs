//! The value in a stretch of text: which part of it is meant, and its normal form.

use std::{ops::Range, sync::LazyLock};

use clinflow_workflow::{FieldSpec, FieldType, fold};
use regex::Regex;

use crate::{
    boxes, confidence,
    normalise::{DateOrder, Normal, exact, normalise},
};

/// A value that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reading {
    /// The bytes it rests on; more than one stretch where a cell goes on below.
    pub(crate) pieces: Vec<Range<usize>>,
    /// Its normal form.
    pub(crate) normal: Normal,
    /// How much less it can be relied on than the cell it stands in, in thousandths.
    pub(crate) doubt: u16,
}

static DATE: LazyLock<Regex> = LazyLock::new(|| {
    // Unwrap safety: the pattern is a constant and every test of this module compiles it.
    Regex::new(
        r"(?xi) \b
        ( \d{4}-\d{2}-\d{2} (T\d{2}:\d{2})?
        | (\d{1,2}(st|nd|rd|th)? | un[k]?)[\ -]{0,8}(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|un)[a-z]*\.?,?[\ -]{0,8}\d{4}
        | (jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?[\ -](\d{1,2}(st|nd|rd|th)?,?\ )?\d{4}
        | \d{1,2}[./-]\d{1,2}[./-](\d{4}|\d{2})
        | \d{4}-\d{2}
        ) \b
        (,?\ {1,2}(at\ )?\d{2}:?\d{2}(:\d{2})?\b)?",
    )
    .expect("a constant pattern")
});

static AMOUNT: LazyLock<Regex> = LazyLock::new(|| {
    // Unwrap safety: the pattern is a constant and every test of this module compiles it.
    Regex::new(r"^[<>≤≥~]?\s?\d+([.,]\d+)?\s?(%|[A-Za-zµμ°]+(/[A-Za-z0-9]+)*)?").expect("a constant pattern")
});

static AGE: LazyLock<Regex> = LazyLock::new(|| {
    // Unwrap safety: the pattern is a constant and every test of this module compiles it.
    Regex::new(r"(?i)\b\d{1,3}([ -]?(years?|yrs?|months?|mo|weeks?|days?|y/?o|y|a)\b)?([ -]old)?")
        .expect("a constant pattern")
});

/// Words a term may have in running text.
const TERM_WORDS: usize = 6;
/// Words of a cell in which a term is looked for.
const CELL_WORDS: usize = 16;

/// Reads the value of `field` in `text[range]`.
pub(crate) fn read(field: &FieldSpec, text: &str, range: Range<usize>, order: DateOrder) -> Option<Reading> {
    let range = trimmed(text, range);
    let words = &text[range.clone()];
    if words.is_empty() || is_blank(words) {
        return None;
    }
    if boxes::any(words) {
        return ticked(field, text, range, order);
    }
    let part = |part: Range<usize>| range.start + part.start..range.start + part.end;
    let normal = |part: &str| normalise(field, part, order);
    match &field.kind {
        FieldType::Text | FieldType::Number | FieldType::Unit | FieldType::Boolean => {
            whole(range.clone(), normal(words)?)
        }
        FieldType::Date => {
            let at = date_in(words)?;
            // What follows may look like a time of day and be none.
            let without_time = at.start + words[at.clone()].find("  ").unwrap_or_else(|| at.len());
            [at.clone(), at.start..without_time]
                .into_iter()
                .find_map(|at| whole(part(at.clone()), normal(&words[at])?))
        }
        FieldType::Quantity if field.label.as_deref() == Some("age") => {
            let at = AGE.find(words)?.range();
            whole(part(at.clone()), normal(&words[at])?)
        }
        FieldType::Quantity => amount(words, &normal).and_then(|(at, normal)| whole(part(at), normal)),
        FieldType::Code(_) => term(field, words, order).map(|(at, normal, doubt)| Reading {
            pieces: vec![part(at)],
            normal,
            doubt,
        }),
    }
}

/// A value given by the words at ticked boxes: the one ticked box whose words are a value.
fn ticked(field: &FieldSpec, text: &str, range: Range<usize>, order: DateOrder) -> Option<Reading> {
    let mut read = boxes::find(text, range).into_iter().filter(|found| found.ticked).filter_map(|found| {
        let words = &text[found.label.clone()];
        let normal = match &field.kind {
            FieldType::Code(_) => term(field, words, order)?.1,
            _ => normalise(field, words, order)?,
        };
        Some(Reading { pieces: vec![found.bytes], normal, doubt: 0 })
    });
    let first = read.next()?;
    // Two boxes ticked for one value: a person must look.
    match read.next() {
        Some(second) if second.normal != first.normal => Some(Reading {
            normal: Normal { form: None, ..first.normal },
            doubt: confidence::CONTRADICTED,
            ..first
        }),
        _ => Some(first),
    }
}

#[expect(clippy::unnecessary_wraps, reason = "every arm of `read` answers an option")]
fn whole(at: Range<usize>, normal: Normal) -> Option<Reading> {
    Some(Reading { pieces: vec![at], normal, doubt: 0 })
}

/// The first date in `words`.
pub(crate) fn date_in(words: &str) -> Option<Range<usize>> {
    DATE.find(words).map(|found| found.range())
}

/// The dates in `words` that are all numbers and slashes.
pub(crate) fn order_of_dates(text: &str) -> DateOrder {
    static SLASHED: LazyLock<Regex> = LazyLock::new(|| {
        // Unwrap safety: the pattern is a constant and every test of this module compiles it.
        Regex::new(r"\b(\d{1,2})/(\d{1,2})/(?:\d{4}|\d{2})\b").expect("a constant pattern")
    });
    let (mut day_first, mut month_first) = (false, false);
    for found in SLASHED.captures_iter(text) {
        let number = |group: usize| found.get(group).and_then(|part| part.as_str().parse::<u8>().ok());
        day_first |= number(1).is_some_and(|first| first > 12);
        month_first |= number(2).is_some_and(|second| second > 12);
    }
    match (day_first, month_first) {
        (true, false) => DateOrder::DayFirst,
        (false, true) => DateOrder::MonthFirst,
        (true, true) | (false, false) => DateOrder::Unknown,
    }
}

/// The amount at the start of `words`: with its unit if that is one.
fn amount(words: &str, normal: &impl Fn(&str) -> Option<Normal>) -> Option<(Range<usize>, Normal)> {
    let found = AMOUNT.find(words)?;
    if let Some(normal) = normal(found.as_str()) {
        return Some((0..found.end(), normal));
    }
    let number = found.as_str().trim_end_matches(|c: char| !c.is_ascii_digit());
    normal(number).map(|normal| (0..number.len(), normal))
}

/// The term in `words`: the whole, else what stands before a bracket, a dash or a full stop, else the first words
/// that are one; and how much is to be taken off for that.
fn term(field: &FieldSpec, words: &str, order: DateOrder) -> Option<(Range<usize>, Normal, u16)> {
    if let Some(normal) = exact(field, words) {
        return Some((0..words.len(), normal, 0));
    }
    for stop in ["  ", "(", " - ", "; ", ". ", ", "] {
        let Some(end) = words.find(stop) else { continue };
        let part = words[..end].trim_end();
        if let Some(normal) = exact(field, part) {
            return Some((0..part.len(), normal, 0));
        }
    }
    let tokens = tokens(words);
    for (first, from) in tokens.iter().enumerate() {
        let before = first.checked_sub(1).map(|before| fold(&words[tokens[before].clone()]));
        if before.is_some_and(|before| ["not", "no", "nicht", "without"].contains(&before.as_str())) {
            continue;
        }
        for to in tokens[first..].iter().take(TERM_WORDS).rev() {
            let part = words[from.start..to.end].trim_end_matches([',', '.', ';', ':', ')']);
            if let Some(normal) = exact(field, part) {
                return Some((from.start..from.start + part.len(), normal, confidence::PARTLY_READ));
            }
        }
    }
    let normal = normalise(field, words, order)?;
    Some((0..words.len(), normal, confidence::PARTLY_READ))
}

/// The first words of a cell, by their bytes.
fn tokens(words: &str) -> Vec<Range<usize>> {
    let mut tokens = Vec::new();
    let mut start = 0;
    for token in words.split(char::is_whitespace) {
        if !token.is_empty() {
            tokens.push(start..start + token.len());
        }
        // White space is one byte here, or more: the next token begins behind its character.
        start += token.len();
        start += words[start..].chars().next().map_or(0, char::len_utf8);
    }
    tokens.truncate(CELL_WORDS);
    tokens
}

/// A line to write on, a dash, nothing.
fn is_blank(words: &str) -> bool {
    words.chars().all(|c| matches!(c, '_' | '.' | '…' | '-' | '–' | '/' | ' '))
        && !matches!(words, "-" | "–" | "--")
}

/// Without white space and the marks that part a value from the next.
pub(crate) fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let words = &text[range.clone()];
    let begun = words.trim_start_matches(|c: char| c.is_whitespace() || c == ':');
    let start = range.end - begun.len();
    let words = begun.trim_end_matches(|c: char| c.is_whitespace() || c == ',' || c == ';');
    // The other half of a bracket stands before the label.
    let words = if words.contains('[') { words } else { words.trim_end_matches(']') };
    start..start + words.len()
}

#[cfg(test)]
mod tests {
    use clinflow_workflow::{Bundle, FieldRef, shipped};

    use super::{date_in, order_of_dates, read};
    use crate::normalise::DateOrder;

    fn value<'a>(field: &str, text: &'a str) -> Option<(&'a str, Option<String>)> {
        let bundle = Bundle::read(&shipped()).unwrap();
        let workflow = bundle.workflow(&"ae-report".parse().unwrap()).unwrap();
        let spec = workflow.resolve(&FieldRef::parse(field)).unwrap();
        let reading = read(spec, text, 0..text.len(), DateOrder::Unknown)?;
        Some((&text[reading.pieces[0].clone()], reading.normal.form))
    }

    #[test]
    fn the_value_is_found_in_its_cell_and_no_more_than_it() {
        assert_eq!(
            value("event.end_date", "19 Feb 2026  (vein recanalised)"),
            Some(("19 Feb 2026", Some("2026-02-19".into())))
        );
        assert_eq!(
            value("event.serious", "yes - admitted overnight"),
            Some(("yes - admitted overnight", Some("Y".into())))
        );
        assert_eq!(
            value("event.causality", "unlikely related. He had a flight"),
            Some(("unlikely related", Some("UNLIKELY RELATED".into())))
        );
        assert_eq!(
            value("event.ctcae_grade", "now CTCAE grade 3, not 2"),
            Some(("CTCAE grade 3", Some("3".into())))
        );
        assert_eq!(value("age", "57 y"), Some(("57 y", Some("57".into()))));
        assert_eq!(value("event.end_date", "____________"), None);
        assert_eq!(
            value("event.outcome", "[ ] Recovered  [X] Fatal"),
            Some(("[X] Fatal", Some("FATAL".into())))
        );
    }

    #[test]
    fn two_ticks_for_one_value_leave_it_to_a_person() {
        assert_eq!(value("event.outcome", "[X] Recovered  [X] Fatal"), Some(("[X] Recovered", None)));
    }

    #[test]
    fn dates_are_found_in_their_common_forms() {
        for (text, date) in [
            ("on 09-JAN-2026 (day 21)", "09-JAN-2026"),
            ("collected 14-Jan-2026 07:50, fasting", "14-Jan-2026 07:50"),
            ("27th January 2026", "27th January 2026"),
            ("since UN JAN 2026", "UN JAN 2026"),
            ("16.02.2026 07:35", "16.02.2026 07:35"),
            ("03/04/2026  0750", "03/04/2026  0750"),
            ("2026-03", "2026-03"),
        ] {
            assert_eq!(&text[date_in(text).unwrap()], date);
        }
    }

    #[test]
    fn one_date_that_can_be_read_in_one_way_decides_for_the_document() {
        assert_eq!(order_of_dates("12/01/2026, 13/01/2026"), DateOrder::DayFirst);
        assert_eq!(order_of_dates("02/17/2026"), DateOrder::MonthFirst);
        assert_eq!(order_of_dates("12/01/2026"), DateOrder::Unknown);
        assert_eq!(order_of_dates("13/01/2026 or 01/13/2026"), DateOrder::Unknown);
    }
}
