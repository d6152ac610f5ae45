//! Bringing counters in line with the ledger: attempts that nobody finished, and counters that were lost.

use std::time::Duration;

use clinflow_core::TeamId;
use clinflow_cost::{Budgets, NanoUsd, Release, Resolution, horizon, resolve};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::{Counters, Ledger, StoreError};

/// How many attempts one sweep looks at.
const SWEPT: usize = 100;

/// What a sweep did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Swept {
    /// Holds given back: nothing was sent.
    pub released: usize,
    /// Holds that count as spent until somebody knows better.
    pub suspended: usize,
    /// Attempts settled from the ledger.
    pub settled: usize,
    /// Attempts settled at their hold, because nobody has found out for a day.
    pub written_off: usize,
}

/// Looks at attempts whose lease has ended or that are in suspense, and does what the ledger says. Any number of
/// sweepers may run at once.
pub async fn sweep(
    counters: &dyn Counters,
    ledger: &dyn Ledger,
    team: &TeamId,
    now: Timestamp,
) -> Result<Swept, StoreError> {
    let mut swept = Swept::default();
    for attempt in counters.expired(team, SWEPT).await? {
        let entry = ledger.attempt(attempt).await?;
        match (resolve(entry.as_ref(), now), entry) {
            (Resolution::Settle(cost), _) => {
                counters.settle(team, attempt, cost).await?;
                swept.settled += 1;
            }
            (Resolution::WriteOff, Some(entry)) => {
                // Somebody may have written the true outcome meanwhile: then that is booked.
                let outcome = ledger.put_outcome(&entry.intent.written_off(now)).await?;
                counters.settle(team, attempt, outcome.cost).await?;
                swept.written_off += 1;
            }
            (Resolution::Release, _) if counters.release(team, attempt).await? == Release::Released => {
                swept.released += 1;
            }
            // Without an intent and yet past the point where it can be given back: its caller is just being slow.
            (Resolution::Release | Resolution::Suspend | Resolution::WriteOff, _) => {
                counters.expire(team, attempt).await?;
                swept.suspended += 1;
            }
        }
    }
    Ok(swept)
}

/// What a rebuild did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rebuilt {
    /// The counters say what the ledger says.
    Done {
        /// How many entries were read.
        entries: usize,
        /// Attempts of which nobody knows the end.
        open: usize,
        /// What the team has settled in what was read.
        settled: NanoUsd,
    },
    /// Somebody else is at it.
    Busy,
    /// It took longer than `patience`, and somebody else took over: nothing changed.
    Lost,
}

/// Makes a team's counters from the ledger. Nobody may spend meanwhile. `token` becomes the counters' generation: every
/// rebuild has one of its own.
///
/// It is exact whatever is under way: the books are closed first, the ledger is read then, and whoever has written an
/// intent since is not let through by [`Counters::dispatch`].
pub async fn rebuild(
    counters: &dyn Counters,
    ledger: &dyn Ledger,
    budgets: &Budgets,
    team: &TeamId,
    (token, patience): (Uuid, Duration),
    now: Timestamp,
) -> Result<Rebuilt, StoreError> {
    if !counters.begin(team, token, patience).await? {
        return Ok(Rebuilt::Busy);
    }
    // The clocks of those who write intents may be ahead of ours.
    let until = now.checked_add(SignedDuration::from_hours(24)).unwrap_or(Timestamp::MAX);
    let entries = ledger.read(team, horizon(now, budgets.zone()), until).await?;
    let install = clinflow_cost::rebuild(&entries, ledger.alerts(team).await?, budgets, now);
    if !counters.install(team, token, &install).await? {
        return Ok(Rebuilt::Lost);
    }
    let costs = entries.iter().filter_map(|entry| entry.outcome.as_ref()).map(|outcome| outcome.cost);
    let settled = costs.fold(NanoUsd::ZERO, NanoUsd::plus);
    Ok(Rebuilt::Done { entries: entries.len(), open: install.open.len(), settled })
}
