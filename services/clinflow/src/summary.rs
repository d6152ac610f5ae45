//! What a run came to, for somebody who has never seen one: an example of what was found and where, what was masked
//! and withheld, what a person must settle, and what it cost.

use std::{collections::BTreeMap, fmt::Write as _};

use clinflow_cost::NanoUsd;
use serde_json::Value;

use crate::print;

/// How many fields of the example are shown.
const FIELDS: usize = 8;
/// How many rules are named.
const RULES: usize = 6;

/// What the records of a run say together. `records` are documents by name, in the order of the run.
pub(crate) fn summary(records: &[(String, &Value)]) -> String {
    let mut text = String::new();
    if let Some((name, record)) = example(records) {
        let _ = writeln!(text, "\nwhat was found in {name}, and where it stands in its text:");
        text.push_str(&fields(record));
    }
    let _ = writeln!(text, "\nwhat the guardrail did before anything left:");
    text.push_str(&guarded(records));
    let _ = writeln!(text, "\nwhat a person must settle, by rule:");
    text.push_str(&reviews(records));
    let _ = writeln!(text, "\nwhat it cost, by agent that asked a model:");
    text.push_str(&costs(records));
    text
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The record with the most to show: one of each kind of intervention and assertion is worth more than many fields.
fn example<'a>(records: &'a [(String, &'a Value)]) -> Option<(&'a str, &'a Value)> {
    let worth = |record: &Value| {
        let masked = list(&record["guardrail"], "interventions").len().min(3) * 4;
        list(record, "fields").len().min(20) + masked
    };
    let best = records.iter().rev().max_by_key(|(_, record)| worth(record))?;
    Some((&best.0, best.1))
}

fn path(field: &Value) -> String {
    let name = match field["group"].as_str() {
        Some(group) => format!("{group}.{}", word(&field["name"])),
        None => word(&field["name"]).to_owned(),
    };
    match field["index"].as_u64() {
        Some(index) => format!("{name}[{index}]"),
        None => name,
    }
}

fn fields(record: &Value) -> String {
    let row = |field: &Value| {
        let form = field["normalized"].as_str().unwrap_or_else(|| word(&field["value"]));
        let unit = field["unit"].as_str().map(|unit| format!(" {unit}")).unwrap_or_default();
        let place = list(field, "evidence").first().map(|evidence| {
            let page = evidence["page"].as_u64().map(|page| format!(" p. {page}")).unwrap_or_default();
            format!("{}..{}{page}", evidence["start"], evidence["end"])
        });
        vec![
            format!("  {}", path(field)),
            print::cut(&format!("{form}{unit}"), 40),
            place.unwrap_or_default(),
            word(&field["source"]).to_owned(),
            field["confidence"].to_string(),
        ]
    };
    // Masked fields first: they show what leaves and what does not.
    let all = list(record, "fields");
    let is_masked = |field: &&Value| word(&field["value"]).contains('{');
    let (masked, others): (Vec<_>, Vec<_>) = all.iter().partition(is_masked);
    let shown: Vec<_> = masked.into_iter().take(2).chain(others).take(FIELDS).map(row).collect();
    let mut text = print::table(&["  field", "value", "characters", "found by", "confidence"], &shown);
    if all.len() > shown.len() {
        let _ = writeln!(text, "  … and {} more", all.len() - shown.len());
    }
    text
}

fn guarded(records: &[(String, &Value)]) -> String {
    let mut counts: BTreeMap<(&str, &str), (usize, &str)> = BTreeMap::new();
    for (name, record) in records {
        for one in list(&record["guardrail"], "interventions") {
            let count = counts.entry((word(&one["action"]), word(&one["name"]))).or_insert((0, name));
            count.0 += 1;
        }
    }
    if counts.is_empty() {
        return "  nothing had to be masked or withheld\n".to_owned();
    }
    let rows: Vec<_> = counts
        .into_iter()
        .map(|((action, name), (count, document))| {
            let action = if action == "blocked" { "withheld" } else { "masked" };
            vec![format!("  {action}"), name.to_owned(), count.to_string(), format!("first in {document}")]
        })
        .collect();
    print::table(&["  what", "of type", "values", ""], &rows)
}

fn reviews(records: &[(String, &Value)]) -> String {
    let mut rules: BTreeMap<&str, (usize, &str)> = BTreeMap::new();
    for (_, record) in records {
        for finding in list(record, "findings") {
            if matches!(word(&finding["severity"]), "review" | "block") {
                let entry =
                    rules.entry(word(&finding["rule"])).or_insert_with(|| (0, word(&finding["message"])));
                entry.0 += 1;
            }
        }
    }
    if rules.is_empty() {
        return "  nothing\n".to_owned();
    }
    let mut rules: Vec<_> = rules.into_iter().collect();
    rules.sort_by_key(|(_, (count, _))| std::cmp::Reverse(*count));
    let rows: Vec<_> = rules
        .iter()
        .take(RULES)
        .map(|(rule, (count, message))| {
            vec![format!("  {rule}"), count.to_string(), format!("for example: {}", print::cut(message, 90))]
        })
        .collect();
    let mut text = print::table(&["  rule", "items", ""], &rows);
    if rules.len() > RULES {
        let _ = writeln!(text, "  … and {} more rules", rules.len() - RULES);
    }
    text
}

fn costs(records: &[(String, &Value)]) -> String {
    let mut agents: BTreeMap<(&str, &str), (u64, u64)> = BTreeMap::new();
    for (_, record) in records {
        for step in list(record, "steps") {
            let Some(model) = step["model"].as_str() else { continue };
            let entry = agents.entry((word(&step["agent_id"]), model)).or_default();
            entry.0 += 1;
            entry.1 += step["cost_nano_usd"].as_u64().unwrap_or_default();
        }
    }
    let total = agents.values().fold(0, |sum, (_, cost)| sum + cost);
    let mut rows: Vec<_> = agents
        .into_iter()
        .map(|((agent, model), (documents, cost))| {
            let cost = NanoUsd::new(cost).to_string();
            vec![format!("  {agent}"), model.to_owned(), documents.to_string(), cost]
        })
        .collect();
    rows.push(vec!["  together".to_owned(), String::new(), String::new(), NanoUsd::new(total).to_string()]);
    print::table(&["  agent", "model", "documents", "cost"], &rows)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::summary;

    #[test]
    fn a_run_is_understood_from_its_summary_alone() {
        let record = json!({
            "fields": [
                {"name": "reporter_name", "value": "{NAME}", "normalized": "{NAME}", "source": "pattern",
                 "confidence": 0.9, "evidence": [{"start": 10, "end": 20, "page": null}]},
                {"name": "dose", "group": "suspect_drug", "index": 1, "value": "80 mg", "normalized": "80",
                 "unit": "mg", "source": "both", "confidence": 0.95,
                 "evidence": [{"start": 30, "end": 35, "page": 2}]},
            ],
            "findings": [{"rule": "REQ-01", "severity": "review", "message": "`age` is required and was not found"}],
            "guardrail": {"guardrail": "g/1", "interventions": [
                {"policy": "sensitive-information", "name": "NAME", "action": "anonymized", "field": "reporter_name"}]},
            "steps": [{"agent_id": "ae-report.nlp", "model": "local/1", "cost_nano_usd": 0},
                      {"agent_id": "ae-report.reporter", "cost_nano_usd": 0}],
        });
        insta::assert_snapshot!(summary(&[("01.txt".to_owned(), &record)]));
    }
}
