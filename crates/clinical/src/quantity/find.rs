//! Finding doses, results, durations and frequencies in running text.

use std::{ops::Range, sync::LazyLock};

use regex::Regex;

use crate::{
    fold,
    label::Label,
    mention::Mention,
    quantity::{Class, Quantity, duration, number, schedule, unit},
};

/// The amounts with units, the durations and the frequencies of `text`.
///
/// `tests` are the ends of the names of laboratory tests and vital signs: a number close behind one is its
/// result, whatever its unit; other amounts of drug are doses, and other measurements are left alone unless a
/// unit says what they are.
pub(crate) fn find(text: &str, tests: &[usize]) -> Vec<Mention> {
    let mut found = Vec::new();
    let mut results = Vec::new();
    for test in tests {
        if let Some(amount) = result_after(text, *test) {
            results.push(amount.numbers.clone());
            found.extend(amount.result());
        }
    }
    let taken = |range: &Range<usize>| {
        let at = results.partition_point(|other| other.end <= range.start);
        results.get(at).is_some_and(|other| other.start < range.end)
    };
    for amount in amounts(text).filter(|amount| !taken(&amount.numbers)) {
        match amount.quantity.unit.map(|unit| unit.class) {
            Some(Class::Dose) => found.push(amount.whole(Label::Dose)),
            Some(Class::Time) if !is_point_in_time(text, &amount) => {
                let written = &text[amount.numbers.start..amount.end];
                if let Some(duration) = duration(written) {
                    found.push(Mention::normal(
                        amount.numbers.start..amount.end,
                        Label::Duration,
                        Some(duration.iso()),
                    ));
                }
            }
            Some(Class::Concentration | Class::Measure) => found.extend(amount.result()),
            Some(Class::Time) | None => {}
        }
    }
    found.extend(durations_in_words(text));
    found.extend(frequencies(text));
    found
}

/// A number or range standing in a text, with the unit after it.
struct Amount {
    quantity: Quantity,
    /// Bytes of the number or range with its operator.
    numbers: Range<usize>,
    /// Bytes of the unit; empty when there is none.
    unit: Range<usize>,
    /// Where it all ends.
    end: usize,
}

impl Amount {
    /// Number and unit as one mention.
    fn whole(&self, label: Label) -> Mention {
        Mention::normal(self.numbers.start..self.end, label, Some(self.quantity.normal()))
    }

    /// The number as a result and the unit as a unit, as reports have them in two columns.
    fn result(&self) -> impl Iterator<Item = Mention> + use<> {
        let number = Quantity { unit: None, ..self.quantity.clone() }.normal();
        let value = Mention::normal(self.numbers.clone(), Label::LabValue, Some(number));
        let range = self.unit.clone();
        let unit =
            self.quantity.unit.map(|unit| Mention::normal(range, Label::Unit, Some(unit.ucum.to_owned())));
        std::iter::once(value).chain(unit)
    }
}

/// Every number that has a known unit behind it.
fn amounts(text: &str) -> impl Iterator<Item = Amount> + '_ {
    let mut next = 0;
    std::iter::from_fn(move || {
        while let Some(offset) = text[next..].find(|c: char| c.is_ascii_digit()) {
            let digit = next + offset;
            let amount = begins_number(text, digit).and_then(|start| amount_at(text, start));
            match amount {
                Some(amount) => {
                    next = amount.end.max(digit + 1);
                    if amount.quantity.unit.is_some() {
                        return Some(amount);
                    }
                }
                None => next = digit + run_of_digits(&text[digit..]),
            }
        }
        None
    })
}

fn run_of_digits(text: &str) -> usize {
    text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len())
}

/// Where the number whose first digit is at `digit` begins, with its operator; `None` inside a word ("C2D15").
fn begins_number(text: &str, digit: usize) -> Option<usize> {
    let before = &text[..digit];
    if before.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '.' | ',' | '_' | '^' | '/')) {
        return before
            .ends_with('.')
            .then_some(digit - 1)
            .filter(|dot| !text[..*dot].ends_with(char::is_alphanumeric));
    }
    let trimmed = before.trim_end_matches(' ');
    let sign = trimmed.trim_end_matches(['<', '>', '=', '\u{2264}', '\u{2265}']);
    let operator =
        trimmed.len() > sign.len() && before.len() - trimmed.len() <= 1 && !trimmed[sign.len()..].eq("=");
    Some(if operator { sign.len() } else { digit })
}

fn amount_at(text: &str, start: usize) -> Option<Amount> {
    let (low, length) = number::at(&text[start..])?;
    let mut numbers = start..start + length;
    let mut high = None;
    if low.operator.is_none()
        && let Some((upper, length)) = number::range_end(&text[numbers.end..])
        // "120-80" of a telephone number or date goes on after the second number.
        && !text[numbers.end + length..].starts_with(['-', '/'])
    {
        numbers.end += length;
        high = Some(upper);
    }
    let rest = &text[numbers.end..];
    let gap = rest.len() - rest.trim_start_matches([' ', '\u{a0}']).len();
    let hyphen =
        usize::from(gap == 0 && rest.starts_with('-') && rest[1..].starts_with(|c: char| c.is_alphabetic()));
    let place = numbers.end + gap + hyphen;
    let found = (gap <= 2).then(|| unit::at(&text[place..])).flatten();
    let (unit, span) =
        found.map_or((None, numbers.end..numbers.end), |(unit, length)| (Some(unit), place..place + length));
    let end = span.end;
    Some(Amount { quantity: Quantity { low, high, unit }, numbers, unit: span, end })
}

