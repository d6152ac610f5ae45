//! From files to a bundle: each file is read on its own, then what they say about each other is checked.

mod code_lists;
mod patterns;
mod rules;
mod workflow;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use clinflow_core::{BundleFiles, WorkflowId};
use clinflow_yaml::{Item, Problem, Problems, Sink, unknown};

use crate::{Bundle, FieldSpec, Workflow};

/// Shared by all workflows.
const CODE_LISTS: &str = "code_lists.yaml";
/// Shared by all workflows.
const RULES: &str = "rules.yaml";
/// In each workflow's folder.
const WORKFLOW: &str = "workflow.yaml";
/// In each workflow's folder, and beside the folders for what all share.
const PATTERNS: &str = "patterns.yaml";
/// What a token of which model costs.
const PRICES: &str = "prices.yaml";
/// What may be spent by whom.
const BUDGETS: &str = "budgets.yaml";
/// The folder of the guardrails, one file each.
const GUARDRAILS: &str = "guardrails";

/// Reads a bundle, or says everything that is wrong with it.
pub(crate) fn bundle(files: &BundleFiles) -> Result<Bundle, Problems> {
    let mut problems = Vec::new();
    let code_lists =
        file(files, CODE_LISTS, &mut problems, |item, _| code_lists::read(item)).unwrap_or_default();
    let mut rules =
        file(files, RULES, &mut problems, |item, _| rules::read(item, &code_lists)).unwrap_or_default();
    let mut read = Vec::new();
    for folder in folders(files, &mut problems) {
        let path = format!("{folder}/{WORKFLOW}");
        let workflow = file(files, &path, &mut problems, |item, _| {
            workflow::read(item, folder, &code_lists, &mut rules)
        });
        read.extend(workflow.flatten().map(|workflow| (folder, workflow)));
    }
    rules::unused(&rules, RULES, &mut problems);
    let fields = read.iter().flat_map(|(_, workflow)| workflow.fields.iter().map(FieldSpec::path)).collect();
    let mut workflows: BTreeMap<WorkflowId, Arc<Workflow>> = BTreeMap::new();
    for (folder, mut workflow) in read {
        let path = format!("{folder}/{PATTERNS}");
        let own = file(files, &path, &mut problems, |item, _| patterns::read(item, &workflow, None));
        let shared =
            file(files, PATTERNS, &mut problems, |item, _| patterns::read(item, &workflow, Some(&fields)));
        workflow.patterns = own.unwrap_or_default();
        workflow.patterns.extend(shared.unwrap_or_default());
        workflows.insert(workflow.id.clone(), Arc::new(workflow));
    }
    if problems.is_empty() {
        Ok(Bundle { hash: files.hash(), workflows, code_lists })
    } else {
        problems.sort();
        // Shared patterns are read once for each workflow.
        problems.dedup();
        Err(Problems(problems))
    }
}

/// Reads one file with `read` and collects what it notes.
fn file<T>(
    files: &BundleFiles,
    path: &str,
    problems: &mut Vec<Problem>,
    read: impl FnOnce(Item<'_>, &Sink<'_>) -> T,
) -> Option<T> {
    let Some(text) = files.0.get(path) else {
        let message = "the file is missing".to_owned();
        problems.push(Problem { file: path.to_owned(), line: 0, field: String::new(), message });
        return None;
    };
    clinflow_yaml::read(path, text, problems, read)
}

/// The folders of a bundle; a file that belongs nowhere is a mistake, because nothing would read it.
fn folders<'a>(files: &'a BundleFiles, problems: &mut Vec<Problem>) -> BTreeSet<&'a str> {
    let mut folders = BTreeSet::new();
    for path in files.0.keys() {
        match path.split_once('/') {
            Some((folder, WORKFLOW | PATTERNS)) => {
                folders.insert(folder);
            }
            Some((GUARDRAILS, name)) if !name.contains('/') => {}
            None if [CODE_LISTS, RULES, PATTERNS, PRICES, BUDGETS].contains(&path.as_str()) => {}
            Some(_) | None => problems.push(Problem {
                file: path.clone(),
                line: 0,
                field: String::new(),
                message: unknown(
                    "file",
                    path,
                    &[
                        CODE_LISTS,
                        RULES,
                        PATTERNS,
                        PRICES,
                        BUDGETS,
                        "guardrails/<name>.yaml",
                        "<workflow>/workflow.yaml",
                        "<workflow>/patterns.yaml",
                    ],
                ),
            }),
        }
    }
    folders
}

#[cfg(test)]
mod tests;
