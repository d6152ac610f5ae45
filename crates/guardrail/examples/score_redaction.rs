//! Scores `redact` on labelled texts: `cargo run --release --example score_redaction -- FILE.jsonl [-v]`, one
//! `{"text","spans":[{"start","end","type"}]}` a line.
//!
//! A value is covered when each of its letters and digits is replaced; a text is leak-free when all of its values are; a
//! text without values is altered when anything was replaced.

#![expect(clippy::print_stdout, reason = "a measurement that is read on a terminal")]

use std::{collections::BTreeMap, error::Error, fs};

use clinflow_guardrail::redact;
use serde_json::Value;

fn main() -> Result<(), Box<dyn Error>> {
    let file = std::env::args().nth(1).ok_or("name a file of labelled texts")?;
    let shown = std::env::args().nth(2).is_some();
    let mut by_type: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let (mut leak_free, mut with_values, mut altered, mut clean, mut outside, mut characters) =
        (0, 0, 0, 0, 0, 0);
    for line in fs::read_to_string(file)?.lines() {
        let row: Value = serde_json::from_str(line)?;
        let text: Vec<char> = row["text"].as_str().unwrap_or_default().chars().collect();
        let redacted = redact(row["text"].as_str().unwrap_or_default());
        let mut replaced = vec![false; text.len()];
        for one in &redacted.spans {
            replaced[one.span.start..one.span.end].fill(true);
        }
        let mut gold = vec![false; text.len()];
        let mut all_covered = true;
        for span in row["spans"].as_array().into_iter().flatten() {
            let at =
                |key: &str| span[key].as_u64().and_then(|at| usize::try_from(at).ok()).unwrap_or_default();
            let range = at("start")..at("end");
            let covered = range.clone().all(|at| replaced[at] || !text[at].is_alphanumeric());
            gold[range.clone()].fill(true);
            let (right, all) =
                by_type.entry(span["type"].as_str().unwrap_or_default().to_owned()).or_default();
            *right += usize::from(covered);
            *all += 1;
            all_covered &= covered;
            if shown && !covered {
                let value: String = text[range].iter().collect();
                println!("MISSED {} {value:?} in {:?}", span["type"], redacted.text.expose());
            }
        }
        let values = row["spans"].as_array().is_some_and(|spans| !spans.is_empty());
        with_values += usize::from(values);
        leak_free += usize::from(values && all_covered);
        clean += usize::from(!values);
        let changed = !redacted.spans.is_empty();
        altered += usize::from(!values && changed);
        if shown && !values && changed {
            println!("ALTERED {:?}", redacted.text.expose());
        }
        outside += (0..text.len()).filter(|at| replaced[*at] && !gold[*at]).count();
        characters += text.len();
    }
    for (kind, (right, all)) in &by_type {
        println!("{kind:<32} {right:>5} of {all:>5} covered");
    }
    let (right, all) = by_type.values().fold((0, 0), |(r, a), (right, all)| (r + right, a + all));
    println!("{:<32} {right:>5} of {all:>5} covered", "all");
    println!(
        "leak-free {leak_free} of {with_values}; altered {altered} of {clean} clean; {outside} of {characters} characters replaced beyond"
    );
    Ok(())
}
