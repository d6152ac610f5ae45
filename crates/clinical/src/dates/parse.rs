//! Reading one date.

use super::{Error, PartialDate};

/// A part of a written date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Digits: how many and their value.
    Number { digits: usize, value: i16 },
    /// A month by name.
    Month(i8),
    /// "UN", "UNK", "XX", "??": known to be unknown.
    Unknown,
}

use Part::{Month, Number, Unknown};

/// Reads a date as written: `09-JAN-2026`, `2026-01-09`, `9 January 2026`, `January 9th, 2026`, `Jan 2026`,
/// `UN-JAN-2026`, `2026`, `09.01.2026`, `12/01/2026`, `20260109`, each with a time of day after it if there is one.
///
/// Of two numbers that could both be the month, the first is taken for the day, as ICH and CDISC forms outside
/// the United States have it, and the date is flagged [`ambiguous`](PartialDate::ambiguous). Two-digit years
/// turn at 69 as in POSIX and are flagged too.
///
/// # Errors
///
/// [`Error::Unrecognised`] for another form, [`Error::NoSuchDay`] and [`Error::NoSuchTime`] for a form that no
/// calendar or clock fills.
pub fn parse(text: &str) -> Result<PartialDate, Error> {
    let (date, time) = split_time(text.trim());
    let time = time.map(clock).transpose()?;
    let parsed = civil(&parts(date).ok_or(Error::Unrecognised)?)?;
    if time.is_some() && parsed.civil().is_none() {
        return Err(Error::Unrecognised);
    }
    Ok(PartialDate { time, ..parsed })
}

/// Finds the date in its parts by their order and form.
fn civil(parts: &[Part]) -> Result<PartialDate, Error> {
    match *parts {
        // 2026
        [Number { digits: 4, value: year }] => PartialDate::new(year, None, None),
        // 2026-01-09, 2026-UN-09, 2026-01-UN
        [Number { digits: 4, value: year }, month, day] => {
            PartialDate::new(year, month_of(month)?, day_of(day)?)
        }
        // 2026-01, 2026 Jan
        [Number { digits: 4, value: year }, month] => PartialDate::new(year, month_of(month)?, None),
        // 09-JAN-2026, 9 January 26, UN-JAN-2026
        [day @ (Number { .. } | Unknown), Month(month), year] => {
            let (year, guessed) = year_of(year)?;
            Ok(PartialDate::new(year, Some(month), day_of(day)?)?.flagged(guessed))
        }
        // January 9, 2026
        [Month(month), day, year] => {
            let (year, guessed) = year_of(year)?;
            Ok(PartialDate::new(year, Some(month), day_of(day)?)?.flagged(guessed))
        }
        // Jan 2026; 01/2026
        [month, year @ Number { digits: 4, .. }] => {
            PartialDate::new(year_of(year)?.0, month_of(month)?, None)
        }
        // UN-UN-2026, UN/01/2026, 09-UN-2026
        [Unknown, month, year] | [month, Unknown, year] if !matches!(year, Unknown) => {
            let (year, guessed) = year_of(year)?;
            let date = match parts {
                [Unknown, _, _] => PartialDate::new(year, month_of(month)?, None),
                _ => PartialDate::new(year, None, day_of(month)?),
            };
            Ok(date?.flagged(guessed))
        }
        // 12/01/2026, 9.1.26
        [Number { digits: 1 | 2, value: first }, Number { digits: 1 | 2, value: second }, year] => {
            let (year, guessed) = year_of(year)?;
            let (first, second) = (small(first)?, small(second)?);
            let swappable = first <= 12 && second <= 12 && first != second;
            let (day, month) = if second > 12 { (second, first) } else { (first, second) };
            Ok(PartialDate::new(year, Some(month), Some(day))?.flagged(swappable || guessed))
        }
        _ => Err(Error::Unrecognised),
    }
}

fn month_of(part: Part) -> Result<Option<i8>, Error> {
    match part {
        Month(month) => Ok(Some(month)),
        Number { digits: 1 | 2, value } => small(value).map(Some),
        Unknown => Ok(None),
        Number { .. } => Err(Error::Unrecognised),
    }
}

