//! Dates as clinicians write them, as partial ISO 8601 dates with their doubts kept.

mod find;
mod parse;

pub use parse::parse;

pub(crate) use find::find;

/// A date of which only the year is certain to be there. Made by [`parse`], so that it is always on the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PartialDate {
    year: i16,
    month: Option<i8>,
    day: Option<i8>,
    time: Option<(i8, i8)>,
    ambiguous: bool,
}

/// How much of a date is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Precision {
    /// "2026"; also a year and a day whose month is unknown, which orders no better.
    Year,
    /// "Jan 2026".
    Month,
    /// "09-JAN-2026".
    Day,
    /// "09-JAN-2026 08:15".
    Minute,
}

/// Why a text is no date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// It is in none of the known forms.
    #[error("not a date in a known form: write it as `YYYY-MM-DD` or `DD-MMM-YYYY`")]
    Unrecognised,
    /// It has the form of a date that the calendar does not have, such as 30 February.
    #[error("not a day of the calendar: check day and month")]
    NoSuchDay,
    /// It has the form of a time of day that the clock does not have.
    #[error("not a time of day: hours run to 23, minutes to 59")]
    NoSuchTime,
}

impl PartialDate {
    /// A date on the calendar; where day or month are missing, what is there is checked as far as it goes.
    fn new(year: i16, month: Option<i8>, day: Option<i8>) -> Result<Self, Error> {
        // A day without a month could belong to the longest one; a month without a day has a first.
        jiff::civil::Date::new(year, month.unwrap_or(1), day.unwrap_or(1)).map_err(|_| Error::NoSuchDay)?;
        if !(1800..=2200).contains(&year) {
            return Err(Error::NoSuchDay);
        }
        Ok(Self { year, month, day, time: None, ambiguous: false })
    }

    const fn flagged(mut self, ambiguous: bool) -> Self {
        self.ambiguous = ambiguous;
        self
    }

    /// The year.
    pub const fn year(&self) -> i16 {
        self.year
    }

    /// The month, 1 to 12, where it is known.
    pub const fn month(&self) -> Option<i8> {
        self.month
    }

    /// The day of the month, 1 to 31, where it is known.
    pub const fn day(&self) -> Option<i8> {
        self.day
    }

    /// The hour (0 to 23) and minute, where they are given.
    pub const fn time(&self) -> Option<(i8, i8)> {
        self.time
    }

    /// True when the same characters are a different date to another reader: day and month could be swapped
    /// ("12/01/2026"), or the century is a guess ("9.1.26").
    pub const fn ambiguous(&self) -> bool {
        self.ambiguous
    }

    /// How much of it is there.
    pub const fn precision(&self) -> Precision {
        match (self.month, self.day, self.time) {
            (Some(_), Some(_), Some(_)) => Precision::Minute,
            (Some(_), Some(_), None) => Precision::Day,
            (Some(_), None, _) => Precision::Month,
            (None, _, _) => Precision::Year,
        }
    }

    /// The ISO 8601 form of SDTM: `2026-01-09T08:15`, `2026-01-09`, `2026-01`, `2026---09`, `2026`.
    pub fn iso(&self) -> String {
        let year = self.year;
        match (self.month, self.day, self.time) {
            (Some(month), Some(day), Some((hour, minute))) => {
                format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}")
            }
            (Some(month), Some(day), None) => format!("{year:04}-{month:02}-{day:02}"),
            (Some(month), None, _) => format!("{year:04}-{month:02}"),
            (None, Some(day), _) => format!("{year:04}---{day:02}"),
            (None, None, _) => format!("{year:04}"),
        }
    }

    /// The civil date, when all three parts are known.
    pub fn civil(&self) -> Option<jiff::civil::Date> {
        jiff::civil::Date::new(self.year, self.month?, self.day?).ok()
    }

    /// The other reading of an ambiguous all-number date, with day and month swapped, where the calendar has it.
    pub fn swapped(&self) -> Option<Self> {
        let (month, day) = (self.month?, self.day?);
        let other = Self::new(self.year, Some(day), Some(month)).ok()?;
        self.ambiguous.then_some(Self { time: self.time, ambiguous: true, ..other })
    }
}

/// A study day: "study day 21", "Day 1", "D-1". There is no day 0 in SDTM, but documents write it, so it is kept.
pub fn study_day(text: &str) -> Option<i32> {
    let rest = strip_word(text.trim(), &["study day", "day", "d"])?;
    let rest = rest
        .trim_start()
        .strip_prefix('\u{2212}')
        .map_or_else(|| rest.trim_start().to_owned(), |n| format!("-{n}"));
    rest.parse().ok().filter(|day: &i32| (-10_000..=10_000).contains(day))
}

/// A cycle and its day: "C2D15", "Cycle 2 Day 15", "cycle 2, day 15".
pub fn cycle_day(text: &str) -> Option<(u16, u16)> {
    let rest = strip_word(text.trim(), &["cycle", "c"])?.trim_start();
    let digits = rest.find(|c: char| !c.is_ascii_digit())?;
    let cycle = rest[..digits].parse().ok()?;
    let rest = rest[digits..].trim_start_matches([' ', ',', '/']);
    let day = strip_word(rest, &["day", "d"])?.trim().parse().ok()?;
    Some((cycle, day))
}

/// What follows one of `words` at the start of `text`, in any case.
fn strip_word<'a>(text: &'a str, words: &[&str]) -> Option<&'a str> {
    let fits = |word: &&&str| text.get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word));
    words.iter().find(fits).map(|word| &text[word.len()..])
}

#[cfg(test)]
mod tests {
    use super::{cycle_day, study_day};

    #[test]
    fn study_and_cycle_days_are_read_in_their_usual_spellings() {
        assert_eq!(study_day("study day 21"), Some(21));
        assert_eq!(study_day("Day -1"), Some(-1));
        assert_eq!(study_day("days"), None);
        assert_eq!(cycle_day("C2D15"), Some((2, 15)));
        assert_eq!(cycle_day("Cycle 2, Day 15"), Some((2, 15)));
        assert_eq!(cycle_day("C2"), None);
    }
}
