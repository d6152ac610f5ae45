//! What counters are asked, and what they answer.

use std::time::Duration;

use clinflow_core::{AgentId, DocumentHash, TeamId, id::ObjectHash};
use jiff::Timestamp;

use crate::{Account, Attempt, Guard, NanoUsd, Scope};

/// May this attempt be made? Either all accounts take the hold or none does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reservation {
    /// The attempt.
    pub attempt: Attempt,
    /// Who pays. All counters of a team lie together.
    pub team: TeamId,
    /// Who asks.
    pub agent: AgentId,
    /// The document it is about; the loop guard counts by it.
    pub document: DocumentHash,
    /// What is asked: the same for identical calls (document, agent, model, request).
    pub fingerprint: ObjectHash,
    /// What it costs at most.
    pub hold: NanoUsd,
    /// How long until the attempt counts as dead if nothing more is heard of it.
    pub lease: Duration,
    /// Where it is booked, the widest scope first.
    pub charges: Vec<Charge>,
    /// How often the same may be asked.
    pub guard: Guard,
}

impl Reservation {
    /// The same attempt's accounts.
    pub fn accounts(&self) -> Vec<Account> {
        self.charges.iter().map(|charge| charge.account.clone()).collect()
    }
}

/// One account of a reservation, with the limit on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// The account.
    pub account: Account,
    /// How much may be spent; `None` to count only.
    pub limit: Option<Limit>,
}

/// How much may be spent, from which share on somebody is told, and which edition of the budgets says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    /// In the account's period.
    pub amount: NanoUsd,
    /// The budgets' version: of two, the higher one holds, whoever brings it.
    pub version: u32,
    /// Ascending.
    pub thresholds: Vec<Threshold>,
}

/// A share of a limit at which somebody is told, once for each account and version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Threshold {
    /// Of the limit.
    pub percent: u8,
    /// The same in money, rounded up.
    pub amount: NanoUsd,
}

/// What a reservation was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The money is held until the lease ends.
    Ok {
        /// When that is, by the counters' clock.
        until: Timestamp,
    },
    /// This attempt was reserved before.
    Duplicate(State),
    /// An identical call is under way: its answer will be there soon.
    InFlight(Attempt),
    /// Not enough is left, and it will not become more in this period.
    Exhausted {
        /// The first scope that refuses.
        scope: Scope,
        /// Settled and in suspense.
        used: NanoUsd,
        /// Its limit.
        limit: NanoUsd,
    },
    /// Not enough is left now, and more will be when calls under way have ended.
    Contended {
        /// The first scope that refuses.
        scope: Scope,
        /// What calls under way hold.
        held: NanoUsd,
        /// Its limit.
        limit: NanoUsd,
    },
    /// The same is asked too often.
    Loop(Trip),
    /// Somebody has stopped this scope.
    Frozen {
        /// Which.
        scope: Scope,
    },
    /// The counters are empty or being rebuilt: nothing may be spent until they are installed.
    Uninitialised,
}

impl Answer {
    /// The decision as a metric label; `unpriced` is decided before anybody is asked.
    pub const fn decision(&self) -> &'static str {
        match self {
            Self::Ok { .. } => "allow",
            Self::Duplicate(_) => "duplicate",
            Self::InFlight(_) => "in_flight",
            Self::Exhausted { .. } => "exhausted",
            Self::Contended { .. } => "contended",
            Self::Loop(_) => "loop",
            Self::Frozen { .. } => "frozen",
            Self::Uninitialised => "unavailable",
        }
    }
}

/// Which of the loop guard's limits was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Trip {
    /// Identical calls.
    Identical,
    /// Calls of one agent about one document.
    Stage,
}

impl Trip {
    /// The one spelling: in alerts and metric labels.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Identical => "identical",
            Self::Stage => "stage",
        }
    }
}

/// What has become of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Money is held; the model was not asked yet.
    Held,
    /// The model may have been asked.
    Dispatched,
    /// Nobody knows yet what it cost; the hold still counts.
    Suspense,
    /// What it cost is booked.
    Settled,
    /// It was given up before the model was asked.
    Released,
}

impl State {
    /// Every state.
    pub const ALL: [Self; 5] = [Self::Held, Self::Dispatched, Self::Suspense, Self::Settled, Self::Released];

    /// The one spelling.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Dispatched => "dispatched",
            Self::Suspense => "suspense",
            Self::Settled => "settled",
            Self::Released => "released",
        }
    }
}

/// May the model be asked now?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dispatch {
    /// Yes: the hold is there and counts until the lease ends.
    Go,
    /// No: the attempt has ended, or is under way elsewhere.
    No(State),
    /// No: these counters do not know the attempt; they were rebuilt meanwhile.
    Unknown,
    /// No: the counters are being rebuilt.
    Uninitialised,
}

/// What settling did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settlement {
    /// It is booked.
    Settled {
        /// What it cost beyond its hold; always booked. Zero unless an upper bound was wrong.
        over: NanoUsd,
    },
    /// It was booked before, with the same amount.
    Duplicate,
    /// It was booked before, with another amount, which stays.
    Mismatch {
        /// The amount that is booked.
        booked: NanoUsd,
    },
    /// These counters do not know the attempt; nothing changed. A rebuild has counted it from the ledger.
    Unknown,
    /// The counters are being rebuilt, from the ledger, which knows the outcome.
    Uninitialised,
}

/// What releasing did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Release {
    /// The hold is gone.
    Released,
    /// The attempt is past that; nothing changed.
    No(State),
    /// These counters do not know the attempt.
    Unknown,
    /// The counters are being rebuilt.
    Uninitialised,
}

/// What putting into suspense did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suspend {
    /// The hold counts as spent until somebody knows better.
    Suspended,
    /// Its lease has not ended; nothing changed.
    Live,
    /// The attempt is past that; nothing changed.
    No(State),
    /// These counters do not know the attempt.
    Unknown,
    /// The counters are being rebuilt.
    Uninitialised,
}

/// How an account stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    /// What for.
    pub scope: Scope,
    /// The period's name.
    pub period: String,
    /// The limit that holds, with its version; `None` when it is only counted.
    pub limit: Option<(NanoUsd, u32)>,
    /// What is booked.
    pub settled: NanoUsd,
    /// What calls under way may cost at most.
    pub held: NanoUsd,
    /// What nobody knows yet, at the most it can be.
    pub suspense: NanoUsd,
    /// Whether somebody has stopped it.
    pub frozen: bool,
}
