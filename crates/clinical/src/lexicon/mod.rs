//! The words the annotator knows: the tables of `lexicon/*.tsv`, compiled into one automaton.
//!
//! A table holds one label; its name is the label's plural. A row is `preferred`, `spellings` (other ways to
//! write it, parted by `|`) and `codes` (`system=code`, parted by `|`). To teach the annotator a word, add it
//! there: the preferred name is itself a spelling, plurals of diseases, findings and body parts are made by rule,
//! and a spelling in capitals counts only in capitals. A spelling that begins with `=` is understood only as a
//! whole value (`=none` in a form's cell), never looked for in running text; so is the preferred name in a code
//! list, because "UNKNOWN" is a good answer in a form and no fact in a sentence.
//! Where two labels claim a word, running text gives it to the one that stands first in `TABLES`.

mod morphology;
mod table;

use std::{
    collections::{HashMap, HashSet, hash_map},
    ops::Range,
    sync::LazyLock,
};

use clinflow_core::field::Code;

use crate::{
    fold::{self, Folded},
    label::Label,
    phrases::Phrases,
};

pub use morphology::Morphology;
pub use table::Error;
pub(crate) use table::rows;

/// The shipped tables: a label and its file.
const TABLES: &[(Label, &str, &str)] = &[
    (Label::Drug, "drugs.tsv", include_str!("../../lexicon/drugs.tsv")),
    (Label::Condition, "conditions.tsv", include_str!("../../lexicon/conditions.tsv")),
    (Label::Symptom, "symptoms.tsv", include_str!("../../lexicon/symptoms.tsv")),
    (Label::LabTest, "lab_tests.tsv", include_str!("../../lexicon/lab_tests.tsv")),
    (Label::Procedure, "procedures.tsv", include_str!("../../lexicon/procedures.tsv")),
    (Label::Anatomy, "anatomy.tsv", include_str!("../../lexicon/anatomy.tsv")),
    (Label::Route, "routes.tsv", include_str!("../../lexicon/routes.tsv")),
    (Label::Frequency, "frequencies.tsv", include_str!("../../lexicon/frequencies.tsv")),
    (Label::Dose, "doses.tsv", include_str!("../../lexicon/doses.tsv")),
    (Label::Age, "ages.tsv", include_str!("../../lexicon/ages.tsv")),
    (Label::Sex, "sexes.tsv", include_str!("../../lexicon/sexes.tsv")),
    (Label::Severity, "severities.tsv", include_str!("../../lexicon/severities.tsv")),
    (Label::Outcome, "outcomes.tsv", include_str!("../../lexicon/outcomes.tsv")),
    (Label::Causality, "causalities.tsv", include_str!("../../lexicon/causalities.tsv")),
    (Label::ActionTaken, "actions.tsv", include_str!("../../lexicon/actions.tsv")),
    (Label::Seriousness, "seriousness.tsv", include_str!("../../lexicon/seriousness.tsv")),
];

/// A concept of the lexicon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What it is.
    pub label: Label,
    /// The name all its spellings stand for: a CDISC term where CDISC has one, else the usual name.
    pub preferred: &'static str,
    /// Its codes in terminologies that may be shipped.
    pub codes: Vec<Code>,
}

impl Entry {
    /// The preferred name where it is a term of a published code list, and so the mention's normal form.
    pub fn term(&self) -> Option<&'static str> {
        is_code_list(self.label).then_some(self.preferred)
    }
}

/// An entry found in a text.
#[derive(Debug, Clone)]
pub struct Hit<'l> {
    /// Bytes of the text.
    pub range: Range<usize>,
    /// What was found.
    pub entry: &'l Entry,
}

/// The compiled lexicon.
pub struct Lexicon {
    entries: Vec<Entry>,
    /// The entry of phrase i.
    owner: Vec<usize>,
    phrases: Phrases,
    /// Folded spelling to the entry of each label that knows it.
    spellings: HashMap<String, Vec<usize>>,
}

