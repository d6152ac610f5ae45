//! The books of one team: what counters do, as a state machine over plain values.
//!
//! Every attempt goes `held -> dispatched -> settled`, or ends in between: `released` when the model was not asked,
//! `suspense` while nobody knows whether it was. For every account, settled + suspense + held never exceeds the limit
//! (INV-06): what is held counts from the moment it is held, and what nobody knows counts until somebody does.

mod guard;
mod outbox;

use std::{collections::BTreeMap, time::Duration};

use clinflow_core::id::ObjectHash;
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::{
    Account, Answer, Attempt, Cause, Charge, CostAlert, Dispatch, Install, Limit, NanoUsd, Position, Release,
    Reservation, Settlement, State, Suspend, alert::threshold_id,
};
pub use guard::{Recalled, RecalledAlert};

use guard::{Calls, Told};
use outbox::Outbox;

/// How long an attempt that has ended is remembered, so that what is said twice is known to be.
pub const REMEMBERED: SignedDuration = SignedDuration::from_hours(48);

/// How long an account is kept after its period.
pub const KEPT: SignedDuration = SignedDuration::from_hours(45 * 24);

/// How long until somebody looks again whether it is known what an attempt in suspense has cost.
pub const RECHECK: Duration = Duration::from_mins(1);

/// How many reservations are made between two times that what is over is forgotten.
const FORGET_EVERY: u32 = 1024;

/// The sums of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Booked.
    pub settled: NanoUsd,
    /// Held by calls under way.
    pub held: NanoUsd,
    /// Held by calls of which nobody knows what became.
    pub suspense: NanoUsd,
}

impl Tally {
    /// What is gone for good or may be.
    const fn used(&self) -> NanoUsd {
        self.settled.plus(self.suspense)
    }
}

/// An account with everything that is known of it.
#[derive(Debug, Clone)]
struct Ledger {
    account: Account,
    tally: Tally,
    limit: Option<Limit>,
    /// Version and percent of the alerts that were raised.
    raised: Vec<(u32, u8)>,
    frozen: bool,
}

/// An attempt that was reserved.
#[derive(Debug, Clone)]
struct Mark {
    state: State,
    hold: NanoUsd,
    actual: NanoUsd,
    accounts: Vec<String>,
    fingerprint: ObjectHash,
    /// When it is forgotten, once it has ended.
    until: Option<Timestamp>,
}

/// The books of one team. All methods take the present from whoever keeps them.
#[derive(Debug, Clone, Default)]
pub struct Books {
    epoch: Option<Uuid>,
    rebuilder: Option<(Uuid, Timestamp)>,
    accounts: BTreeMap<String, Ledger>,
    attempts: BTreeMap<Attempt, Mark>,
    leases: BTreeMap<Attempt, Timestamp>,
    in_flight: BTreeMap<ObjectHash, Attempt>,
    calls: Calls,
    told: Told,
    outbox: Outbox,
    reservations: u32,
}

impl Books {
    /// Books that nobody may spend from until something is installed.
    pub fn new() -> Self {
        Self::default()
    }

    /// The generation of these books; `None` while they are empty or being rebuilt.
    pub const fn epoch(&self) -> Option<Uuid> {
        self.epoch
    }

    /// May this attempt be made? Holds the money on every account, or on none and says why. What a refusal leaves behind
    /// is an alert at most.
    pub fn reserve(&mut self, wanted: &Reservation, now: Timestamp) -> Answer {
        if self.epoch.is_none() {
            return Answer::Uninitialised;
        }
        self.forget(wanted.guard.window, now);
        if let Some(mark) = self.attempts.get(&wanted.attempt) {
            return Answer::Duplicate(mark.state);
        }
        if let Some(other) = self.in_flight.get(&wanted.fingerprint) {
            return Answer::InFlight(*other);
        }
        let frozen = wanted
            .charges
            .iter()
            .find(|charge| self.accounts.get(&charge.account.name()).is_some_and(|ledger| ledger.frozen));
        if let Some(charge) = frozen {
            return Answer::Frozen { scope: charge.account.scope.clone() };
        }
        if let Some(broken) = self.calls.trip(wanted, now) {
            if let Some(alert) = self.told.tell(wanted, &broken, now) {
                self.outbox.put(alert, now);
            }
            return Answer::Loop(broken.trip);
        }
        if let Some(refusal) = self.refusal(wanted, now) {
            return refusal;
        }
        for charge in &wanted.charges {
            let ledger = self.account(charge);
            ledger.tally.held = ledger.tally.held.plus(wanted.hold);
        }
        self.calls.count(wanted, now);
        self.in_flight.insert(wanted.fingerprint, wanted.attempt);
        let accounts = wanted.charges.iter().map(|charge| charge.account.name()).collect();
        let mark = Mark {
            state: State::Held,
            hold: wanted.hold,
            actual: NanoUsd::ZERO,
            accounts,
            fingerprint: wanted.fingerprint,
            until: None,
        };
        self.attempts.insert(wanted.attempt, mark);
        let until = later(now, wanted.lease);
        self.leases.insert(wanted.attempt, until);
        Answer::Ok { until }
    }

