//! Writing rebuilt counters: a generation of its own, which nobody reads until one script opens it.

use clinflow_cost::{Account, Install, Limit, NanoUsd, Tally};
use clinflow_ports::StoreError;
use futures_util::future::try_join_all;
use uuid::Uuid;

use super::{
    OPEN, RedisCounters, forgotten,
    layout::{Generation, Layout},
    thresholds,
};
use crate::connection::millis;

/// How many accounts, attempts or calls are written in one round trip.
const CHUNK: usize = 500;

/// How many scripts are under way at once.
const AT_ONCE: usize = 32;

/// How long the calls about a document, and the loops that somebody was told of, are kept unless more are made: longer
/// than any sensible window.
const CALLS_KEPT: i64 = 8 * 24 * 3600 * 1000;

/// Writes a generation named by `token`, and opens it if `token` still holds the rebuild.
pub(super) async fn install(
    counters: &RedisCounters,
    layout: &Layout,
    token: Uuid,
    install: &Install,
) -> Result<bool, StoreError> {
    let generation = layout.of(token);
    for chunk in install.accounts.chunks(CHUNK) {
        let mut pipe = redis::pipe();
        for account in chunk {
            write_account(&mut pipe, &generation, account, install);
        }
        counters.connection.call(async |mut redis| pipe.exec_async(&mut redis).await).await?;
    }
    for chunk in install.open.chunks(CHUNK) {
        let mut pipe = redis::pipe();
        for intent in chunk {
            let (key, names) =
                (generation.attempt(intent.attempt), intent.accounts.iter().map(Account::name));
            let names = names.collect::<Vec<_>>().join("\n");
            let hold = intent.hold.get();
            let fields = [("state", "suspense"), ("hold", &hold.to_string()), ("accounts", &names)];
            pipe.cmd("HSET").arg(&key).arg(&fields).arg("asked").arg(intent.fingerprint.to_string());
            pipe.cmd("PEXPIRE").arg(&key).arg(millis(OPEN));
            // Due at once: whoever looks finds out whether its outcome was written while the books were closed.
            pipe.cmd("ZADD").arg(generation.leases()).arg(0).arg(intent.attempt.to_string());
        }
        counters.connection.call(async |mut redis| pipe.exec_async(&mut redis).await).await?;
    }
    write_calls(counters, &generation, install).await?;
    write_told(counters, layout, install).await?;
    let keys = [layout.epoch(), layout.lock()];
    let opened: bool = counters.answer(&counters.scripts.open, &keys, &[token.simple().to_string()]).await?;
    if opened {
        raise_reached(counters, layout, &generation, install).await?;
    }
    Ok(opened)
}

fn write_account(
    pipe: &mut redis::Pipeline,
    generation: &Generation,
    (account, tally, limit): &(Account, Tally, Option<Limit>),
    install: &Install,
) {
    let (name, sum) = (account.name(), |sum: NanoUsd| sum.get().to_string());
    let key = generation.account(&name);
    let sums = [("s", sum(tally.settled)), ("h", sum(tally.held)), ("u", sum(tally.suspense))];
    pipe.cmd("HSET").arg(&key).arg(&sums);
    if let Some(limit) = limit {
        let limit =
            [("lim", sum(limit.amount)), ("ver", limit.version.to_string()), ("thr", thresholds(limit))];
        pipe.arg(&limit);
    }
    for (version, percent) in install.raised_for(account) {
        pipe.arg(format!("r:{version}:{percent}")).arg("1");
    }
    pipe.cmd("PEXPIREAT").arg(&key).arg(forgotten(account));
    if account.scope.kind().is_listed() {
        pipe.cmd("SADD").arg(generation.listed()).arg(&name);
    }
}

/// The calls that the loop guard counts.
async fn write_calls(
    counters: &RedisCounters,
    generation: &Generation,
    install: &Install,
) -> Result<(), StoreError> {
    for chunk in install.calls.chunks(CHUNK) {
        let mut pipe = redis::pipe();
        for call in chunk {
            let (key, at) = (generation.calls(call.document), call.at.as_microsecond());
            let member = format!("{}|{}|{}", call.agent, call.fingerprint, call.call);
            pipe.cmd("ZADD").arg(&key).arg("NX").arg(at).arg(member);
            pipe.cmd("PEXPIRE").arg(&key).arg(CALLS_KEPT);
        }
        counters.connection.call(async |mut redis| pipe.exec_async(&mut redis).await).await?;
    }
    Ok(())
}

/// The loops that somebody was told of. They belong to no generation, like the alerts that wait.
async fn write_told(counters: &RedisCounters, layout: &Layout, install: &Install) -> Result<(), StoreError> {
    for chunk in install.loops.chunks(CHUNK) {
        let mut pipe = redis::pipe();
        for told in chunk {
            let (at, about) = (told.at.as_microsecond(), format!("{}|{}", told.document, told.agent));
            pipe.cmd("ZADD").arg(layout.told()).arg("GT").arg(at).arg(about);
        }
        pipe.cmd("PEXPIRE").arg(layout.told()).arg(CALLS_KEPT);
        counters.connection.call(async |mut redis| pipe.exec_async(&mut redis).await).await?;
    }
    Ok(())
}

/// Raises the alerts of thresholds that are reached and of which nobody was told.
async fn raise_reached(
    counters: &RedisCounters,
    layout: &Layout,
    generation: &Generation,
    install: &Install,
) -> Result<(), StoreError> {
    let mut names = Vec::new();
    for (account, tally, limit) in &install.accounts {
        let first = limit.as_ref().and_then(|limit| limit.thresholds.first());
        if first.is_some_and(|first| tally.settled.plus(tally.suspense) >= first.amount) {
            names.push(account.name());
        }
    }
    for chunk in names.chunks(AT_ONCE) {
        try_join_all(chunk.iter().map(|name| reach(counters, layout, generation, name))).await?;
    }
    Ok(())
}

async fn reach(
    counters: &RedisCounters,
    layout: &Layout,
    generation: &Generation,
    name: &str,
) -> Result<(), StoreError> {
    let keys = [layout.alerts(), layout.bodies(), generation.account(name)];
    counters.answer(&counters.scripts.reach, &keys, &[name.to_owned()]).await
}
