//! Which of the waiting writes go out together.

use std::collections::{HashSet, VecDeque};

use crate::write::Write;

/// The most bytes of items in one call. DynamoDB takes 4 MB; sizes here are estimates.
const MAX_BYTES: usize = 3_000_000;

/// Takes the next group out of `waiting`, longest waiting first: at most `limit` actions, and no item twice,
/// neither within the group nor among the `busy` ones, which are being written right now. A write that alone
/// exceeds the limit goes alone.
pub(super) fn next_group<W: AsRef<Write>>(
    waiting: &mut VecDeque<W>,
    busy: &HashSet<String>,
    limit: usize,
) -> Vec<W> {
    let (mut group, mut left) = (Vec::new(), VecDeque::new());
    let (mut taken, mut actions, mut bytes) = (HashSet::new(), 0, 0);
    while let Some(candidate) = waiting.pop_front() {
        let write = candidate.as_ref();
        let fits =
            group.is_empty() || (actions + write.actions() <= limit && bytes + write.size() <= MAX_BYTES);
        if fits && !write.keys().iter().any(|key| busy.contains(key) || taken.contains(key)) {
            actions += write.actions();
            bytes += write.size();
            taken.extend(write.keys().iter().cloned());
            group.push(candidate);
        } else {
            left.push_back(candidate);
        }
        if actions >= limit {
            break;
        }
    }
    left.append(waiting);
    *waiting = left;
    group
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        item::{map, text},
        write::Condition,
    };

    struct Waiting(Write);

    impl AsRef<Write> for Waiting {
        fn as_ref(&self) -> &Write {
            &self.0
        }
    }

    /// A write of the item `key` that checks the items `checks`.
    fn write(key: &str, checks: &[&str], bytes: usize) -> Waiting {
        let item = map([("id", text(key)), ("body", text("x".repeat(bytes)))]);
        let exists = Condition { expression: "attribute_exists(id)".to_owned(), ..Condition::default() };
        let write = Write::create("table", &["id"], item);
        Waiting(checks.iter().fold(write, |write, check| {
            write.checking("table", &["id"], map([("id", text(*check))]), exists.clone())
        }))
    }

    fn names(group: &[Waiting]) -> Vec<String> {
        group.iter().map(|waiting| waiting.0.keys().join(" ").replace("table\n", "")).collect()
    }

    #[test]
    fn two_writes_of_one_item_do_not_go_together_and_keep_their_order() {
        let mut waiting: VecDeque<_> =
            [("a", 1), ("b", 1), ("a", 2)].map(|(key, _)| write(key, &[], 1)).into();
        assert_eq!(names(&next_group(&mut waiting, &HashSet::new(), 100)), ["a", "b"]);
        let busy = HashSet::from(["table\na".to_owned()]);
        assert_eq!(names(&next_group(&mut waiting, &busy, 100)), [""; 0], "the first is still being written");
        assert_eq!(names(&next_group(&mut waiting, &HashSet::new(), 100)), ["a"]);
    }

    #[test]
    fn a_checked_item_is_an_item_of_the_group_and_counts() {
        let mut waiting: VecDeque<_> = [write("b", &["a"], 1), write("a", &[], 1), write("c", &[], 1)].into();
        assert_eq!(names(&next_group(&mut waiting, &HashSet::new(), 3)), ["b a", "c"]);
        assert_eq!(names(&next_group(&mut waiting, &HashSet::new(), 3)), ["a"]);
    }

    #[test]
    fn a_group_stays_below_the_size_of_a_call_and_a_large_write_goes_alone() {
        let mut waiting: VecDeque<_> = [2_000_000, 2_000_000, 4_000_000, 1]
            .into_iter()
            .zip(["a", "b", "c", "d"])
            .map(|(bytes, key)| write(key, &[], bytes))
            .collect();
        assert_eq!(names(&next_group(&mut waiting, &HashSet::new(), 100)), ["a", "d"]);
        assert_eq!(names(&next_group(&mut waiting, &HashSet::new(), 100)), ["b"]);
        assert_eq!(names(&next_group(&mut waiting, &HashSet::new(), 100)), ["c"]);
    }

    proptest! {
        #[test]
        fn every_write_goes_out_once_and_no_item_twice_in_a_call(
            writes in prop::collection::vec((0u8..6, prop::collection::btree_set(6u8..9, 0..3)), 0..40),
            limit in 1usize..12,
        ) {
            let mut waiting: VecDeque<Waiting> = writes
                .iter()
                .map(|(key, checks)| {
                    let checks: Vec<String> = checks.iter().map(ToString::to_string).collect();
                    write(&key.to_string(), &checks.iter().map(String::as_str).collect::<Vec<_>>(), 1)
                })
                .collect();
            let mut sent = 0;
            while !waiting.is_empty() {
                let group = next_group(&mut waiting, &HashSet::new(), limit);
                prop_assert!(!group.is_empty());
                let keys: Vec<&String> = group.iter().flat_map(|waiting| waiting.0.keys()).collect();
                prop_assert_eq!(keys.iter().collect::<HashSet<_>>().len(), keys.len());
                prop_assert!(group.len() == 1 || keys.len() <= limit);
                sent += group.len();
            }
            prop_assert_eq!(sent, writes.len());
        }
    }
}
