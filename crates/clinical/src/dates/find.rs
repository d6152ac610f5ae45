//! Finding dates in running text.

use std::sync::LazyLock;

use regex::Regex;

use super::{cycle_day, parse, study_day};
use crate::{label::Label, mention::Mention};

/// Candidates; whether one is a date is for [`parse`] to say. A bare year is none: it is as often a dose or room.
static CANDIDATE: LazyLock<Regex> = LazyLock::new(|| {
    const MONTH: &str = "(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|\
                         sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)";
    const TIME: &str = r"(?:(?:t|,? +|,? +at +)\d{1,2}:\d{2}(?::\d{2})?(?: ?[ap]\.?m\.?)?)?";
    let forms = [
        format!(r"\d{{4}}[-/]\d{{1,2}}[-/]\d{{1,2}}{TIME}"),
        format!(
            r"(?:\d{{1,2}}(?:st|nd|rd|th)?|unk?|xx)(?:[-/. ]| of )?{MONTH}[-/., ]{{1,2}}(?:\d{{4}}|\d{{2}}){TIME}"
        ),
        format!(r"\d{{1,2}}{MONTH}\d{{4}}{TIME}"),
        format!(r"{MONTH}\.? +\d{{1,2}}(?:st|nd|rd|th)?,? +\d{{4}}{TIME}"),
        format!(r"{MONTH}\.?[-, ]+(?:of +)?\d{{4}}"),
        format!(r"\d{{1,2}}[/.-]\d{{1,2}}[/.-](?:\d{{4}}|\d{{2}}){TIME}"),
        "study day -?[0-9]{1,4}".to_owned(),
        r"c\d{1,2}d\d{1,3}".to_owned(),
        r"cycle \d{1,2},? day \d{1,3}".to_owned(),
    ];
    // ASCII word boundaries and no Unicode tables: those would take the engine's slow way on non-ASCII notes.
    let pattern = format!(r"(?i-u)\b(?:{})\b", forms.join("|"));
    Regex::new(&pattern).expect("the pattern is a constant, and every test of this file compiles it")
});

/// The dates, study days and cycle days of `text`. Normal forms: ISO, `study day 21`, `C2D15`.
pub(crate) fn find(text: &str) -> impl Iterator<Item = Mention> + '_ {
    CANDIDATE.find_iter(text).filter_map(|found| {
        let written = found.as_str();
        let normal = match parse(written) {
            Ok(date) => date.iso(),
            Err(_) => match (cycle_day(written), study_day(written)) {
                (Some((cycle, day)), _) => format!("C{cycle}D{day}"),
                (None, Some(day)) => format!("study day {day}"),
                (None, None) => return None,
            },
        };
        Some(Mention::normal(found.range(), Label::Date, Some(normal)))
    })
}

#[cfg(test)]
mod tests {
    use super::find;

    fn found(text: &str) -> Vec<(&str, String)> {
        find(text).map(|mention| (&text[mention.range.clone()], mention.normalized.unwrap())).collect()
    }

    #[test]
    fn dates_are_found_in_running_text_with_their_iso_form() {
        assert_eq!(
            found("On 09-JAN-2026 (study day 21, C2D15) until January 14, 2026; temp 38.9."),
            [
                ("09-JAN-2026", "2026-01-09".to_owned()),
                ("study day 21", "study day 21".to_owned()),
                ("C2D15", "C2D15".to_owned()),
                ("January 14, 2026", "2026-01-14".to_owned()),
            ]
        );
    }

    #[test]
    fn numbers_that_are_no_calendar_day_are_not_dates() {
        assert_eq!(found("ratio 45/99/2026, version 1.2.3, phone 555-12-3456"), []);
    }

    #[test]
    fn partial_dates_and_times_are_found_whole() {
        let text = "since UN-JAN-2026; seen 2026-01-09T08:15 and in March 2025";
        assert_eq!(
            found(text).into_iter().map(|(written, _)| written).collect::<Vec<_>>(),
            ["UN-JAN-2026", "2026-01-09T08:15", "March 2025"]
        );
    }
}
