//! Any history of calls gets the same answers from Redis as from the books in memory.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use clinflow_core::{AgentId, DocumentHash, ExecutionId, TeamId, WorkflowId, id::ObjectHash};
use clinflow_cost::{
    Account, Answer, Attempt, Charge, Guard, Install, Intent, Limit, NanoUsd, Reservation, Scope, Tally,
    Threshold,
};
use clinflow_ports::{
    Counters,
    memory::{ManualClock, MemoryCounters},
};
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use proptest::prelude::*;
use uuid::Uuid;

/// One call.
#[derive(Debug, Clone)]
enum Op {
    Reserve {
        attempt: (u128, u32),
        document: u8,
        asked: u8,
        hold: u64,
        limit: (u64, u32),
        long: bool,
        bound: bool,
    },
    Dispatch {
        attempt: (u128, u32),
    },
    Settle {
        attempt: (u128, u32),
        actual: u64,
    },
    Release {
        attempt: (u128, u32),
    },
    Suspend {
        attempt: (u128, u32),
    },
    Expire {
        attempt: (u128, u32),
    },
    Expired,
    Freeze {
        workflow: bool,
        frozen: bool,
    },
    Positions,
    Take {
        long: bool,
    },
    Acknowledge,
    Begin {
        token: u128,
    },
    Install {
        token: u128,
        settled: u64,
        open: Option<(u128, u32)>,
    },
}

/// Few of everything, so that histories collide.
fn op() -> impl Strategy<Value = Op> {
    let attempt = || (1u128..6, 1u32..3);
    let amount = || prop::sample::select(vec![0u64, 1, 30, 40, 80, 100, 120, 3_000_000_000_000_000]);
    let limit = prop::sample::select(vec![
        (100u64, 1u32),
        (100, 1),
        (150, 2),
        (60, 3),
        (0, 1),
        (9_000_000_000_000_000, 4),
    ]);
    prop_oneof![
        8 => (attempt(), 0u8..2, 0u8..3, amount(), limit, any::<bool>(), prop::bool::weighted(0.8)).prop_map(
            |(attempt, document, asked, hold, limit, long, bound)| {
                Op::Reserve { attempt, document, asked, hold, limit, long, bound }
            }
        ),
        3 => attempt().prop_map(|attempt| Op::Dispatch { attempt }),
        5 => (attempt(), amount()).prop_map(|(attempt, actual)| Op::Settle { attempt, actual }),
        2 => attempt().prop_map(|attempt| Op::Release { attempt }),
        1 => attempt().prop_map(|attempt| Op::Suspend { attempt }),
        2 => attempt().prop_map(|attempt| Op::Expire { attempt }),
        1 => Just(Op::Expired),
        1 => (any::<bool>(), prop::bool::weighted(0.3)).prop_map(|(workflow, frozen)| Op::Freeze { workflow, frozen }),
        3 => Just(Op::Positions),
        2 => any::<bool>().prop_map(|long| Op::Take { long }),
        1 => Just(Op::Acknowledge),
        1 => (1u128..3).prop_map(|token| Op::Begin { token }),
        1 => (1u128..3, amount(), prop::option::of(attempt())).prop_map(|(token, settled, open)| Op::Install { token, settled, open }),
    ]
}

fn at() -> Timestamp {
    Timestamp::from_second(4_000_000_000).unwrap()
}

fn team() -> TeamId {
    TeamId::new("oncology").unwrap()
}

fn account(workflow: bool) -> Account {
    let scope = match workflow {
        true => Scope::workflow(&WorkflowId::new("ae-report").unwrap()),
        false => Scope::team(&team()),
    };
    Account::at(scope, at(), &TimeZone::UTC)
}

fn attempt((invocation, number): (u128, u32)) -> Attempt {
    Attempt { invocation: Uuid::from_u128(invocation), ordinal: 0, number }
}

fn limited((amount, version): (u64, u32)) -> Limit {
    let threshold = |percent: u8| {
        let share = (u128::from(amount) * u128::from(percent)).div_ceil(100);
        Threshold { percent, amount: NanoUsd::new(u64::try_from(share).unwrap()) }
    };
    Limit { amount: NanoUsd::new(amount), version, thresholds: vec![threshold(80), threshold(100)] }
}

fn lease(long: bool) -> Duration {
    if long { Duration::from_hours(1) } else { Duration::ZERO }
}

fn reservation(op: &Op) -> Option<Reservation> {
    let Op::Reserve { attempt: name, document, asked, hold, limit, long, bound } = op else { return None };
    let document = DocumentHash::of(&[*document]);
    let hashed = [document.as_bytes().as_slice(), &[*asked]].concat();
    let charges = vec![
        Charge { account: account(false), limit: bound.then(|| limited(*limit)) },
        Charge { account: account(true), limit: (!bound).then(|| limited(*limit)) },
        Charge { account: Account::at(Scope::document(&document), at(), &TimeZone::UTC), limit: None },
    ];
    Some(Reservation {
        attempt: attempt(*name),
        team: team(),
        agent: AgentId::new("ae-report.nlp").unwrap(),
        document,
        fingerprint: ObjectHash::of(&hashed),
        hold: NanoUsd::new(*hold),
        lease: lease(*long),
        charges,
        guard: Guard { identical_calls: 3, calls_per_stage: 4, window: Duration::from_hours(24) },
    })
}

