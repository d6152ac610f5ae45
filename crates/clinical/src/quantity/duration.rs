//! Stretches of time: "5 days", "six weeks", "18 yr".

use crate::quantity::{Class, number, unit};

/// A stretch of time as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duration {
    /// How many, as a decimal string; of a range, its lower end.
    pub count: String,
    /// The UCUM unit: `s`, `min`, `h`, `d`, `wk`, `mo` or `a`.
    pub unit: &'static str,
}

impl Duration {
    /// The ISO 8601 form: `P5D`, `PT8H`, `P6W`, `P2M`, `P18Y`.
    pub fn iso(&self) -> String {
        let (time, letter) = match self.unit {
            "s" => ("T", 'S'),
            "min" => ("T", 'M'),
            "h" => ("T", 'H'),
            "d" => ("", 'D'),
            "wk" => ("", 'W'),
            "mo" => ("", 'M'),
            _ => ("", 'Y'),
        };
        format!("P{time}{}{letter}", self.count)
    }
}

/// Reads a whole value as a duration: "5 days", "for 6 weeks", "x 7 days", "three months", "6-month".
pub fn duration(text: &str) -> Option<Duration> {
    let folded = crate::fold::folded(text);
    let bare = ["for ", "x ", "over ", "during "]
        .iter()
        .find_map(|lead| folded.strip_prefix(lead))
        .unwrap_or(&folded);
    let (count, rest) = match number::at(bare) {
        Some((count, end)) if count.operator.is_none() => (count.digits().to_owned(), &bare[end..]),
        Some(_) => return None,
        None => {
            let (word, rest) = bare.split_once([' ', '-'])?;
            (in_words(word)?.to_string(), rest)
        }
    };
    let unit = unit::unit(rest.trim_start_matches([' ', '-']))?;
    (unit.class == Class::Time && unit.ucum != "ms").then_some(Duration { count, unit: unit.ucum })
}

/// The numbers up to twelve as words; "a" and "an" are one.
pub(crate) fn in_words(word: &str) -> Option<u8> {
    const WORDS: [&str; 12] =
        ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];
    if matches!(word, "a" | "an") {
        return Some(1);
    }
    WORDS.iter().position(|number| *number == word).and_then(|at| u8::try_from(at + 1).ok())
}

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn durations_have_their_iso_form() {
        for (written, iso) in [
            ("5 days", "P5D"),
            ("for 6 weeks", "P6W"),
            ("X 7 DAYS", "P7D"),
            ("three months", "P3M"),
            ("18 yr", "P18Y"),
            ("6-month", "P6M"),
            ("8 h", "PT8H"),
        ] {
            assert_eq!(duration(written).map(|found| found.iso()).as_deref(), Some(iso), "{written}");
        }
        assert_eq!(duration("5 mg"), None);
        assert_eq!(duration("days"), None);
    }
}
