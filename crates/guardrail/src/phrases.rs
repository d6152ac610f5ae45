//! The phrases by which denied topics are told, from `lexicon/topics.txt`.

use std::{collections::HashMap, sync::LazyLock};

/// A list of phrases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum List {
    /// Words about treatment, by how they begin; a full stop ends the word.
    Treatment,
    /// Phrases that ask what ought to be, whatever stands around them.
    Opinion,
    /// Phrases that ask what ought to be, unless the record is asked.
    Normative,
    /// What is asked for at the beginning of a request.
    Requests,
    /// Phrases that point to the record.
    Record,
    /// Verbs of what a machine is asked to do with a document.
    Data,
    /// Phrases that give advice.
    Advice,
    /// First words of an instruction.
    Orders,
    /// Phrases that report what somebody else said.
    Reported,
    /// Phrases about use outside an approval.
    OffLabel,
    /// Phrases that ask for or suggest a use.
    Suggests,
    /// Words that carry no content.
    Empty,
}

impl List {
    const ALL: [Self; 12] = [
        Self::Treatment,
        Self::Opinion,
        Self::Normative,
        Self::Requests,
        Self::Record,
        Self::Data,
        Self::Advice,
        Self::Orders,
        Self::Reported,
        Self::OffLabel,
        Self::Suggests,
        Self::Empty,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Treatment => "treatment",
            Self::Opinion => "opinion",
            Self::Normative => "normative",
            Self::Requests => "requests",
            Self::Record => "record",
            Self::Data => "data",
            Self::Advice => "advice",
            Self::Orders => "orders",
            Self::Reported => "reported",
            Self::OffLabel => "off-label",
            Self::Suggests => "suggests",
            Self::Empty => "empty",
        }
    }

    /// Its phrases.
    pub(crate) fn phrases(self) -> &'static [&'static str] {
        LISTS.get(&self).map_or(&[], Vec::as_slice)
    }

    /// Whether a word is one of its phrases.
    pub(crate) fn contains(self, word: &str) -> bool {
        self.phrases().contains(&word)
    }
}

static LISTS: LazyLock<HashMap<List, Vec<&'static str>>> = LazyLock::new(|| {
    let mut lists: HashMap<List, Vec<&'static str>> = HashMap::new();
    let mut list = None;
    for line in include_str!("../lexicon/topics.txt").lines().filter(|line| !line.starts_with('#')) {
        if let Some(name) = line.strip_prefix('[').and_then(|line| line.strip_suffix(']')) {
            list = List::ALL.into_iter().find(|list| list.name() == name);
        } else if let Some(list) = list {
            let phrases = line.split(';').map(str::trim).filter(|phrase| !phrase.is_empty());
            lists.entry(list).or_default().extend(phrases);
        }
    }
    lists
});

#[cfg(test)]
mod tests {
    use super::List;

    #[test]
    fn every_list_is_in_the_file() {
        for list in List::ALL {
            assert!(list.phrases().len() > 10, "{}", list.name());
        }
    }
}
