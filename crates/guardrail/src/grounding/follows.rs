//! Whether a normal form follows from the value as written.

use clinflow_clinical::{
    Label, dates, demographics,
    lexicon::Lexicon,
    quantity::{self, Number, parse_number, parse_quantity, ucum},
};
use clinflow_core::{Field, field::Source};

use super::{
    Kind, Terms,
    tick::{self, Ticks},
};
use crate::words::{holds, negates, same, words};

/// Whether the normal form of `field` follows from its value; a field without one makes no claim.
pub(super) fn normal_form(field: &Field, kind: Kind<'_>, label: Option<Label>, text: &str) -> bool {
    let Some(normalized) = &field.normalized else { return true };
    let (value, normalized) = (field.value.expose(), normalized.expose());
    match kind {
        Kind::Text => is_text(value, normalized, field.assertion.negated),
        Kind::Date => is_date(value, normalized, text),
        Kind::Number => is_number(value, normalized),
        Kind::Term(terms) => is_term(value, normalized, terms, label),
        Kind::Unit => ucum(value) == Some(normalized),
        Kind::Truth => is_truth(value, normalized),
    }
}

/// The same words, or a stretch of them, or the usual name of what they name. Dropping a negation is allowed only
/// where the field itself says that it is negated.
fn is_text(value: &str, normalized: &str, negated: bool) -> bool {
    if same(value, normalized) || ucum(value) == Some(normalized) {
        return true;
    }
    let stated = match tick::read(value) {
        Ticks::None(words) => vec![words],
        Ticks::Ticked(options) => options,
        Ticks::Empty(_) => return false,
    };
    stated.into_iter().any(|stated| {
        let (all, kept) = (words(stated), words(normalized));
        is_named(stated, normalized)
            || (holds(&all, &kept).is_some()
                && (negated
                    || all.iter().filter(|word| negates(word)).count()
                        == kept.iter().filter(|word| negates(word)).count()))
    })
}

/// Whether `normalized` is the name the lexicon prefers for `value`.
fn is_named(value: &str, normalized: &str) -> bool {
    const NAMED: [Label; 5] =
        [Label::Drug, Label::Condition, Label::Symptom, Label::Procedure, Label::LabTest];
    NAMED
        .iter()
        .filter_map(|label| Lexicon::shipped().lookup(*label, value))
        .any(|entry| same(entry.preferred, normalized))
}

/// The same day in either reading of an ambiguous one, or less of it. A date without a year follows when the year
/// is written elsewhere in the text.
fn is_date(value: &str, normalized: &str, text: &str) -> bool {
    if let Ok(date) = dates::parse(value) {
        return [Some(date), date.swapped()]
            .into_iter()
            .flatten()
            .any(|date| is_part_of(normalized, &date.iso()));
    }
    let Some(year) = normalized.get(..4).filter(|year| year.bytes().all(|byte| byte.is_ascii_digit())) else {
        return false;
    };
    dates::parse(&format!("{value} {year}")).is_ok_and(|date| is_part_of(normalized, &date.iso()))
        && text.contains(year)
}

/// Whether a date's normal form is `whole`, or `whole` cut off after the year, the month or the day.
fn is_part_of(part: &str, whole: &str) -> bool {
    whole
        .strip_prefix(part)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('T') || rest.starts_with('-'))
        && part.len() >= 4
}

/// The same number with the same comparison, digit for digit but for zeros at the end; a range is two numbers.
fn is_number(value: &str, normalized: &str) -> bool {
    if parse_quantity(value).is_some() && parse_quantity(normalized).is_some() {
        return same_number(value, normalized);
    }
    let stated = match tick::read(value) {
        Ticks::None(words) => words,
        Ticks::Ticked(options) if options.len() == 1 => options[0],
        Ticks::Ticked(_) | Ticks::Empty(_) => return false,
    };
    // A result need not be a number: "non-reactive".
    let Some(normal) = parse_number(normalized) else { return same(value, normalized) };
    match first_number(stated) {
        Some(written) => plain(&written) == plain(&normal),
        None => in_words(stated).is_some_and(|written| written == normal.to_string()),
    }
}

/// Whether two normal forms are the same number with the same comparison; other words are compared as words.
pub fn same_number(one: &str, other: &str) -> bool {
    match (parse_quantity(one), parse_quantity(other)) {
        (Some(one), Some(other)) => {
            plain(&one.low) == plain(&other.low)
                && one.high.as_ref().map(plain) == other.high.as_ref().map(plain)
        }
        _ => same(one, other),
    }
}

