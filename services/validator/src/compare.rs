//! Dates compared as far as both are known.

use std::cmp::Ordering;

use clinflow_clinical::dates::{PartialDate, parse};

/// Reads a date's normal form. SDTM writes a year and a day whose month is unknown as `2026---09`.
pub(crate) fn read(normal: &str) -> Option<PartialDate> {
    if normal.contains("---") { parse(&normal.replace("---", "-UN-")).ok() } else { parse(normal).ok() }
}

/// How two dates stand to each other in the parts that both have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Common {
    /// The first is earlier.
    Before,
    /// No part that both have differs.
    Equal,
    /// The first is later.
    After,
}

/// Compares year, month, day and time of day, up to the first part that either lacks: `2026-01` equals
/// `2026-01-20`.
pub(crate) fn dates(one: &PartialDate, other: &PartialDate) -> Common {
    let parts = |date: &PartialDate| {
        let time = date.time().map(|(hour, minute)| i32::from(hour) * 60 + i32::from(minute));
        [Some(i32::from(date.year())), date.month().map(i32::from), date.day().map(i32::from), time]
    };
    for (one, other) in parts(one).into_iter().zip(parts(other)) {
        let (Some(one), Some(other)) = (one, other) else { return Common::Equal };
        match one.cmp(&other) {
            Ordering::Less => return Common::Before,
            Ordering::Greater => return Common::After,
            Ordering::Equal => {}
        }
    }
    Common::Equal
}

#[cfg(test)]
mod tests {
    use super::{Common, dates, read};

    #[test]
    fn only_the_parts_that_both_have_are_compared() {
        let compared = |one: &str, other: &str| dates(&read(one).unwrap(), &read(other).unwrap());
        assert_eq!(compared("2026-01", "2026-01-20"), Common::Equal);
        assert_eq!(compared("2026", "2025-12-31"), Common::After);
        assert_eq!(compared("2026-01-09", "2026-01-09T08:15"), Common::Equal);
        assert_eq!(compared("2026-01-09T08:14", "2026-01-09T08:15"), Common::Before);
        assert_eq!(compared("2026---09", "2026-05-01"), Common::Equal);
    }
}
