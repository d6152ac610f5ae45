//! The execution view: `status`, `executions`, `show`.

use std::fmt::Write as _;

use clinflow_proto::v1;
use clinflow_runtime::wire;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::{
    Ended, arguments,
    client::{Client, refused},
    print,
};

/// `clinflow status EXECUTION`
pub(crate) async fn status(command: arguments::One) -> anyhow::Result<Ended> {
    let response = get(&command).await?;
    let execution = response.execution.unwrap_or_default();
    if command.json {
        print::answer(&format!("{}\n", execution_json(&execution)))?;
    } else {
        print::answer(&format!("{}{}\n", execution.status, reason(&execution)))?;
    }
    Ok(Ended::Well)
}

/// `clinflow executions`
pub(crate) async fn executions(command: arguments::Executions) -> anyhow::Result<Ended> {
    let (mut client, _house) = Client::of(&command.place).await?;
    let request = v1::ListExecutionsRequest {
        status: command.status.map(|status| status.to_string()).unwrap_or_default(),
        page_size: command.limit,
        page_token: String::new(),
    };
    let page = client.executions.list(request).await.map_err(|status| refused(&status))?.into_inner();
    if command.json {
        let lines: String = page.executions.iter().map(|one| format!("{}\n", execution_json(one))).collect();
        print::answer(&lines)?;
        return Ok(Ended::Well);
    }
    let row = |one: &v1::Execution| {
        vec![
            one.execution_id.clone(),
            one.status.clone(),
            one.workflow_id.clone(),
            one.document_sha256.chars().take(12).collect(),
            time(one.created_at.as_ref()),
            one.code.clone(),
        ]
    };
    let rows: Vec<_> = page.executions.iter().map(row).collect();
    let header = ["execution", "status", "workflow", "document", "submitted", "code"];
    let mut text = print::table(&header, &rows);
    if !page.next_page_token.is_empty() {
        let _ = writeln!(text, "\nthere are more; ask for them with --limit");
    }
    print::answer(&text)?;
    Ok(Ended::Well)
}

/// `clinflow show EXECUTION`
pub(crate) async fn show(command: arguments::One) -> anyhow::Result<Ended> {
    let response = get(&command).await?;
    let text = if command.json { format!("{}\n", response_json(&response)) } else { view(&response) };
    print::answer(&text)?;
    Ok(Ended::Well)
}

async fn get(command: &arguments::One) -> anyhow::Result<v1::GetExecutionResponse> {
    let (mut client, _house) = Client::of(&command.place).await?;
    let request = v1::GetExecutionRequest { execution_id: command.execution.clone() };
    Ok(client.executions.get(request).await.map_err(|status| refused(&status))?.into_inner())
}

/// The whole view of one execution, as text.
pub(crate) fn view(response: &v1::GetExecutionResponse) -> String {
    let execution = response.execution.clone().unwrap_or_default();
    let mut text = String::new();
    let mut line = |name: &str, value: &str| {
        if !value.is_empty() {
            let _ = writeln!(text, "{name:<10} {value}");
        }
    };
    line("execution", &execution.execution_id);
    line("status", &format!("{}{}", execution.status, reason(&execution)));
    line("workflow", &execution.workflow_id);
    line("document", &execution.document_sha256);
    line("bundle", &execution.bundle);
    line("session", &execution.session_id);
    line("team", &execution.team_id);
    line("lane", &execution.lane);
    line("submitted", &time(execution.created_at.as_ref()));
    line("ended", &time(execution.ended_at.as_ref()));
    if execution.redrives > 0 {
        line("redrives", &execution.redrives.to_string());
    }
    line("outputs", &execution.outputs);
    let chain = if response.chain_verified { "verifies" } else { "DOES NOT VERIFY" };
    line("audit", &format!("{} records, the chain {chain}", response.chain_length));
    line("cost", &cost(&response.steps));
    if response.steps.is_empty() {
        text.push_str("\nno step is recorded yet\n");
        return text;
    }
    let begun =
        response.steps.iter().filter_map(|step| step.started_at.as_ref()).filter_map(wire::timestamp).min();
    let rows: Vec<_> = response.steps.iter().map(|step| step_row(step, begun)).collect();
    text.push('\n');
    text.push_str(&print::table(
        &["role", "agent", "attempt", "at ms", "took ms", "outcome", "model", "cost $"],
        &rows,
    ));
    text
}

