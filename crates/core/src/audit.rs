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
            let repeats =
                |known: &Step| known.is_same_invocation(step) && known.started_at == step.started_at;
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
mod tests;
