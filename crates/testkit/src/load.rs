//! Closed-loop load: how many calls a second a number of callers get answered, and what a call costs.

use std::{
    fmt, fs,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::Context as _;
use tokio::task::JoinSet;

/// What a load measured.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    /// Calls that were answered.
    pub calls: u64,
    /// How long it took.
    pub elapsed: Duration,
    /// Processor time of this process and of the others that were named.
    pub cpu: Duration,
}

impl fmt::Display for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let calls = u128::from(self.calls.max(1));
        let per_second = calls * 1_000_000 / self.elapsed.as_micros().max(1);
        let cpu = self.cpu.as_micros() / calls;
        write!(f, "{per_second:>7}/s  {cpu:>5} µs of processor each")
    }
}

/// Lets `callers` tasks call one after the other for `time`. `call` gets a number that no other call gets, and
/// `servers` are processes whose processor time counts as well.
pub async fn run<C, F>(callers: usize, time: Duration, servers: &[u32], call: C) -> anyhow::Result<Load>
where
    C: Fn(u64) -> F + Send + Sync + 'static,
    F: Future<Output = anyhow::Result<()>> + Send + 'static,
{
    let (call, next) = (Arc::new(call), Arc::new(AtomicU64::new(0)));
    let (cpu_before, began) = (cpu(servers)?, Instant::now());
    let mut tasks = JoinSet::new();
    for _ in 0..callers {
        let (call, next) = (Arc::clone(&call), Arc::clone(&next));
        tasks.spawn(async move {
            let mut calls = 0;
            while began.elapsed() < time {
                call(next.fetch_add(1, Ordering::Relaxed)).await?;
                calls += 1;
            }
            anyhow::Ok(calls)
        });
    }
    let mut calls = 0;
    while let Some(done) = tasks.join_next().await {
        calls += done.context("a caller panicked")??;
    }
    Ok(Load { calls, elapsed: began.elapsed(), cpu: cpu(servers)? - cpu_before })
}

/// Processor time of this process and of `servers` so far.
fn cpu(servers: &[u32]) -> anyhow::Result<Duration> {
    let mut total = process_cpu("self")?;
    for server in servers {
        total += process_cpu(&server.to_string())?;
    }
    Ok(total)
}

/// User and system time of a process, from `proc(5)`: fields 14 and 15, in hundredths of a second.
fn process_cpu(process: &str) -> anyhow::Result<Duration> {
    let path = format!("/proc/{process}/stat");
    let stat = fs::read_to_string(&path).with_context(|| format!("read `{path}`"))?;
    // The second field, a name in parentheses, may hold anything.
    let (_, fields) = stat.rsplit_once(") ").with_context(|| format!("`{path}` has no process name"))?;
    let ticks = |n: usize| fields.split(' ').nth(n - 3).and_then(|field| field.parse::<u64>().ok());
    let (user, system) = ticks(14).zip(ticks(15)).with_context(|| format!("`{path}` has no times"))?;
    Ok(Duration::from_millis((user + system) * 10))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn every_call_is_counted_and_gets_its_own_number() {
        let sum = Arc::new(AtomicU64::new(0));
        let seen = Arc::clone(&sum);
        let call = move |n| {
            let seen = Arc::clone(&seen);
            async move {
                seen.fetch_add(n, Ordering::Relaxed);
                tokio::task::yield_now().await;
                Ok(())
            }
        };
        let load = run(3, Duration::from_millis(20), &[], call).await.unwrap();
        assert!(load.calls >= 3);
        assert_eq!(sum.load(Ordering::Relaxed), load.calls * (load.calls - 1) / 2);
    }
}
