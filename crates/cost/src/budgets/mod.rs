//! Who may spend how much: limits by scope, and how often the same may be asked.

mod read;

use std::{collections::BTreeMap, time::Duration};

use clinflow_core::{AgentId, DocumentHash, SessionId, TeamId, WorkflowId, id::ObjectHash};
use clinflow_yaml::Problems;
use jiff::{Timestamp, tz::TimeZone};

use crate::{Account, Attempt, Charge, Limit, NanoUsd, Reservation, Scope, ScopeKind, Threshold};

/// How often the same may be asked about one document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guard {
    /// Which identical call is the first to be refused: with 3, two are made (or answered from the store). 0 for none.
    pub identical_calls: u32,
    /// How many calls of any kind one agent may make; the next is refused. 0 for any number.
    pub calls_per_stage: u32,
    /// Over which time.
    pub window: Duration,
}

/// For whom a call is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payer {
    /// The team.
    pub team: TeamId,
    /// The workflow.
    pub workflow: WorkflowId,
    /// The agent.
    pub agent: AgentId,
    /// The session.
    pub session: Option<SessionId>,
    /// The document.
    pub document: DocumentHash,
}

/// The limits on scopes of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Limits {
    default: Option<NanoUsd>,
    named: BTreeMap<String, NanoUsd>,
    thresholds: Vec<u8>,
}

/// The budgets file.
#[derive(Debug, Clone)]
pub struct Budgets {
    version: u32,
    zone: TimeZone,
    limits: [Limits; 5],
    guard: Guard,
}

impl Budgets {
    /// Reads the file. `file` is what its problems call it.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, by line.
    pub fn read(file: &str, text: &str) -> Result<Self, Problems> {
        read::budgets(file, text)
    }

    /// The file's version.
    pub const fn version(&self) -> u32 {
        self.version
    }

    /// The time zone that days and months begin in.
    pub const fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// How often the same may be asked.
    pub const fn guard(&self) -> Guard {
        self.guard
    }

    /// The limit on a scope.
    pub fn limit(&self, scope: &Scope) -> Option<Limit> {
        let limits = &self.limits[ScopeKind::ALL.iter().position(|kind| *kind == scope.kind())?];
        let amount = limits.named.get(scope.id()).copied().or(limits.default)?;
        let threshold = |percent: &u8| Threshold { percent: *percent, amount: share(amount, *percent) };
        let thresholds = limits.thresholds.iter().map(threshold).collect();
        Some(Limit { amount, version: self.version, thresholds })
    }

    /// Where a call of `payer` at `at` is booked, the widest scope first, with the limits that hold.
    pub fn charges(&self, payer: &Payer, at: Timestamp) -> Vec<Charge> {
        let scopes = [
            Some(Scope::team(&payer.team)),
            Some(Scope::workflow(&payer.workflow)),
            Some(Scope::agent(&payer.agent)),
            payer.session.as_ref().map(Scope::session),
            Some(Scope::document(&payer.document)),
        ];
        let charge =
            |scope: Scope| Charge { limit: self.limit(&scope), account: Account::at(scope, at, &self.zone) };
        scopes.into_iter().flatten().map(charge).collect()
    }

    /// The reservation of a call that costs at most `hold`, made at `at`.
    pub fn reserve(
        &self,
        payer: &Payer,
        attempt: Attempt,
        fingerprint: ObjectHash,
        hold: NanoUsd,
        lease: Duration,
        at: Timestamp,
    ) -> Reservation {
        Reservation {
            attempt,
            team: payer.team.clone(),
            agent: payer.agent.clone(),
            document: payer.document,
            fingerprint,
            hold,
            lease,
            charges: self.charges(payer, at),
            guard: self.guard,
        }
    }
}

/// `percent` of `amount`, rounded up.
fn share(amount: NanoUsd, percent: u8) -> NanoUsd {
    let nano = (u128::from(amount.get()) * u128::from(percent)).div_ceil(100);
    // A hundred per cent at most, so no more than the amount.
    u64::try_from(nano).map_or(amount, NanoUsd::new)
}

#[cfg(test)]
mod tests;
