//! `clinflow redact`: takes what identifies people out of texts.

use std::io::Read as _;

use anyhow::Context as _;
use clinflow_guardrail::redact;
use serde_json::{Map, Value, json};

use crate::{Ended, arguments, jsonl, print};

pub(crate) fn command(command: &arguments::Redact) -> anyhow::Result<Ended> {
    let mut input = jsonl::open(&command.file)?;
    if command.jsonl {
        return jsonl::answer_each(input, line);
    }
    let mut text = String::new();
    input.read_to_string(&mut text).context("read the text")?;
    print::answer(redact(&text).text.expose())?;
    Ok(Ended::Well)
}

/// The answer to one line.
fn line(object: &Map<String, Value>) -> Result<Value, String> {
    let redacted = redact(jsonl::text(object, "text")?);
    let spans: Vec<Value> = redacted
        .spans
        .iter()
        .map(|one| {
            json!({"start": one.span.start, "end": one.span.end, "type": one.kind, "replacement": one.replacement})
        })
        .collect();
    Ok(json!({"id": jsonl::id(object)?, "text": redacted.text.expose(), "spans": spans}))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::line;

    #[test]
    fn offsets_are_code_points() {
        let question = json!({"id": "a", "text": "Zoë: call +44 20 7946 0958"});
        let answer = line(question.as_object().unwrap()).unwrap();
        let phone = answer["spans"].as_array().unwrap().iter().find(|span| span["type"] == "PHONE").unwrap();
        assert_eq!((phone["start"].as_u64(), phone["end"].as_u64()), (Some(10), Some(26)));
        assert_eq!(phone["replacement"], "{PHONE}");
    }
}
