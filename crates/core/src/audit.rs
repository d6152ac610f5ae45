//! The audit record and its hash chain: one chain per execution, each record bound to the one before.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{
    id::{BundleHash, DocumentHash, ExecutionId, ObjectHash, SessionId},
    review::Decision,
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
        /// The record the outputs were made from.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        rests_on: Option<ChainHead>,
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
    /// The guardrail masked or blocked something.
    Guarded {
        /// The guardrail's name.
        guardrail: String,
        /// The policy in it: `topic`, `sensitive-information`.
        policy: String,
        /// What was done: `anonymized` or `blocked`.
        action: String,
        /// The field it was done to; `None` for the whole document.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        field: Option<String>,
    },
    /// A question was answered or refused; this record comes before anybody is told.
    Answered {
        /// The question.
        question: Uuid,
        /// The answer with its citations, by reference and hash.
        answer: ObjectRef,
        /// True when the guardrail refused.
        refused: bool,
        /// What was done for it: one invocation.
        steps: Vec<Step>,
    },
    /// A person did something to the execution. This record comes before the deed (INV-02).
    Operated {
        /// What.
        operation: Operation,
        /// Who, as the identity provider names them.
        by: String,
        /// The message or the other execution it is about.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        about: Option<Uuid>,
        /// Why, in one word.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    /// A person settled a review item. The first such record of an item is its resolution.
    Resolved {
        /// The item's number in its execution.
        item: u32,
        /// What was decided.
        decision: Decision,
        /// Who, as the identity provider names them.
        by: String,
        /// The corrected value, in the object store.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        value: Option<ObjectRef>,
    },
    /// Something else that is worth keeping: a late part, a side event.
    Noted {
        /// The protobuf type of the event.
        event: String,
        /// Words about it without PHI.
        message: String,
    },
}

/// What a person did to an execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// Put a parked message back to work.
    Replay,
    /// Gave up a parked message for good.
    Drop,
    /// Let the execution go on from where it failed.
    Redrive,
    /// Asked for the same work once more; the record names the other execution.
    Rerun,
    /// Stopped the execution for good.
    Abort,
}

impl Operation {
    /// The one spelling of this operation.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Replay => "replay",
            Self::Drop => "drop",
            Self::Redrive => "redrive",
            Self::Rerun => "rerun",
            Self::Abort => "abort",
        }
    }
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

/// Every step the records tell of, oldest first. A step that several records repeat appears once; the same attempt
/// made again by a redrive began at another time and is another step.
pub fn history(records: &[Record]) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for record in records {
        let told = match &record.entry.event {
            Event::Recorded { steps, .. }
            | Event::Reported { steps, .. }
            | Event::Failed { steps, .. }
            | Event::Answered { steps, .. } => steps,
            Event::Noted { .. } | Event::Guarded { .. } | Event::Operated { .. } | Event::Resolved { .. } => {
                continue;
            }
        };
        for step in told {
            let repeats = |known: &Step| known.is_same_invocation(step) && known.started_at == step.started_at;
            if !steps.iter().any(repeats) {
                steps.push(step.clone());
            }
        }
    }
    steps.sort_by_key(|step| step.started_at);
    steps
}

/// True when the last word of a person about the execution is that it stops: what was under way then is dropped.
pub fn is_aborted(records: &[Record]) -> bool {
    let last = records.iter().rev().find_map(|record| match &record.entry.event {
        Event::Operated { operation: Operation::Abort, .. } => Some(true),
        Event::Operated { operation: Operation::Redrive | Operation::Replay, .. } => Some(false),
        _ => None,
    });
    last.unwrap_or(false)
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
    /// The chain ends before a record that something else knows of.
    #[error("record {sequence} is missing; the chain ends before it")]
    Missing {
        /// The position of the first record that is missing.
        sequence: u32,
    },
    /// A record is not the one that something else knows of.
    #[error("record {sequence} is not the one that was written there")]
    Replaced {
        /// The position.
        sequence: u32,
    },
}

