//! What faults do to a run: nothing.

use std::{collections::BTreeSet, time::Duration};

use clinflow_core::{ExecutionId, Role};
use clinflow_integration::{
    documents::{self, Document},
    fleet::{Fleet, Settings},
    outcome::{Verdict, judge},
};

use crate::pipeline::{by_grpc, by_http, submit_all};

fn assert_untouched(verdict: &Verdict, accepted: usize) {
    println!("{verdict:?}");
    assert_eq!(
        (verdict.accepted, verdict.lost, verdict.duplicates, verdict.broken),
        (accepted, 0, 0, 0),
        "{verdict:?}"
    );
    let reported = verdict.terminal.get("completed").copied().unwrap_or_default()
        + verdict.terminal.get("needs-review").copied().unwrap_or_default();
    assert_eq!(reported, accepted, "every document was reported: {verdict:?}");
}

/// Submits through the gateway, which makes every document durable before it answers.
async fn through_the_gateway(fleet: &Fleet, documents: &[Document]) -> anyhow::Result<BTreeSet<ExecutionId>> {
    let mut accepted = BTreeSet::new();
    for (n, document) in documents.iter().enumerate() {
        accepted.insert(if n % 2 == 0 {
            by_http(fleet, document).await?
        } else {
            by_grpc(fleet, document).await?
        });
    }
    Ok(accepted)
}

#[tokio::test(flavor = "multi_thread")]
async fn killing_each_service_in_turn_the_broker_and_all_of_redis_changes_nothing() -> anyhow::Result<()> {
    let mut fleet = Fleet::start(Settings::default()).await?;
    let documents = documents::distinct("kills", 200)?;
    let mut accepted = BTreeSet::new();
    // A slice of documents is under way whenever something dies.
    let mut slices = documents.chunks(20);
    for role in Role::ALL {
        accepted.extend(submit_all(&fleet, slices.next().unwrap_or_default()).await?);
        fleet.kill_and_restart(role)?;
    }
    accepted.extend(submit_all(&fleet, slices.next().unwrap_or_default()).await?);
    fleet.rabbitmq.kill();
    tokio::time::sleep(Duration::from_millis(200)).await;
    fleet.rabbitmq.restart()?;
    accepted.extend(submit_all(&fleet, slices.next().unwrap_or_default()).await?);
    fleet.redis.flushall()?;
    let verdict = judge(&fleet, &accepted).await?;
    assert_untouched(&verdict, 200);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn losing_the_brokers_data_directory_loses_no_accepted_document() -> anyhow::Result<()> {
    let fleet = Fleet::start(Settings::default()).await?;
    let documents = documents::distinct("total-loss", 60)?;
    let mut accepted = through_the_gateway(&fleet, &documents[..40]).await?;
    fleet.rabbitmq.wipe()?;
    fleet.rabbitmq.restart()?;
    accepted.extend(through_the_gateway(&fleet, &documents[40..]).await?);
    let verdict = judge(&fleet, &accepted).await?;
    assert_untouched(&verdict, 60);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn under_a_memory_alarm_upstream_is_told_to_wait_and_nothing_is_lost() -> anyhow::Result<()> {
    let fleet = Fleet::start(Settings::default()).await?;
    let documents = documents::distinct("alarm", 30)?;
    let accepted = through_the_gateway(&fleet, &documents[..20]).await?;
    fleet.rabbitmq.ctl(&["set_vm_memory_high_watermark", "0"])?;
    let began = std::time::Instant::now();
    let refused = loop {
        let document = &documents[20];
        let (status, _) = fleet.http().submit("", document.media_type, document.bytes.clone()).await?;
        if status.as_u16() == 429 {
            break true;
        }
        if began.elapsed() > Duration::from_secs(30) {
            break false;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    fleet.rabbitmq.ctl(&["set_vm_memory_high_watermark", "0.4"])?;
    assert!(refused, "the gateway answered 429 while the broker was blocked");
    let mut accepted = accepted;
    accepted.extend(through_the_gateway(&fleet, &documents[20..]).await?);
    let verdict = judge(&fleet, &accepted).await?;
    assert_untouched(&verdict, 30);
    Ok(())
}
