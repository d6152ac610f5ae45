//! Counters: scripts that do what [`clinflow_cost::Books`] does, by the server's clock. Amounts and times are whole numbers
//! below 2^53 and travel as texts, so that no double is ever written out.

mod answers;
mod install;
mod layout;
mod scripts;

use std::time::Duration;

use async_trait::async_trait;
use clinflow_core::{TeamId, id::ObjectHash};
use clinflow_cost::{
    Account, Answer, Attempt, CostAlert, Dispatch, Install, KEPT, Limit, NanoUsd, Position, RECHECK,
    REMEMBERED, Release, Reservation, Settlement, Suspend,
};
use clinflow_ports::{Counters, StoreError};
use jiff::Timestamp;
use redis::Script;
use uuid::Uuid;

use crate::connection::{Connection, STORE, millis};
use answers::{Said, corrupt, is_stale};
use layout::{Generation, Layout};
use scripts::Scripts;

/// How often a call that met a rebuild looks at the new counters before it says that they are not there.
const TRIES: usize = 3;

/// How long an attempt that has not ended is kept: longer than any period.
const OPEN: Duration = Duration::from_hours(35 * 24);

/// An account's hash as far as [`Position`] goes.
type Sums = (Option<u64>, Option<u64>, Option<u64>, Option<u64>, Option<u32>, Option<String>);

/// [`Counters`] on Redis. Every call looks up the generation of the counters first and then runs one script.
#[derive(Debug)]
pub struct RedisCounters {
    connection: Connection,
    scripts: Scripts,
}

/// An attempt's keys and accounts.
struct Found {
    generation: Generation,
    epoch: String,
    accounts: Vec<String>,
    asked: ObjectHash,
}

/// Looking for an attempt.
enum Lookup {
    Found(Found),
    Unknown,
    Closed,
}

impl RedisCounters {
    /// Counters over `connection`.
    pub fn new(connection: Connection) -> Self {
        Self { connection, scripts: Scripts::new() }
    }

    /// Checks that Redis refuses writes when its memory is full instead of removing keys: counters that vanish one by one
    /// would let money be spent twice. For the readiness of whoever spends.
    pub async fn check_eviction(&self) -> Result<(), StoreError> {
        let info: String = self
            .connection
            .call(async |mut redis| redis::cmd("INFO").arg("memory").query_async(&mut redis).await)
            .await?;
        let policy =
            info.lines().find_map(|line| line.strip_prefix("maxmemory_policy:")).unwrap_or("unknown");
        if policy.trim() == "noeviction" {
            return Ok(());
        }
        let why = anyhow::anyhow!("maxmemory-policy is `{}`: set it to `noeviction`", policy.trim());
        Err(StoreError::unavailable(STORE, why))
    }

    fn layout(&self, team: &TeamId) -> Layout {
        Layout::new(&self.connection.prefix, team)
    }

    async fn run(&self, script: &Script, keys: &[String], args: &[String]) -> Result<Said, StoreError> {
        self.answer(script, keys, args).await
    }

    async fn answer<T: redis::FromRedisValue>(
        &self,
        script: &Script,
        keys: &[String],
        args: &[String],
    ) -> Result<T, StoreError> {
        let mut invocation = script.prepare_invoke();
        for key in keys {
            invocation.key(key);
        }
        for arg in args {
            invocation.arg(arg);
        }
        self.connection.call(async |mut redis| invocation.invoke_async(&mut redis).await).await
    }

    /// The accounts of an attempt, in the generation that counts now.
    async fn find(&self, layout: &Layout, team: &TeamId, attempt: Attempt) -> Result<Lookup, StoreError> {
        let Some(epoch) = self.epoch(team).await? else { return Ok(Lookup::Closed) };
        let generation = layout.of(epoch);
        let mut get = redis::cmd("HMGET");
        get.arg(generation.attempt(attempt)).arg("accounts").arg("asked");
        let (accounts, asked): (Option<String>, Option<String>) =
            self.connection.call(async |mut redis| get.query_async(&mut redis).await).await?;
        let (Some(accounts), Some(asked)) = (accounts, asked) else { return Ok(Lookup::Unknown) };
        let asked = asked.parse().map_err(|_| corrupt(&format!("attempt `{attempt}`")))?;
        let accounts = accounts.split('\n').map(str::to_owned).collect();
        Ok(Lookup::Found(Found { generation, epoch: epoch.simple().to_string(), accounts, asked }))
    }

