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
use clinflow_cost::{Budgets, PriceTable};
use clinflow_guardrail::{Engine, Policy};
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
    let prices = beside(files, PRICES, PriceTable::read, &mut problems);
    let budgets = beside(files, BUDGETS, Budgets::read, &mut problems);
    let guardrails = guardrails(files, &mut problems);
    let mut read = Vec::new();
    for folder in folders(files, &mut problems) {
        let path = format!("{folder}/{WORKFLOW}");
        let workflow = file(files, &path, &mut problems, |item, _| {
            workflow::read(item, folder, &code_lists, &guardrails, &mut rules)
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
    match (prices, budgets) {
        (Some(prices), Some(budgets)) if problems.is_empty() => {
            let (prices, budgets) = (Arc::new(prices), Arc::new(budgets));
            Ok(Bundle { hash: files.hash(), workflows, code_lists, prices, budgets })
        }
        _ => {
            problems.sort();
            // Shared patterns are read once for each workflow.
            problems.dedup();
            Err(Problems(problems))
        }
    }
}

/// Reads a file that a crate of its own knows.
fn beside<T>(
    files: &BundleFiles,
    path: &str,
    read: impl FnOnce(&str, &str) -> Result<T, Problems>,
    problems: &mut Vec<Problem>,
) -> Option<T> {
    let text = text(files, path, problems)?;
    read(path, text).map_err(|found| problems.extend(found.0)).ok()
}

/// Every guardrail by its file's name.
fn guardrails(files: &BundleFiles, problems: &mut Vec<Problem>) -> BTreeMap<String, Arc<Engine>> {
    let mut guardrails = BTreeMap::new();
    for path in files.0.keys() {
        let Some(name) = path.strip_prefix(GUARDRAILS).and_then(|rest| rest.strip_prefix('/')) else {
            continue;
        };
        let Some(policy) = beside(files, path, Policy::read, problems) else { continue };
        let name = name.strip_suffix(".yaml").unwrap_or(name);
        guardrails.insert(name.to_owned(), Arc::new(Engine::new(policy)));
    }
    guardrails
}

/// The text of a file that must be there.
fn text<'a>(files: &'a BundleFiles, path: &str, problems: &mut Vec<Problem>) -> Option<&'a str> {
    let text = files.0.get(path);
    if text.is_none() {
        let message = "the file is missing".to_owned();
        problems.push(Problem { file: path.to_owned(), line: 0, field: String::new(), message });
    }
    text.map(String::as_str)
}

/// Reads one file with `read` and collects what it notes.
fn file<T>(
    files: &BundleFiles,
    path: &str,
    problems: &mut Vec<Problem>,
    read: impl FnOnce(Item<'_>, &Sink<'_>) -> T,
) -> Option<T> {
    clinflow_yaml::read(path, text(files, path, problems)?, problems, read)
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
