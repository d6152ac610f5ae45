//! Dates that could identify: anything finer than a year.

use std::sync::LazyLock;

use clinflow_clinical::dates;
use regex::Regex;

use super::{Found, Identifier};

/// Forms of dates; [`dates::parse`] is asked where a form is also that of ratios and versions.
static FORMS: LazyLock<Regex> = LazyLock::new(|| {
    const MONTH: &str = "(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)";
    const DAY: &str = "[0-9]{1,2}(?:st|nd|rd|th)?";
    const YEAR: &str = "(?:[0-9]{4}|'?[0-9]{2})";
    Regex::new(&format!(
        r"(?i)\b(?:(?P<numbers>[0-9]{{4}}[-/.][0-9]{{1,2}}[-/.][0-9]{{1,2}}|[0-9]{{1,2}}[-/.][0-9]{{1,2}}[-/.]{YEAR})|(?:the )?{DAY}(?:[-/., ]{{1,2}}| of ){MONTH}(?:[-/., ]{{1,3}}{YEAR}\b)?|{MONTH}\.?[ -]{DAY}(?:,? {{1,2}}[0-9]{{4}}|,? ?['\x{{2019}}][0-9]{{2}})?|{MONTH}\.?,? (?:of )?[0-9]{{4}}|[0-9]{{1,2}}{MONTH}[0-9]{{2,4}}|(?P<slash>(?:0?[1-9]|1[0-2])/(?:[0-9]{{4}})))\b"
    ))
    .expect("a constant pattern, compiled by every test")
});

pub(super) fn find(text: &str, found: &mut Vec<Found>) {
    for captures in FORMS.captures_iter(text) {
        let Some(hit) = captures.get(0) else { continue };
        let is_date = captures.name("numbers").is_none_or(|numbers| {
            dates::parse(numbers.as_str()).is_ok()
                || dates::parse(&numbers.as_str().replace('.', "/")).is_ok()
        });
        if is_date {
            found.push(Found { identifier: Identifier::Date, range: hit.range() });
        }
    }
}
