//! `clinflow review`: what people must settle.

use std::{fmt::Write as _, io::Read as _};

use clinflow_gateway::json;
use clinflow_proto::v1;

use crate::{
    Ended,
    arguments::{self, Place},
    client::{Client, refused},
    print,
    show::time,
    trace,
};

/// `clinflow review list|show|resolve`
pub(crate) async fn command(command: arguments::Review) -> anyhow::Result<Ended> {
    match command {
        arguments::Review::List { execution, resolved, limit, place, json } => {
            let state = if resolved { "resolved" } else { "open" };
            let request = v1::ListReviewsRequest {
                state: state.to_owned(),
                execution_id: execution.unwrap_or_default(),
                page_size: limit,
                page_token: String::new(),
            };
            list(request, &place, json).await
        }
        arguments::Review::Show { item, place, json } => show(item, &place, json).await,
        arguments::Review::Resolve { item, decision, value, reviewer, place, json } => {
            let request = v1::ResolveReviewRequest {
                review_id: item,
                decision: decision.to_string(),
                value: read(value.as_deref())?,
                reviewer: reviewer.unwrap_or_default(),
            };
            resolve(request, &place, json).await
        }
    }
}

/// A value as it was given, or from standard input.
fn read(value: Option<&str>) -> anyhow::Result<String> {
    match value {
        None => Ok(String::new()),
        Some("-") => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text)?;
            Ok(text.trim_end_matches(['\r', '\n']).to_owned())
        }
        Some(value) => Ok(value.to_owned()),
    }
}

async fn list(request: v1::ListReviewsRequest, place: &Place, as_json: bool) -> anyhow::Result<Ended> {
    let (mut client, _house) = Client::of(place).await?;
    let page = client.reviews.list(request).await.map_err(|status| refused(&status))?.into_inner();
    if as_json {
        let lines: String = page.items.iter().map(|one| format!("{}\n", json::review(one))).collect();
        print::answer(&lines)?;
        return Ok(Ended::Well);
    }
    let row = |one: &v1::ReviewView| {
        vec![
            one.review_id.clone(),
            one.workflow_id.clone(),
            one.rule.clone(),
            one.severity.clone(),
            field(one),
            time(one.created_at.as_ref()),
            settled(one),
        ]
    };
    let rows: Vec<_> = page.items.iter().map(row).collect();
    let mut text =
        print::table(&["item", "workflow", "rule", "severity", "field", "since", "decision"], &rows);
    if !page.next_page_token.is_empty() {
        text.push_str("\nthere are more; ask for them with --limit\n");
    }
    print::answer(&text)?;
    Ok(Ended::Well)
}

async fn show(item: String, place: &Place, as_json: bool) -> anyhow::Result<Ended> {
    let (mut client, _house) = Client::of(place).await?;
    let request = v1::GetReviewRequest { review_id: item };
    let one = client.reviews.get(request).await.map_err(|status| refused(&status))?.into_inner();
    let text = if as_json { format!("{}\n", json::review(&one)) } else { view(&one) };
    print::answer(&text)?;
    Ok(Ended::Well)
}

/// One item, as text.
fn view(one: &v1::ReviewView) -> String {
    let mut text = String::new();
    for (name, value) in [
        ("item", one.review_id.as_str()),
        ("workflow", &one.workflow_id),
        ("rule", &format!("{} ({})", one.rule, one.severity)),
        ("says", &one.message),
        ("field", &field(one)),
        ("since", &time(one.created_at.as_ref())),
        ("state", &one.state),
        ("decision", &settled(one)),
        ("when", &time(one.resolved_at.as_ref())),
        ("corrected", &one.corrected),
    ] {
        if !value.is_empty() {
            let _ = writeln!(text, "{name:<10} {value}");
        }
    }
    if !one.fields.is_empty() {
        text.push('\n');
        text.push_str(&trace::fields(&one.fields));
    }
    text
}

async fn resolve(request: v1::ResolveReviewRequest, place: &Place, as_json: bool) -> anyhow::Result<Ended> {
    let (mut client, _house) = Client::of(place).await?;
    let done = client.reviews.resolve(request).await.map_err(|status| refused(&status))?.into_inner();
    if as_json {
        print::answer(&format!("{}\n", json::resolution(&done)))?;
        return Ok(Ended::Well);
    }
    let item = done.item.unwrap_or_default();
    let execution = done.execution.unwrap_or_default();
    let left = match done.open {
        0 => format!("it was the last; the execution is {}", execution.status),
        open => format!("{open} more are open"),
    };
    print::answer(&format!("{} is {}; {left}\n", item.review_id, settled(&item)))?;
    Ok(Ended::Well)
}

/// The field an item is about, with its repetition.
fn field(one: &v1::ReviewView) -> String {
    match one.index {
        0 => one.field.clone(),
        index => format!("{} [{index}]", one.field),
    }
}

/// How it was settled, and by whom.
fn settled(one: &v1::ReviewView) -> String {
    if one.decision.is_empty() { String::new() } else { format!("{} by {}", one.decision, one.reviewer) }
}
