//! Names the lexicon does not hold, known by how they end: "-mab" is an antibody, "-itis" an inflammation.

use std::{collections::HashSet, sync::LazyLock};

use crate::{
    fold,
    label::Label,
    lexicon::table::{Error, rows},
};

/// The endings of `lexicon/morphology.tsv`: WHO international nonproprietary name stems and the Greek and Latin
/// suffixes of disease names, and the everyday words that end like them.
pub struct Morphology {
    endings: Vec<Ending>,
    /// "summit" ends like nothing, but "promise", "family" and "permit" do.
    everyday: HashSet<&'static str>,
}

struct Ending {
    suffix: &'static str,
    label: Label,
    /// Letters a word needs before the ending, so that "lol" itself is no beta blocker.
    stem: usize,
}

impl Morphology {
    /// The endings shipped with this crate.
    pub fn shipped() -> &'static Self {
        static SHIPPED: LazyLock<Morphology> = LazyLock::new(|| {
            Morphology::compile()
                .expect("the table is a constant, and `the_shipped_endings_compile` compiles it")
        });
        &SHIPPED
    }

    fn compile() -> Result<Self, Error> {
        let mut endings = Vec::new();
        let mut everyday = HashSet::new();
        for row in rows("morphology.tsv", include_str!("../../lexicon/morphology.tsv"), 4)? {
            let suffix = row.cells[0].trim_start_matches('-');
            let label = row.cells[1].parse().map_err(|_| row.error("names no label in its second column"))?;
            let stem = row.cells[2]
                .parse()
                .map_err(|_| row.error("needs the least stem length in its third column"))?;
            everyday.extend(row.list(3));
            endings.push(Ending { suffix, label, stem });
        }
        // The longest ending speaks: "-toxicity" before "-city".
        endings.sort_by_key(|ending| usize::MAX - ending.suffix.len());
        Ok(Self { endings, everyday })
    }

    /// What a single word must be by its ending, or `None`.
    pub fn label(&self, word: &str) -> Option<Label> {
        let word = fold::folded(word);
        let singular =
            word.strip_suffix('s').filter(|stem| !stem.ends_with(['s', 'i', 'u', 'a'])).unwrap_or(&word);
        if self.everyday.contains(singular) {
            return None;
        }
        let fits = |ending: &&Ending| {
            singular.strip_suffix(ending.suffix).is_some_and(|stem| {
                stem.len() >= ending.stem
                    && stem.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
            })
        };
        self.endings.iter().find(fits).map(|ending| ending.label)
    }
}

#[cfg(test)]
mod tests {
    use super::Morphology;
    use crate::label::Label;

    #[test]
    fn the_shipped_endings_compile() {
        assert!(Morphology::compile().is_ok());
    }

    #[test]
    fn unseen_drugs_and_diseases_are_known_by_their_endings() {
        let label = |word| Morphology::shipped().label(word);
        assert_eq!(label("Zolbetuximab"), Some(Label::Drug));
        assert_eq!(label("sunvozertinib"), Some(Label::Drug));
        assert_eq!(label("pyomyositis"), Some(Label::Condition));
        assert_eq!(label("nephrotoxicity"), Some(Label::Condition));
        assert_eq!(label("polyneuropathies"), None, "plurals in -ies are left to the lexicon");
    }

    #[test]
    fn everyday_words_that_end_like_drugs_are_not_drugs() {
        for word in
            ["protocol", "April", "control", "until", "vitamin", "apathy", "sympathy", "family", "academia"]
        {
            assert_eq!(Morphology::shipped().label(word), None, "{word}");
        }
    }
}
