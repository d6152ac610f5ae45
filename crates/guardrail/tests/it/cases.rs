//! The shipped policy decides every case of `cases.jsonl` as expected.

use std::collections::BTreeMap;

use clinflow_guardrail::{Engine, Policy, cases};

const POLICY: &str = include_str!("../../../../workflows/guardrails/pharma-clinical.yaml");
const CASES: &str = include_str!("../cases.jsonl");

#[test]
fn every_case_gets_the_expected_decision() {
    let engine = Engine::new(Policy::read("pharma-clinical.yaml", POLICY).unwrap());
    let cases = cases::read("cases.jsonl", CASES).unwrap();
    assert_eq!(cases.len(), 189);
    let mut counts: BTreeMap<(&str, bool), (usize, usize)> = BTreeMap::new();
    let mut failed = Vec::new();
    for case in &cases {
        let count = counts.entry((case.kind.as_str(), case.held_out)).or_default();
        count.1 += 1;
        match case.fails(&engine) {
            None => count.0 += 1,
            Some(what) => failed.push(format!("{}: {what}", case.id)),
        }
    }
    for ((kind, held_out), (right, all)) in counts {
        println!("{kind}{}: {right} of {all}", if held_out { " (held out)" } else { "" });
    }
    assert!(failed.is_empty(), "{} of {} cases:\n{}", failed.len(), cases.len(), failed.join("\n"));
}
