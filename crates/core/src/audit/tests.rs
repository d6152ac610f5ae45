//! What can be done to a chain, and how it shows.

use proptest::prelude::*;

use super::*;

fn chain(length: u32) -> (ExecutionId, Vec<Record>) {
    let execution = ExecutionId::from_uuid(Uuid::from_u128(7));
    let mut head = ChainHead::genesis(execution);
    let mut records = Vec::new();
    for n in 0..length {
        let record = Record::after(
            head,
            Entry {
                execution,
                message_id: Uuid::from_u128(u128::from(n)),
                document: DocumentHash::of(b"document"),
                bundle: BundleHash::of(b"bundle"),
                session: None,
                at: Timestamp::from_second(i64::from(n)).unwrap(),
                event: Event::Noted {
                    event: "clinflow.v1.BudgetThreshold".to_owned(),
                    message: format!("{n}"),
                },
            },
        );
        head = record.head();
        records.push(record);
    }
    (execution, records)
}

#[test]
fn an_untouched_chain_verifies() {
    let (execution, records) = chain(5);
    assert_eq!(verify(execution, &records).unwrap().sequence, 5);
}

/// A chain as a document makes it: recorded, then reported on the grounds of that record.
fn reported() -> (ExecutionId, Vec<Record>) {
    let (execution, mut records) = chain(1);
    let entry = Entry {
        message_id: Uuid::from_u128(9),
        event: Event::Reported { steps: Vec::new(), outputs: Vec::new(), rests_on: Some(records[0].head()) },
        ..records[0].entry.clone()
    };
    records.push(Record::after(records[0].head(), entry));
    (execution, records)
}

#[test]
fn a_report_whose_record_was_removed_before_it_was_written_is_found() {
    let (execution, records) = reported();
    assert!(verify(execution, &records).is_ok());
    let alone = Record::after(ChainHead::genesis(execution), records[1].entry.clone());
    assert_eq!(verify(execution, &[alone]), Err(Broken::Missing { sequence: 1 }));
    let (_, others) = chain(2);
    let after_another = Record::after(others[1].head(), records[1].entry.clone());
    let moved = [others[0].clone(), others[1].clone(), after_another];
    assert!(verify(execution, &moved).is_ok(), "records between are no harm");
    let forged = Record::after(
        ChainHead::genesis(execution),
        Entry { message_id: Uuid::from_u128(77), ..others[0].entry.clone() },
    );
    let after_forged = Record::after(forged.head(), records[1].entry.clone());
    assert_eq!(verify(execution, &[forged, after_forged]), Err(Broken::Replaced { sequence: 1 }));
}

#[test]
fn a_known_head_finds_an_end_that_was_cut_off_or_written_anew() {
    let (execution, records) = chain(3);
    let known = Some(records[2].head());
    assert_eq!(verify_up_to(execution, &records, known).unwrap().sequence, 3);
    assert_eq!(verify_up_to(execution, &records[..2], known), Err(Broken::Missing { sequence: 3 }));
    assert_eq!(verify_up_to(execution, &[], known), Err(Broken::Missing { sequence: 1 }));
    let mut entry = records[2].entry.clone();
    entry.message_id = Uuid::from_u128(99);
    let rewritten = [&records[..2], &[Record::after(records[1].head(), entry)]].concat();
    assert!(verify(execution, &rewritten).is_ok(), "by itself it is a good chain");
    assert_eq!(verify_up_to(execution, &rewritten, known), Err(Broken::Replaced { sequence: 3 }));
}

#[test]
fn the_last_word_about_an_execution_says_whether_it_stops() {
    let (execution, mut records) = chain(1);
    assert!(!is_aborted(&records));
    for (operation, stops) in [
        (Operation::Abort, true),
        (Operation::Drop, true),
        (Operation::Redrive, false),
        (Operation::Abort, true),
        (Operation::Rerun, true),
    ] {
        let event = Event::Operated { operation, by: "operator".to_owned(), about: None, reason: None };
        let entry = Entry { event, ..records[0].entry.clone() };
        let head = records.last().map_or_else(|| ChainHead::genesis(execution), Record::head);
        records.push(Record::after(head, entry));
        assert_eq!(is_aborted(&records), stops, "{operation:?}");
    }
}

