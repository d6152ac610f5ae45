//! What every [`Executions`] does.
#![expect(clippy::unwrap_used, reason = "a test suite: a failure is the answer")]

use clinflow_core::{
    BundleHash, Disposition, DocumentHash, Execution, ExecutionId, Lane, Status, WorkflowId,
    audit::ChainHead, execution::DocumentRef, id::ObjectHash,
};
use jiff::{SignedDuration, Timestamp};

use super::unique;
use crate::{
    error::StoreError,
    executions::{Created, Executions, Transition},
};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn execution(check_at: Timestamp) -> Execution {
    Execution {
        id: ExecutionId::from_uuid(unique()),
        requested_workflow: WorkflowId::new("ae-report").unwrap(),
        document: DocumentRef {
            sha256: DocumentHash::of(b"document"),
            key: "documents/x".to_owned(),
            media_type: "text/plain".to_owned(),
            size: 8,
        },
        bundle: BundleHash::of(b"bundle"),
        session: None,
        team: None,
        lane: Lane::Batch,
        submission: unique(),
        created_at: at(1_000),
        redrives: 0,
        check_at: Some(check_at),
        status: Status::Running,
        disposition: None,
        head: None,
    }
}

fn ends(execution: &Execution, status: Status) -> Disposition {
    Disposition {
        status,
        workflow: None,
        code: None,
        message: None,
        outputs: Some("reports/x".to_owned()),
        head: ChainHead::genesis(execution.id),
        at: at(2_000),
    }
}

/// The first create wins and the second is told what is there.
pub async fn a_second_create_answers_the_first(executions: &dyn Executions) {
    let first = execution(at(5_000));
    assert_eq!(executions.create(&first).await.unwrap(), Created::New);
    let second = Execution { submission: unique(), ..first.clone() };
    assert_eq!(executions.create(&second).await.unwrap(), Created::Existing(Box::new(first.clone())));
    assert_eq!(executions.get(first.id).await.unwrap(), Some(first));
}

/// Of many racing creates exactly one is new.
pub async fn one_of_many_racing_creates_is_new(executions: &dyn Executions) {
    let one = execution(at(5_000));
    let created = futures_util::future::try_join_all((0..16).map(|_| executions.create(&one))).await.unwrap();
    assert_eq!(created.iter().filter(|created| **created == Created::New).count(), 1);
}

/// An id nobody created is not there.
pub async fn an_unknown_execution_is_none(executions: &dyn Executions) {
    assert_eq!(executions.get(ExecutionId::from_uuid(unique())).await.unwrap(), None);
}

/// INV-02: the first terminal state stays.
pub async fn a_terminal_state_is_kept(executions: &dyn Executions) {
    let one = execution(at(5_000));
    executions.create(&one).await.unwrap();
    let completed = ends(&one, Status::Completed);
    assert_eq!(executions.settle(one.id, &completed).await.unwrap(), Transition::Applied);
    assert_eq!(
        executions.settle(one.id, &ends(&one, Status::Failed)).await.unwrap(),
        Transition::Kept(Status::Completed)
    );
    let kept = executions.get(one.id).await.unwrap().unwrap();
    assert_eq!((kept.status, kept.disposition, kept.check_at), (Status::Completed, Some(completed), None));
}

/// A parked execution can still end, and is not overdue while it waits.
pub async fn a_parked_execution_waits_and_can_end(executions: &dyn Executions) {
    let one = execution(at(10));
    executions.create(&one).await.unwrap();
    assert_eq!(executions.settle(one.id, &ends(&one, Status::Parked)).await.unwrap(), Transition::Applied);
    let overdue = executions.overdue(at(4_000_000_000), 1000).await.unwrap();
    assert!(overdue.iter().all(|overdue| overdue.id != one.id));
    assert_eq!(executions.settle(one.id, &ends(&one, Status::Completed)).await.unwrap(), Transition::Applied);
}