    /// The first account that has no room, exhausted before contended.
    fn refusal(&mut self, wanted: &Reservation, now: Timestamp) -> Option<Answer> {
        let mut contended = None;
        for charge in &wanted.charges {
            let name = charge.account.name();
            let known = self.accounts.get(&name);
            let tally = known.map(|ledger| ledger.tally).unwrap_or_default();
            let Some(limit) = holds(known.map(|ledger| &ledger.limit), &charge.limit) else { continue };
            let (scope, amount) = (charge.account.scope.clone(), limit.amount);
            let used = tally.used();
            if used.plus(wanted.hold) > amount {
                // The call that does not fit raises the last alert, however little of the limit is used.
                if limit.thresholds.iter().any(|threshold| threshold.percent == 100) {
                    let limit = limit.clone();
                    self.account(charge);
                    self.raise(&name, 100, &limit, wanted.hold, now);
                }
                return Some(Answer::Exhausted { scope, used, limit: amount });
            }
            if contended.is_none() && used.plus(tally.held).plus(wanted.hold) > amount {
                contended = Some(Answer::Contended { scope, held: tally.held, limit: amount });
            }
        }
        contended
    }

    /// The account of a charge, which it makes, and to which it brings its limit if that is newer.
    fn account(&mut self, charge: &Charge) -> &mut Ledger {
        let ledger = self.accounts.entry(charge.account.name()).or_insert_with(|| Ledger {
            account: charge.account.clone(),
            tally: Tally::default(),
            limit: None,
            raised: Vec::new(),
            frozen: false,
        });
        ledger.limit = holds(Some(&ledger.limit), &charge.limit).cloned();
        ledger
    }

    /// Raises an alert, unless it was raised before.
    fn raise(&mut self, name: &str, percent: u8, limit: &Limit, refused: NanoUsd, now: Timestamp) {
        let Some(ledger) = self.accounts.get_mut(name) else { return };
        if ledger.raised.contains(&(limit.version, percent)) {
            return;
        }
        ledger.raised.push((limit.version, percent));
        let cause = Cause::Threshold {
            scope: ledger.account.scope.clone(),
            period: ledger.account.period.name.clone(),
            version: limit.version,
            percent,
            used: ledger.tally.used(),
            limit: limit.amount,
            refused,
        };
        self.outbox.put(CostAlert { id: threshold_id(name, limit.version, percent), at: now, cause }, now);
    }

    /// Raises the alerts of every threshold that an account has reached.
    fn raise_reached(&mut self, name: &str, now: Timestamp) {
        let Some(Ledger { tally, limit: Some(limit), .. }) = self.accounts.get(name) else { return };
        let (used, limit) = (tally.used(), limit.clone());
        for threshold in &limit.thresholds {
            if used >= threshold.amount {
                self.raise(name, threshold.percent, &limit, NanoUsd::ZERO, now);
            }
        }
    }

    /// The model is about to be asked, and the hold counts for another `lease`. Nothing may be sent on any other answer
    /// than [`Dispatch::Go`].
    pub fn dispatch(&mut self, attempt: Attempt, lease: Duration, now: Timestamp) -> Dispatch {
        if self.epoch.is_none() {
            return Dispatch::Uninitialised;
        }
        let Some(mark) = self.attempts.get_mut(&attempt) else { return Dispatch::Unknown };
        if mark.state != State::Held {
            return Dispatch::No(mark.state);
        }
        mark.state = State::Dispatched;
        self.leases.insert(attempt, later(now, lease));
        Dispatch::Go
    }

    /// Books what an attempt has cost, instead of its hold.
    pub fn settle(&mut self, attempt: Attempt, actual: NanoUsd, now: Timestamp) -> Settlement {
        if self.epoch.is_none() {
            return Settlement::Uninitialised;
        }
        let Some(mark) = self.attempts.get(&attempt) else { return Settlement::Unknown };
        if mark.state == State::Settled {
            return match mark.actual == actual {
                true => Settlement::Duplicate,
                false => Settlement::Mismatch { booked: mark.actual },
            };
        }
        let (from, hold) = (mark.state, mark.hold);
        for name in self.end(attempt, State::Settled, now) {
            if let Some(ledger) = self.accounts.get_mut(&name) {
                ledger.tally.take(from, hold);
                ledger.tally.settled = ledger.tally.settled.plus(actual);
            }
            self.raise_reached(&name, now);
        }
        if let Some(mark) = self.attempts.get_mut(&attempt) {
            mark.actual = actual;
        }
        Settlement::Settled { over: NanoUsd::new(actual.get().saturating_sub(hold.get())) }
    }

