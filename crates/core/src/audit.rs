//! The audit record and its hash chain: one chain per execution, each record bound to the one before.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{
    id::{BundleHash, DocumentHash, ExecutionId, ObjectHash, SessionId},
    step::{ObjectRef, Step},
};

/// The last record of a chain: what the next one must follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainHead {
    /// The record's position, from 1.
    pub sequence: u32,
    /// The record's hash.
    pub hash: ObjectHash,
}

impl ChainHead {
    /// What the first record follows.
    pub fn genesis(execution: ExecutionId) -> Self {
        Self { sequence: 0, hash: ObjectHash::of(execution.as_uuid().as_bytes()) }
    }
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Event {
    /// Validated fields exist; this record comes before anything is reported.
    Recorded {
        /// Every step so far.
        steps: Vec<Step>,
        /// The validated field set, by reference and hash.
        fields: ObjectRef,
        /// How many fields it has.
        field_count: u32,
        /// Rule ids of its findings with how often each was found.
        findings: Vec<(String, u32)>,
        /// Branches that did not arrive before the deadline.
        missing: Vec<String>,
    },
    /// Outputs were written.
    Reported {
        /// The steps after the record.
        steps: Vec<Step>,
        /// Every output file.
        outputs: Vec<ObjectRef>,
    },
    /// A message could not be handled.
    Failed {
        /// Every step so far, the failed one last.
        steps: Vec<Step>,
        /// The failure's code.
        code: String,
        /// Words about it without PHI.
        message: String,
        /// True when the message waits and can be replayed; false when it is dead.
        parked: bool,
    },
    /// Something else that is worth keeping: a late part, a side event.
    Noted {
        /// The protobuf type of the event.
        event: String,
        /// Words about it without PHI.
        message: String,
    },
}

/// One entry of the audit log. It holds references, hashes, counts and codes; never text of the document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The execution.
    pub execution: ExecutionId,
    /// The message this entry is about. One message has one entry, however often it is delivered.
    pub message_id: Uuid,
    /// The document.
    pub document: DocumentHash,
    /// The configuration.
    pub bundle: BundleHash,
    /// The submitter's session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// When it was recorded.
    pub at: Timestamp,
    /// What happened.
    pub event: Event,
}

/// An entry in its place in the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Position, from 1.
    pub sequence: u32,
    /// Hash of the record before.
    pub previous: ObjectHash,
    /// Hash over position, previous hash and entry.
    pub hash: ObjectHash,
    /// What is recorded.
    pub entry: Entry,
}

impl Record {
    /// Puts `entry` after `head`.
    pub fn after(head: ChainHead, entry: Entry) -> Self {
        let sequence = head.sequence + 1;
        let hash = digest(sequence, &head.hash, &entry);
        Self { sequence, previous: head.hash, hash, entry }
    }

    /// This record as the head of its chain.
    pub const fn head(&self) -> ChainHead {
        ChainHead { sequence: self.sequence, hash: self.hash }
    }
}

/// Every step the records tell of, oldest first. A step that several records repeat appears once.
pub fn history(records: &[Record]) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for record in records {
        let told = match &record.entry.event {
            Event::Recorded { steps, .. } | Event::Reported { steps, .. } | Event::Failed { steps, .. } => {
                steps
            }
            Event::Noted { .. } => continue,
        };
        for step in told {
            if !steps.iter().any(|known| known.is_same_invocation(step)) {
                steps.push(step.clone());
            }
        }
    }
    steps.sort_by_key(|step| step.started_at);
    steps
}

/// Where and how a chain is broken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// A record is missing, doubled or out of place.
    #[error("record {expected} is missing or out of place; found {found}")]
    Sequence {
        /// The position that should come here.
        expected: u32,
        /// The position that does.
        found: u32,
    },
    /// A record does not follow the one before it.
    #[error("record {sequence} does not follow the record before it")]
    Link {
        /// The position.
        sequence: u32,
    },
    /// A record was changed after it was written.
    #[error("record {sequence} was changed after it was written")]
    Content {
        /// The position.
        sequence: u32,
    },
}

/// Checks a whole chain, first record first (INV-10).
pub fn verify(execution: ExecutionId, records: &[Record]) -> Result<ChainHead, Broken> {
    let mut head = ChainHead::genesis(execution);
    for record in records {
        let expected = head.sequence + 1;
        if record.sequence != expected {
            return Err(Broken::Sequence { expected, found: record.sequence });
        }
        if record.previous != head.hash || record.entry.execution != execution {
            return Err(Broken::Link { sequence: expected });
        }
        if record.hash != digest(record.sequence, &record.previous, &record.entry) {
            return Err(Broken::Content { sequence: expected });
        }
        head = record.head();
    }
    Ok(head)
}

/// Hash of a record. JSON of an [`Entry`] is canonical here: its fields are written in declaration order, it
/// holds no maps and no floats.
fn digest(sequence: u32, previous: &ObjectHash, entry: &Entry) -> ObjectHash {
    let body = serde_json::to_vec(entry).expect("an entry holds strings, integers and lists only");
    let mut hasher = Sha256::new();
    hasher.update(sequence.to_be_bytes());
    hasher.update(previous.as_bytes());
    hasher.update(&body);
    ObjectHash::from_bytes(hasher.finalize().into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn chain(length: u32) -> (ExecutionId, Vec<Record>) {
        let execution = ExecutionId::from_uuid(Uuid::from_u128(7));
        let mut head = ChainHead::genesis(execution);
        let mut records = Vec::new();
        for n in 0..length {
            let record = Record::after(
                head,
                Entry {
                    execution,
                    message_id: Uuid::from_u128(u128::from(n)),
                    document: DocumentHash::of(b"document"),
                    bundle: BundleHash::of(b"bundle"),
                    session: None,
                    at: Timestamp::from_second(i64::from(n)).unwrap(),
                    event: Event::Noted {
                        event: "clinflow.v1.BudgetThreshold".to_owned(),
                        message: format!("{n}"),
                    },
                },
            );
            head = record.head();
            records.push(record);
        }
        (execution, records)
    }

    #[test]
    fn an_untouched_chain_verifies() {
        let (execution, records) = chain(5);
        assert_eq!(verify(execution, &records).unwrap().sequence, 5);
    }

    proptest! {
        #[test]
        fn removing_any_record_but_the_last_is_found(at in 0usize..4) {
            let (execution, mut records) = chain(5);
            records.remove(at);
            let expected = u32::try_from(at).unwrap() + 1;
            prop_assert_eq!(verify(execution, &records), Err(Broken::Sequence { expected, found: expected + 1 }));
        }

        #[test]
        fn changing_any_record_is_found_at_its_place(at in 0usize..5) {
            let (execution, mut records) = chain(5);
            records[at].entry.event = Event::Noted { event: "forged".to_owned(), message: String::new() };
            prop_assert_eq!(verify(execution, &records), Err(Broken::Content { sequence: u32::try_from(at).unwrap() + 1 }));
        }

        #[test]
        fn swapping_two_records_is_found(a in 0usize..5, b in 0usize..5) {
            prop_assume!(a != b);
            let (execution, mut records) = chain(5);
            records.swap(a, b);
            prop_assert!(verify(execution, &records).is_err());
        }
    }
}