/// Words that may stand between a test and its result.
static BETWEEN: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"^(?i-u)(?:[ \t]*(?:[:=,(]|\bof\b|\bwas\b|\bis\b|\bare\b|\bat\b|\blevels?\b|\bcount\b|\bvalue\b|\bto\b|\btoday\b|\bnow\b|\b(?:in|de)creased\b|\brose\b|\bfell\b|\belevated\b|\breading\b|\bapproximately\b|\babout\b))*[ \t]*",
    )
    .expect("the pattern is a constant, and every test of this file compiles it")
});

/// The result that follows the name of a test that ends at `end`.
fn result_after(text: &str, end: usize) -> Option<Amount> {
    let skipped = BETWEEN.find(&text[end..])?.len();
    let start = end + skipped;
    // A bare blank is enough ("ALT 142"), no blank is not ("CA125").
    if skipped == 0
        || !text[start..].starts_with(|c: char| c.is_ascii_digit() || "<>\u{2264}\u{2265}".contains(c))
    {
        return None;
    }
    let amount = amount_at(text, start)?;
    let date_or_word = text[amount.end..].starts_with(|c: char| c.is_alphanumeric() || c == '-');
    let ends_in_time = amount
        .quantity
        .unit
        .is_some_and(|unit| unit.class == Class::Time && unit.ucum != "s" && unit.ucum != "ms");
    (!date_or_word && !ends_in_time).then_some(amount)
}

/// "3 days ago" and "57 years old" are no durations.
fn is_point_in_time(text: &str, amount: &Amount) -> bool {
    let after = text[amount.end..].trim_start_matches([' ', '-']);
    let starts = |word: &str| after.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word));
    starts("ago") || starts("old") || starts("of age") || starts("earlier") || starts("later")
}

static IN_WORDS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?i-u)\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)[ -](?:hour|day|week|month|year)s?\b",
    )
    .expect("the pattern is a constant, and every test of this file compiles it")
});

fn durations_in_words(text: &str) -> impl Iterator<Item = Mention> + '_ {
    IN_WORDS.find_iter(text).filter_map(|found| {
        let after = text[found.end()..].trim_start_matches([' ', '-']);
        let point = ["ago", "old", "earlier", "later"].iter().any(|word| after.starts_with(word));
        let length = duration(found.as_str()).filter(|_| !point)?;
        Some(Mention::normal(found.range(), Label::Duration, Some(length.iso())))
    })
}

static FREQUENCY: LazyLock<Regex> = LazyLock::new(|| {
    const COUNT: &str = "(?:[0-9]{1,2}|one|two|three|four|five|six|seven|eight|nine|ten|twelve)";
    let interval = format!(
        "q ?[0-9]{{1,2}}(?:-[0-9]{{1,2}})? ?(?:h|hr|hrs|hours?|d|days?|w|wks?|weeks?)\
         |every {COUNT}(?:-[0-9]{{1,2}})? (?:h|hrs?|hours?|days?|wks?|weeks?|months?)"
    );
    let times = format!("{COUNT} ?(?:times|x)[ /](?:a |per |each )?(?:day|daily|week|weekly|month|monthly)");
    Regex::new(&format!(r"(?i-u)\b(?:{interval}|{times})\b"))
        .expect("the pattern is a constant, and every test of this file compiles it")
});

fn frequencies(text: &str) -> impl Iterator<Item = Mention> + '_ {
    FREQUENCY.find_iter(text).filter_map(|found| {
        let term = schedule::by_rule(&fold::folded(found.as_str()))?;
        Some(Mention::normal(found.range(), Label::Frequency, Some(term)))
    })
}

#[cfg(test)]
mod tests {
    use super::find;
    use crate::label::Label;

    fn found<'a>(text: &'a str, test: &str) -> Vec<(&'a str, Label, String)> {
        let tests: Vec<_> =
            text.match_indices(test).filter(|(_, m)| !m.is_empty()).map(|(at, m)| at + m.len()).collect();
        let mut found: Vec<_> = find(text, &tests)
            .into_iter()
            .map(|mention| (mention.range.clone(), mention.label, mention.normalized.unwrap()))
            .collect();
        found.sort_by_key(|(range, _, _)| range.start);
        found.into_iter().map(|(range, label, normal)| (&text[range], label, normal)).collect()
    }

    #[test]
    fn a_prescription_has_its_dose_interval_and_duration() {
        assert_eq!(
            found("piperacillin/tazobactam 4.5 g IV q8h for 7 days", ""),
            [
                ("4.5 g", Label::Dose, "4.5 g".to_owned()),
                ("q8h", Label::Frequency, "Q8H".to_owned()),
                ("7 days", Label::Duration, "P7D".to_owned()),
            ]
        );
    }

    #[test]
    fn a_number_behind_a_test_is_its_result_and_the_unit_stands_apart() {
        assert_eq!(
            found("ANC was <0.3 x10^9/L on admission", "ANC"),
            [("<0.3", Label::LabValue, "<0.3".to_owned()), ("x10^9/L", Label::Unit, "10*9/L".to_owned())]
        );
        assert_eq!(
            found("potassium 5.1, sodium pending", "potassium"),
            [("5.1", Label::LabValue, "5.1".to_owned())]
        );
    }

    #[test]
    fn ages_and_points_in_time_are_no_durations() {
        assert_eq!(found("a 57-year-old seen 3 days ago, two weeks later", ""), []);
        assert_eq!(found("codes C2D15 and 555-1234", ""), []);
    }

    #[test]
    fn doses_keep_ranges_and_weights() {
        assert_eq!(
            found("0.5-1 mg/kg/day, 1500 mg/m2, 20mg", ""),
            [
                ("0.5-1 mg/kg/day", Label::Dose, "0.5-1 mg/kg/d".to_owned()),
                ("1500 mg/m2", Label::Dose, "1500 mg/m2".to_owned()),
                ("20mg", Label::Dose, "20 mg".to_owned()),
            ]
        );
    }
}