impl Broken {
    /// The position of the first record that is not what it was.
    pub const fn at(&self) -> u32 {
        match self {
            Self::Sequence { expected, .. } => *expected,
            Self::Link { sequence }
            | Self::Content { sequence }
            | Self::Missing { sequence }
            | Self::Replaced { sequence } => *sequence,
        }
    }
}

/// Checks a whole chain against a head it is known to have had (INV-10): a chain whose last records were removed
/// is a good chain by itself.
pub fn verify_up_to(
    execution: ExecutionId,
    records: &[Record],
    known: Option<ChainHead>,
) -> Result<ChainHead, Broken> {
    let head = verify(execution, records)?;
    known.map_or(Ok(()), |known| holds(execution, records, known))?;
    Ok(head)
}

/// Checks that a good chain holds the record `known`.
fn holds(execution: ExecutionId, records: &[Record], known: ChainHead) -> Result<(), Broken> {
    let found = match known.sequence.checked_sub(1) {
        None => ChainHead::genesis(execution),
        Some(before) => match records.get(before as usize) {
            Some(record) => record.head(),
            None => {
                let end = u32::try_from(records.len()).unwrap_or(u32::MAX);
                return Err(Broken::Missing { sequence: end.saturating_add(1) });
            }
        },
    };
    if found == known { Ok(()) } else { Err(Broken::Replaced { sequence: known.sequence }) }
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
        if let Event::Reported { rests_on: Some(known), .. } = &record.entry.event {
            holds(execution, &records[..head.sequence as usize], *known)?;
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

    /// A chain as a document makes it: recorded, then reported on the grounds of that record.
    fn reported() -> (ExecutionId, Vec<Record>) {
        let (execution, mut records) = chain(1);
        let entry = Entry {
            message_id: Uuid::from_u128(9),
            event: Event::Reported {
                steps: Vec::new(),
                outputs: Vec::new(),
                rests_on: Some(records[0].head()),
            },
            ..records[0].entry.clone()
        };
        records.push(Record::after(records[0].head(), entry));
        (execution, records)
    }

    #[test]
    fn a_report_whose_record_was_removed_before_it_was_written_is_found() {
        let (execution, records) = reported();
        assert!(verify(execution, &records).is_ok());
        let alone = Record::after(ChainHead::genesis(execution), records[1].entry.clone());
        assert_eq!(verify(execution, &[alone]), Err(Broken::Missing { sequence: 1 }));
        let (_, others) = chain(2);
        let after_another = Record::after(others[1].head(), records[1].entry.clone());
        let moved = [others[0].clone(), others[1].clone(), after_another];
        assert!(verify(execution, &moved).is_ok(), "records between are no harm");
        let forged = Record::after(
            ChainHead::genesis(execution),
            Entry { message_id: Uuid::from_u128(77), ..others[0].entry.clone() },
        );
        let after_forged = Record::after(forged.head(), records[1].entry.clone());
        assert_eq!(verify(execution, &[forged, after_forged]), Err(Broken::Replaced { sequence: 1 }));
    }

    #[test]
    fn a_known_head_finds_an_end_that_was_cut_off_or_written_anew() {
        let (execution, records) = chain(3);
        let known = Some(records[2].head());
        assert_eq!(verify_up_to(execution, &records, known).unwrap().sequence, 3);
        assert_eq!(verify_up_to(execution, &records[..2], known), Err(Broken::Missing { sequence: 3 }));
        assert_eq!(verify_up_to(execution, &[], known), Err(Broken::Missing { sequence: 1 }));
        let mut entry = records[2].entry.clone();
        entry.message_id = Uuid::from_u128(99);
        let rewritten = [&records[..2], &[Record::after(records[1].head(), entry)]].concat();
        assert!(verify(execution, &rewritten).is_ok(), "by itself it is a good chain");
        assert_eq!(verify_up_to(execution, &rewritten, known), Err(Broken::Replaced { sequence: 3 }));
    }

    #[test]
    fn the_last_word_about_an_execution_says_whether_it_stops() {
        let (execution, mut records) = chain(1);
        assert!(!is_aborted(&records));
        for (operation, stops) in [
            (Operation::Abort, true),
            (Operation::Drop, true),
            (Operation::Redrive, false),
            (Operation::Abort, true),
            (Operation::Rerun, true),
        ] {
            let event = Event::Operated { operation, by: "operator".to_owned(), about: None, reason: None };
            let entry = Entry { event, ..records[0].entry.clone() };
            let head = records.last().map_or_else(|| ChainHead::genesis(execution), Record::head);
            records.push(Record::after(head, entry));
            assert_eq!(is_aborted(&records), stops, "{operation:?}");
        }
    }

    /// One thing somebody might do to a chain behind the log's back.
    #[derive(Debug, Clone)]
    enum Deed {
        Remove(usize),
        Swap(usize, usize),
        Double(usize),
        ChangeEntry(usize),
        ChangeTime(usize),
        ChangeHash(usize),
        ChangePrevious(usize),
        /// Changed, and given the hash that fits.
        Forge(usize),
        /// Changed, and every record from there on given the hashes that fit.
        ForgeOn(usize),
    }

    const LENGTH: usize = 6;

    fn deed() -> impl Strategy<Value = Deed> {
        let at = 0..LENGTH;
        prop_oneof![
            at.clone().prop_map(Deed::Remove),
            (at.clone(), at.clone()).prop_map(|(one, other)| Deed::Swap(one, other)),
            at.clone().prop_map(Deed::Double),
            at.clone().prop_map(Deed::ChangeEntry),
            at.clone().prop_map(Deed::ChangeTime),
            at.clone().prop_map(Deed::ChangeHash),
            at.clone().prop_map(Deed::ChangePrevious),
            at.clone().prop_map(Deed::Forge),
            at.prop_map(Deed::ForgeOn),
        ]
    }

    /// Does it; answers the first position that is no longer what it was.
    fn misdeed(records: &mut Vec<Record>, deed: &Deed) -> Option<usize> {
        let other = Event::Noted { event: "forged".to_owned(), message: String::new() };
        match *deed {
            Deed::Remove(at) => {
                records.remove(at);
                Some(at)
            }
            Deed::Swap(one, other) if one == other => None,
            Deed::Swap(one, other) => {
                records.swap(one, other);
                Some(one.min(other))
            }
            Deed::Double(at) => {
                let twice = records[at].clone();
                records.insert(at + 1, twice);
                Some(at + 1)
            }
            Deed::ChangeEntry(at) => {
                records[at].entry.event = other;
                Some(at)
            }
            Deed::ChangeTime(at) => {
                records[at].entry.at = Timestamp::UNIX_EPOCH - jiff::SignedDuration::from_secs(1);
                Some(at)
            }
            Deed::ChangeHash(at) => {
                records[at].hash = ObjectHash::of(b"another");
                Some(at)
            }
            Deed::ChangePrevious(at) => {
                records[at].previous = ObjectHash::of(b"another");
                Some(at)
            }
            Deed::Forge(at) => {
                let head = ChainHead { sequence: records[at].sequence - 1, hash: records[at].previous };
                let entry = Entry { event: other, ..records[at].entry.clone() };
                records[at] = Record::after(head, entry);
                // The record is a good one by itself: the one after it gives it away.
                Some((at + 1).min(LENGTH - 1))
            }
            Deed::ForgeOn(at) => {
                records[at].entry.event = other;
                for position in at..records.len() {
                    let before = ChainHead {
                        sequence: records[position].sequence - 1,
                        hash: records[position].previous,
                    };
                    let before = if position == at { before } else { records[position - 1].head() };
                    records[position] = Record::after(before, records[position].entry.clone());
                }
                // A whole new end: only the known head gives it away.
                Some(LENGTH - 1)
            }
        }
    }

    proptest! {
        #[test]
        fn whatever_is_done_to_a_chain_is_found_where_it_was_done(deed in deed()) {
            let (execution, mut records) = chain(u32::try_from(LENGTH).unwrap());
            let known = records.last().map(Record::head);
            let at = misdeed(&mut records, &deed);
            let found = verify_up_to(execution, &records, known);
            match at {
                None => prop_assert!(found.is_ok()),
                Some(at) => {
                    let position = found.unwrap_err().at();
                    prop_assert_eq!(position, u32::try_from(at).unwrap() + 1, "{:?}", deed);
                }
            }
        }

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