/// A number without the zeros at the end of its fraction: "0.30" and "0.3" are the same amount.
fn plain(number: &Number) -> String {
    let text = number.to_string();
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// The first number in words: 3 in "Grade 3", 57 in "57-year-old".
fn first_number(text: &str) -> Option<Number> {
    let is_part = |character: char| character.is_ascii_digit() || matches!(character, '.' | ',');
    let mut before = ' ';
    for (at, character) in text.char_indices() {
        if character.is_ascii_digit() && !before.is_alphanumeric() {
            let end =
                text[at..].find(|character| !is_part(character)).map_or(text.len(), |length| at + length);
            return parse_number(text[at..end].trim_end_matches(['.', ',']));
        }
        before = character;
    }
    None
}

/// A number in words or Roman numerals, the last one there is: "gr. III", "Amendment Two", "second".
fn in_words(text: &str) -> Option<String> {
    const NUMBERS: [[&str; 3]; 12] = [
        ["one", "first", "i"],
        ["two", "second", "ii"],
        ["three", "third", "iii"],
        ["four", "fourth", "iv"],
        ["five", "fifth", "v"],
        ["six", "sixth", "vi"],
        ["seven", "seventh", "vii"],
        ["eight", "eighth", "viii"],
        ["nine", "ninth", "ix"],
        ["ten", "tenth", "x"],
        ["eleven", "eleventh", "xi"],
        ["twelve", "twelfth", "xii"],
    ];
    let number = |word: &String| NUMBERS.iter().position(|spellings| spellings.contains(&word.as_str()));
    words(text).iter().rev().find_map(number).map(|at| (at + 1).to_string())
}

/// The term that a whole value or option stands for, or the term whose longest spelling stands in it without a
/// negation before it.
fn is_term(value: &str, normalized: &str, terms: &dyn Terms, label: Option<Label>) -> bool {
    let options = match tick::read(value) {
        Ticks::None(words) => vec![words],
        Ticks::Ticked(options) => options,
        Ticks::Empty(_) => return false,
    };
    options.into_iter().any(|option| match terms.find(option) {
        Some(term) => term == normalized,
        None => is_code_of(label, option, normalized) || longest_spelling(option, terms) == Some(normalized),
    })
}

/// Whether the lexicon says that `option` is the term `normalized` of a CDISC list.
fn is_code_of(label: Option<Label>, option: &str, normalized: &str) -> bool {
    let named = match label {
        Some(Label::Frequency) => return quantity::frequency(option).as_deref() == Some(normalized),
        Some(Label::Route) => quantity::route(option),
        Some(label) => Lexicon::shipped().lookup(label, option),
        None => None,
    };
    named.is_some_and(|entry| entry.preferred == normalized)
}

/// The term whose longest spelling stands in `text`; none when a negation stands right before it.
fn longest_spelling<'t>(text: &str, terms: &'t dyn Terms) -> Option<&'t str> {
    let all = words(text);
    let found = terms.spellings().into_iter().filter_map(|(spelling, term)| {
        let spelling = words(spelling);
        holds(&all, &spelling).map(|at| (spelling.len(), at, term))
    });
    let (_, at, term) = found.max_by_key(|(length, at, _)| (*length, usize::MAX - at))?;
    let negated = all[at.saturating_sub(2)..at].iter().any(|word| negates(word));
    (!negated).then_some(term)
}

/// `Y` where the words affirm, `N` where they deny or their box is empty.
fn is_truth(value: &str, normalized: &str) -> bool {
    let truth = match tick::read(value) {
        Ticks::None(words) => affirms(words),
        Ticks::Ticked(options) => options.into_iter().all(affirms),
        Ticks::Empty(words) => !affirms(words),
    };
    normalized == if truth { "Y" } else { "N" }
}

/// Whether words affirm: by their first word where that is an answer ("yes - no other criterion met"), else by having
/// no negation.
fn affirms(stated: &str) -> bool {
    let words = words(stated);
    match words.first().map(String::as_str) {
        Some("yes" | "y" | "true") => true,
        Some("no" | "n" | "false") => false,
        _ => !words.iter().any(|word| negates(word)),
    }
}

/// Whether the unit of `field` is the one written: in its value, in another stretch of its evidence, or beside it on
/// its line. A unit that is written nowhere near may come from the workflow's patterns, never from a model.
pub(super) fn unit(field: &Field, label: Option<Label>, written: &[&str], line: &str) -> bool {
    let Some(unit) = &field.unit else { return true };
    let value = field.value.expose();
    // The field is a unit itself; or an age, of which a number alone is years.
    if ucum(value) == Some(unit)
        || (label == Some(Label::Age) && demographics::age(value).is_some_and(|age| age.unit.ucum() == unit))
    {
        return true;
    }
    if let Some(in_value) = unit_after_number(value) {
        return in_value == unit;
    }
    written.iter().any(|stretch| ucum(stretch) == Some(unit) || unit_after_number(stretch) == Some(unit))
        || field.source != Source::Model
        || line.split_whitespace().any(|word| ucum(word.trim_end_matches([',', ';', ')', '.'])) == Some(unit))
}

/// The unit written after the first number of a value: `mg` in "150 mg PO", `a` in "57-year-old".
fn unit_after_number(value: &str) -> Option<&'static str> {
    if let Some(quantity) = parse_quantity(value) {
        return quantity.unit.map(|unit| unit.ucum);
    }
    let after = value.find(|character: char| character.is_ascii_digit())?;
    let rest = value[after..]
        .trim_start_matches(|character: char| character.is_ascii_digit() || ".,- ".contains(character));
    rest.split([' ', '-', ',', ';', '(']).next().and_then(ucum)
}