/// What is due is found, what is not due is not, and what has ended is not.
pub async fn overdue_finds_what_still_runs_and_is_due(executions: &dyn Executions) {
    let (due, later, ended) = (execution(at(20)), execution(at(4_000_000_000)), execution(at(20)));
    for one in [&due, &later, &ended] {
        executions.create(one).await.unwrap();
    }
    executions.settle(ended.id, &ends(&ended, Status::Completed)).await.unwrap();
    let found = executions.overdue(at(30), 1000).await.unwrap();
    let is_found = |one: &Execution| found.iter().any(|found| found.id == one.id);
    assert_eq!((is_found(&due), is_found(&later), is_found(&ended)), (true, false, false));
}

/// Of several sweepers that saw the same execution, one may redrive it.
pub async fn one_of_many_sweepers_redrives(executions: &dyn Executions) {
    let one = execution(at(40));
    executions.create(&one).await.unwrap();
    let next = at(40) + SignedDuration::from_secs(60);
    let won = futures_util::future::try_join_all((0..8).map(|_| executions.redrive(one.id, 0, next)))
        .await
        .unwrap();
    assert_eq!(won.iter().filter(|won| **won).count(), 1);
    let now = executions.get(one.id).await.unwrap().unwrap();
    assert_eq!((now.redrives, now.check_at), (1, Some(next)));
    assert!(!executions.postpone(one.id, 0, at(99)).await.unwrap(), "seen is out of date");
    assert!(executions.postpone(one.id, 1, at(99)).await.unwrap());
    assert_eq!(executions.get(one.id).await.unwrap().unwrap().check_at, Some(at(99)));
}

/// A terminal execution is not redriven.
pub async fn a_terminal_execution_is_not_redriven(executions: &dyn Executions) {
    let one = execution(at(50));
    executions.create(&one).await.unwrap();
    executions.settle(one.id, &ends(&one, Status::Failed)).await.unwrap();
    assert!(!executions.redrive(one.id, 0, at(60)).await.unwrap());
}

/// INV-02: a person's decision leaves a terminal state, counts as a redrive, and is made once.
pub async fn a_recorded_decision_lets_go_on_what_failed_once(executions: &dyn Executions) {
    let one = execution(at(50));
    executions.create(&one).await.unwrap();
    executions.settle(one.id, &ends(&one, Status::Failed)).await.unwrap();
    let again = Disposition { outputs: None, ..ends(&one, Status::Running) };
    let asked = (0..8).map(|_| executions.intervene(one.id, 0, &again, Some(at(70))));
    let made = futures_util::future::try_join_all(asked).await.unwrap();
    assert_eq!(made.iter().filter(|made| **made == Transition::Applied).count(), 1);
    let now = executions.get(one.id).await.unwrap().unwrap();
    assert_eq!((now.status, now.redrives, now.check_at), (Status::Running, 1, Some(at(70))));
    assert_eq!(now.disposition.as_ref(), Some(&again));
    let overdue = executions.overdue(at(80), 1000).await.unwrap();
    assert!(overdue.iter().any(|overdue| overdue.id == one.id), "the sweeper looks after it again");
    assert_eq!(
        executions.intervene(one.id, 1, &again, Some(at(90))).await.unwrap(),
        Transition::Kept(Status::Running),
        "it runs already"
    );
    assert_eq!(executions.settle(one.id, &ends(&one, Status::Completed)).await.unwrap(), Transition::Applied);
}

/// An abort stops what runs or is parked, and what was under way changes nothing any more.
pub async fn an_aborted_execution_stays_aborted(executions: &dyn Executions) {
    let one = execution(at(50));
    executions.create(&one).await.unwrap();
    let aborted = ends(&one, Status::Aborted);
    assert_eq!(executions.intervene(one.id, 0, &aborted, None).await.unwrap(), Transition::Applied);
    assert_eq!(
        executions.settle(one.id, &ends(&one, Status::Completed)).await.unwrap(),
        Transition::Kept(Status::Aborted)
    );
    assert!(!executions.redrive(one.id, 0, at(60)).await.unwrap());
    let now = executions.get(one.id).await.unwrap().unwrap();
    assert_eq!((now.status, now.redrives, now.check_at), (Status::Aborted, 0, None));
}

