//! A record against the schema that is published for it.

use serde_json::{Value, json};

use super::Record;
use crate::testing::record;

const SCHEMA: &str = include_str!("../../../../docs/schema/record.v1.json");

/// What is wrong with `value`, by the part of JSON Schema that the published schema uses. Formats and patterns are
/// not checked: the types behind them have tests of their own.
fn problems(schema: &Value, root: &Value, value: &Value, at: &str) -> Vec<String> {
    if let Some(reference) = schema["$ref"].as_str() {
        let definition = root.pointer(reference.trim_start_matches('#')).expect("every reference resolves");
        return problems(definition, root, value, at);
    }
    let mut found = Vec::new();
    let mut check = |holds: bool, what: String| {
        if !holds {
            found.push(format!("{at}: {what}"));
        }
    };
    if let Some(expected) = schema.get("const") {
        check(value == expected, format!("is not {expected}"));
    }
    if let Some(values) = schema["enum"].as_array() {
        check(values.contains(value), format!("{value} is not one of {values:?}"));
    }
    let is = |kind: &str| match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_u64(),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("the schema has the type `{other}`, which this test does not know"),
    };
    match &schema["type"] {
        Value::String(kind) => check(is(kind), format!("is no {kind}")),
        Value::Array(kinds) => {
            check(kinds.iter().filter_map(Value::as_str).any(is), format!("is none of {kinds:?}"));
        }
        _ => {}
    }
    for bound in ["minimum", "maximum"] {
        if let (Some(bound_value), Some(number)) = (schema[bound].as_f64(), value.as_f64()) {
            let holds = if bound == "minimum" { number >= bound_value } else { number <= bound_value };
            check(holds, format!("{number} breaks the {bound} {bound_value}"));
        }
    }
    if let Some(object) = value.as_object() {
        for required in schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            check(object.contains_key(required), format!("`{required}` is missing"));
        }
        for (key, member) in object {
            match schema["properties"].get(key) {
                Some(property) => found.extend(problems(property, root, member, &format!("{at}/{key}"))),
                None => found.push(format!("{at}: `{key}` is not in the schema")),
            }
        }
    }
    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
        found.extend(problems(&schema["items"], root, item, &format!("{at}/{index}")));
    }
    found
}

fn checked(value: &Value) -> Vec<String> {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    problems(&schema, &schema, value, "")
}

#[test]
fn a_record_conforms_to_its_schema() {
    let with_everything = serde_json::to_value(record()).unwrap();
    assert_eq!(checked(&with_everything), Vec::<String>::new());
    let mut bare = record();
    bare.session_id = None;
    bare.document.pages = None;
    assert_eq!(checked(&serde_json::to_value(bare).unwrap()), Vec::<String>::new());
}

#[test]
fn the_schema_refuses_what_is_no_record() {
    let changed = |change: fn(&mut Value)| {
        let mut value = serde_json::to_value(record()).unwrap();
        change(&mut value);
        checked(&value)
    };
    assert_eq!(changed(|value| value["status"] = json!("done")).len(), 1);
    assert_eq!(changed(|value| value["fields"][0]["evidence"][0]["start"] = json!("0")).len(), 1);
    assert_eq!(changed(|value| value["extra"] = json!(1)), [": `extra` is not in the schema"]);
    assert_eq!(changed(|value| drop(value.as_object_mut().unwrap().remove("cost"))), [": `cost` is missing"]);
}

#[test]
fn a_record_reads_back_from_its_own_bytes() {
    assert_eq!(serde_json::from_slice::<Record>(&record().to_json()).unwrap(), record());
}
