//! Routes and frequencies of administration in CDISC terms.

use crate::{
    attributes, fold,
    label::Label,
    lexicon::{Entry, Lexicon},
    quantity::duration,
};

/// The route a whole value stands for: CDISC ROUTE (C66729). "s.c." is SUBCUTANEOUS.
pub fn route(value: &str) -> Option<&'static Entry> {
    attributes::term(Label::Route, value)
}

/// The frequency a whole value stands for, as a term of CDISC FREQ (C71113): "twice daily" is `BID`, "q8h" and
/// "every 8 hours" are `Q8H`, "every 2 weeks" is `EVERY 2 WEEKS`, "3 times a week" is `3 TIMES PER WEEK`.
///
/// CDISC's list is extensible and regular in hours, days, weeks and times per period: terms of those forms are
/// made by rule, the others are in `lexicon/frequencies.tsv`.
pub fn frequency(value: &str) -> Option<String> {
    let by_name =
        Lexicon::shipped().lookup(Label::Frequency, value.trim()).map(|entry| entry.preferred.to_owned());
    by_name
        .or_else(|| by_rule(&fold::folded(value)))
        .or_else(|| attributes::term(Label::Frequency, value).map(|entry| entry.preferred.to_owned()))
}

/// "q8h", "q 6 hrs", "every 8 hours", "5 times daily", "2x/week", "q4-6h" (the shorter interval names it).
pub(crate) fn by_rule(folded: &str) -> Option<String> {
    if let Some(rest) = folded.strip_prefix("every ").or_else(|| folded.strip_prefix('q')) {
        let (count, unit) = count_and_rest(rest.trim_start())?;
        return match unit {
            "h" | "hr" | "hrs" | "hour" | "hours" | "hourly" if count <= 48 => Some(format!("Q{count}H")),
            "d" | "day" | "days" => Some(format!("EVERY {count} DAYS")),
            "w" | "wk" | "wks" | "week" | "weeks" => Some(format!("EVERY {count} WEEKS")),
            "mo" | "month" | "months" => Some(format!("EVERY {count} MONTHS")),
            _ => None,
        };
    }
    let (count, rest) = count_and_rest(folded)?;
    let rest = rest.strip_prefix("times").or_else(|| rest.strip_prefix('x'))?.trim_start_matches([' ', '/']);
    let period =
        ["a ", "per ", "each ", "every "].iter().find_map(|lead| rest.strip_prefix(lead)).unwrap_or(rest);
    match period {
        "day" | "daily" | "d" => Some(format!("{count} TIMES PER DAY")),
        "week" | "weekly" | "wk" => Some(format!("{count} TIMES PER WEEK")),
        "month" | "monthly" => Some(format!("{count} TIMES PER MONTH")),
        _ => None,
    }
}

fn count_and_rest(text: &str) -> Option<(u8, &str)> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    if digits > 0 {
        let count = text[..digits].parse().ok().filter(|count| *count > 0)?;
        let rest = &text[digits..];
        // Of "4-6 h", the rest after the upper end.
        let upper =
            rest.strip_prefix(['-']).map(|upper| upper.trim_start_matches(|c: char| c.is_ascii_digit()));
        return Some((count, upper.unwrap_or(rest).trim_start()));
    }
    let (word, rest) = text.split_once(' ')?;
    Some((duration::in_words(word)?, rest.trim_start()))
}

#[cfg(test)]
mod tests {
    use super::{frequency, route};

    #[test]
    fn frequencies_become_cdisc_terms() {
        for (written, term) in [
            ("BID", "BID"),
            ("twice daily", "BID"),
            ("b.i.d.", "BID"),
            ("once a day", "QD"),
            ("QHS", "QHS"),
            ("q8h", "Q8H"),
            ("Q 6 HR", "Q6H"),
            ("every 8 hours", "Q8H"),
            ("every six hours", "Q6H"),
            ("q4-6h", "Q4H"),
            ("every 2 weeks", "EVERY 2 WEEKS"),
            ("5 times a day", "5 TIMES PER DAY"),
            ("3 times a week", "3 TIMES PER WEEK"),
            ("as needed", "PRN"),
        ] {
            assert_eq!(frequency(written).as_deref(), Some(term), "{written}");
        }
        assert_eq!(frequency("sometimes, perhaps"), None);
    }

    #[test]
    fn routes_become_cdisc_terms() {
        for (written, term) in [
            ("PO", "ORAL"),
            ("p.o.", "ORAL"),
            ("iv", "INTRAVENOUS"),
            ("s.c.", "SUBCUTANEOUS"),
            ("by mouth", "ORAL"),
        ] {
            assert_eq!(route(written).map(|entry| entry.preferred), Some(term), "{written}");
        }
    }
}