    /// Puts an attempt into suspense; only if its lease has ended when `expired` is said.
    async fn put_aside(&self, team: &TeamId, attempt: Attempt, expired: bool) -> Result<Suspend, StoreError> {
        let layout = self.layout(team);
        for _ in 0..TRIES {
            let found = match self.find(&layout, team, attempt).await? {
                Lookup::Found(found) => found,
                Lookup::Closed => return Ok(Suspend::Uninitialised),
                Lookup::Unknown => {
                    self.forget_lease(team, attempt).await?;
                    return Ok(Suspend::Unknown);
                }
            };
            let keys = found.keys(&layout, attempt);
            let expired = if expired { "1" } else { "0" }.to_owned();
            let mut args = vec![found.epoch, attempt.to_string(), micros(RECHECK), expired];
            args.extend(found.accounts);
            let said = self.run(&self.scripts.suspend, &keys, &args).await?;
            if !is_stale(&said) {
                return answers::suspend(&said);
            }
        }
        Ok(Suspend::Uninitialised)
    }

    /// A lease of an attempt that is not there any more would be looked at for ever.
    async fn forget_lease(&self, team: &TeamId, attempt: Attempt) -> Result<(), StoreError> {
        let Some(epoch) = self.epoch(team).await? else { return Ok(()) };
        let mut remove = redis::cmd("ZREM");
        remove.arg(self.layout(team).of(epoch).leases()).arg(attempt.to_string());
        self.connection.call(async |mut redis| remove.exec_async(&mut redis).await).await
    }

    /// How accounts stand, by name and key; `None` for those nobody has booked to.
    async fn sums(&self, keys: &[String]) -> Result<Vec<Sums>, StoreError> {
        let mut pipe = redis::pipe();
        for key in keys {
            pipe.cmd("HMGET").arg(key).arg(&["s", "h", "u", "lim", "ver", "frozen"]);
        }
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        self.connection.call(async |mut redis| pipe.query_async(&mut redis).await).await
    }
}

impl Found {
    /// The keys of `settle` and `suspend`.
    fn keys(&self, layout: &Layout, attempt: Attempt) -> Vec<String> {
        let mut keys = vec![
            layout.epoch(),
            layout.alerts(),
            layout.bodies(),
            self.generation.attempt(attempt),
            self.generation.leases(),
            self.generation.asked(self.asked),
        ];
        keys.extend(self.accounts.iter().map(|name| self.generation.account(name)));
        keys
    }
}

/// A position from an account's sums.
fn position(name: &str, sums: Sums) -> Result<Position, StoreError> {
    let (settled, held, suspense, limit, version, frozen) = sums;
    let (scope, period) = name.split_once('|').ok_or_else(|| corrupt("an account's name"))?;
    let amount = |sum: Option<u64>| NanoUsd::new(sum.unwrap_or(0));
    Ok(Position {
        scope: scope.parse().map_err(|_| corrupt("an account's scope"))?,
        period: period.to_owned(),
        limit: limit.map(NanoUsd::new).zip(version),
        settled: amount(settled),
        held: amount(held),
        suspense: amount(suspense),
        frozen: frozen.as_deref() == Some("1"),
    })
}

/// A duration as the scripts take it.
fn micros(duration: Duration) -> String {
    // A hundred years: sums with the present stay below 2^53.
    duration.as_micros().min(3_155_760_000_000_000).to_string()
}

/// When an account is forgotten, in milliseconds.
fn forgotten(account: &Account) -> String {
    let at = account.period.ends.checked_add(KEPT).unwrap_or(Timestamp::MAX);
    at.as_millisecond().to_string()
}

/// How long an attempt that has ended is remembered, in milliseconds.
fn remembered() -> String {
    REMEMBERED.as_millis().to_string()
}

/// A limit's thresholds as the scripts read them.
fn thresholds(limit: &Limit) -> String {
    let one =
        |threshold: &clinflow_cost::Threshold| format!("{}:{}", threshold.percent, threshold.amount.get());
    limit.thresholds.iter().map(one).collect::<Vec<_>>().join(",")
}

#[async_trait]
impl Counters for RedisCounters {
    async fn epoch(&self, team: &TeamId) -> Result<Option<Uuid>, StoreError> {
        let mut get = redis::cmd("GET");
        get.arg(self.layout(team).epoch());
        let epoch: Option<String> =
            self.connection.call(async |mut redis| get.query_async(&mut redis).await).await?;
        epoch.map(|epoch| epoch.parse().map_err(|_| corrupt("the generation of counters"))).transpose()
    }

