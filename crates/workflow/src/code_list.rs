//! Code lists: the terms a coded field may have, how people write them, and their codes downstream.

use std::collections::HashMap;

use clinflow_core::field::Code;

/// The terms of a coded field.
#[derive(Debug, Clone)]
pub struct CodeList {
    /// Its id in the bundle: `outcome`.
    pub id: String,
    /// Its terms, in the order of the file.
    pub terms: Vec<Term>,
    /// Folded spellings, each with the position of its term.
    spellings: HashMap<String, usize>,
}

/// One term.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// The normal form: `RECOVERED/RESOLVED`.
    pub value: String,
    /// How else people write it.
    pub synonyms: Vec<String>,
    /// Its codes, by system: `CDISC C66768`, `E2B E.i.7`.
    pub codes: Vec<Code>,
    /// For analytes: the UCUM units a result may have. Empty where any unit, or none, is right.
    pub units: Vec<String>,
}

impl CodeList {
    /// A list of `terms`. Of two terms with the same spelling the first is found; [`crate::Bundle::read`] refuses
    /// such lists.
    pub fn new(id: impl Into<String>, terms: Vec<Term>) -> Self {
        let mut spellings = HashMap::new();
        for (position, term) in terms.iter().enumerate() {
            for spelling in std::iter::once(&term.value).chain(&term.synonyms) {
                spellings.entry(fold(spelling)).or_insert(position);
            }
        }
        Self { id: id.into(), terms, spellings }
    }

    /// The term that is written `text`, whatever its case, spacing and punctuation.
    pub fn find(&self, text: &str) -> Option<&Term> {
        self.spellings.get(&fold(text)).map(|position| &self.terms[*position])
    }

    /// The term whose normal form is `value`.
    pub fn term(&self, value: &str) -> Option<&Term> {
        self.terms.iter().find(|term| term.value == value)
    }
}

/// Letters and digits in lower case, with one space for everything between: "Life-threatening", "life threatening"
/// and " LIFE  THREATENING" are one spelling. `+` and `%`
/// stay, because they change a meaning.
pub fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_ascii_alphanumeric() || matches!(character, '+' | '%') {
            folded.push(character.to_ascii_lowercase());
        } else if character.is_alphanumeric() {
            folded.extend(character.to_lowercase());
        } else if !folded.ends_with(' ') && !folded.is_empty() {
            folded.push(' ');
        }
    }
    folded.truncate(folded.trim_end().len());
    // An arrow or a dash alone is a spelling too.
    if folded.is_empty() { text.trim().to_owned() } else { folded }
}

#[cfg(test)]
mod tests {
    use super::{CodeList, Term};

    #[test]
    fn a_term_is_found_whatever_its_case_spacing_and_punctuation() {
        let term = |value: &str, synonyms: &[&str]| Term {
            value: value.to_owned(),
            synonyms: synonyms.iter().map(|synonym| (*synonym).to_owned()).collect(),
            codes: Vec::new(),
            units: Vec::new(),
        };
        let list = CodeList::new(
            "outcome",
            vec![term("RECOVERED/RESOLVED", &["resolved"]), term("FATAL", &["died"])],
        );
        for written in ["Recovered / resolved", "RECOVERED/RESOLVED", " resolved.", "Resolved"] {
            assert_eq!(list.find(written).unwrap().value, "RECOVERED/RESOLVED", "{written}");
        }
        assert_eq!(list.find("died").unwrap().value, "FATAL");
        assert!(list.find("not resolved").is_none());
    }
}
