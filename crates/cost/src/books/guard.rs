//! The loop guard: how often the same was asked about a document. It counts calls, not attempts: what a redelivery
//! repeats is the same call. And it counts by the document's hash, because whatever loops makes new ids.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use clinflow_core::{AgentId, DocumentHash, id::ObjectHash};
use jiff::{SignedDuration, Timestamp};

use crate::{Cause, CostAlert, Reservation, Trip};

/// A call that was let through.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Call {
    at: Timestamp,
    /// Which of the calls that were let through: of two at the same time the first comes first.
    number: u64,
    agent: AgentId,
    fingerprint: ObjectHash,
    name: String,
}

/// A call that the ledger knows of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recalled {
    /// When it was made.
    pub at: Timestamp,
    /// About which document.
    pub document: DocumentHash,
    /// Whose.
    pub agent: AgentId,
    /// What was asked.
    pub fingerprint: ObjectHash,
    /// Its name, [`crate::Attempt::call`].
    pub call: String,
}

/// A loop that somebody was told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecalledAlert {
    /// The first digits of the document's hash.
    pub document: String,
    /// The agent, and which of its calls: `ae-report.nlp|stage`.
    pub about: String,
    /// The first of the calls.
    pub first: String,
}

impl RecalledAlert {
    /// The loop that an alert's id names.
    pub(crate) fn read(id: &str) -> Option<Self> {
        let (document, rest) = id.strip_prefix("loop|")?.split_once('|')?;
        let (about, first) = rest.rsplit_once('|')?;
        Some(Self { document: document.to_owned(), about: about.to_owned(), first: first.to_owned() })
    }
}

/// The calls of the last while, by document, oldest first.
#[derive(Debug, Clone, Default)]
pub(super) struct Calls {
    by_document: BTreeMap<DocumentHash, BTreeSet<Call>>,
    /// The alerts that were raised, by what they are about, with the first call of the loop.
    raised: BTreeMap<(String, String), String>,
    counted: u64,
}

impl Calls {
    /// The limit that one more call would break, with the alert if it was not raised before.
    pub(super) fn trip(&mut self, wanted: &Reservation, now: Timestamp) -> Option<(Trip, Option<CostAlert>)> {
        let since = start(now, wanted.guard.window);
        let calls = self.by_document.entry(wanted.document).or_default();
        calls.retain(|call| call.at > since);
        let name = wanted.attempt.call();
        if calls.iter().any(|call| call.name == name && call.agent == wanted.agent) {
            return None;
        }
        let of_agent: Vec<&Call> = calls.iter().filter(|call| call.agent == wanted.agent).collect();
        let identical: Vec<&Call> =
            of_agent.iter().filter(|call| call.fingerprint == wanted.fingerprint).copied().collect();
        let guard = wanted.guard;
        let reached = |limit: u32, calls: &[&Call]| {
            limit > 0 && calls.len() >= usize::try_from(limit).unwrap_or(usize::MAX)
        };
        let (trip, calls) = if guard.identical_calls > 0
            && reached(guard.identical_calls.saturating_sub(1).max(1), &identical)
        {
            (Trip::Identical, identical)
        } else if reached(guard.calls_per_stage, &of_agent) {
            (Trip::Stage, of_agent)
        } else {
            return None;
        };
        let first = calls.first().map_or_else(String::new, |call| call.name.clone());
        let which = match trip {
            Trip::Identical => wanted.fingerprint.prefix()[..8].to_owned(),
            Trip::Stage => Trip::Stage.as_str().to_owned(),
        };
        let about = format!("{}|{which}", wanted.agent);
        let made = u64::try_from(calls.len()).unwrap_or(u64::MAX);
        let before = self.raised.insert((wanted.document.prefix(), about.clone()), first.clone());
        if before.as_ref() == Some(&first) {
            return Some((trip, None));
        }
        let cause = Cause::Loop {
            document: wanted.document,
            agent: wanted.agent.clone(),
            trip: trip.as_str().to_owned(),
            fingerprint: wanted.fingerprint,
            calls: made,
        };
        let id = format!("loop|{}|{about}|{first}", wanted.document.prefix());
        Some((trip, Some(CostAlert { id, at: now, cause })))
    }

    /// Counts a call that was let through.
    pub(super) fn count(&mut self, wanted: &Reservation, now: Timestamp) {
        self.recall(&Recalled {
            at: now,
            document: wanted.document,
            agent: wanted.agent.clone(),
            fingerprint: wanted.fingerprint,
            call: wanted.attempt.call(),
        });
    }

    /// Counts a call, once.
    pub(super) fn recall(&mut self, call: &Recalled) {
        let calls = self.by_document.entry(call.document).or_default();
        let same = |known: &Call| known.name == call.call && known.agent == call.agent;
        if !calls.iter().any(same) {
            let Recalled { at, agent, fingerprint, call, .. } = call.clone();
            self.counted += 1;
            calls.insert(Call { at, number: self.counted, agent, fingerprint, name: call });
        }
    }

    /// Remembers that an alert was raised.
    pub(super) fn recall_alert(&mut self, alert: &RecalledAlert) {
        let RecalledAlert { document, about, first } = alert.clone();
        self.raised.insert((document, about), first);
    }

    /// Forgets what is out of the window.
    pub(super) fn forget(&mut self, window: Duration, now: Timestamp) {
        let since = start(now, window);
        self.by_document.retain(|_, calls| {
            calls.retain(|call| call.at > since);
            !calls.is_empty()
        });
        let known: BTreeSet<String> = self.by_document.keys().map(DocumentHash::prefix).collect();
        self.raised.retain(|(document, _), _| known.contains(document));
    }
}

/// When a window that ends now began.
fn start(now: Timestamp, window: Duration) -> Timestamp {
    SignedDuration::try_from(window)
        .ok()
        .and_then(|window| now.checked_sub(window).ok())
        .unwrap_or(Timestamp::MIN)
}
