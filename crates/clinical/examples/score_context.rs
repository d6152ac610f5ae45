//! Scores the ConText properties against rows of `{"text", "spans": [{"bstart", "bend"}], "negated",
//! "historical", "hypothetical", "not_patient"}`: one decision on the given span a row.
//!
//! `cargo run --release -p clinflow-clinical --example score_context -- FILE.jsonl [--errors PROPERTY]`

use std::ops::Range;

use anyhow::Context;
use clinflow_clinical::{Annotator, Target};
use clinflow_core::field::{Assertion, Experiencer};
use serde::Deserialize;

#[derive(Deserialize)]
struct Row {
    text: String,
    spans: Vec<Place>,
    negated: bool,
    historical: bool,
    hypothetical: bool,
    not_patient: bool,
}

#[derive(Deserialize)]
struct Place {
    bstart: usize,
    bend: usize,
}

#[derive(Default)]
struct Count {
    right: u32,
    spurious: u32,
    missed: u32,
}

impl Count {
    const fn add(&mut self, gold: bool, said: bool) {
        match (gold, said) {
            (true, true) => self.right += 1,
            (false, true) => self.spurious += 1,
            (true, false) => self.missed += 1,
            (false, false) => {}
        }
    }

    fn line(&self, property: &str) -> String {
        let share = |of: u32| if of == 0 { 0.0 } else { f64::from(self.right) / f64::from(of) };
        let (precision, recall) = (share(self.right + self.spurious), share(self.right + self.missed));
        let f1 = share_f1(precision, recall);
        let gold = self.right + self.missed;
        format!("{property:<13} P {precision:.3}  R {recall:.3}  F1 {f1:.3}  (gold {gold})")
    }
}

fn share_f1(precision: f64, recall: f64) -> f64 {
    if precision + recall == 0.0 { 0.0 } else { 2.0 * precision * recall / (precision + recall) }
}

#[expect(clippy::print_stdout, reason = "the figures are what this program is for")]
fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().context("give the path of a JSONL file as the first argument")?;
    let shown = (arguments.next().as_deref() == Some("--errors")).then(|| arguments.next()).flatten();
    let file = std::fs::read_to_string(&path).with_context(|| format!("read `{path}`"))?;

    let annotator = Annotator::new();
    let mut counts: [(&str, Count); 4] = Default::default();
    let mut without_span = 0;
    for (at, line) in file.lines().enumerate() {
        let row: Row = serde_json::from_str(line).with_context(|| format!("`{path}` line {}", at + 1))?;
        let targets: Vec<Range<usize>> = row.spans.iter().map(|place| place.bstart..place.bend).collect();
        without_span += u32::from(targets.is_empty());
        let said = annotator.judge(&row.text, &targets).into_iter().flatten().next();
        let said = said.as_ref().map_or_else(Assertion::default, |Target { assertion, .. }| *assertion);
        let decisions = [
            ("negated", row.negated, said.negated),
            ("historical", row.historical, said.historical),
            ("hypothetical", row.hypothetical, said.hypothetical),
            ("not_patient", row.not_patient, said.experiencer != Experiencer::Patient),
        ];
        for ((name, count), (property, gold, said)) in counts.iter_mut().zip(decisions) {
            *name = property;
            count.add(gold, said);
            if gold != said && shown.as_deref() == Some(property) {
                let marked = targets.first().map_or("", |range| &row.text[range.clone()]);
                println!("{} {:?} in {:?}", if gold { "missed  " } else { "spurious" }, marked, row.text);
            }
        }
    }
    for (property, count) in &counts {
        println!("{}", count.line(property));
    }
    println!("rows {}, without a span (nothing said) {without_span}", file.lines().count());
    Ok(())
}
