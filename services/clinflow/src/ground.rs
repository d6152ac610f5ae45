//! `clinflow ground`: whether values follow from texts, and where they stand.

use clinflow_guardrail::grounding::locate;
use serde_json::{Map, Value, json};

use crate::{Ended, arguments, jsonl};

pub(crate) fn command(command: &arguments::Ground) -> anyhow::Result<Ended> {
    jsonl::answer_each(jsonl::open(&command.file)?, line)
}

/// The answer to one line.
fn line(object: &Map<String, Value>) -> Result<Value, String> {
    let located = locate(jsonl::text(object, "text")?, jsonl::text(object, "value")?);
    let spans: Vec<[usize; 2]> = located.spans.iter().map(|span| [span.start, span.end]).collect();
    Ok(json!({"id": jsonl::id(object)?, "status": located.status, "spans": spans}))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::line;

    #[test]
    fn a_line_is_answered_with_status_and_spans_in_code_points() {
        let answer = |value: &str| {
            let question = json!({"id": 7, "text": "Größe: 1,500 mg", "value": value});
            line(question.as_object().unwrap()).unwrap()
        };
        assert_eq!(answer("1500 mg"), json!({"id": 7, "status": "normalised", "spans": [[7, 15]]}));
        assert_eq!(answer("15 g"), json!({"id": 7, "status": "absent", "spans": []}));
        assert_eq!(
            line(json!({"id": 7, "text": "a"}).as_object().unwrap()).unwrap_err(),
            "`value` is missing"
        );
    }
}