fn install(settled: u64, open: Option<(u128, u32)>) -> Install {
    let open = open.map(|name| Intent {
        attempt: attempt(name),
        at: at(),
        team: team(),
        workflow: WorkflowId::new("ae-report").unwrap(),
        agent: AgentId::new("ae-report.nlp").unwrap(),
        session: None,
        execution: ExecutionId::from_uuid(Uuid::nil()),
        document: DocumentHash::of(&[0]),
        fingerprint: ObjectHash::of(b"installed"),
        model: "model".to_owned(),
        prices: ObjectHash::of(b"prices"),
        hold: NanoUsd::new(7),
        accounts: vec![account(false)],
    });
    let suspense = NanoUsd::new(if open.is_some() { 7 } else { 0 });
    let tally = Tally { settled: NanoUsd::new(settled), held: NanoUsd::ZERO, suspense };
    Install {
        accounts: vec![(account(false), tally, Some(limited((100, 1))))],
        open: open.into_iter().collect(),
        calls: Vec::new(),
        loops: Vec::new(),
        raised: BTreeSet::from([format!("{}|1|80", account(false).name())]),
    }
}

/// An alert's id without the time at which its loop was found.
fn timeless(id: &str) -> &str {
    if id.starts_with("loop|") { id.rsplit_once('|').unwrap().0 } else { id }
}

/// What `counters` say to each call, without the times of their clocks.
async fn answers(counters: &dyn Counters, clock: &ManualClock, history: &[Op]) -> Vec<String> {
    let (team, mut answers, mut taken) = (team(), Vec::new(), BTreeSet::new());
    for op in history {
        clock.advance(SignedDuration::from_millis(1));
        answers.push(match op.clone() {
            Op::Reserve { .. } => {
                let answer = counters.reserve(&reservation(op).unwrap()).await.unwrap();
                if let Answer::Ok { .. } = answer { "Ok".to_owned() } else { format!("{answer:?}") }
            }
            Op::Dispatch { attempt: name } => {
                format!("{:?}", counters.dispatch(&team, attempt(name), lease(true)).await.unwrap())
            }
            Op::Settle { attempt: name, actual } => {
                format!("{:?}", counters.settle(&team, attempt(name), NanoUsd::new(actual)).await.unwrap())
            }
            Op::Release { attempt: name } => {
                format!("{:?}", counters.release(&team, attempt(name)).await.unwrap())
            }
            Op::Suspend { attempt: name } => {
                format!("{:?}", counters.suspend(&team, attempt(name)).await.unwrap())
            }
            Op::Expire { attempt: name } => {
                format!("{:?}", counters.expire(&team, attempt(name)).await.unwrap())
            }
            Op::Expired => {
                let mut expired = counters.expired(&team, 100).await.unwrap();
                expired.sort_unstable();
                format!("{expired:?}")
            }
            Op::Freeze { workflow, frozen } => {
                counters.freeze(&team, &account(workflow), frozen).await.unwrap();
                String::new()
            }
            Op::Positions => {
                let document = Account::at(Scope::document(&DocumentHash::of(&[0])), at(), &TimeZone::UTC);
                let document = counters.position(&team, &document).await.unwrap();
                format!("{:?} {document:?}", counters.positions(&team).await.unwrap())
            }
            Op::Take { long } => {
                let mut alerts = counters.take_alerts(&team, 100, lease(long)).await.unwrap();
                alerts.sort_by(|one, other| one.id.cmp(&other.id));
                taken.extend(alerts.iter().map(|alert| alert.id.clone()));
                let told = alerts.iter().map(|alert| (timeless(&alert.id), &alert.cause)).collect::<Vec<_>>();
                format!("{told:?}")
            }
            Op::Acknowledge => {
                let ids: Vec<String> = std::mem::take(&mut taken).into_iter().collect();
                counters.acknowledge(&team, &ids).await.unwrap();
                String::new()
            }
            Op::Begin { token } => {
                format!("{:?}", counters.begin(&team, Uuid::from_u128(token), lease(true)).await.unwrap())
            }
            Op::Install { token, settled, open } => {
                let install = install(settled, open);
                format!("{:?}", counters.install(&team, Uuid::from_u128(token), &install).await.unwrap())
            }
        });
    }
    answers
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_history_of_calls_gets_the_same_answers(mut history in prop::collection::vec(op(), 1..60)) {
        static CASE: std::sync::atomic::AtomicU64 = std::sync::atomic::AtomicU64::new(0);
        let case = CASE.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        // A generation's name is its rebuild's token, which nobody uses twice.
        let mut next = 1000;
        for op in &mut history {
            match op {
                Op::Begin { token } | Op::Install { token, .. } => *token += next,
                _ => continue,
            }
            if matches!(op, Op::Install { .. }) {
                next += 1000;
            }
        }
        history.insert(0, Op::Begin { token: 1 });
        history.insert(1, Op::Install { token: 1, settled: 0, open: None });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let clock = Arc::new(ManualClock::at(at()));
            let memory = MemoryCounters::new(clock.clone());
            let redis = crate::fresh(&format!("case-{case}"));
            assert_eq!(answers(&redis, &clock, &history).await, answers(&memory, &clock, &history).await);
        });
    }
}
