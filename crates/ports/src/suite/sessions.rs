//! What every [`Sessions`] does.
#![expect(clippy::unwrap_used, reason = "a test suite: a failure is the answer")]

use clinflow_core::{ExecutionId, SessionId, id::ObjectHash, step::ObjectRef};
use jiff::Timestamp;
use uuid::Uuid;

use super::unique;
use crate::sessions::{Sessions, Turn};

fn session() -> SessionId {
    SessionId::new(format!("s-{}", unique())).unwrap()
}

fn execution() -> ExecutionId {
    ExecutionId::from_uuid(unique())
}

fn turn(execution: ExecutionId, turn: u32, question: u128) -> Turn {
    let object = |name: &str| ObjectRef {
        key: format!("executions/{execution}/questions/{question}/{name}"),
        sha256: ObjectHash::of(name.as_bytes()),
        size: 7,
    };
    Turn {
        execution,
        turn,
        question_id: Uuid::from_u128(question),
        question: object("question.json"),
        answer: object("answer.json"),
        at: Timestamp::from_second(1_000 + i64::from(turn)).unwrap(),
    }
}

/// The last turns come back whole, oldest first, also where their numbers have different lengths.
pub async fn the_last_turns_come_back_oldest_first(sessions: &dyn Sessions) {
    let (session, id) = (session(), execution());
    for number in [9, 10, 8, 11] {
        sessions.append(&session, &turn(id, number, u128::from(number))).await.unwrap();
    }
    let recent = sessions.recent(&session, id, 3).await.unwrap();
    assert_eq!(recent, [turn(id, 9, 9), turn(id, 10, 10), turn(id, 11, 11)]);
}

/// A redelivered question is remembered once, as it was first (INV-03).
pub async fn the_same_turn_is_remembered_once(sessions: &dyn Sessions) {
    let (session, id) = (session(), execution());
    let first = turn(id, 0, 1);
    sessions.append(&session, &first).await.unwrap();
    sessions
        .append(&session, &Turn { at: Timestamp::from_second(9_000).unwrap(), ..first.clone() })
        .await
        .unwrap();
    assert_eq!(sessions.recent(&session, id, 9).await.unwrap(), [first]);
}

/// Two questions asked at the same time are both remembered.
pub async fn questions_in_the_same_place_are_both_remembered(sessions: &dyn Sessions) {
    let (session, id) = (session(), execution());
    for question in [2, 1] {
        sessions.append(&session, &turn(id, 0, question)).await.unwrap();
    }
    assert_eq!(sessions.recent(&session, id, 9).await.unwrap(), [turn(id, 0, 1), turn(id, 0, 2)]);
}

/// What was asked about one document, or in one session, is not told in another.
pub async fn conversations_do_not_mix(sessions: &dyn Sessions) {
    let (one, other) = (session(), session());
    let (id, another) = (execution(), execution());
    sessions.append(&one, &turn(id, 0, 1)).await.unwrap();
    sessions.append(&one, &turn(another, 0, 2)).await.unwrap();
    assert_eq!(sessions.recent(&one, id, 9).await.unwrap(), [turn(id, 0, 1)]);
    assert_eq!(sessions.recent(&other, id, 9).await.unwrap(), []);
}

/// Runs the suite against one implementation.
#[macro_export]
macro_rules! sessions_suite {
    ($make:expr) => {
        $crate::suite_tests!(
            sessions,
            $make,
            [
                the_last_turns_come_back_oldest_first,
                the_same_turn_is_remembered_once,
                questions_in_the_same_place_are_both_remembered,
                conversations_do_not_mix,
            ]
        );
    };
}
