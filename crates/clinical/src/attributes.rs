//! Phrases for what happened with an event and a drug, as the terms of CDISC and ICH E2B(R3).
//!
//! Each function takes a whole value, as a form's cell or a pattern gives it, and answers with the entry of the
//! code list it stands for: [`Entry::preferred`] is the CDISC submission value, [`Entry::codes`] hold it with its
//! code list (`CDISC C66768`) and the E2B element's code (`E2B E.i.7`). The answer is `None` when nothing in the
//! value is known, and also when it says two different things ("recovered, later died"): then a person must look.
//!
//! E2B(R3) has no code for an interrupted drug: the entry for it carries the CDISC term only.

use crate::{
    label::Label,
    lexicon::{Entry, Lexicon},
};

/// The outcome of an event: CDISC AEOUT (C66768), E2B E.i.7. "Ongoing" is NOT RECOVERED/NOT RESOLVED.
pub fn outcome(value: &str) -> Option<&'static Entry> {
    term(Label::Outcome, value)
}

/// What was done with a drug: CDISC AEACN (C66767), E2B G.k.8.
pub fn action_taken(value: &str) -> Option<&'static Entry> {
    term(Label::ActionTaken, value)
}

/// The intensity of an event: CDISC AESEV (C66769), or a CTCAE grade (`CDISC AETOXGR`, 1 to 5).
pub fn severity(value: &str) -> Option<&'static Entry> {
    term(Label::Severity, value)
}

/// The relation of an event to a drug, in the five usual degrees and NOT ASSESSABLE. CDISC leaves this list to
/// the sponsor and E2B takes free text, so the entry has no codes.
pub fn causality(value: &str) -> Option<&'static Entry> {
    term(Label::Causality, value)
}

/// A criterion of seriousness: the CDISC variable that becomes `Y` (AESDTH, AESLIFE, AESHOSP, AESDISAB, AESCONG,
/// AESMIE), E2B E.i.3.2a to f and the NCIt concept.
pub fn seriousness(value: &str) -> Option<&'static Entry> {
    term(Label::Seriousness, value)
}

/// The entry of `label` that `value` stands for: the whole value if it is a spelling, else the only one inside.
pub(crate) fn term(label: Label, value: &str) -> Option<&'static Entry> {
    let lexicon = Lexicon::shipped();
    let bare = value.trim().trim_end_matches(['.', ',', ';']);
    // "p.o." ends in a period of its own; the sentence's is in the way of a lookup.
    if let Some(entry) = lexicon.lookup(label, value).or_else(|| lexicon.lookup(label, bare)) {
        return Some(entry);
    }
    let mut inside =
        lexicon.find(value).into_iter().filter(|hit| hit.entry.label == label).map(|hit| hit.entry);
    let first = inside.next()?;
    inside.all(|other| std::ptr::eq(other, first)).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::{action_taken, causality, outcome, seriousness, severity};
    use crate::lexicon::Entry;

    fn code<'a>(entry: &'a Entry, system: &str) -> Option<&'a str> {
        entry.codes.iter().find(|code| code.system == system).map(|code| code.code.as_str())
    }

    #[test]
    fn outcomes_have_their_cdisc_and_e2b_codes() {
        for (written, term, e2b) in [
            ("Recovered", "RECOVERED/RESOLVED", "1"),
            ("improving", "RECOVERING/RESOLVING", "2"),
            ("Not recovered", "NOT RECOVERED/NOT RESOLVED", "3"),
            ("the event was ongoing at last contact", "NOT RECOVERED/NOT RESOLVED", "3"),
            ("resolved with sequelae", "RECOVERED/RESOLVED WITH SEQUELAE", "4"),
            ("patient died.", "FATAL", "5"),
            ("UNKNOWN", "UNKNOWN", "0"),
        ] {
            let entry = outcome(written).unwrap();
            assert_eq!((entry.preferred, code(entry, "E2B E.i.7")), (term, Some(e2b)), "{written}");
        }
    }

    #[test]
    fn an_interrupted_drug_has_a_cdisc_term_and_no_e2b_code() {
        let entry = action_taken("drug held for two weeks").unwrap();
        assert_eq!((entry.preferred, code(entry, "E2B G.k.8")), ("DRUG INTERRUPTED", None));
        assert_eq!(action_taken("permanently discontinued").unwrap().preferred, "DRUG WITHDRAWN");
        assert_eq!(action_taken("dose reduced to 100 mg").unwrap().preferred, "DOSE REDUCED");
        assert_eq!(action_taken("None").unwrap().preferred, "DOSE NOT CHANGED");
    }

    #[test]
    fn grades_and_words_of_severity_are_told_apart() {
        assert_eq!(severity("Severe").unwrap().preferred, "SEVERE");
        assert_eq!(code(severity("Grade 3").unwrap(), "CDISC AETOXGR"), Some("3"));
        assert_eq!(code(severity("gr. III").unwrap(), "CDISC AETOXGR"), Some("3"));
    }

    #[test]
    fn a_value_that_says_two_things_or_nothing_known_has_no_term() {
        assert_eq!(outcome("recovered, later died"), None);
        assert_eq!(outcome("blue"), None);
    }

    #[test]
    fn causality_and_seriousness_are_recognised_as_written() {
        assert_eq!(causality("Possibly related (investigator)").unwrap().preferred, "POSSIBLY RELATED");
        assert_eq!(causality("unrelated").unwrap().preferred, "NOT RELATED");
        assert_eq!(seriousness("Hospitalisation").unwrap().preferred, "HOSPITALIZATION");
        assert_eq!(code(seriousness("life-threatening").unwrap(), "NCIt"), Some("C84266"));
    }
}
