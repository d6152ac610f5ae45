//! The patient's age and sex.

use std::{fmt, sync::LazyLock};

use regex::Regex;

use crate::{attributes, label::Label, lexicon::Entry, mention::Mention, quantity};

/// An age as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Age {
    /// How many units.
    pub value: u16,
    /// Of what.
    pub unit: AgeUnit,
}

/// The units of CDISC AGEU (C66781) that documents use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AgeUnit {
    /// YEARS, UCUM `a`.
    Years,
    /// MONTHS, UCUM `mo`.
    Months,
    /// WEEKS, UCUM `wk`.
    Weeks,
    /// DAYS, UCUM `d`.
    Days,
    /// HOURS, UCUM `h`.
    Hours,
}

impl AgeUnit {
    /// The CDISC submission value.
    pub const fn cdisc(self) -> &'static str {
        match self {
            Self::Years => "YEARS",
            Self::Months => "MONTHS",
            Self::Weeks => "WEEKS",
            Self::Days => "DAYS",
            Self::Hours => "HOURS",
        }
    }

    /// The UCUM unit, as E2B D.2.2b has it.
    pub const fn ucum(self) -> &'static str {
        match self {
            Self::Years => "a",
            Self::Months => "mo",
            Self::Weeks => "wk",
            Self::Days => "d",
            Self::Hours => "h",
        }
    }

    fn of_ucum(ucum: &str) -> Option<Self> {
        [Self::Years, Self::Months, Self::Weeks, Self::Days, Self::Hours]
            .into_iter()
            .find(|unit| unit.ucum() == ucum)
    }
}

impl fmt::Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.value, self.unit.cdisc())
    }
}

/// Nobody is older, in any unit but hours, days, weeks and months.
const OLDEST_YEARS: u16 = 120;

/// Reads a whole value as an age: "57-year-old", "57 y", "57 yo", "aged 57 years", "57", "5-month-old",
/// "two-year-old". A number alone is years. `None` when it is no age, or above 120 years.
pub fn age(text: &str) -> Option<Age> {
    let folded = crate::fold::folded(text);
    let lead = ["age:", "age of", "aged", "age", "at the"].iter().find_map(|lead| folded.strip_prefix(lead));
    let bare = lead.unwrap_or(&folded).trim_start_matches([' ', ':', '=']);
    let bare = bare.strip_suffix("old").or_else(|| bare.strip_suffix("of age")).unwrap_or(bare);
    let bare = bare.trim_end_matches([' ', '-', '.']);
    let bare = bare
        .strip_suffix("y/o")
        .or_else(|| bare.strip_suffix("yo"))
        .or_else(|| bare.strip_suffix("y.o"))
        .unwrap_or(bare);
    let bare = bare.trim_end();
    let years = |value: u16| Some(Age { value, unit: AgeUnit::Years });
    let found = match bare.parse() {
        Ok(value) => years(value)?,
        Err(_) => {
            let stretch = quantity::duration(bare)?;
            Age { value: stretch.count.parse().ok()?, unit: AgeUnit::of_ucum(stretch.unit)? }
        }
    };
    (found.unit != AgeUnit::Years || found.value <= OLDEST_YEARS).then_some(found)
}

/// The sex a whole value stands for, CDISC SEX (C66731) with E2B D.5: "F", "female", "woman", "65-year-old man".
/// `None` when nothing in it is known or it names both.
pub fn sex(value: &str) -> Option<&'static Entry> {
    attributes::term(Label::Sex, value)
}

static AGE: LazyLock<Regex> = LazyLock::new(|| {
    const COUNT: &str = "(?:[0-9]{1,3}|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)";
    const UNIT: &str = "(?:years?|yrs?|y|months?|mos?|weeks?|wks?|days?|hours?)";
    let forms = [
        format!("{COUNT}(?:[- ]{{1,2}}|){UNIT}[- ]{{1,2}}(?:old|of age)"),
        "[0-9]{1,3} ?(?:yo|y/o|y\\.o\\.)".to_owned(),
        format!("age(?:d|:| of)? {{1,2}}[0-9]{{1,3}}(?: {UNIT})?"),
    ];
    Regex::new(&format!(r"(?i-u)\b(?:{})", forms.join("|")))
        .expect("the pattern is a constant, and every test of this file compiles it")
});