/// What all steps cost together, and what of it went into attempts that failed; empty before the first step.
fn cost(steps: &[v1::Step]) -> String {
    let failed = |step: &&v1::Step| step.outcome() != v1::Outcome::Succeeded;
    let sum = |steps: &mut dyn Iterator<Item = &v1::Step>| steps.map(|step| step.cost_nano_usd).sum::<u64>();
    let (all, wasted) = (sum(&mut steps.iter()), sum(&mut steps.iter().filter(failed)));
    let attempts = steps.iter().filter(failed).count();
    match (steps.len(), attempts) {
        (0, _) => String::new(),
        (count, 0) => format!("${} in {count} steps", dollars(all)),
        (count, _) => {
            format!(
                "${} in {count} steps, ${} of it in {attempts} that failed",
                dollars(all),
                dollars(wasted)
            )
        }
    }
}

fn step_row(step: &v1::Step, begun: Option<Timestamp>) -> Vec<String> {
    let at = |time: Option<&prost_types::Timestamp>| time.and_then(wire::timestamp);
    let (start, end) = (at(step.started_at.as_ref()), at(step.ended_at.as_ref()));
    let between = |from: Option<Timestamp>, to: Option<Timestamp>| {
        from.zip(to).map(|(from, to)| to.duration_since(from).as_micros()).unwrap_or_default()
    };
    let milliseconds = |micros: i128| format!("{}.{}", micros / 1000, micros % 1000 / 100);
    let outcome = match step.outcome() {
        v1::Outcome::Succeeded => "succeeded".to_owned(),
        v1::Outcome::Failed | v1::Outcome::Unspecified => format!("failed: {}", step.code),
    };
    vec![
        step.role.clone(),
        step.agent_id.clone(),
        step.attempt.to_string(),
        milliseconds(between(begun, start)),
        milliseconds(between(start, end)),
        outcome,
        step.model.clone(),
        dollars(step.cost_nano_usd),
    ]
}

/// Nano-dollars as dollars, exactly.
pub(crate) fn dollars(nano: u64) -> String {
    if nano == 0 {
        return "0".to_owned();
    }
    let text = format!("{}.{:09}", nano / 1_000_000_000, nano % 1_000_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn reason(execution: &v1::Execution) -> String {
    match (execution.code.as_str(), execution.message.as_str()) {
        ("", _) => String::new(),
        (code, "") => format!(": {code}"),
        (code, message) => format!(": {message} ({code})"),
    }
}

/// A time to the millisecond; empty for none.
pub(crate) fn time(time: Option<&prost_types::Timestamp>) -> String {
    time.and_then(wire::timestamp).map(|time| format!("{time:.3}")).unwrap_or_default()
}

/// `clinflow.execution/1`
pub(crate) fn execution_json(execution: &v1::Execution) -> Value {
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    json!({
        "schema": "clinflow.execution/1",
        "execution_id": execution.execution_id,
        "workflow_id": execution.workflow_id,
        "document_sha256": execution.document_sha256,
        "bundle": execution.bundle,
        "status": execution.status,
        "code": some(&execution.code),
        "message": some(&execution.message),
        "session_id": some(&execution.session_id),
        "team_id": some(&execution.team_id),
        "lane": execution.lane,
        "created_at": time(execution.created_at.as_ref()),
        "ended_at": some(&time(execution.ended_at.as_ref())),
        "redrives": execution.redrives,
        "outputs": some(&execution.outputs),
    })
}

fn response_json(response: &v1::GetExecutionResponse) -> Value {
    let steps: Vec<Value> = response
        .steps
        .iter()
        .map(|step| {
            wire::step(step).ok().and_then(|step| serde_json::to_value(step).ok()).unwrap_or(Value::Null)
        })
        .collect();
    let mut value = execution_json(&response.execution.clone().unwrap_or_default());
    value["steps"] = Value::Array(steps);
    value["chain"] = json!({"records": response.chain_length, "verifies": response.chain_verified});
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cost_of_failed_attempts_is_told_apart() {
        let step = |outcome: v1::Outcome, cost_nano_usd| v1::Step {
            outcome: outcome.into(),
            cost_nano_usd,
            ..v1::Step::default()
        };
        let paid = step(v1::Outcome::Succeeded, 2_500_000);
        assert_eq!(cost(&[]), "");
        assert_eq!(cost(std::slice::from_ref(&paid)), "$0.0025 in 1 steps");
        let steps = [step(v1::Outcome::Failed, 500_000), paid];
        assert_eq!(cost(&steps), "$0.003 in 2 steps, $0.0005 of it in 1 that failed");
    }

    #[test]
    fn money_is_shown_to_the_nano_dollar() {
        assert_eq!(dollars(0), "0");
        assert_eq!(dollars(1), "0.000000001");
        assert_eq!(dollars(340_000_000_000), "340");
    }
}