fn day_of(part: Part) -> Result<Option<i8>, Error> {
    match part {
        Number { digits: 1 | 2, value } => small(value).map(Some),
        Unknown => Ok(None),
        Number { .. } | Month(_) => Err(Error::Unrecognised),
    }
}

/// The year and whether its century is a guess.
const fn year_of(part: Part) -> Result<(i16, bool), Error> {
    match part {
        Number { digits: 4, value } => Ok((value, false)),
        Number { digits: 2, value } => Ok((if value < 69 { 2000 + value } else { 1900 + value }, true)),
        Number { .. } | Month(_) | Unknown => Err(Error::Unrecognised),
    }
}

fn small(value: i16) -> Result<i8, Error> {
    i8::try_from(value).map_err(|_| Error::NoSuchDay)
}

/// The parts of a date, or `None` when something in it is no part of any date.
fn parts(text: &str) -> Option<Vec<Part>> {
    // Eight digits are year, month and day written together (E2B, HL7).
    if text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return [&text[..4], &text[4..6], &text[6..]].into_iter().map(part).collect();
    }
    let mut parts = Vec::with_capacity(3);
    for token in text.split(['-', '/', '.', ' ', ',', '\u{2010}', '\u{2011}', '\u{2013}']) {
        let joins = token.is_empty() || token.eq_ignore_ascii_case("of") || token.eq_ignore_ascii_case("the");
        if joins {
            continue;
        }
        // "09JAN2026"
        for piece in by_kind(token) {
            parts.push(part(piece)?);
        }
    }
    (1..=3).contains(&parts.len()).then_some(parts)
}

/// Splits "09JAN2026" where digits meet letters, but leaves "9th" whole.
fn by_kind(token: &str) -> Vec<&str> {
    if ordinal(token).is_some() {
        return vec![token];
    }
    let mut pieces = Vec::new();
    let mut start = 0;
    let bytes = token.as_bytes();
    for at in 1..bytes.len() {
        let boundary = bytes[at].is_ascii_digit() != bytes[at - 1].is_ascii_digit();
        if boundary && token.is_char_boundary(at) {
            pieces.push(&token[start..at]);
            start = at;
        }
    }
    pieces.push(&token[start..]);
    pieces
}

/// The digits of "9th", "1st".
fn ordinal(token: &str) -> Option<&str> {
    let at = token.find(|c: char| !c.is_ascii_digit()).filter(|at| *at > 0)?;
    matches!(token[at..].to_ascii_lowercase().as_str(), "st" | "nd" | "rd" | "th").then_some(&token[..at])
}

fn part(token: &str) -> Option<Part> {
    let digits = ordinal(token).unwrap_or(token);
    if digits.len() <= 4 && !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Number { digits: digits.len(), value: digits.parse().ok()? });
    }
    let word = token.to_ascii_lowercase();
    if matches!(word.as_str(), "un" | "unk" | "uk" | "nk" | "xx" | "xxx" | "??" | "unknown" | "ukn") {
        return Some(Unknown);
    }
    month(&word).map(Month)
}

/// A month by its English name or its usual abbreviation.
fn month(word: &str) -> Option<i8> {
    const NAMES: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let short = word.len() == 3 || word == "sept";
    let at = NAMES.iter().position(|name| *name == word || (short && name.starts_with(word)))?;
    i8::try_from(at + 1).ok()
}

/// Parts a date from the time of day after it: "2026-01-09T08:15:00Z", "09-JAN-2026 08:15", "9 Jan 2026 at 8:15".
fn split_time(text: &str) -> (&str, Option<&str>) {
    let Some(colon) = text.find(':') else {
        return (text, None);
    };
    let hour = text[..colon].rfind(|c: char| !c.is_ascii_digit());
    let Some(before) = hour else {
        return (text, None);
    };
    let date = text[..before].trim_end_matches([' ', ',', 'T']).trim_end_matches(" at");
    (date, Some(text[before..].trim_start_matches([' ', 'T', ','])))
}

