//! `clinflow policy`: checks, tests and renders a guardrail's policy.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path};

use anyhow::Context as _;
use clinflow_guardrail::{
    Engine, Policy, cases,
    policy::Means,
    render,
    topic::{Understood, understood},
};

use crate::{Ended, arguments, print};

pub(crate) fn command(command: &arguments::Policy) -> anyhow::Result<Ended> {
    match command {
        arguments::Policy::Check { file } => check(file),
        arguments::Policy::Test { file, cases } => test(file, cases),
        arguments::Policy::Render { file } => {
            let template = render::template(&policy(file)?);
            print::answer(&format!("{template:#}\n"))?;
            Ok(Ended::Well)
        }
    }
}

fn text(path: &Path) -> anyhow::Result<String> {
    fs::read_to_string(path).with_context(|| format!("`{}`", path.display()))
}

fn policy(path: &Path) -> anyhow::Result<Policy> {
    Ok(Policy::read(&path.display().to_string(), &text(path)?)?)
}

/// Says what the policy holds, and where the local engine sees less than Bedrock.
fn check(path: &Path) -> anyhow::Result<Ended> {
    let policy = policy(path)?;
    let mut answer =
        format!("{}: no mistake\nname    {}\nsha256  {}\n", path.display(), policy.name, policy.sha256);
    let mut line = |what: &str, name: &str, how: &str| {
        let _ = writeln!(answer, "{what:<10} {name:<38} {how}");
    };
    for topic in &policy.topics {
        let how = match understood(topic) {
            Understood::ByRules => "here by rules",
            Understood::ByExamples => "here only by likeness to its examples; in Bedrock by its definition",
            Understood::NotHere => "only in Bedrock: give it examples to be recognised here",
        };
        line("topic", &topic.name, how);
    }
    for filter in &policy.filters {
        line("content", filter.kind.as_str(), "here by patterns");
    }
    line("words", &policy.words.len().to_string(), "here as whole words in any case");
    for pii in &policy.pii {
        let how = match pii.kind.means() {
            Means::Form => "here by form",
            Means::Label => "here only beside a label that names it",
            Means::Words => "here by titles, labels, roles and lists: most, not all",
        };
        line("pii", pii.kind.as_str(), how);
    }
    for pattern in &policy.regexes {
        line("regex", &pattern.name, "here as in Bedrock");
    }
    for filter in &policy.grounding {
        line("grounding", filter.kind.as_str(), "here by numbers, units, entities, polarity and words");
    }
    print::answer(&answer)?;
    Ok(Ended::Well)
}

/// Puts every case to the local engine.
fn test(path: &Path, cases_path: &Path) -> anyhow::Result<Ended> {
    let engine = Engine::new(policy(path)?);
    let cases = cases::read(&cases_path.display().to_string(), &text(cases_path)?)?;
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let mut failed = String::new();
    for case in &cases {
        let count = counts.entry(&case.kind).or_default();
        count.1 += 1;
        match case.fails(&engine) {
            None => count.0 += 1,
            Some(what) => {
                let _ = writeln!(failed, "{}: {what}", case.id);
            }
        }
    }
    let rows: Vec<Vec<String>> = counts
        .iter()
        .map(|(kind, (right, all))| vec![(*kind).to_owned(), right.to_string(), all.to_string()])
        .collect();
    print::answer(&format!("{failed}{}", print::table(&["kind", "right", "cases"], &rows)))?;
    Ok(if failed.is_empty() { Ended::Well } else { Ended::WithFailures })
}