impl Lexicon {
    /// The lexicon shipped with this crate, compiled once per process.
    pub fn shipped() -> &'static Self {
        static SHIPPED: LazyLock<Lexicon> = LazyLock::new(|| {
            Lexicon::compile(TABLES)
                .expect("the tables are constants, and `the_shipped_tables_compile` compiles them")
        });
        &SHIPPED
    }

    fn compile(tables: &[(Label, &'static str, &'static str)]) -> Result<Self, Error> {
        let mut draft = Draft::default();
        for (label, file, text) in tables {
            for row in rows(file, text, 3)? {
                let preferred = row.cells[0];
                draft.entries.push(Entry { label: *label, preferred, codes: table::codes(&row)? });
                let name = if is_code_list(*label) { format!("={preferred}") } else { preferred.to_owned() };
                let mut added = draft.add(&name);
                for spelling in row.list(1) {
                    added &= draft.add(spelling);
                }
                if !added {
                    return Err(row.error("has a spelling that another row of this label has"));
                }
            }
        }
        draft.add_plurals();
        let phrases = Phrases::new(draft.phrases.iter().map(String::as_str)).map_err(Error::Automaton)?;
        Ok(Self { entries: draft.entries, owner: draft.owner, phrases, spellings: draft.spellings })
    }

    /// Every known word in `text`, leftmost-longest, in ascending order and disjoint.
    pub(crate) fn find_in(&self, text: &Folded<'_>) -> Vec<Hit<'_>> {
        let entry = |phrase: usize| &self.entries[self.owner[phrase]];
        self.phrases
            .find(text)
            .into_iter()
            .map(|hit| Hit { range: hit.range, entry: entry(hit.phrase) })
            .collect()
    }

    /// Every known word in `text`, leftmost-longest, in ascending order and disjoint.
    pub fn find(&self, text: &str) -> Vec<Hit<'_>> {
        self.find_in(&Folded::new(text))
    }

    /// The entry of `label` that `phrase` is a spelling of. The whole phrase must be one; case and white space
    /// do not matter.
    pub fn lookup(&self, label: Label, phrase: &str) -> Option<&Entry> {
        let known = self.spellings.get(&fold::folded(phrase))?;
        known.iter().map(|entry| &self.entries[*entry]).find(|entry| entry.label == label)
    }

    /// The number of concepts.
    pub const fn len(&self) -> usize {
        self.entries.len()
    }

    /// True when there is no concept at all.
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// True for an adjective that says which disease it is rather than how bad: the words of `lexicon/modifiers.tsv`.
pub(crate) fn is_modifier(word: &str) -> bool {
    static WORDS: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
        let rows = rows("modifiers.tsv", include_str!("../../lexicon/modifiers.tsv"), 1);
        let rows = rows.expect("the table is a constant, and `the_shipped_modifiers_are_words` reads it");
        rows.into_iter().map(|row| row.cells[0]).collect()
    });
    WORDS.contains(fold::folded(word).as_str())
}

/// A lexicon on its way to being compiled.
#[derive(Default)]
struct Draft {
    entries: Vec<Entry>,
    owner: Vec<usize>,
    phrases: Vec<String>,
    spellings: HashMap<String, Vec<usize>>,
}

impl Draft {
    /// Adds a spelling of the newest entry; false when another entry of its label has it already.
    fn add(&mut self, spelling: &str) -> bool {
        let newest = self.entries.len() - 1;
        let (running_text, spelling) = match spelling.strip_prefix('=') {
            Some(value) => (false, value),
            None => (true, spelling),
        };
        let known = self.spellings.entry(fold::folded(spelling)).or_default();
        let label = self.entries[newest].label;
        match known.iter().find(|other| self.entries[**other].label == label) {
            Some(other) if *other != newest => return false,
            Some(_) => {}
            None => known.push(newest),
        }
        // "PO" and "po" of one row are two phrases: the first counts only in capitals.
        if running_text && known[0] == newest {
            self.owner.push(newest);
            self.phrases.push(spelling.to_owned());
        }
        true
    }

    /// Adds the plurals by rule. They come last, so that a written spelling is never shadowed by one.
    fn add_plurals(&mut self) {
        for at in 0..self.phrases.len() {
            let entry = self.owner[at];
            if has_plural(self.entries[entry].label)
                && let Some(plural) = plural(&self.phrases[at])
                && let hash_map::Entry::Vacant(vacant) = self.spellings.entry(fold::folded(&plural))
            {
                vacant.insert(vec![entry]);
                self.owner.push(entry);
                self.phrases.push(plural);
            }
        }
    }
}