    async fn reserve(&self, wanted: &Reservation) -> Result<Answer, StoreError> {
        let layout = self.layout(&wanted.team);
        for _ in 0..TRIES {
            let Some(epoch) = self.epoch(&wanted.team).await? else { return Ok(Answer::Uninitialised) };
            let generation = layout.of(epoch);
            let mut keys = vec![
                layout.epoch(),
                layout.alerts(),
                layout.bodies(),
                generation.attempt(wanted.attempt),
                generation.leases(),
                generation.calls(wanted.document),
                generation.asked(wanted.fingerprint),
                generation.listed(),
                layout.told(),
            ];
            let mut args = vec![
                epoch.simple().to_string(),
                wanted.attempt.to_string(),
                wanted.hold.get().to_string(),
                micros(wanted.lease),
                wanted.attempt.call(),
                wanted.agent.to_string(),
                wanted.fingerprint.to_string(),
                wanted.document.to_string(),
                wanted.guard.identical_calls.to_string(),
                wanted.guard.calls_per_stage.to_string(),
                micros(wanted.guard.window),
                millis(OPEN).to_string(),
            ];
            for charge in &wanted.charges {
                let (name, limit) = (charge.account.name(), charge.limit.as_ref());
                keys.push(generation.account(&name));
                let listed = if charge.account.scope.kind().is_listed() { "1" } else { "0" };
                args.extend([
                    name,
                    limit.map_or_else(String::new, |limit| limit.amount.get().to_string()),
                    limit.map_or_else(String::new, |limit| limit.version.to_string()),
                    limit.map_or_else(String::new, thresholds),
                    forgotten(&charge.account),
                    listed.to_owned(),
                ]);
            }
            let said = self.run(&self.scripts.reserve, &keys, &args).await?;
            if !is_stale(&said) {
                return answers::reserve(&said);
            }
        }
        Ok(Answer::Uninitialised)
    }

    async fn dispatch(
        &self,
        team: &TeamId,
        attempt: Attempt,
        lease: Duration,
    ) -> Result<Dispatch, StoreError> {
        let layout = self.layout(team);
        for _ in 0..TRIES {
            let Some(epoch) = self.epoch(team).await? else { return Ok(Dispatch::Uninitialised) };
            let generation = layout.of(epoch);
            let keys = [layout.epoch(), generation.attempt(attempt), generation.leases()];
            let args = [epoch.simple().to_string(), attempt.to_string(), micros(lease)];
            let said = self.run(&self.scripts.dispatch, &keys, &args).await?;
            if !is_stale(&said) {
                return answers::dispatch(&said);
            }
        }
        Ok(Dispatch::Uninitialised)
    }

    async fn settle(
        &self,
        team: &TeamId,
        attempt: Attempt,
        actual: NanoUsd,
    ) -> Result<Settlement, StoreError> {
        let layout = self.layout(team);
        for _ in 0..TRIES {
            let found = match self.find(&layout, team, attempt).await? {
                Lookup::Found(found) => found,
                Lookup::Closed => return Ok(Settlement::Uninitialised),
                Lookup::Unknown => return Ok(Settlement::Unknown),
            };
            let keys = found.keys(&layout, attempt);
            let mut args = vec![found.epoch, attempt.to_string(), actual.get().to_string(), remembered()];
            args.extend(found.accounts);
            let said = self.run(&self.scripts.settle, &keys, &args).await?;
            if !is_stale(&said) {
                return answers::settle(&said);
            }
        }
        Ok(Settlement::Uninitialised)
    }

    async fn release(&self, team: &TeamId, attempt: Attempt) -> Result<Release, StoreError> {
        let layout = self.layout(team);
        for _ in 0..TRIES {
            let found = match self.find(&layout, team, attempt).await? {
                Lookup::Found(found) => found,
                Lookup::Closed => return Ok(Release::Uninitialised),
                Lookup::Unknown => return Ok(Release::Unknown),
            };
            let generation = &found.generation;
            let mut keys = vec![
                layout.epoch(),
                generation.attempt(attempt),
                generation.leases(),
                generation.asked(found.asked),
            ];
            keys.extend(found.accounts.iter().map(|name| generation.account(name)));
            let args = [found.epoch, attempt.to_string(), remembered()];
            let said = self.run(&self.scripts.release, &keys, &args).await?;
            if !is_stale(&said) {
                return answers::release(&said);
            }
        }
        Ok(Release::Uninitialised)
    }

    async fn suspend(&self, team: &TeamId, attempt: Attempt) -> Result<Suspend, StoreError> {
        self.put_aside(team, attempt, false).await
    }