/// The hour and minute of "08:15", "08:15:30", "8:15 pm", "08:15Z", "08:15 h". Seconds and zones are left out:
/// SDTM timing of source documents is to the minute.
fn clock(text: &str) -> Result<(i8, i8), Error> {
    let (hour, rest) = text.split_once(':').ok_or(Error::Unrecognised)?;
    let minute = rest.get(..2).ok_or(Error::Unrecognised)?;
    let mut hour: i8 = hour.parse().map_err(|_| Error::Unrecognised)?;
    let minute: i8 = minute.parse().map_err(|_| Error::Unrecognised)?;
    let tail = rest[2..].to_ascii_lowercase();
    if tail.contains('p') && hour < 12 {
        hour += 12;
    } else if tail.contains('a') && hour == 12 {
        hour = 0;
    }
    if (0..=23).contains(&hour) && (0..=59).contains(&minute) {
        Ok((hour, minute))
    } else {
        Err(Error::NoSuchTime)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Error, parse};
    use crate::dates::Precision;

    #[test]
    fn the_usual_spellings_of_one_day_are_the_same_day() {
        for written in [
            "09-JAN-2026",
            "9 January 2026",
            "2026-01-09",
            "January 9, 2026",
            "Jan 9th 2026",
            "09JAN2026",
            "20260109",
            "2026/01/09",
            "9-Jan-2026",
            "9th of January 2026",
        ] {
            let date = parse(written).unwrap();
            assert_eq!((date.iso().as_str(), date.ambiguous()), ("2026-01-09", false), "{written}");
            assert_eq!(date.precision(), Precision::Day);
        }
    }

    #[test]
    fn partial_dates_keep_what_is_known() {
        for (written, iso) in [
            ("Jan 2026", "2026-01"),
            ("UN-JAN-2026", "2026-01"),
            ("UNK-UNK-2026", "2026"),
            ("09-UNK-2026", "2026---09"),
            ("2026-UN-09", "2026---09"),
            ("01/2026", "2026-01"),
            ("2026", "2026"),
        ] {
            assert_eq!(parse(written).unwrap().iso(), iso, "{written}");
        }
    }

    #[test]
    fn numbers_that_could_be_day_or_month_are_read_day_first_and_flagged() {
        let date = parse("12/01/2026").unwrap();
        assert_eq!((date.iso().as_str(), date.ambiguous()), ("2026-01-12", true));
        assert_eq!(date.swapped().unwrap().iso(), "2026-12-01");
        let clear = parse("01/25/2026").unwrap();
        assert_eq!((clear.iso().as_str(), clear.ambiguous(), clear.swapped()), ("2026-01-25", false, None));
        assert!(!parse("05.05.2026").unwrap().ambiguous());
        assert_eq!(parse("9.1.26").unwrap().iso(), "2026-01-09");
        assert!(parse("25-DEC-68").unwrap().ambiguous(), "the century is a guess");
    }

    #[test]
    fn a_day_the_calendar_does_not_have_is_refused() {
        assert_eq!(parse("30-FEB-2026"), Err(Error::NoSuchDay));
        assert_eq!(parse("2026-13-45"), Err(Error::NoSuchDay));
        assert_eq!(parse("20261345"), Err(Error::NoSuchDay));
        assert!(parse("29-FEB-2024").is_ok());
        assert_eq!(parse("soon"), Err(Error::Unrecognised));
        assert_eq!(parse(""), Err(Error::Unrecognised));
    }

    #[test]
    fn a_time_of_day_is_kept_to_the_minute() {
        assert_eq!(parse("09-JAN-2026 08:15").unwrap().iso(), "2026-01-09T08:15");
        assert_eq!(parse("2026-01-09T20:15:00Z").unwrap().iso(), "2026-01-09T20:15");
        assert_eq!(parse("9 Jan 2026 at 8:15 pm").unwrap().iso(), "2026-01-09T20:15");
        assert_eq!(parse("09-JAN-2026 24:15"), Err(Error::NoSuchTime));
    }

    proptest! {
        #[test]
        fn a_day_reads_back_from_its_iso_form(year in 1900i16..2100, month in 1i8..=12, day in 1i8..=28) {
            let iso = format!("{year:04}-{month:02}-{day:02}");
            prop_assert_eq!(parse(&iso).unwrap().iso(), iso);
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,24}") {
            let _ = parse(&text);
        }
    }
}