/// The last review item completes an execution, and nothing else that a person decides does.
pub async fn a_review_completes_what_needs_review_and_nothing_else(executions: &dyn Executions) {
    let (reviewed, failed) = (execution(at(50)), execution(at(50)));
    for (one, status) in [(&reviewed, Status::NeedsReview), (&failed, Status::Failed)] {
        executions.create(one).await.unwrap();
        executions.settle(one.id, &ends(one, status)).await.unwrap();
    }
    let complete = async |one: &Execution| {
        executions.intervene(one.id, 0, &ends(one, Status::Completed), None).await.unwrap()
    };
    assert_eq!(complete(&reviewed).await, Transition::Applied);
    assert_eq!(complete(&failed).await, Transition::Kept(Status::Failed));
}

/// The newest record that is known of is remembered, in whatever order records are told of.
pub async fn the_newest_audit_record_is_remembered(executions: &dyn Executions) {
    let one = execution(at(4_000_000_000));
    executions.create(&one).await.unwrap();
    let head = |sequence: u32| ChainHead { sequence, hash: ObjectHash::of(&sequence.to_be_bytes()) };
    for sequence in [2, 5, 3] {
        executions.witness(one.id, head(sequence)).await.unwrap();
    }
    let now = executions.get(one.id).await.unwrap().unwrap();
    assert_eq!((now.head, now.status), (Some(head(5)), Status::Running));
    let unknown = executions.witness(ExecutionId::from_uuid(unique()), head(1)).await.unwrap_err();
    assert!(matches!(unknown, StoreError::Missing { .. }), "{unknown:?}");
}

/// Listing by status finds each once, newest first, over as many pages as it takes.
pub async fn listing_pages_through_a_status_newest_first(executions: &dyn Executions) {
    let mut mine = Vec::new();
    for n in 0..5 {
        // A time of its own, so that this test's executions stand together in a shared table.
        let one = Execution { created_at: at(3_900_000_000 + n), ..execution(at(4_000_000_000)) };
        executions.create(&one).await.unwrap();
        executions.settle(one.id, &ends(&one, Status::Aborted)).await.unwrap();
        mine.push(one.id);
    }
    mine.reverse();
    let (mut seen, mut from) = (Vec::new(), None::<String>);
    loop {
        let page = executions.list(Some(Status::Aborted), 2, from.as_deref()).await.unwrap();
        assert!(page.executions.len() <= 2);
        assert!(page.executions.iter().all(|one| one.status == Status::Aborted));
        seen.extend(page.executions.iter().map(|one| one.id));
        from = page.next;
        if from.is_none() || seen.len() > 1000 {
            break;
        }
    }
    seen.retain(|id| mine.contains(id));
    assert_eq!(seen, mine);
}

/// Runs the suite against one implementation.
#[macro_export]
macro_rules! executions_suite {
    ($make:expr) => {
        $crate::suite_tests!(
            executions,
            $make,
            [
                a_second_create_answers_the_first,
                one_of_many_racing_creates_is_new,
                an_unknown_execution_is_none,
                a_terminal_state_is_kept,
                a_parked_execution_waits_and_can_end,
                overdue_finds_what_still_runs_and_is_due,
                one_of_many_sweepers_redrives,
                a_terminal_execution_is_not_redriven,
                a_recorded_decision_lets_go_on_what_failed_once,
                an_aborted_execution_stays_aborted,
                a_review_completes_what_needs_review_and_nothing_else,
                the_newest_audit_record_is_remembered,
                listing_pages_through_a_status_newest_first,
            ]
        );
    };
}
