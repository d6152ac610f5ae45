//! Money through the whole system: what is booked is what was billed, nothing is bought twice, and a loop stops.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use anyhow::{Context as _, ensure};
use clinflow_core::{ExecutionId, Role, Status, TeamId};
use clinflow_cost::{NanoUsd, Tally};
use clinflow_integration::{
    documents,
    fleet::{Fleet, Settings},
    outcome::judge,
};
use clinflow_ports::{Clock as _, Counters as _, Executions as _, Ledger as _};
use clinflow_runtime::SystemClock;
use clinflow_stand_in_bedrock::{Operation, Plan, Server};
use clinflow_workflow::{Bundle, shipped};
use jiff::SignedDuration;

use crate::pipeline::submit_all;

const MODEL: &str = "us.anthropic.claude-sonnet-5-5";

/// How long the books may take to agree after the last document has ended: leases must run out.
const AGREEMENT: Duration = Duration::from_secs(90);

/// A fleet whose nlp asks the stand-in, with calls that time out soon.
async fn fleet(bedrock: &Server) -> anyhow::Result<Fleet> {
    let settings = Settings {
        redrive_after: "20s",
        stage_timeout: "8s",
        bedrock: Some((MODEL.to_owned(), bedrock.url())),
        ..Settings::default()
    };
    Fleet::start(settings).await
}

fn teams(bundle: &Bundle) -> BTreeSet<TeamId> {
    bundle.workflows().map(|workflow| workflow.team.clone()).collect()
}

/// Every account by name, as the ledger has it and as the counters have it.
async fn books(
    fleet: &Fleet,
    bundle: &Bundle,
) -> anyhow::Result<(BTreeMap<String, Tally>, BTreeMap<String, Tally>)> {
    let (mut ledger, mut counted) = (BTreeMap::new(), BTreeMap::new());
    for team in teams(bundle) {
        let (now, day) = (SystemClock.now(), SignedDuration::from_hours(24));
        let entries = fleet.ledger.read(&team, now - day, now + day).await?;
        let install = clinflow_cost::rebuild(&entries, BTreeSet::new(), bundle.budgets(), now);
        for (account, tally, _) in install.accounts {
            let position = fleet.counters.position(&team, &account).await?;
            let counts =
                Tally { settled: position.settled, held: position.held, suspense: position.suspense };
            counted.insert(account.name(), counts);
            ledger.insert(account.name(), tally);
        }
    }
    Ok((ledger, counted))
}

/// Waits until both books agree; answers what they say.
async fn agreed(fleet: &Fleet, bundle: &Bundle) -> anyhow::Result<BTreeMap<String, Tally>> {
    let until = Instant::now() + AGREEMENT;
    loop {
        let (ledger, counted) = books(fleet, bundle).await?;
        if ledger == counted {
            return Ok(ledger);
        }
        ensure!(Instant::now() < until, "the ledger says {ledger:#?}\nthe counters say {counted:#?}");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_documents_through_a_faulty_bedrock_are_booked_to_the_nano_dollar_whatever_redis_forgets()
-> anyhow::Result<()> {
    let chances = "throttle=5%,timeout=1%,hang=1%,garbage=2%".parse()?;
    let bedrock = Server::start(Plan { seed: 847, chances, ..Plan::default() }).await?;
    let fleet = fleet(&bedrock).await?;
    let bundle = Bundle::read(&shipped())?;
    let documents = documents::distinct("money", 200)?;
    let mut accepted = submit_all(&fleet, &documents[..100]).await?;
    fleet.redis.flushall()?;
    accepted.extend(submit_all(&fleet, &documents[100..]).await?);
    let verdict = judge(&fleet, &accepted).await?;
    println!("{verdict:?}");
    assert_eq!((verdict.accepted, verdict.lost, verdict.duplicates, verdict.broken), (200, 0, 0, 0));

    let ledger = agreed(&fleet, &bundle).await?;
    let calls = bedrock.calls();
    let converse: Vec<_> = calls.iter().filter(|call| call.operation == Operation::Converse).collect();
    // Two documents may have the same text; a call is about one of them.
    let mut billed: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for call in converse.iter().filter(|call| call.billed) {
        *billed.entry((&call.metadata["document"], &call.body)).or_default() += 1;
    }
    let twice = billed.values().filter(|count| **count > 1).count();
    assert_eq!(twice, 0, "identical calls that were billed twice, of {}", converse.len());

    // The bill of what was answered is what the teams have settled; what was lost is in suspense, at its upper bound.
    let (prices, now) = (bundle.prices(), SystemClock.now());
    let answered = converse.iter().filter(|call| call.billed && call.status == Some(200));
    let mut bill = NanoUsd::ZERO;
    for call in answered {
        bill = bill.plus(prices.price(MODEL, now, call.usage)?);
    }
    let of_teams = |sum: fn(&Tally) -> NanoUsd| {
        let teams = ledger.iter().filter(|(name, _)| name.starts_with("team:"));
        teams.fold(NanoUsd::ZERO, |total, (_, tally)| total.plus(sum(tally)))
    };
    let (settled, suspense) = (of_teams(|tally| tally.settled), of_teams(|tally| tally.suspense));
    let faults = converse.iter().filter(|call| call.fault.is_some()).count();
    println!(
        "{} calls, {faults} with a fault; billed {bill}, settled {settled}, in suspense {suspense}",
        converse.len()
    );
    assert_eq!(bill, settled);
    assert!(bill > NanoUsd::ZERO && faults > 0);
    Ok(())
}

async fn parked(fleet: &Fleet, id: ExecutionId) -> anyhow::Result<String> {
    let until = Instant::now() + Duration::from_secs(60);
    loop {
        let execution = fleet.executions.get(id).await?.context("it was accepted")?;
        if execution.status == Status::Parked {
            return Ok(execution.disposition.and_then(|end| end.code).unwrap_or_default());
        }
        ensure!(Instant::now() < until, "it is {} and not parked", execution.status);
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_always_asks_for_another_try_is_stopped_once_and_the_other_documents_finish()
-> anyhow::Result<()> {
    let bedrock = Server::start(Plan::default()).await?;
    let fleet = fleet(&bedrock).await?;
    let mut others = documents::distinct("loop", 21)?;
    let text = others.iter().position(|document| document.media_type == "text/plain");
    let mut endless = others.remove(text.context("there are texts among the samples")?);
    endless.bytes = [&endless.bytes[..], b"\nASK ME AGAIN\n"].concat().into();
    let stopped = submit_all(&fleet, std::slice::from_ref(&endless)).await?;
    let accepted = submit_all(&fleet, &others).await?;
    let verdict = judge(&fleet, &accepted).await?;
    assert_eq!((verdict.accepted, verdict.lost, verdict.broken), (20, 0, 0));
    let stopped = *stopped.first().context("it was accepted")?;
    assert_eq!(parked(&fleet, stopped).await?, "budget.loop");

    let hash = clinflow_core::DocumentHash::of(&endless.bytes).to_string();
    let calls = bedrock.calls();
    let asked = calls.iter().filter(|call| call.operation == Operation::Converse);
    let asked = asked.filter(|call| call.metadata.values().any(|value| *value == hash)).count();
    println!("{asked} billed calls for the document that loops");
    assert!(asked <= 2, "{asked}");
    tokio::time::sleep(Duration::from_secs(3)).await;
    let told = fleet.log_text(Role::Aggregator).lines().filter(|line| line.contains("document-loop")).count();
    assert_eq!(told, 1, "one alert");
    Ok(())
}
