//! Scores the extractor alone against the gold of the samples: precision, recall and F1 of each field that the
//! extractor is asked for. `cargo run -p clinflow-extractor --release --example score_samples [-- --diff [WORD]]`

use std::{collections::BTreeMap, env, fs, path::Path, time::Instant};

use anyhow::{Context, Result};
use clinflow_core::Role;
use clinflow_extractor::{Compiled, extract};
use serde::Deserialize;

#[derive(Deserialize)]
struct Record {
    document: String,
    workflow: String,
    fields: Vec<Value>,
}

#[derive(Deserialize)]
struct Value {
    name: String,
    group: Option<String>,
    index: Option<u32>,
    value: String,
    normalized: Option<String>,
}

#[derive(Default)]
struct Score {
    right: u32,
    wrong: u32,
    missed: u32,
}

impl Score {
    fn f1(&self) -> f64 {
        let both = f64::from(2 * self.right + self.wrong + self.missed);
        if both == 0.0 { 1.0 } else { f64::from(2 * self.right) / both }
    }

    fn line(&self, name: &str) -> String {
        let share = |part: u32, of: u32| if of == 0 { 1.0 } else { f64::from(part) / f64::from(of) };
        let (precision, recall) =
            (share(self.right, self.right + self.wrong), share(self.right, self.right + self.missed));
        format!(
            "{name:<52} {:>4} {:>4} {:>4}  {precision:.2} {recall:.2} {:.2}",
            self.right,
            self.wrong,
            self.missed,
            self.f1()
        )
    }
}

type Key = (String, u32, String);

#[expect(clippy::print_stdout, reason = "an example prints")]
fn main() -> Result<()> {
    let mut arguments = env::args().skip(1);
    let diff = arguments.next().is_some_and(|argument| argument == "--diff");
    let only = arguments.next().unwrap_or_default();
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples");
    let bundle = Compiled::read(&clinflow_workflow::from_dir(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("../../workflows"),
    )?)?;
    let mut scores: BTreeMap<String, Score> = BTreeMap::new();
    let (mut documents, mut micros) = (0_u128, 0_u128);
    let mut gold: Vec<_> = fs::read_dir(samples.join("gold"))?.collect::<Result<_, _>>()?;
    gold.sort_by_key(fs::DirEntry::path);
    for file in gold {
        for line in fs::read_to_string(file.path())?.lines() {
            let record: Record = serde_json::from_str(line).context("read gold")?;
            let Some(prepared) = bundle.workflow(&record.workflow.parse()?) else { continue };
            let bytes = fs::read(samples.join(&record.document))?;
            let Ok(ingested) = clinflow_ingest::ingest(&bytes, "", &clinflow_ingest::Limits::default())
            else {
                println!("not read: {}", record.document);
                continue;
            };
            let began = Instant::now();
            let set = extract(&ingested.text, prepared, uuid::Uuid::nil());
            micros += began.elapsed().as_micros();
            documents += 1;
            let wanted = |name: &str, group: Option<&str>| {
                prepared
                    .workflow
                    .field(name, group)
                    .is_some_and(|field| field.agents.contains(&Role::Extractor))
            };
            let key = |group: Option<&str>, index: Option<u32>, name: &str| -> Key {
                (group.unwrap_or_default().to_owned(), index.unwrap_or(0), name.to_owned())
            };
            let mut found: BTreeMap<Key, String> = set
                .fields
                .iter()
                .map(|field| {
                    let form = field.normalized.as_ref().map_or("?", |form| form.expose());
                    (key(field.group.as_deref(), field.index, &field.name), form.to_owned())
                })
                .collect();
            let show = diff && record.document.contains(&only);
            for value in record.fields.iter().filter(|value| wanted(&value.name, value.group.as_deref())) {
                let key = key(value.group.as_deref(), value.index, &value.name);
                let score = scores.entry(format!("{} {}.{}", record.workflow, key.0, key.2)).or_default();
                let form = value.normalized.as_deref().unwrap_or("?");
                match found.remove(&key) {
                    Some(ours) if same(&ours, form) => score.right += 1,
                    Some(ours) => {
                        score.wrong += 1;
                        score.missed += 1;
                        if show {
                            println!(
                                "{} {key:?}: `{ours}` is not `{form}` ({})",
                                record.document, value.value
                            );
                        }
                    }
                    None => {
                        score.missed += 1;
                        if show {
                            println!("{} {key:?}: missed `{form}` ({})", record.document, value.value);
                        }
                    }
                }
            }
            for (key, ours) in found {
                scores.entry(format!("{} {}.{}", record.workflow, key.0, key.2)).or_default().wrong += 1;
                if show {
                    println!("{} {key:?}: invented `{ours}`", record.document);
                }
            }
        }
    }
    let mut workflows: BTreeMap<&str, Score> = BTreeMap::new();
    for (name, score) in &scores {
        println!("{}", score.line(name));
        for total in [name.split(' ').next().unwrap_or_default(), "total"] {
            let sum = workflows.entry(total).or_default();
            sum.right += score.right;
            sum.wrong += score.wrong;
            sum.missed += score.missed;
        }
    }
    for (name, score) in workflows {
        println!("{}", score.line(name));
    }
    println!("{documents} documents, {} us each (extraction only)", micros / documents.max(1));
    Ok(())
}

/// The same value, but for case and the spaces of a wrapped line.
fn same(ours: &str, gold: &str) -> bool {
    ours.split_whitespace().eq(gold.split_whitespace()) || ours.eq_ignore_ascii_case(gold)
}
