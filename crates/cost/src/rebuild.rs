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

#[cfg(test)]
mod tests {
    use clinflow_core::{AgentId, DocumentHash, ExecutionId, TeamId, WorkflowId, id::ObjectHash};
    use uuid::Uuid;

    use super::*;
    use crate::{Attempt, Billing, Payer, Usage};

    fn budgets() -> Budgets {
        Budgets::read("budgets.yaml", include_str!("../../../workflows/budgets.yaml")).unwrap()
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn intent(n: u128, hold: u64, when: &str) -> Intent {
        let payer = Payer {
            team: TeamId::new("safety").unwrap(),
            workflow: WorkflowId::new("ae-report").unwrap(),
            agent: AgentId::new("ae-report.nlp").unwrap(),
            session: None,
            document: DocumentHash::of(b"document"),
        };
        let charges = budgets().charges(&payer, at(when));
        Intent {
            attempt: Attempt { invocation: Uuid::from_u128(n), ordinal: 0, number: 1 },
            at: at(when),
            team: payer.team,
            workflow: payer.workflow,
            agent: payer.agent,
            session: None,
            execution: ExecutionId::from_uuid(Uuid::nil()),
            document: payer.document,
            fingerprint: ObjectHash::of(b"question"),
            model: "model".to_owned(),
            prices: ObjectHash::of(b"prices"),
            hold: NanoUsd::new(hold),
            accounts: charges.into_iter().map(|charge| charge.account).collect(),
        }
    }

    fn ended(intent: Intent, cost: u64) -> Entry {
        let outcome = intent.billed(intent.at, Usage::default(), NanoUsd::new(cost), None);
        Entry { intent, outcome: Some(outcome) }
    }

    #[test]
    fn sums_are_those_of_outcomes_and_of_intents_without_one_by_period() {
        let entries = [
            ended(intent(1, 90, "2026-10-31T23:59:59Z"), 10),
            ended(intent(2, 90, "2026-11-22T10:00:00Z"), 20),
            Entry { intent: intent(3, 90, "2026-11-23T10:00:00Z"), outcome: None },
            ended(intent(4, 90, "2026-11-23T11:00:00Z"), 30),
        ];
        let install = rebuild(&entries, BTreeSet::new(), &budgets(), at("2026-11-23T12:00:00Z"));
        let sums = |name: &str| {
            let found = install.accounts.iter().find(|(account, ..)| account.name() == name).unwrap();
            (found.1.settled.get(), found.1.held.get(), found.1.suspense.get())
        };
        assert_eq!(sums("team:safety|2026-10"), (10, 0, 0));
        assert_eq!(sums("team:safety|2026-11"), (50, 0, 90));
        assert_eq!(sums("agent:ae-report.nlp|2026-11-22"), (20, 0, 0));
        assert_eq!(sums("agent:ae-report.nlp|2026-11-23"), (30, 0, 90));
        assert_eq!(install.open, [entries[2].intent.clone()]);
        assert_eq!(install.calls.len(), 2, "those of the last day, at 10:00 and 11:00");
    }

    #[test]
    fn alerts_that_somebody_was_told_of_are_found_by_account_and_by_loop() {
        let intent = intent(1, 1, "2026-11-23T10:00:00Z");
        let document = intent.document.prefix();
        let told = [
            "team:safety|2026-11|3|80".to_owned(),
            "team:safety-2|2026-11|3|80".to_owned(),
            format!("loop|{document}|ae-report.nlp|1795428000000001"),
        ];
        let install = rebuild(&[], BTreeSet::from(told), &budgets(), at("2026-11-23T12:00:00Z"));
        assert_eq!(install.raised_for(&intent.accounts[0]), [(3, 80)]);
        let at = at("2026-11-23T10:00:00.000001Z");
        assert_eq!(install.loops, [RecalledAlert { document, agent: intent.agent, at }]);
    }

    #[test]
    fn the_ledger_is_read_from_the_beginning_of_the_month_before() {
        let from = |now: &str| horizon(at(now), &TimeZone::UTC).to_string();
        assert_eq!(from("2026-11-23T12:00:00Z"), "2026-10-01T00:00:00Z");
        assert_eq!(from("2026-01-01T00:00:00Z"), "2025-12-01T00:00:00Z");
    }

    #[test]
    fn an_attempt_that_nobody_finished_is_resolved_by_what_the_ledger_knows() {
        let intent = intent(1, 90, "2026-11-23T10:00:00Z");
        let open = Entry { intent: intent.clone(), outcome: None };
        assert_eq!(resolve(None, at("2026-11-23T12:00:00Z")), Resolution::Release);
        assert_eq!(resolve(Some(&open), at("2026-11-24T09:59:59Z")), Resolution::Suspend);
        assert_eq!(resolve(Some(&open), at("2026-11-24T10:00:00Z")), Resolution::WriteOff);
        let booked = ended(intent.clone(), 7);
        assert_eq!(resolve(Some(&booked), at("2026-11-24T10:00:00Z")), Resolution::Settle(NanoUsd::new(7)));
        let written_off = intent.written_off(at("2026-11-24T10:00:00Z"));
        assert_eq!((written_off.cost.get(), written_off.billing), (90, Billing::Estimated));
    }
}