    /// Gives a hold back, if the model was not asked.
    pub fn release(&mut self, attempt: Attempt, now: Timestamp) -> Release {
        if self.epoch.is_none() {
            return Release::Uninitialised;
        }
        let Some(mark) = self.attempts.get(&attempt) else { return Release::Unknown };
        let (state, hold) = (mark.state, mark.hold);
        if state != State::Held {
            return Release::No(state);
        }
        for name in self.end(attempt, State::Released, now) {
            if let Some(ledger) = self.accounts.get_mut(&name) {
                ledger.tally.take(state, hold);
            }
        }
        Release::Released
    }

    /// Nobody knows what became of the attempt: its hold counts as spent until somebody does, and somebody looks again
    /// every [`RECHECK`].
    pub fn suspend(&mut self, attempt: Attempt, now: Timestamp) -> Suspend {
        if self.epoch.is_none() {
            return Suspend::Uninitialised;
        }
        let Some(mark) = self.attempts.get_mut(&attempt) else { return Suspend::Unknown };
        let (state, hold) = (mark.state, mark.hold);
        match state {
            State::Settled | State::Released => return Suspend::No(state),
            State::Held | State::Dispatched | State::Suspense => {
                self.leases.insert(attempt, later(now, RECHECK));
            }
        }
        if state == State::Suspense {
            return Suspend::No(state);
        }
        mark.state = State::Suspense;
        let names = mark.accounts.clone();
        if self.in_flight.get(&mark.fingerprint) == Some(&attempt) {
            self.in_flight.remove(&mark.fingerprint);
        }
        for name in names {
            if let Some(ledger) = self.accounts.get_mut(&name) {
                ledger.tally.take(state, hold);
                ledger.tally.suspense = ledger.tally.suspense.plus(hold);
            }
            self.raise_reached(&name, now);
        }
        Suspend::Suspended
    }

    /// The same, if the attempt's lease has ended.
    pub fn expire(&mut self, attempt: Attempt, now: Timestamp) -> Suspend {
        if self.epoch.is_some() && self.leases.get(&attempt).is_some_and(|until| *until > now) {
            return Suspend::Live;
        }
        self.suspend(attempt, now)
    }

    /// Up to `limit` attempts that somebody must look at: their lease has ended, or they are in suspense.
    pub fn expired(&self, limit: usize, now: Timestamp) -> Vec<Attempt> {
        if self.epoch.is_none() {
            return Vec::new();
        }
        let mut due: Vec<(Timestamp, Attempt)> = self
            .leases
            .iter()
            .filter(|(_, until)| **until <= now)
            .map(|(attempt, until)| (*until, *attempt))
            .collect();
        due.sort_unstable();
        due.into_iter().take(limit).map(|(_, attempt)| attempt).collect()
    }

    /// Stops an account, or lets it go on. It is forgotten with the account's period, and by a rebuild.
    pub fn freeze(&mut self, account: &Account, frozen: bool) {
        if self.epoch.is_none() {
            return;
        }
        let charge = Charge { account: account.clone(), limit: None };
        self.account(&charge).frozen = frozen;
    }

    /// How an account stands; zero when nobody has booked to it.
    pub fn position(&self, account: &Account) -> Position {
        let known = self.accounts.get(&account.name()).filter(|_| self.epoch.is_some());
        let tally = known.map(|ledger| ledger.tally).unwrap_or_default();
        let limit = known.and_then(|ledger| ledger.limit.as_ref());
        Position {
            scope: account.scope.clone(),
            period: account.period.name.clone(),
            limit: limit.map(|limit| (limit.amount, limit.version)),
            settled: tally.settled,
            held: tally.held,
            suspense: tally.suspense,
            frozen: known.is_some_and(|ledger| ledger.frozen),
        }
    }

    /// How the accounts of team, workflows and agents stand, by name.
    pub fn positions(&self) -> Vec<Position> {
        let open = self.accounts.values().filter(|_| self.epoch.is_some());
        let listed = open.filter(|ledger| ledger.account.scope.kind().is_listed());
        listed.map(|ledger| self.position(&ledger.account)).collect()
    }

