//! Scores `locate` on labelled values: `cargo run --release --example score_grounding -- FILE.jsonl`, one
//! `{"text","value","expect":"grounded"|"not grounded","kind"}` a line.

#![expect(clippy::print_stdout, reason = "a measurement that is read on a terminal")]

use std::{collections::BTreeMap, error::Error, fs};

use clinflow_guardrail::grounding::locate;
use serde_json::Value;

fn main() -> Result<(), Box<dyn Error>> {
    let file = std::env::args().nth(1).ok_or("name a file of labelled values")?;
    let shown = std::env::args().nth(2).is_some();
    let mut counts: BTreeMap<(String, String), (usize, BTreeMap<String, usize>)> = BTreeMap::new();
    for line in fs::read_to_string(file)?.lines() {
        let row: Value = serde_json::from_str(line)?;
        let text = |key: &str| row[key].as_str().unwrap_or_default();
        let located = locate(text("text"), text("value"));
        let right = located.grounded() == (text("expect") == "grounded");
        let (rights, states) = counts.entry((text("kind").to_owned(), text("label").to_owned())).or_default();
        *rights += usize::from(right);
        *states.entry(format!("{:?}", located.status)).or_default() += 1;
        if !right && shown {
            println!("{:?} {} | {} | {}", located.status, text("kind"), text("value"), text("text"));
        }
    }
    for ((kind, label), (right, states)) in counts {
        let all: usize = states.values().sum();
        println!("{kind:<16} {label:<6} {right:>5} of {all:>5} right  {states:?}");
    }
    Ok(())
}
