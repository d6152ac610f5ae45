//! Reading what the scripts answer: a word, and texts after it.

use clinflow_cost::{
    Answer, Cause, CostAlert, Dispatch, NanoUsd, Release, Scope, Settlement, State, Suspend, Trip,
};
use clinflow_ports::StoreError;
use jiff::Timestamp;

use crate::connection::STORE;

/// What a script answered.
pub(super) type Said = Vec<String>;

/// The error for an answer that cannot be read.
pub(super) fn corrupt(what: &str) -> StoreError {
    StoreError::Corrupt { store: STORE, what: what.to_owned() }
}

/// The caller's generation is out of date: it must be read again.
pub(super) fn is_stale(said: &Said) -> bool {
    said.first().is_some_and(|word| word == "stale")
}

/// An answer word by word.
fn words(said: &Said) -> Vec<&str> {
    said.iter().map(String::as_str).collect()
}

fn unreadable(said: &Said) -> StoreError {
    corrupt(&format!("a counter script's answer `{}`", said.first().map_or("", String::as_str)))
}

pub(super) fn reserve(said: &Said) -> Result<Answer, StoreError> {
    let answer = match words(said).as_slice() {
        ["closed" | "stale"] => Some(Answer::Uninitialised),
        ["ok", until] => time(until).map(|until| Answer::Ok { until }),
        ["duplicate", known] => state(known).map(Answer::Duplicate),
        ["in-flight", attempt] => attempt.parse().ok().map(Answer::InFlight),
        ["frozen", account] => scope(account).map(|scope| Answer::Frozen { scope }),
        ["loop", "identical"] => Some(Answer::Loop(Trip::Identical)),
        ["loop", "stage"] => Some(Answer::Loop(Trip::Stage)),
        ["exhausted", account, used, limit] => scope(account)
            .zip(amount(used).zip(amount(limit)))
            .map(|(scope, (used, limit))| Answer::Exhausted { scope, used, limit }),
        ["contended", account, held, limit] => scope(account)
            .zip(amount(held).zip(amount(limit)))
            .map(|(scope, (held, limit))| Answer::Contended { scope, held, limit }),
        _ => None,
    };
    answer.ok_or_else(|| unreadable(said))
}

pub(super) fn dispatch(said: &Said) -> Result<Dispatch, StoreError> {
    let answer = match words(said).as_slice() {
        ["closed" | "stale"] => Some(Dispatch::Uninitialised),
        ["unknown"] => Some(Dispatch::Unknown),
        ["go"] => Some(Dispatch::Go),
        ["no", known] => state(known).map(Dispatch::No),
        _ => None,
    };
    answer.ok_or_else(|| unreadable(said))
}

pub(super) fn settle(said: &Said) -> Result<Settlement, StoreError> {
    let answer = match words(said).as_slice() {
        ["closed" | "stale"] => Some(Settlement::Uninitialised),
        ["unknown"] => Some(Settlement::Unknown),
        ["duplicate"] => Some(Settlement::Duplicate),
        ["settled", over] => amount(over).map(|over| Settlement::Settled { over }),
        ["mismatch", booked] => amount(booked).map(|booked| Settlement::Mismatch { booked }),
        _ => None,
    };
    answer.ok_or_else(|| unreadable(said))
}

pub(super) fn release(said: &Said) -> Result<Release, StoreError> {
    let answer = match words(said).as_slice() {
        ["closed" | "stale"] => Some(Release::Uninitialised),
        ["unknown"] => Some(Release::Unknown),
        ["released"] => Some(Release::Released),
        ["no", known] => state(known).map(Release::No),
        _ => None,
    };
    answer.ok_or_else(|| unreadable(said))
}

pub(super) fn suspend(said: &Said) -> Result<Suspend, StoreError> {
    let answer = match words(said).as_slice() {
        ["closed" | "stale"] => Some(Suspend::Uninitialised),
        ["unknown"] => Some(Suspend::Unknown),
        ["live"] => Some(Suspend::Live),
        ["suspended"] => Some(Suspend::Suspended),
        ["no", known] => state(known).map(Suspend::No),
        _ => None,
    };
    answer.ok_or_else(|| unreadable(said))
}

/// The alert with this id and body.
pub(super) fn alert(id: &str, body: &str) -> Result<CostAlert, StoreError> {
    read_alert(id, body).ok_or_else(|| corrupt(&format!("alert `{id}`")))
}

fn read_alert(id: &str, body: &str) -> Option<CostAlert> {
    let words: Vec<&str> = body.split('\n').collect();
    let (at, cause) = match words.as_slice() {
        ["threshold", at, account, version, percent, used, limit, refused] => {
            let cause = Cause::Threshold {
                scope: scope(account)?,
                period: account.split_once('|')?.1.to_owned(),
                version: version.parse().ok()?,
                percent: percent.parse().ok()?,
                used: amount(used)?,
                limit: amount(limit)?,
                refused: amount(refused)?,
            };
            (time(at)?, cause)
        }
        ["loop", at, document, agent, trip, fingerprint, calls] => {
            let cause = Cause::Loop {
                document: document.parse().ok()?,
                agent: agent.parse().ok()?,
                trip: (*trip).to_owned(),
                fingerprint: fingerprint.parse().ok()?,
                calls: calls.parse().ok()?,
            };
            (time(at)?, cause)
        }
        _ => return None,
    };
    Some(CostAlert { id: id.to_owned(), at, cause })
}

/// The scope of the account with this name.
fn scope(account: &str) -> Option<Scope> {
    account.split_once('|')?.0.parse().ok()
}

fn state(word: &str) -> Option<State> {
    State::ALL.into_iter().find(|state| state.as_str() == word)
}

fn amount(word: &str) -> Option<NanoUsd> {
    word.parse().ok().map(NanoUsd::new)
}

fn time(word: &str) -> Option<Timestamp> {
    Timestamp::from_microsecond(word.parse().ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_no_script_gives_is_corrupt_and_not_a_permission() {
        let said = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Said>();
        for bad in [
            &[] as &[&str],
            &["ok"],
            &["ok", "1e+15"],
            &["go", "x"],
            &["exhausted", "team", "1", "2"],
            &["no", "x"],
        ] {
            assert!(matches!(reserve(&said(bad)), Err(StoreError::Corrupt { .. })), "{bad:?}");
            assert!(matches!(dispatch(&said(bad)), Err(StoreError::Corrupt { .. })), "{bad:?}");
        }
    }
}
