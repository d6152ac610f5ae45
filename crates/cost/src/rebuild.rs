//! From the ledger to counters: sums of what has an outcome, and of what has none.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use crate::{
    Account, Budgets, Entry, Intent, Limit, NanoUsd, Outcome, Period, Span, Tally,
    books::{Recalled, RecalledAlert},
};

/// Everything counters must hold: the sums of every account, the attempts that nobody knows the end of, the calls that
/// the loop guard counts, and which alerts were raised.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Install {
    /// Sums and limits by account, in the order of their names. Nothing is held: an attempt with an intent is in
    /// suspense, and one without was never sent.
    pub accounts: Vec<(Account, Tally, Option<Limit>)>,
    /// Attempts with an intent and no outcome.
    pub open: Vec<Intent>,
    /// Calls in the loop guard's window, oldest first.
    pub calls: Vec<Recalled>,
    /// Loops that somebody was told of.
    pub loops: Vec<RecalledAlert>,
    /// The ids of alerts that somebody was told of.
    pub raised: BTreeSet<String>,
}

impl Install {
    /// Version and percent of an account's alerts that somebody was told of.
    pub fn raised_for(&self, account: &Account) -> Vec<(u32, u8)> {
        let prefix = format!("{}|", account.name());
        let read = |id: &String| {
            let (version, percent) = id.strip_prefix(&prefix)?.split_once('|')?;
            Some((version.parse().ok()?, percent.parse().ok()?))
        };
        self.raised.iter().filter_map(read).collect()
    }
}

/// From when on the ledger must be read to rebuild counters at `now`: the beginning of the month before, so that what
/// was reserved in the last period and is still open is there too.
pub fn horizon(now: Timestamp, zone: &TimeZone) -> Timestamp {
    let month = Period::containing(now, Span::Month, zone);
    let before = month.starts.checked_sub(SignedDuration::from_secs(1)).unwrap_or(month.starts);
    Period::containing(before, Span::Month, zone).starts
}

/// What counters must hold at `now`, from the ledger's `entries` since [`horizon`] and the alerts that were `raised`.
pub fn rebuild(entries: &[Entry], raised: BTreeSet<String>, budgets: &Budgets, now: Timestamp) -> Install {
    let mut sums: BTreeMap<String, (Account, Tally)> = BTreeMap::new();
    let mut calls: BTreeMap<(String, String), Recalled> = BTreeMap::new();
    let guarded = window_start(now, budgets.guard().window);
    let mut open = Vec::new();
    for Entry { intent, outcome } in entries {
        for account in &intent.accounts {
            let tally =
                &mut sums.entry(account.name()).or_insert_with(|| (account.clone(), Tally::default())).1;
            match outcome {
                Some(outcome) => tally.settled = tally.settled.plus(outcome.cost),
                None => tally.suspense = tally.suspense.plus(intent.hold),
            }
        }
        if outcome.is_none() {
            open.push(intent.clone());
        }
        if intent.at > guarded {
            let call = Recalled {
                at: intent.at,
                document: intent.document,
                agent: intent.agent.clone(),
                fingerprint: intent.fingerprint,
                call: intent.attempt.call(),
            };
            // The first attempt at a call is when it was made.
            let known =
                calls.entry((intent.agent.to_string(), call.call.clone())).or_insert_with(|| call.clone());
            if call.at < known.at {
                *known = call;
            }
        }
    }
    let limited = |(account, tally): (Account, Tally)| {
        let limit = budgets.limit(&account.scope);
        (account, tally, limit)
    };
    let mut calls: Vec<Recalled> = calls.into_values().collect();
    calls.sort_by(|one, other| (one.at, &one.call).cmp(&(other.at, &other.call)));
    let loops = raised.iter().filter_map(|id| RecalledAlert::read(id)).collect();
    Install { accounts: sums.into_values().map(limited).collect(), open, calls, loops, raised }
}

fn window_start(now: Timestamp, window: Duration) -> Timestamp {
    SignedDuration::try_from(window)
        .ok()
        .and_then(|window| now.checked_sub(window).ok())
        .unwrap_or(Timestamp::MIN)
}

/// How long an attempt may be in suspense before it is booked at its hold.
const WRITTEN_OFF_AFTER: SignedDuration = SignedDuration::from_hours(24);

/// What to do about an attempt that its lease has brought up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolution {
    /// Nothing was written down, so nothing was sent: give the hold back.
    Release,
    /// It may have been sent, and nobody knows what it cost: count the hold as spent.
    Suspend,
    /// The ledger knows what it cost.
    Settle(NanoUsd),
    /// Nobody has found out for a day: write an outcome at its hold, marked as estimated.
    WriteOff,
}

/// What to do at `now` about an attempt that its lease has brought up, by what the ledger knows of it.
pub fn resolve(entry: Option<&Entry>, now: Timestamp) -> Resolution {
    match entry {
        None => Resolution::Release,
        Some(Entry { outcome: Some(Outcome { cost, .. }), .. }) => Resolution::Settle(*cost),
        Some(Entry { intent, outcome: None }) if now.duration_since(intent.at) >= WRITTEN_OFF_AFTER => {
            Resolution::WriteOff
        }
        Some(Entry { outcome: None, .. }) => Resolution::Suspend,
    }
}
