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
    /// Whose calls.
    pub agent: AgentId,
    /// When the alert was raised, in whole microseconds.
    pub at: Timestamp,
}

impl RecalledAlert {
    /// The loop that an alert's id names.
    pub(crate) fn read(id: &str) -> Option<Self> {
        let (document, rest) = id.strip_prefix("loop|")?.split_once('|')?;
        let (agent, at) = rest.split_once('|')?;
        let at = Timestamp::from_microsecond(at.parse().ok()?).ok()?;
        Some(Self { document: document.to_owned(), agent: AgentId::new(agent).ok()?, at })
    }

    /// The id of its alert.
    fn id(&self) -> String {
        format!("loop|{}|{}|{}", self.document, self.agent, self.at.as_microsecond())
    }
}

/// The calls of the last while, by document, oldest first.
#[derive(Debug, Clone, Default)]
pub(super) struct Calls {
    by_document: BTreeMap<DocumentHash, BTreeSet<Call>>,
    counted: u64,
}

/// When somebody was last told of a loop, by the first digits of the document's hash and by agent.
#[derive(Debug, Clone, Default)]
pub(super) struct Told(BTreeMap<(String, AgentId), Timestamp>);

impl Told {
    /// The alert about a call that broke a limit. One in a window for a document and an agent, whatever calls and
    /// limits come after it: whoever was told looks at all of them.
    pub(super) fn tell(
        &mut self,
        wanted: &Reservation,
        broken: &Broken,
        now: Timestamp,
    ) -> Option<CostAlert> {
        let told = RecalledAlert { document: wanted.document.prefix(), agent: wanted.agent.clone(), at: now };
        let since = start(now, wanted.guard.window);
        let before = self.0.get(&(told.document.clone(), told.agent.clone()));
        if before.is_some_and(|at| *at > since) {
            return None;
        }
        self.recall(&told);
        let cause = Cause::Loop {
            document: wanted.document,
            agent: wanted.agent.clone(),
            trip: broken.trip.as_str().to_owned(),
            fingerprint: wanted.fingerprint,
            calls: broken.calls,
        };
        Some(CostAlert { id: told.id(), at: now, cause })
    }

    /// Remembers an alert; of several, the last.
    pub(super) fn recall(&mut self, alert: &RecalledAlert) {
        let at = self.0.entry((alert.document.clone(), alert.agent.clone())).or_insert(alert.at);
        *at = alert.at.max(*at);
    }

    /// Forgets what is out of the window.
    pub(super) fn forget(&mut self, window: Duration, now: Timestamp) {
        let since = start(now, window);
        self.0.retain(|_, at| *at > since);
    }
}

/// A limit that one more call would break.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Broken {
    /// Which.
    pub(super) trip: Trip,
    /// How many calls were made.
    calls: u64,
}

impl Calls {
    /// The limit that one more call would break.
    pub(super) fn trip(&mut self, wanted: &Reservation, now: Timestamp) -> Option<Broken> {
        let since = start(now, wanted.guard.window);
        let calls = self.by_document.entry(wanted.document).or_default();
        calls.retain(|call| call.at > since);
        let name = wanted.attempt.call();
        if calls.iter().any(|call| call.name == name && call.agent == wanted.agent) {
            return None;
        }
        let of_agent = || calls.iter().filter(|call| call.agent == wanted.agent);
        let stage = count(of_agent());
        let identical = count(of_agent().filter(|call| call.fingerprint == wanted.fingerprint));
        let guard = wanted.guard;
        let reached = |limit: u32, calls: u64| limit > 0 && calls >= u64::from(limit);
        if guard.identical_calls > 0 && reached(guard.identical_calls.saturating_sub(1).max(1), identical) {
            Some(Broken { trip: Trip::Identical, calls: identical })
        } else if reached(guard.calls_per_stage, stage) {
            Some(Broken { trip: Trip::Stage, calls: stage })
        } else {
            None
        }
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

    /// Forgets what is out of the window.
    pub(super) fn forget(&mut self, window: Duration, now: Timestamp) {
        let since = start(now, window);
        self.by_document.retain(|_, calls| {
            calls.retain(|call| call.at > since);
            !calls.is_empty()
        });
    }
}

fn count<'c>(calls: impl Iterator<Item = &'c Call>) -> u64 {
    calls.fold(0, |count, _| count + 1)
}

/// When a window that ends now began.
fn start(now: Timestamp, window: Duration) -> Timestamp {
    SignedDuration::try_from(window)
        .ok()
        .and_then(|window| now.checked_sub(window).ok())
        .unwrap_or(Timestamp::MIN)
}