/// "57F", "57 M," : an age with the sex glued to it, as triage notes have it.
static AGE_AND_SEX: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?-u)\b([0-9]{1,3}) ?([MF])\b")
        .expect("the pattern is a constant, and every test of this file compiles it")
});

/// The ages and glued-on sexes of `text`. Words such as "man" and "infant" are in the lexicon.
pub(crate) fn find(text: &str) -> Vec<Mention> {
    let mut found: Vec<_> = AGE
        .find_iter(text)
        .filter(|hit| !text[hit.end()..].starts_with(|c: char| c.is_alphanumeric()))
        .filter_map(|hit| {
            Some(Mention::normal(hit.range(), Label::Age, Some(age(hit.as_str())?.to_string())))
        })
        .collect();
    for hit in AGE_AND_SEX.captures_iter(text) {
        let (Some(years), Some(letter)) = (hit.get(1), hit.get(2)) else {
            continue;
        };
        let plausible = years.as_str().parse().is_ok_and(|value: u16| (1..=OLDEST_YEARS).contains(&value));
        // "38.9 F" and "101 F" are temperatures: a person's letter touches the number.
        let glued = years.end() == letter.start() && !text[..years.start()].ends_with(['.', ',', '-', '/']);
        if let Some(sex) = sex(letter.as_str()).filter(|_| plausible && glued) {
            let years_old = Age { value: years.as_str().parse().unwrap_or_default(), unit: AgeUnit::Years };
            found.push(Mention::normal(years.range(), Label::Age, Some(years_old.to_string())));
            found.push(Mention {
                preferred: Some(sex.preferred.to_owned()),
                codes: sex.codes.clone(),
                ..Mention::normal(letter.range(), Label::Sex, Some(sex.preferred.to_owned()))
            });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{age, find, sex};
    use crate::label::Label;

    #[test]
    fn ages_are_read_with_their_unit() {
        for (written, expected) in [
            ("57-year-old", "57 YEARS"),
            ("57 y", "57 YEARS"),
            ("57 yo", "57 YEARS"),
            ("57 y/o", "57 YEARS"),
            ("aged 57", "57 YEARS"),
            ("57", "57 YEARS"),
            ("60 year-old", "60 YEARS"),
            ("5-month-old", "5 MONTHS"),
            ("11-day-old", "11 DAYS"),
            ("two-year-old", "2 YEARS"),
            ("aged 65 years", "65 YEARS"),
        ] {
            assert_eq!(age(written).map(|age| age.to_string()).as_deref(), Some(expected), "{written}");
        }
        assert_eq!(age("157 years"), None);
        assert_eq!(age("57 mg"), None);
    }

    #[test]
    fn sexes_are_read_as_cdisc_terms() {
        for (written, expected) in [
            ("F", "F"),
            ("Female", "F"),
            ("woman", "F"),
            ("male", "M"),
            ("65-year-old man", "M"),
            ("unknown", "U"),
        ] {
            assert_eq!(sex(written).map(|entry| entry.preferred), Some(expected), "{written}");
        }
        assert_eq!(sex("the mother of a boy and a girl"), None);
    }

    #[test]
    fn ages_are_found_in_sentences_and_triage_notes() {
        let text = "A 57-year-old and a child aged 5 years; 45F, temp 101 F.";
        let mut found = find(text);
        found.sort_by_key(|mention| mention.range.start);
        let found: Vec<_> = found.into_iter().map(|mention| (&text[mention.range], mention.label)).collect();
        assert_eq!(
            found,
            [
                ("57-year-old", Label::Age),
                ("aged 5 years", Label::Age),
                ("45", Label::Age),
                ("F", Label::Sex)
            ]
        );
    }
}
