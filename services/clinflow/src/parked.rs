//! `clinflow parked`: messages that are right and wait for a person.

use std::fmt::Write as _;

use clinflow_gateway::json;
use clinflow_proto::v1;

use crate::{
    Ended,
    arguments::{self, Place, Word},
    client::{Client, refused},
    operate::Told,
    print,
    show::time,
};

/// `clinflow parked list|show|replay|drop`
pub(crate) async fn command(command: arguments::Parked) -> anyhow::Result<Ended> {
    match command {
        arguments::Parked::List { code, limit, place, json } => list(code, limit, &place, json).await,
        arguments::Parked::Show { message, place, json } => show(message, &place, json).await,
        arguments::Parked::Replay { messages, word, place, json } => {
            replay(&messages, &word, &place, json).await
        }
        arguments::Parked::Drop { messages, word, place, json } => {
            give_up(&messages, &word, &place, json).await
        }
    }
}

async fn list(code: Option<String>, limit: u32, place: &Place, as_json: bool) -> anyhow::Result<Ended> {
    let (mut client, _house) = Client::of(place).await?;
    let request = v1::ListParkedRequest { limit, code: code.unwrap_or_default() };
    let parked = client.operations.list_parked(request).await.map_err(|status| refused(&status))?;
    let parked = parked.into_inner();
    if as_json {
        let lines: String = parked.messages.iter().map(|one| format!("{}\n", json::parked(one))).collect();
        print::answer(&lines)?;
        return Ok(Ended::Well);
    }
    print::answer(&table(&parked))?;
    Ok(Ended::Well)
}

/// Parked messages, as text.
fn table(parked: &v1::ListParkedResponse) -> String {
    let row = |one: &v1::ParkedMessage| {
        vec![
            one.message_id.clone(),
            one.code.clone(),
            one.workflow_id.clone(),
            one.queue.trim_start_matches("clinflow.").to_owned(),
            one.attempt.to_string(),
            time(one.since.as_ref()),
            one.execution_id.clone(),
        ]
    };
    let rows: Vec<_> = parked.messages.iter().map(row).collect();
    let mut text =
        print::table(&["message", "code", "workflow", "queue", "attempt", "since", "execution"], &rows);
    let shown = parked.messages.len() as u64;
    if parked.waiting > shown {
        let _ = writeln!(text, "\n{shown} of {} that wait", parked.waiting);
    }
    text
}

async fn show(message: String, place: &Place, as_json: bool) -> anyhow::Result<Ended> {
    let (mut client, _house) = Client::of(place).await?;
    let request = v1::ParkedRequest { message_id: message, ..v1::ParkedRequest::default() };
    let one = client.operations.get_parked(request).await.map_err(|status| refused(&status))?.into_inner();
    if as_json {
        print::answer(&format!("{}\n", json::parked(&one)))?;
        return Ok(Ended::Well);
    }
    let mut text = String::new();
    for (name, value) in [
        ("message", one.message_id.as_str()),
        ("type", &one.r#type),
        ("execution", &one.execution_id),
        ("workflow", &one.workflow_id),
        ("team", &one.team_id),
        ("queue", &one.queue),
        ("code", &one.code),
        ("why", &one.message),
        ("since", &time(one.since.as_ref())),
        ("attempt", &one.attempt.to_string()),
        ("redrive", &one.redrive.to_string()),
        ("bytes", &one.size.to_string()),
    ] {
        if !value.is_empty() {
            let _ = writeln!(text, "{name:<10} {value}");
        }
    }
    if !one.code.is_empty() {
        let _ = writeln!(text, "what now   docs/failures/{}.md", one.code);
    }
    print::answer(&text)?;
    Ok(Ended::Well)
}

async fn replay(messages: &[String], word: &Word, place: &Place, json: bool) -> anyhow::Result<Ended> {
    let (mut client, _house) = Client::of(place).await?;
    let mut told = Told::new(json);
    for message in messages {
        let done = client.operations.replay_parked(request(message, word)).await;
        told.tell(message, done.map(tonic::Response::into_inner), |_| "goes on".to_owned())?;
    }
    Ok(told.ended())
}

async fn give_up(messages: &[String], word: &Word, place: &Place, json: bool) -> anyhow::Result<Ended> {
    let (mut client, _house) = Client::of(place).await?;
    let mut told = Told::new(json);
    for message in messages {
        let done = client.operations.drop_parked(request(message, word)).await;
        told.tell(message, done.map(tonic::Response::into_inner), |_| "is dropped".to_owned())?;
    }
    Ok(told.ended())
}

fn request(message: &str, word: &Word) -> v1::ParkedRequest {
    v1::ParkedRequest { message_id: message.to_owned(), reason: word.reason(), operator: word.operator() }
}