/// True where the preferred names are the terms of a published code list rather than names people write.
const fn is_code_list(label: Label) -> bool {
    matches!(
        label,
        Label::Route
            | Label::Frequency
            | Label::Sex
            | Label::Severity
            | Label::Outcome
            | Label::Causality
            | Label::ActionTaken
            | Label::Seriousness
    )
}

/// Names of drugs, schedules and regulatory terms are used as they are written; the rest has plurals.
const fn has_plural(label: Label) -> bool {
    matches!(
        label,
        Label::Condition
            | Label::Symptom
            | Label::Procedure
            | Label::Anatomy
            | Label::LabTest
            | Label::Drug
            | Label::Age
            | Label::Sex
    )
}

/// The English plural of a term's last word, or `None` where it is one already or has none.
fn plural(term: &str) -> Option<String> {
    let last = term.rsplit(' ').next()?;
    if last.len() < 4 || !last.bytes().all(|byte| byte.is_ascii_lowercase()) {
        return None;
    }
    if last.ends_with("sis") {
        return Some(format!("{}es", &term[..term.len() - 2]));
    }
    if last.ends_with("ss") || last.ends_with("sh") || last.ends_with("ch") || last.ends_with('x') {
        return Some(format!("{term}es"));
    }
    if last.ends_with('s') {
        return None;
    }
    match last.strip_suffix('y') {
        Some(stem) if !stem.ends_with(['a', 'e', 'o', 'u']) => {
            Some(format!("{}ies", &term[..term.len() - 1]))
        }
        _ => Some(format!("{term}s")),
    }
}

#[cfg(test)]
mod tests {
    use super::{Lexicon, TABLES, is_modifier, plural};
    use crate::label::Label;

    #[test]
    fn the_shipped_tables_compile() {
        let lexicon = Lexicon::compile(TABLES).unwrap();
        assert!(lexicon.len() > 1000, "{} entries", lexicon.len());
    }

    #[test]
    fn two_rows_cannot_claim_one_spelling_and_the_error_names_the_line() {
        let tables = [(
            Label::Drug,
            "drugs.tsv",
            "preferred\tspellings\tcodes\naspirin\tASA\t\nasparaginase\tasa\t\n",
        )];
        let error = Lexicon::compile(&tables).err().unwrap();
        assert_eq!(
            error.to_string(),
            "`drugs.tsv` line 3: has a spelling that another row of this label has"
        );
    }

    #[test]
    fn synonyms_lead_to_the_preferred_name_and_its_codes() {
        let entry = Lexicon::shipped().lookup(Label::LabTest, "sgpt").unwrap();
        assert_eq!((entry.label, entry.preferred), (Label::LabTest, "alanine aminotransferase"));
        assert_eq!((entry.codes[0].system.as_str(), entry.codes[0].code.as_str()), ("LOINC", "1742-6"));
    }

    #[test]
    fn one_word_may_mean_different_things_in_different_fields() {
        let lexicon = Lexicon::shipped();
        assert_eq!(lexicon.lookup(Label::Outcome, "Fatal").unwrap().preferred, "FATAL");
        assert_eq!(lexicon.lookup(Label::Seriousness, "fatal").unwrap().preferred, "DEATH");
        assert_eq!(lexicon.find("fatal")[0].entry.label, Label::Outcome);
        assert!(lexicon.find("none").is_empty(), "a value-only spelling is not found in running text");
    }

    #[test]
    fn the_shipped_modifiers_are_words() {
        assert!(is_modifier("Acute") && is_modifier("metastatic"));
        assert!(!is_modifier("severe"), "how bad it is stands apart");
    }

    #[test]
    fn plurals_follow_english() {
        assert_eq!(plural("skin rash").as_deref(), Some("skin rashes"));
        assert_eq!(plural("malignancy").as_deref(), Some("malignancies"));
        assert_eq!(plural("thrombosis").as_deref(), Some("thromboses"));
        assert_eq!(plural("HTN"), None);
    }
}
