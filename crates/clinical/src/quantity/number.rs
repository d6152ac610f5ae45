//! Decimal numbers as printed, kept exactly, with the comparison sign before them.

use std::fmt;

/// How a result stands to the number: "<6" is below it by an unknown amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operator {
    /// `<`
    Less,
    /// `<=`, `≤`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`, `≥`
    GreaterOrEqual,
}

impl Operator {
    /// The plain spelling.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }
}

/// A decimal number, digit for digit: "0.30" stays apart from "0.3", because precision is part of a result.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Number {
    /// The comparison sign, if there is one.
    pub operator: Option<Operator>,
    /// An optional minus, digits, and a point with digits after it if there is a fraction. Never empty.
    digits: String,
}

impl Number {
    /// The number without its operator, as a decimal string.
    pub fn digits(&self) -> &str {
        &self.digits
    }

    /// The nearest binary number, for comparing with limits; for storing use [`Number::digits`].
    pub fn value(&self) -> f64 {
        self.digits.parse().expect("digits is an optional minus, digits and at most one point between digits")
    }
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.operator.map_or("", Operator::as_str))?;
        f.write_str(&self.digits)
    }
}

/// Reads a whole value as a number: `142`, `<6`, `>= 1,500`, `-2.5`, `38,9`, `.5`.
///
/// A comma before exactly three digits parts thousands, as English documents have it; any other single comma is
/// a decimal comma. `None` for anything else, also for two numbers.
pub fn parse_number(text: &str) -> Option<Number> {
    let text = text.trim();
    let (number, end) = at(text)?;
    (end == text.len()).then_some(number)
}

/// The number at the start of `text`, and the byte it ends before.
pub(crate) fn at(text: &str) -> Option<(Number, usize)> {
    let (operator, rest) = operator(text);
    let rest = rest.trim_start();
    let (minus, rest) = match rest.strip_prefix(['-', '\u{2212}']) {
        Some(after) => ("-", after),
        None => ("", rest),
    };
    let length = rest.find(|c: char| !(c.is_ascii_digit() || c == '.' || c == ',')).unwrap_or(rest.len());
    // A sentence's period or a list's comma is not the number's.
    let written = rest[..length].trim_end_matches(['.', ',']);
    let digits = plain(written)?;
    let end = text.len() - rest.len() + written.len();
    Some((Number { operator, digits: format!("{minus}{digits}") }, end))
}

/// The upper end of a range whose lower end came just before `text`: "-10 mg", " to 10", "–10"; and its length.
pub(crate) fn range_end(text: &str) -> Option<(Number, usize)> {
    let rest = text.trim_start();
    let after =
        ["-", "\u{2013}", "\u{2014}", "to "].iter().find_map(|joint| rest.strip_prefix(joint))?.trim_start();
    let (number, length) = at(after)?;
    (number.operator.is_none() && !number.digits.starts_with('-'))
        .then(|| (number, text.len() - after.len() + length))
}

fn operator(text: &str) -> (Option<Operator>, &str) {
    const SIGNS: [(&str, Operator); 8] = [
        ("<=", Operator::LessOrEqual),
        (">=", Operator::GreaterOrEqual),
        ("=<", Operator::LessOrEqual),
        ("=>", Operator::GreaterOrEqual),
        ("\u{2264}", Operator::LessOrEqual),
        ("\u{2265}", Operator::GreaterOrEqual),
        ("<", Operator::Less),
        (">", Operator::Greater),
    ];
    SIGNS
        .iter()
        .find_map(|(sign, operator)| text.strip_prefix(sign).map(|rest| (Some(*operator), rest)))
        .unwrap_or((None, text))
}

/// The decimal string of digits with points and commas.
fn plain(written: &str) -> Option<String> {
    let (whole, fraction) = match (written.matches('.').count(), written.matches(',').count()) {
        (0, 0) => (written.to_owned(), None),
        (1, 0) => written.split_once('.').map(|(whole, part)| (whole.to_owned(), Some(part)))?,
        (0, 1) if !thousands(written) => {
            written.split_once(',').map(|(whole, part)| (whole.to_owned(), Some(part)))?
        }
        (0, _) if thousands(written) => (written.replace(',', ""), None),
        (1, _) => {
            let (whole, part) = written.split_once('.')?;
            thousands(whole).then(|| (whole.replace(',', ""), Some(part)))?
        }
        _ => return None,
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(&whole) || fraction.is_some_and(|part| part.is_empty() || !digits(part)) {
        return None;
    }
    let whole = match whole.trim_start_matches('0') {
        "" if written.is_empty() => return None,
        "" => "0",
        trimmed => trimmed,
    };
    Some(fraction.map_or_else(|| whole.to_owned(), |part| format!("{whole}.{part}")))
}

/// True for "1,500" and "1,234,567".
fn thousands(written: &str) -> bool {
    let mut groups = written.split(',');
    let first = groups.next().unwrap_or_default();
    (1..=3).contains(&first.len()) && !first.starts_with('0') && groups.all(|group| group.len() == 3)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Operator, parse_number, range_end};

    fn digits(text: &str) -> Option<String> {
        parse_number(text).map(|number| number.to_string())
    }

    #[test]
    fn numbers_are_kept_digit_for_digit() {
        for (written, normal) in [
            ("142", "142"),
            ("0.30", "0.30"),
            (".5", "0.5"),
            ("007", "7"),
            ("1,500", "1500"),
            ("1,234.5", "1234.5"),
            ("38,9", "38.9"),
            ("0,125", "0.125"),
            ("-2.5", "-2.5"),
            ("\u{2264}6", "<=6"),
            ("> 100", ">100"),
        ] {
            assert_eq!(digits(written).as_deref(), Some(normal), "{written}");
        }
        assert_eq!(parse_number("<6").unwrap().operator, Some(Operator::Less));
    }

    #[test]
    fn what_is_no_single_number_is_none() {
        for written in ["", ".", "1.2.3", "12 13", "abc", "<", "1,50,0", "5-10"] {
            assert_eq!(digits(written), None, "{written}");
        }
    }

    #[test]
    fn a_range_goes_on_over_a_dash_or_to() {
        assert_eq!(
            range_end(" - 10 mg").map(|(number, length)| (number.to_string(), length)),
            Some(("10".to_owned(), 5))
        );
        assert_eq!(range_end(" to 10").map(|(number, _)| number.to_string()).as_deref(), Some("10"));
        assert_eq!(range_end(" tablets"), None);
    }

    proptest! {
        #[test]
        fn a_printed_number_reads_back(value in -100_000i32..100_000, places in 0usize..4) {
            let printed = format!("{:.places$}", f64::from(value) / 100.0);
            let read = parse_number(&printed).unwrap();
            prop_assert!((read.value() - printed.parse::<f64>().unwrap()).abs() < 1e-9);
        }

        #[test]
        fn no_text_makes_it_panic(text in "[<>=≤0-9.,\\- ]{0,12}") {
            let _ = parse_number(&text).map(|number| number.value());
        }
    }
}
