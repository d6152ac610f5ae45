//! Fan-in as a pure state machine: a set of named branches with set-once writes, never a counter.
//!
//! A counter cannot tell a repeated part from a missing one; a set of names can. Whatever arrives twice, late
//! or with other content is reported and changes nothing.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What arrived for one branch: only references, never content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// The branch's name: the role that produced it.
    pub branch: String,
    /// The message that brought it.
    pub message_id: Uuid,
    /// The message's body, so that the merged message can be made from the join alone.
    pub body: Vec<u8>,
}

/// The state of one fan-in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Join {
    /// The branches that must arrive, by name.
    pub expected: Vec<String>,
    /// When to stop waiting.
    pub deadline: Timestamp,
    /// What has arrived, first write wins.
    pub parts: BTreeMap<String, Part>,
    /// True once the join has been closed with what was there.
    pub expired: bool,
}

/// What an arriving part did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Arrival {
    /// Some branches are still missing.
    Waiting,
    /// Every branch is there: emit the merged message. A part that is delivered again to a complete join also
    /// answers this, with the same parts, because whoever completed it may have crashed before emitting.
    Complete(Vec<Part>),
    /// The join was closed before this part came. Recorded, not applied.
    Late,
    /// Another message already brought this branch. Recorded, not applied.
    Differs {
        /// The message whose part counts.
        kept: Uuid,
    },
    /// The join does not expect this branch.
    Unexpected,
}

impl Join {
    /// A fan-in that waits for `expected` until `deadline`.
    pub fn new(expected: impl IntoIterator<Item = String>, deadline: Timestamp) -> Self {
        let mut expected: Vec<String> = expected.into_iter().collect();
        expected.sort_unstable();
        expected.dedup();
        Self { expected, deadline, parts: BTreeMap::new(), expired: false }
    }

    /// True when every expected branch has arrived.
    pub fn is_complete(&self) -> bool {
        self.expected.iter().all(|branch| self.parts.contains_key(branch))
    }

    /// The branches that have not arrived.
    pub fn missing(&self) -> Vec<String> {
        self.expected.iter().filter(|branch| !self.parts.contains_key(*branch)).cloned().collect()
    }

    /// A part arrives.
    pub fn arrive(&mut self, part: Part) -> Arrival {
        if !self.expected.contains(&part.branch) {
            return Arrival::Unexpected;
        }
        match self.parts.get(&part.branch) {
            Some(kept) if kept.message_id != part.message_id => Arrival::Differs { kept: kept.message_id },
            Some(_) => self.standing(),
            None if self.expired => Arrival::Late,
            None => {
                self.parts.insert(part.branch.clone(), part);
                self.standing()
            }
        }
    }

    /// Time passes. Answers the parts and the missing branches when the deadline closes the join; a join that
    /// was closed before answers the same again, because whoever closed it may have crashed before emitting.
    pub fn expire(&mut self, now: Timestamp) -> Option<(Vec<Part>, Vec<String>)> {
        if self.is_complete() || now < self.deadline {
            return None;
        }
        self.expired = true;
        Some((self.parts.values().cloned().collect(), self.missing()))
    }

    /// What the state says to whoever delivers a known part again.
    fn standing(&self) -> Arrival {
        if self.is_complete() {
            Arrival::Complete(self.parts.values().cloned().collect())
        } else if self.expired {
            Arrival::Late
        } else {
            Arrival::Waiting
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn part(branch: &str, message: u128, body: &[u8]) -> Part {
        Part { branch: branch.to_owned(), message_id: Uuid::from_u128(message), body: body.to_vec() }
    }

    fn join() -> Join {
        Join::new(["extractor".to_owned(), "nlp".to_owned()], Timestamp::from_second(100).unwrap())
    }

    #[test]
    fn a_part_delivered_twice_with_other_content_does_not_stand_in_for_the_missing_one() {
        let mut join = join();
        assert_eq!(join.arrive(part("extractor", 1, b"first")), Arrival::Waiting);
        assert_eq!(
            join.arrive(part("extractor", 2, b"second")),
            Arrival::Differs { kept: Uuid::from_u128(1) }
        );
        assert_eq!(join.missing(), ["nlp"]);
    }

    #[test]
    fn the_last_part_completes_and_says_so_again_when_it_is_redelivered() {
        let mut join = join();
        join.arrive(part("extractor", 1, b"e"));
        let complete = join.arrive(part("nlp", 2, b"n"));
        assert!(matches!(&complete, Arrival::Complete(parts) if parts.len() == 2));
        assert_eq!(join.arrive(part("nlp", 2, b"n")), complete);
        assert_eq!(join.arrive(part("extractor", 1, b"e")), complete);
    }

    #[test]
    fn a_deadline_closes_with_what_is_there_and_a_late_part_changes_nothing() {
        let mut join = join();
        join.arrive(part("extractor", 1, b"e"));
        assert_eq!(join.expire(Timestamp::from_second(99).unwrap()), None);
        let (parts, missing) = join.expire(Timestamp::from_second(100).unwrap()).unwrap();
        assert_eq!((parts.len(), missing), (1, vec!["nlp".to_owned()]));
        assert_eq!(join.arrive(part("nlp", 2, b"n")), Arrival::Late);
        assert_eq!(join.expire(Timestamp::from_second(101).unwrap()).unwrap().0.len(), 1);
    }

    proptest! {
        /// Whatever order the parts come in and however often, the completed join holds the first of each.
        #[test]
        fn order_and_repetition_do_not_change_the_result(arrivals in prop::collection::vec((0usize..2, 0u128..3), 0..12)) {
            let branches = ["extractor", "nlp"];
            let mut join = join();
            let mut first: BTreeMap<&str, u128> = BTreeMap::new();
            for (branch, message) in arrivals {
                let branch = branches[branch];
                join.arrive(part(branch, message, &message.to_be_bytes()));
                first.entry(branch).or_insert(message);
            }
            prop_assert_eq!(join.is_complete(), first.len() == 2);
            for (branch, message) in first {
                prop_assert_eq!(join.parts[branch].message_id, Uuid::from_u128(message));
            }
        }
    }
}