    async fn expired(&self, team: &TeamId, limit: usize) -> Result<Vec<Attempt>, StoreError> {
        let Some(epoch) = self.epoch(team).await? else { return Ok(Vec::new()) };
        let keys = [self.layout(team).of(epoch).leases()];
        let said: Said = self.run(&self.scripts.expired, &keys, &[limit.to_string()]).await?;
        said.iter().map(|name| name.parse().map_err(|_| corrupt("the leases of attempts"))).collect()
    }

    async fn expire(&self, team: &TeamId, attempt: Attempt) -> Result<Suspend, StoreError> {
        self.put_aside(team, attempt, true).await
    }

    async fn freeze(&self, team: &TeamId, account: &Account, frozen: bool) -> Result<(), StoreError> {
        let Some(epoch) = self.epoch(team).await? else { return Ok(()) };
        let (generation, name) = (self.layout(team).of(epoch), account.name());
        let mut pipe = redis::pipe();
        pipe.atomic()
            .cmd("HSET")
            .arg(generation.account(&name))
            .arg("frozen")
            .arg(if frozen { "1" } else { "0" })
            .cmd("PEXPIREAT")
            .arg(generation.account(&name))
            .arg(forgotten(account));
        if account.scope.kind().is_listed() {
            pipe.cmd("SADD").arg(generation.listed()).arg(&name);
        }
        self.connection.call(async |mut redis| pipe.exec_async(&mut redis).await).await
    }

    async fn position(&self, team: &TeamId, account: &Account) -> Result<Position, StoreError> {
        let name = account.name();
        let sums = match self.epoch(team).await? {
            Some(epoch) => self.sums(&[self.layout(team).of(epoch).account(&name)]).await?.pop(),
            None => None,
        };
        position(&name, sums.unwrap_or_default())
    }

    async fn positions(&self, team: &TeamId) -> Result<Vec<Position>, StoreError> {
        let Some(epoch) = self.epoch(team).await? else { return Ok(Vec::new()) };
        let generation = self.layout(team).of(epoch);
        let mut members = redis::cmd("SMEMBERS");
        members.arg(generation.listed());
        let mut names: Vec<String> =
            self.connection.call(async |mut redis| members.query_async(&mut redis).await).await?;
        names.sort_unstable();
        let keys: Vec<String> = names.iter().map(|name| generation.account(name)).collect();
        let (mut positions, mut gone) = (Vec::new(), Vec::new());
        for (name, sums) in names.iter().zip(self.sums(&keys).await?) {
            match sums {
                (None, None, None, None, None, None) => gone.push(name),
                sums => positions.push(position(name, sums)?),
            }
        }
        // Accounts end with their period; the set that lists them does not.
        if !gone.is_empty() {
            let mut remove = redis::cmd("SREM");
            remove.arg(generation.listed()).arg(&gone);
            self.connection.call(async |mut redis| remove.exec_async(&mut redis).await).await?;
        }
        Ok(positions)
    }

    async fn take_alerts(
        &self,
        team: &TeamId,
        limit: usize,
        lease: Duration,
    ) -> Result<Vec<CostAlert>, StoreError> {
        let layout = self.layout(team);
        let keys = [layout.alerts(), layout.bodies()];
        let said: Said = self.run(&self.scripts.take, &keys, &[limit.to_string(), micros(lease)]).await?;
        said.chunks(2)
            .map(|pair| match pair {
                [id, body] => answers::alert(id, body),
                _ => Err(corrupt("the alerts that wait")),
            })
            .collect()
    }

    async fn acknowledge(&self, team: &TeamId, alerts: &[String]) -> Result<(), StoreError> {
        if alerts.is_empty() {
            return Ok(());
        }
        let layout = self.layout(team);
        let mut pipe = redis::pipe();
        pipe.atomic()
            .cmd("ZREM")
            .arg(layout.alerts())
            .arg(alerts)
            .cmd("HDEL")
            .arg(layout.bodies())
            .arg(alerts);
        self.connection.call(async |mut redis| pipe.exec_async(&mut redis).await).await
    }

    async fn begin(&self, team: &TeamId, token: Uuid, patience: Duration) -> Result<bool, StoreError> {
        let layout = self.layout(team);
        let keys = [layout.epoch(), layout.lock()];
        let args = [token.simple().to_string(), millis(patience).to_string()];
        self.answer(&self.scripts.begin, &keys, &args).await
    }

    async fn install(&self, team: &TeamId, token: Uuid, install: &Install) -> Result<bool, StoreError> {
        install::install(self, &self.layout(team), token, install).await
    }
}
