//! The trigger phrases of `lexicon/context.tsv`, compiled.

use std::{collections::HashMap, ops::Range};

use super::Property;
use crate::{
    fold::{self, Folded},
    lexicon::{Error, rows},
    phrases::Phrases,
};

/// On which side of a cue the mentions it speaks about stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    /// Behind it: "no fever".
    Forward,
    /// Before it: "fever was denied".
    Backward,
    /// Before it with nothing but a colon or dash between, as forms have it: "Fever: none".
    Answer,
}

/// What a phrase does. One phrase may do several things: "but" stops, "now" only stops history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Gives a property to the mentions it reaches.
    Cue {
        property: Property,
        direction: Direction,
        /// The most words between cue and mention; `None` to the end of the statement.
        reach: Option<usize>,
    },
    /// Ends the reach of cues: of one property, or of all.
    Stop(Option<Property>),
    /// Hides the cue inside it.
    Pseudo,
}

impl Role {
    /// True when this ends the reach of cues of `property`.
    pub(super) fn stops(self, property: Property) -> bool {
        match self {
            Self::Stop(of) => of.is_none_or(|of| of == property),
            Self::Cue { .. } | Self::Pseudo => false,
        }
    }
}

/// The compiled triggers.
pub(super) struct Rules {
    phrases: Phrases,
    roles: Vec<Vec<Role>>,
}

impl Rules {
    /// Compiles the shipped table.
    pub(super) fn compile() -> Result<Self, Error> {
        let mut phrases: Vec<&'static str> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        let mut roles: Vec<Vec<Role>> = Vec::new();
        for row in rows("context.tsv", include_str!("../../lexicon/context.tsv"), 4)? {
            let row_roles = roles_of(row.cells[0], row.cells[1], row.cells[2]).ok_or_else(|| {
                row.error("needs a known kind, a direction, and a reach in words or nothing")
            })?;
            for phrase in row.list(3) {
                let place = *places.entry(fold::folded(phrase)).or_insert_with(|| {
                    phrases.push(phrase);
                    roles.push(Vec::new());
                    phrases.len() - 1
                });
                roles[place].extend(&row_roles);
            }
        }
        let compiled = Phrases::new(phrases.iter().copied()).map_err(Error::Automaton)?;
        Ok(Self { phrases: compiled, roles })
    }

    /// The triggers of a text: where, and which phrase.
    pub(super) fn find(&self, text: &Folded<'_>) -> Vec<(Range<usize>, usize)> {
        self.phrases.find(text).into_iter().map(|hit| (hit.range, hit.phrase)).collect()
    }

    /// What a phrase does.
    pub(super) fn roles(&self, phrase: usize) -> &[Role] {
        &self.roles[phrase]
    }
}

/// The roles of a row, or `None` where a cell says nothing known.
fn roles_of(kind: &str, direction: &str, reach: &str) -> Option<Vec<Role>> {
    let directions: &[Direction] = match direction {
        "forward" => &[Direction::Forward],
        "backward" => &[Direction::Backward],
        "answer" => &[Direction::Answer],
        "both" => &[Direction::Forward, Direction::Backward],
        _ => return None,
    };
    let reach = match reach {
        "" => None,
        words => Some(words.parse().ok()?),
    };
    let mut roles = Vec::new();
    for kind in kind.split(',') {
        match (kind, kind.strip_prefix("stop:")) {
            ("pseudo", _) => roles.push(Role::Pseudo),
            ("stop", _) => roles.push(Role::Stop(None)),
            (_, Some(of)) => roles.push(Role::Stop(Some(property(of)?))),
            (name, None) => {
                let property = property(name)?;
                roles.extend(directions.iter().map(|direction| Role::Cue {
                    property,
                    direction: *direction,
                    reach,
                }));
            }
        }
    }
    Some(roles)
}

fn property(name: &str) -> Option<Property> {
    match name {
        "negated" => Some(Property::Negated),
        "historical" => Some(Property::Historical),
        "hypothetical" => Some(Property::Hypothetical),
        "uncertain" => Some(Property::Uncertain),
        "family" => Some(Property::Family),
        "other" => Some(Property::Other),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Rules, roles_of};

    #[test]
    fn the_shipped_triggers_compile() {
        assert!(Rules::compile().is_ok());
    }

    #[test]
    fn a_row_with_an_unknown_word_has_no_roles() {
        assert_eq!(roles_of("negated", "sideways", ""), None);
        assert_eq!(roles_of("doubted", "forward", ""), None);
        assert_eq!(roles_of("negated", "forward", "some"), None);
        assert_eq!(roles_of("negated,historical", "both", "4").unwrap().len(), 4);
    }
}
