//! From a file to budgets.

use std::collections::BTreeMap;

use clinflow_yaml::{Item, Problems};
use jiff::tz::TimeZone;

use super::{Budgets, Guard, Limits};
use crate::{NanoUsd, Scope, ScopeKind, amount};

/// Decimals of dollars in nano-dollars.
const NANO: usize = 9;

/// Reads the file.
pub(super) fn budgets(file: &str, text: &str) -> Result<Budgets, Problems> {
    let mut problems = Vec::new();
    let read = clinflow_yaml::read(file, text, &mut problems, |item, _| {
        let table = item.table()?;
        let version = table.required("version").and_then(|item| item.whole(1));
        let zone = table.required("time_zone").and_then(|item| zone(&item));
        let limits = table.required("limits").and_then(limits);
        let guard = table.required("loop_guard").and_then(guard);
        table.finish();
        Some(Budgets { version: version?, zone: zone?, limits: limits?, guard: guard? })
    });
    match read.flatten() {
        Some(budgets) if problems.is_empty() => Ok(budgets),
        _ => {
            problems.sort();
            Err(Problems(problems))
        }
    }
}

fn zone(item: &Item<'_>) -> Option<TimeZone> {
    let name = item.text()?;
    let zone = TimeZone::get(name);
    zone.map_err(|_| item.note(format!("unknown time zone `{name}`: write `UTC` or `America/New_York`"))).ok()
}

fn limits(item: Item<'_>) -> Option<[Limits; 5]> {
    let table = item.table()?;
    let read = ScopeKind::ALL.map(|kind| table.required(kind.as_str()).and_then(|item| scope(item, kind)));
    table.finish();
    let [team, workflow, agent, session, document] = read;
    Some([team?, workflow?, agent?, session?, document?])
}

fn scope(item: Item<'_>, kind: ScopeKind) -> Option<Limits> {
    let table = item.table()?;
    let default = table.optional("default").and_then(|item| money(&item));
    let named = table.optional("named").map(|item| named(item, kind)).unwrap_or_default();
    let thresholds = table.required("thresholds").map(thresholds).unwrap_or_default();
    table.finish();
    Some(Limits { default, named, thresholds })
}

/// Limits of single scopes.
fn named(item: Item<'_>, kind: ScopeKind) -> BTreeMap<String, NanoUsd> {
    let mut named = BTreeMap::new();
    for (id, item) in item.named() {
        if format!("{}:{id}", kind.as_str()).parse::<Scope>().is_err() {
            item.note(format!("`{id}` is no {} id", kind.as_str()));
        }
        if let Some(amount) = money(&item) {
            named.insert(id.to_owned(), amount);
        }
    }
    named
}

/// An amount of dollars.
fn money(item: &Item<'_>) -> Option<NanoUsd> {
    let amount = NanoUsd::new(amount::read(item, NANO)?);
    if amount > NanoUsd::MAX {
        item.note(format!("{amount} is more than counters can hold: at most {}", NanoUsd::MAX));
    }
    Some(amount)
}

fn thresholds(item: Item<'_>) -> Vec<u8> {
    let mut thresholds: Vec<u8> = Vec::new();
    for item in item.list() {
        let Some(percent) = item.whole(1) else { continue };
        match u8::try_from(percent) {
            Ok(percent) if percent <= 100 && thresholds.last().is_none_or(|last| *last < percent) => {
                thresholds.push(percent);
            }
            _ => item.note("expected ascending whole per cents from 1 to 100: `[80, 100]`"),
        }
    }
    thresholds
}

fn guard(item: Item<'_>) -> Option<Guard> {
    let table = item.table()?;
    let identical = table.required("identical_calls").and_then(|item| {
        let calls = item.whole(0)?;
        if calls == 1 {
            item.note("with 1 no call could be made: 3 refuses the third identical one, 0 refuses none");
        }
        Some(calls)
    });
    let stage = table.required("calls_per_stage").and_then(|item| item.whole(0));
    let window = table.required("window").and_then(|item| item.duration());
    table.finish();
    Some(Guard { identical_calls: identical?, calls_per_stage: stage?, window: window? })
}