/// One thing somebody might do to a chain behind the log's back.
#[derive(Debug, Clone)]
enum Deed {
    Remove(usize),
    Swap(usize, usize),
    Double(usize),
    ChangeEntry(usize),
    ChangeTime(usize),
    ChangeHash(usize),
    ChangePrevious(usize),
    /// Changed, and given the hash that fits.
    Forge(usize),
    /// Changed, and every record from there on given the hashes that fit.
    ForgeOn(usize),
}

const LENGTH: usize = 6;

fn deed() -> impl Strategy<Value = Deed> {
    let at = 0..LENGTH;
    prop_oneof![
        at.clone().prop_map(Deed::Remove),
        (at.clone(), at.clone()).prop_map(|(one, other)| Deed::Swap(one, other)),
        at.clone().prop_map(Deed::Double),
        at.clone().prop_map(Deed::ChangeEntry),
        at.clone().prop_map(Deed::ChangeTime),
        at.clone().prop_map(Deed::ChangeHash),
        at.clone().prop_map(Deed::ChangePrevious),
        at.clone().prop_map(Deed::Forge),
        at.prop_map(Deed::ForgeOn),
    ]
}

/// Does it; answers the first position that is no longer what it was.
fn misdeed(records: &mut Vec<Record>, deed: &Deed) -> Option<usize> {
    let other = Event::Noted { event: "forged".to_owned(), message: String::new() };
    match *deed {
        Deed::Remove(at) => {
            records.remove(at);
            Some(at)
        }
        Deed::Swap(one, other) if one == other => None,
        Deed::Swap(one, other) => {
            records.swap(one, other);
            Some(one.min(other))
        }
        Deed::Double(at) => {
            let twice = records[at].clone();
            records.insert(at + 1, twice);
            Some(at + 1)
        }
        Deed::ChangeEntry(at) => {
            records[at].entry.event = other;
            Some(at)
        }
        Deed::ChangeTime(at) => {
            records[at].entry.at = Timestamp::UNIX_EPOCH - jiff::SignedDuration::from_secs(1);
            Some(at)
        }
        Deed::ChangeHash(at) => {
            records[at].hash = ObjectHash::of(b"another");
            Some(at)
        }
        Deed::ChangePrevious(at) => {
            records[at].previous = ObjectHash::of(b"another");
            Some(at)
        }
        Deed::Forge(at) => {
            let head = ChainHead { sequence: records[at].sequence - 1, hash: records[at].previous };
            let entry = Entry { event: other, ..records[at].entry.clone() };
            records[at] = Record::after(head, entry);
            // The record is a good one by itself: the one after it gives it away.
            Some((at + 1).min(LENGTH - 1))
        }
        Deed::ForgeOn(at) => {
            records[at].entry.event = other;
            for position in at..records.len() {
                let before =
                    ChainHead { sequence: records[position].sequence - 1, hash: records[position].previous };
                let before = if position == at { before } else { records[position - 1].head() };
                records[position] = Record::after(before, records[position].entry.clone());
            }
            // A whole new end: only the known head gives it away.
            Some(LENGTH - 1)
        }
    }
}

proptest! {
    #[test]
    fn whatever_is_done_to_a_chain_is_found_where_it_was_done(deed in deed()) {
        let (execution, mut records) = chain(u32::try_from(LENGTH).unwrap());
        let known = records.last().map(Record::head);
        let at = misdeed(&mut records, &deed);
        let found = verify_up_to(execution, &records, known);
        match at {
            None => prop_assert!(found.is_ok()),
            Some(at) => {
                let position = found.unwrap_err().at();
                prop_assert_eq!(position, u32::try_from(at).unwrap() + 1, "{:?}", deed);
            }
        }
    }

    #[test]
    fn removing_any_record_but_the_last_is_found(at in 0usize..4) {
        let (execution, mut records) = chain(5);
        records.remove(at);
        let expected = u32::try_from(at).unwrap() + 1;
        prop_assert_eq!(verify(execution, &records), Err(Broken::Sequence { expected, found: expected + 1 }));
    }

    #[test]
    fn changing_any_record_is_found_at_its_place(at in 0usize..5) {
        let (execution, mut records) = chain(5);
        records[at].entry.event = Event::Noted { event: "forged".to_owned(), message: String::new() };
        prop_assert_eq!(verify(execution, &records), Err(Broken::Content { sequence: u32::try_from(at).unwrap() + 1 }));
    }

    #[test]
    fn swapping_two_records_is_found(a in 0usize..5, b in 0usize..5) {
        prop_assume!(a != b);
        let (execution, mut records) = chain(5);
        records.swap(a, b);
        prop_assert!(verify(execution, &records).is_err());
    }
}
