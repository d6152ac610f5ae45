//! Scores found mentions against rows of `{"text", "spans": [{"bstart", "bend", "type"}]}` and measures speed.
//!
//! Each `TYPE=LABEL` pairs a gold type with a label of the annotator, or with `section` for headings. Exact means
//! the same start and end; overlap means at least one shared byte; each gold and each found span counts once.
//!
//! `cargo run --release -p clinflow-clinical --example score_spans -- FILE.jsonl Drug=drug AE=adverse_event`

use std::ops::Range;

use anyhow::Context;
use clinflow_clinical::{Annotation, Annotator, Label};
use serde::Deserialize;

#[derive(Deserialize)]
struct Row {
    text: String,
    #[serde(default)]
    spans: Vec<Place>,
}

#[derive(Deserialize)]
struct Place {
    bstart: usize,
    bend: usize,
    #[serde(rename = "type")]
    kind: String,
}

/// A gold type, and the labels that are found for it; none for headings.
struct Pair {
    kind: String,
    labels: Vec<Label>,
    exact: Count,
    overlap: Count,
}

#[derive(Default)]
struct Count {
    gold_hit: u32,
    found_hit: u32,
    gold: u32,
    found: u32,
}

impl Count {
    fn add(
        &mut self,
        gold: &[Range<usize>],
        found: &[Range<usize>],
        same: impl Fn(&Range<usize>, &Range<usize>) -> bool,
    ) {
        for span in gold {
            self.gold += 1;
            self.gold_hit += u32::from(found.iter().any(|other| same(span, other)));
        }
        for span in found {
            self.found += 1;
            self.found_hit += u32::from(gold.iter().any(|other| same(other, span)));
        }
    }

    fn figures(&self) -> String {
        let share = |hit: u32, of: u32| if of == 0 { 0.0 } else { f64::from(hit) / f64::from(of) };
        let (precision, recall) = (share(self.found_hit, self.found), share(self.gold_hit, self.gold));
        let sum = precision + recall;
        let f1 = if sum == 0.0 { 0.0 } else { 2.0 * precision * recall / sum };
        format!("P {precision:.3} R {recall:.3} F1 {f1:.3}")
    }
}

impl Pair {
    fn parse(argument: &str) -> anyhow::Result<Self> {
        let (kind, labels) =
            argument.split_once('=').with_context(|| format!("write `{argument}` as `TYPE=LABEL`"))?;
        let labels = match labels {
            "section" => Vec::new(),
            names => names
                .split('+')
                .map(str::parse)
                .collect::<Result<_, _>>()
                .with_context(|| format!("read `{names}`"))?,
        };
        Ok(Self { kind: kind.to_owned(), labels, exact: Count::default(), overlap: Count::default() })
    }

    fn found(&self, annotation: &Annotation) -> Vec<Range<usize>> {
        if self.labels.is_empty() {
            return annotation.sections.iter().map(|s| s.heading.byte_start..s.heading.byte_end).collect();
        }
        let fits = annotation.entities.iter().filter(|entity| self.labels.contains(&entity.label));
        fits.map(|entity| entity.span.byte_start..entity.span.byte_end).collect()
    }

    fn add(&mut self, row: &Row, annotation: &Annotation) {
        let gold: Vec<_> = row
            .spans
            .iter()
            .filter(|place| place.kind == self.kind)
            .map(|place| place.bstart..place.bend)
            .collect();
        let found = self.found(annotation);
        self.exact.add(&gold, &found, |one, other| one == other);
        self.overlap.add(&gold, &found, |one, other| one.start < other.end && other.start < one.end);
    }
}

/// CPU time of this thread in nanoseconds, from the kernel; the machine may be busy with other work.
fn cpu_nanoseconds() -> anyhow::Result<u64> {
    let stat =
        std::fs::read_to_string("/proc/thread-self/schedstat").context("read the thread's CPU time")?;
    stat.split(' ').next().unwrap_or_default().parse().context("read the thread's CPU time")
}

#[expect(clippy::print_stdout, reason = "the figures are what this program is for")]
fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().context("give the path of a JSONL file as the first argument")?;
    let mut pairs = arguments.map(|argument| Pair::parse(&argument)).collect::<anyhow::Result<Vec<_>>>()?;
    let file = std::fs::read_to_string(&path).with_context(|| format!("read `{path}`"))?;
    let rows = file
        .lines()
        .enumerate()
        .map(|(at, line)| {
            serde_json::from_str::<Row>(line).with_context(|| format!("`{path}` line {}", at + 1))
        })
        .collect::<anyhow::Result<Vec<_>>>()?;

    let annotator = Annotator::new();
    let begun = cpu_nanoseconds()?;
    let annotations: Vec<_> = rows.iter().map(|row| annotator.annotate(&row.text)).collect();
    let spent = cpu_nanoseconds()? - begun;

    for (row, annotation) in rows.iter().zip(&annotations) {
        for pair in &mut pairs {
            pair.add(row, annotation);
        }
    }
    for pair in &pairs {
        let gold = pair.exact.gold;
        println!(
            "{:<14} exact {}   overlap {}   (gold {gold})",
            pair.kind,
            pair.exact.figures(),
            pair.overlap.figures()
        );
    }
    let bytes: usize = rows.iter().map(|row| row.text.len()).sum();
    #[expect(clippy::cast_precision_loss, reason = "a speed is printed with two digits")]
    let speed = bytes as f64 / 1e6 / (spent.max(1) as f64 / 1e9);
    println!("{} texts, {bytes} bytes, {speed:.2} MB per CPU-second", rows.len());
    Ok(())
}
