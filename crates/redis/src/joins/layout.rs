//! How a join lies in Redis: names of keys, and the fields of its hash.

use std::collections::BTreeMap;

use clinflow_core::{
    ExecutionId,
    join::{Join, Part},
};
use clinflow_ports::joins::JoinKey;
use jiff::Timestamp;
use uuid::Uuid;

/// How many sorted sets the open joins are spread over. A join and its index must lie in one slot of a
/// cluster to be changed by one script; sixteen spread the load over as many nodes as a cluster of this use
/// has, and are still few enough to be looked at all together by every sweep.
pub(super) const SHARDS: u8 = 16;

/// The shard of a join. Execution ids are hashes, so any byte spreads them.
pub(super) fn shard(key: JoinKey) -> u8 {
    key.execution.as_uuid().as_bytes()[15] % SHARDS
}

/// A join's name: text that sorts as [`JoinKey`] does, because Redis orders equal deadlines by name.
pub(super) fn name(key: JoinKey) -> String {
    format!("{}:{:010}", key.execution, key.redrive)
}

/// The key with this name.
pub(super) fn key(name: &str) -> Option<JoinKey> {
    let (execution, redrive) = name.split_once(':')?;
    Some(JoinKey { execution: execution.parse::<ExecutionId>().ok()?, redrive: redrive.parse().ok()? })
}

/// A deadline in whole milliseconds, rounded up, so that it never passes too early.
pub(super) fn ceil(deadline: Timestamp) -> i64 {
    -whole_millis(-deadline.as_nanosecond())
}

/// The present in whole milliseconds, rounded down.
pub(super) fn floor(now: Timestamp) -> i64 {
    whole_millis(now.as_nanosecond())
}

fn whole_millis(nanos: i128) -> i64 {
    i64::try_from(nanos.div_euclid(1_000_000)).expect("a timestamp lies within ten thousand years of 1970")
}

/// Names of keys. The tag in braces decides a key's slot.
#[derive(Debug)]
pub(super) struct Layout {
    prefix: String,
}

impl Layout {
    pub(super) fn new(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned() }
    }

    /// The hash of a join.
    pub(super) fn join(&self, key: JoinKey) -> String {
        format!("{}:{{j{:02}}}:{}", self.prefix, shard(key), name(key))
    }

    /// The sorted set of a shard's open joins.
    pub(super) fn open(&self, shard: u8) -> String {
        format!("{}:{{j{shard:02}}}:open", self.prefix)
    }
}

/// A part as a field's value: its message id, then its body.
pub(super) fn write(part: &Part) -> Vec<u8> {
    [part.message_id.as_bytes().as_slice(), &part.body].concat()
}

/// A hash that is not a join.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unreadable;

/// The join whose hash has these fields and values.
pub(super) fn read(fields: &[Vec<u8>]) -> Result<Join, Unreadable> {
    let mut deadline = None;
    let (mut expected, mut parts, mut expired) = (Vec::new(), BTreeMap::new(), false);
    for pair in fields.chunks(2) {
        let [field, value] = pair else { return Err(Unreadable) };
        let field = str::from_utf8(field).map_err(|_| Unreadable)?;
        match (field, field.strip_prefix("branch:")) {
            ("deadline", _) => deadline = Some(read_deadline(value).ok_or(Unreadable)?),
            ("expired", _) => expired = true,
            (_, Some(branch)) => {
                expected.push(branch.to_owned());
                if let Some((message_id, body)) = value.split_first_chunk() {
                    let message_id = Uuid::from_bytes(*message_id);
                    let part = Part { branch: branch.to_owned(), message_id, body: body.to_vec() };
                    parts.insert(branch.to_owned(), part);
                }
            }
            _ => return Err(Unreadable),
        }
    }
    Ok(Join { parts, expired, ..Join::new(expected, deadline.ok_or(Unreadable)?) })
}

fn read_deadline(value: &[u8]) -> Option<Timestamp> {
    let millis = str::from_utf8(value).ok()?.parse().ok()?;
    Timestamp::from_millisecond(millis).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn a_key(execution: u128, redrive: u32) -> JoinKey {
        JoinKey { execution: ExecutionId::from_uuid(Uuid::from_u128(execution)), redrive }
    }

    #[test]
    fn a_join_and_its_index_lie_in_one_slot() {
        let (layout, key) = (Layout::new("clinflow"), a_key(0x17, 2));
        assert_eq!(layout.join(key), "clinflow:{j07}:00000000-0000-0000-0000-000000000017:0000000002");
        assert_eq!(layout.open(shard(key)), "clinflow:{j07}:open");
    }

    #[test]
    fn a_hash_that_is_not_a_join_is_unreadable() {
        let fields =
            |fields: &[&str]| fields.iter().map(|field| field.as_bytes().to_vec()).collect::<Vec<_>>();
        for bad in [
            &["branch:nlp", ""][..],
            &["deadline"],
            &["deadline", "soon"],
            &["deadline", "1", "colour", "red"],
        ] {
            assert_eq!(read(&fields(bad)), Err(Unreadable), "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn names_read_back_and_sort_as_their_keys(a: u128, b: u128, redrives: (u32, u32)) {
            let (a, b) = (a_key(a, redrives.0), a_key(b, redrives.1));
            prop_assert_eq!(key(&name(a)), Some(a));
            prop_assert_eq!(name(a).cmp(&name(b)), a.cmp(&b));
        }

        #[test]
        fn a_deadline_in_milliseconds_is_never_reached_before_the_deadline(deadline in -3_000_000i64..3_000_000, now in -3_000_000i64..3_000_000) {
            let at = |nanos: i64| Timestamp::from_nanosecond(i128::from(nanos)).unwrap();
            if ceil(at(deadline)) <= floor(at(now)) {
                prop_assert!(deadline <= now);
            }
            if deadline + 2_000_000 <= now {
                prop_assert!(ceil(at(deadline)) <= floor(at(now)));
            }
        }
    }
}
