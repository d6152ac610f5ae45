//! What processes use, as the kernel counts it.

use std::{collections::BTreeMap, fs, time::Duration};

use anyhow::Context as _;
use clinflow_core::Role;

use crate::fleet::Fleet;

/// The kernel counts CPU time in hundredths of a second (`USER_HZ` on every Linux).
const TICK: Duration = Duration::from_millis(10);

/// A page, in bytes, on every machine these tests run on.
const PAGE: u64 = 4096;

/// CPU time of a process, its threads included.
pub fn cpu(pid: u32) -> anyhow::Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The second field is the program's name in parentheses and may hold spaces.
    let (_, after) = stat.rsplit_once(')').context("stat has a name")?;
    let mut fields = after.split_whitespace().skip(11);
    let mut ticks = || -> anyhow::Result<u32> { Ok(fields.next().context("stat has times")?.parse()?) };
    Ok(TICK * (ticks()? + ticks()?))
}

/// Resident memory of a process, in bytes.
pub fn resident(pid: u32) -> anyhow::Result<u64> {
    let statm = fs::read_to_string(format!("/proc/{pid}/statm"))?;
    let pages: u64 = statm.split_whitespace().nth(1).context("statm has a second field")?.parse()?;
    Ok(pages * PAGE)
}

/// CPU time of every process of a fleet, and of this one, which holds the DynamoDB endpoint.
pub fn of_fleet(fleet: &Fleet) -> anyhow::Result<BTreeMap<String, Duration>> {
    let mut times = BTreeMap::new();
    for role in Role::ALL {
        if let Some(pid) = fleet.pid(role) {
            times.insert(role.to_string(), cpu(pid)?);
        }
    }
    times.insert("dynamodb+bench".to_owned(), cpu(std::process::id())?);
    Ok(times)
}