    /// Up to `limit` alerts that nobody has been given, the oldest first. They are given to nobody else for `lease`, and
    /// to somebody again after it unless they were acknowledged.
    pub fn take_alerts(&mut self, limit: usize, lease: Duration, now: Timestamp) -> Vec<CostAlert> {
        self.outbox.take(limit, later(now, lease), now)
    }

    /// Somebody was told.
    pub fn acknowledge(&mut self, alerts: &[String]) {
        self.outbox.remove(alerts);
    }

    /// Closes the books for whoever holds `token`, for `patience`: until then nobody else can, and until something is
    /// installed nobody may spend. False when somebody else is at it.
    pub fn begin(&mut self, token: Uuid, patience: Duration, now: Timestamp) -> bool {
        if self.rebuilder.is_some_and(|(other, until)| other != token && until > now) {
            return false;
        }
        self.rebuilder = Some((token, later(now, patience)));
        self.epoch = None;
        true
    }

    /// Replaces everything by what the ledger says, but the alerts in the outbox and the loops that one was raised for,
    /// and opens the books. False, and nothing changed, when `token` no longer holds them.
    pub fn install(&mut self, token: Uuid, install: &Install, now: Timestamp) -> bool {
        if self.rebuilder.is_none_or(|(holder, until)| holder != token || until <= now) {
            return false;
        }
        let (told, outbox) = (std::mem::take(&mut self.told), std::mem::take(&mut self.outbox));
        let mut books = Self { epoch: Some(token), told, outbox, ..Self::default() };
        for (account, tally, limit) in &install.accounts {
            let ledger = books.account(&Charge { account: account.clone(), limit: limit.clone() });
            ledger.tally = *tally;
            ledger.raised = install.raised_for(account);
            books.raise_reached(&account.name(), now);
        }
        for intent in &install.open {
            let mark = Mark {
                state: State::Suspense,
                hold: intent.hold,
                actual: NanoUsd::ZERO,
                accounts: intent.accounts.iter().map(Account::name).collect(),
                fingerprint: intent.fingerprint,
                until: None,
            };
            books.attempts.insert(intent.attempt, mark);
            // Due at once: whoever looks finds out whether its outcome was written while the books were closed.
            books.leases.insert(intent.attempt, Timestamp::UNIX_EPOCH);
        }
        install.calls.iter().for_each(|call| books.calls.recall(call));
        install.loops.iter().for_each(|alert| books.told.recall(alert));
        *self = books;
        true
    }

    /// Ends an attempt; answers its accounts.
    fn end(&mut self, attempt: Attempt, state: State, now: Timestamp) -> Vec<String> {
        let Some(mark) = self.attempts.get_mut(&attempt) else { return Vec::new() };
        mark.state = state;
        mark.until = now.checked_add(REMEMBERED).ok();
        self.leases.remove(&attempt);
        if self.in_flight.get(&mark.fingerprint) == Some(&attempt) {
            self.in_flight.remove(&mark.fingerprint);
        }
        mark.accounts.clone()
    }

    /// Forgets, now and then, what nobody can ask for any more.
    fn forget(&mut self, window: Duration, now: Timestamp) {
        self.reservations = (self.reservations + 1) % FORGET_EVERY;
        if self.reservations != 0 {
            return;
        }
        self.attempts.retain(|_, mark| mark.until.is_none_or(|until| until > now));
        self.accounts
            .retain(|_, ledger| ledger.account.period.ends.checked_add(KEPT).is_ok_and(|until| until > now));
        self.calls.forget(window, now);
        self.told.forget(window, now);
    }
}

impl Tally {
    /// Takes a hold away from where an attempt in `state` has it.
    fn take(&mut self, state: State, hold: NanoUsd) {
        let sum = match state {
            State::Held | State::Dispatched => &mut self.held,
            State::Suspense => &mut self.suspense,
            State::Settled | State::Released => return,
        };
        *sum = NanoUsd::new(sum.get().saturating_sub(hold.get()));
    }
}

/// Of the limit that is known and the one that is brought, the one that holds: the higher version, or the known one.
fn holds<'a>(known: Option<&'a Option<Limit>>, brought: &'a Option<Limit>) -> Option<&'a Limit> {
    match (known.and_then(Option::as_ref), brought.as_ref()) {
        (Some(known), Some(brought)) if brought.version > known.version => Some(brought),
        (Some(known), _) => Some(known),
        (None, brought) => brought,
    }
}

/// `now` and a while.
fn later(now: Timestamp, by: Duration) -> Timestamp {
    SignedDuration::try_from(by).ok().and_then(|by| now.checked_add(by).ok()).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests;
