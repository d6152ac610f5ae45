//! Reading `workflow.yaml`.

use std::{collections::BTreeMap, sync::Arc};

use clinflow_core::{Role, TeamId, WorkflowId, field::Confidence};
use clinflow_guardrail::{Engine, PiiType};

use clinflow_yaml::{Item, Table, unknown};

use super::rules::{self, Rules};
use crate::{
    Classify, CodeList, FieldSpec, FieldType, Format, Join, Marker, OnMissing, Patterns, Vocabulary, Workflow,
};

/// The roles that look for fields.
const BRANCHES: [Role; 2] = [Role::Extractor, Role::Nlp];

/// How many occurrences of a word count unless the file says otherwise.
const AT_MOST: u32 = 5;

/// Reads a workflow, without its patterns.
pub(super) fn read(
    root: Item<'_>,
    folder: &str,
    code_lists: &BTreeMap<String, Arc<CodeList>>,
    guardrails: &BTreeMap<String, Arc<Engine>>,
    rules: &mut Rules,
) -> Option<Workflow> {
    let table = root.table()?;
    let id = table.required("id").and_then(|item| {
        let id: WorkflowId = item.parsed()?;
        if id.as_str() != folder || id.is_auto() {
            item.note(format!("the id is the folder's name, `{folder}`, and not `auto`"));
        }
        Some(id)
    });
    let version = table.required("version").and_then(|item| item.whole(1));
    let title = table.required("title").and_then(|item| item.text().map(str::to_owned));
    let team: Option<TeamId> = table.required("team").and_then(|item| item.parsed());
    let document_type = table.required("document_type").and_then(|item| item.text().map(str::to_owned));
    let classify = table.required("classify").and_then(classify);
    let branches = table.required("branches").map(|item| roles(item, &BRANCHES)).unwrap_or_default();
    let join = table.required("join").and_then(join);
    let fields = table.required("fields").map(|item| fields(item, code_lists, &branches)).unwrap_or_default();
    let outputs = table
        .required("outputs")
        .map(Item::list)
        .unwrap_or_default()
        .iter()
        .filter_map(|item| item.one_of("output", &Format::ALL, Format::as_str))
        .collect();
    let guardrail = table.required("guardrail").and_then(|item| {
        let name = item.text()?;
        let engine = guardrails.get(name).cloned();
        if engine.is_none() {
            let known: Vec<_> = guardrails.keys().map(String::as_str).collect();
            item.note(unknown("guardrail", name, &known));
        }
        engine
    });
    let review_below = table.required("review_below").and_then(|item| item.confidence());
    let listed = table.required("rules").map(Item::list).unwrap_or_default();
    // That it is missing or unknown was noted; what else is wrong with the file still is.
    let Some(guardrail) = guardrail else {
        table.finish();
        return None;
    };
    let mut workflow = Workflow {
        // An id that cannot be read was noted; the rest is read all the same, for its own mistakes.
        id: id.unwrap_or_else(WorkflowId::auto),
        version: version.unwrap_or(0),
        title: title.unwrap_or_default(),
        team: team.or_else(|| TeamId::new("none").ok())?,
        document_type: document_type.unwrap_or_default(),
        classify: classify.unwrap_or_default(),
        branches,
        join: join.unwrap_or(Join { deadline: std::time::Duration::ZERO, on_missing: OnMissing::Partial }),
        fields,
        rules: Vec::new(),
        guardrail,
        outputs,
        review_below: review_below.unwrap_or(Confidence::NONE),
        patterns: Patterns::default(),
    };
    for item in &listed {
        let Some(rule) = rules::bind(item, rules, &workflow) else { continue };
        if workflow.rules.iter().any(|other| other.id == rule.id) {
            item.note(format!("rule `{}` is listed twice: remove one", rule.id));
        } else {
            workflow.rules.push(rule);
        }
    }
    table.finish();
    Some(workflow)
}

fn classify(item: Item<'_>) -> Option<Classify> {
    let table = item.table()?;
    let markers = table
        .required("markers")
        .map(Item::list)
        .unwrap_or_default()
        .into_iter()
        .filter_map(|item| {
            let table = item.table()?;
            let pattern = table.required("pattern").and_then(|item| item.regex());
            let weight = table.required("weight").and_then(|item| item.whole(1));
            table.finish();
            Some(Marker { pattern: pattern?, weight: weight? })
        })
        .collect();
    let vocabulary = table
        .optional("vocabulary")
        .map(Item::list)
        .unwrap_or_default()
        .into_iter()
        .filter_map(|item| {
            let table = item.table()?;
            let terms = table.required("terms").map(Item::texts).unwrap_or_default();
            let weight = table.required("weight").and_then(|item| item.whole(1));
            let at_most = table.optional("at_most").map_or(Some(AT_MOST), |item| item.whole(1));
            table.finish();
            Some(Vocabulary {
                terms: terms.iter().map(|term| term.to_lowercase()).collect(),
                weight: weight?,
                at_most: at_most?,
            })
        })
        .collect();
    table.finish();
    Some(Classify { markers, vocabulary })
}

fn join(item: Item<'_>) -> Option<Join> {
    let table = item.table()?;
    let deadline = table.required("deadline").and_then(|item| item.duration());
    let on_missing = table
        .required("on_missing")
        .and_then(|item| item.one_of("policy", &OnMissing::ALL, OnMissing::as_str));
    table.finish();
    Some(Join { deadline: deadline?, on_missing: on_missing? })
}

/// Roles, each of them one of `possible` and there once.
fn roles(item: Item<'_>, possible: &[Role]) -> Vec<Role> {
    let mut roles = Vec::new();
    for item in item.list() {
        let Some(role) = item.one_of("branch", possible, Role::as_str) else { continue };
        if roles.contains(&role) {
            item.note(format!("`{role}` is there twice: remove one"));
        } else {
            roles.push(role);
        }
    }
    roles
}

fn fields(item: Item<'_>, code_lists: &BTreeMap<String, Arc<CodeList>>, branches: &[Role]) -> Vec<FieldSpec> {
    let mut fields: Vec<FieldSpec> = Vec::new();
    for item in item.list() {
        let place = item.clone();
        let Some(field) = item.table().and_then(|table| field(&table, code_lists, branches).zip(Some(table)))
        else {
            continue;
        };
        let (field, table) = field;
        table.finish();
        if fields.iter().any(|other| other.name == field.name && other.group == field.group) {
            place.note(format!("field `{}` is there twice: rename or remove one", field.path()));
        } else {
            fields.push(field);
        }
    }
    fields
}

fn field(
    table: &Table<'_>,
    code_lists: &BTreeMap<String, Arc<CodeList>>,
    branches: &[Role],
) -> Option<FieldSpec> {
    let name = table.required("name").and_then(|item| word(&item));
    let group = table.optional("group").map(|item| word(&item));
    let kind = table.required("type").and_then(|item| kind(&item, table, code_lists));
    let agents = table.required("agents").map(|item| roles(item, branches)).unwrap_or_default();
    let label = table.optional("label").and_then(|item| {
        let label = item.text()?;
        if !LABELS.contains(&label) {
            item.note(unknown("label", label, &LABELS));
        }
        Some(label.to_owned())
    });
    let text = |key| table.optional(key).and_then(|item| item.text().map(str::to_owned));
    let (cdisc, e2b) = (text("cdisc"), text("e2b"));
    let description = table.required("description").and_then(|item| item.text().map(str::to_owned));
    let required = table.optional("required").map_or(Some(false), |item| item.flag());
    let phi = table
        .optional("phi")
        .and_then(|item| item.one_of("type of personal information", &PiiType::ALL, PiiType::as_str));
    Some(FieldSpec {
        name: name?,
        group: match group {
            None => None,
            Some(group) => Some(group?),
        },
        kind: kind?,
        agents,
        label,
        cdisc,
        e2b,
        description: description?,
        required: required?,
        phi,
    })
}

/// A name that can be a column of a table and a part of `group.name`.
fn word(item: &Item<'_>) -> Option<String> {
    let text = item.text()?;
    if text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_') {
        return Some(text.to_owned());
    }
    item.note(format!("`{text}` is no field name: use a-z, 0-9 and `_`"));
    None
}

fn kind(
    item: &Item<'_>,
    table: &Table<'_>,
    code_lists: &BTreeMap<String, Arc<CodeList>>,
) -> Option<FieldType> {
    let list = table.optional("code_list");
    let kind = match item.text()? {
        "text" => FieldType::Text,
        "date" => FieldType::Date,
        "number" => FieldType::Number,
        "quantity" => FieldType::Quantity,
        "unit" => FieldType::Unit,
        "boolean" => FieldType::Boolean,
        "code" => {
            let Some(list) = &list else {
                item.note("a field of type `code` names its `code_list`");
                return None;
            };
            return rules::code_list(list, code_lists).map(FieldType::Code);
        }
        other => {
            item.note(unknown(
                "type",
                other,
                &["text", "date", "number", "quantity", "unit", "code", "boolean"],
            ));
            return None;
        }
    };
    if let Some(list) = list {
        list.note("only a field of type `code` has a code list");
    }
    Some(kind)
}

/// The entity labels of `clinflow annotate`.
const LABELS: [&str; 21] = [
    "drug",
    "dose",
    "route",
    "frequency",
    "duration",
    "condition",
    "symptom",
    "adverse_event",
    "procedure",
    "lab_test",
    "lab_value",
    "unit",
    "age",
    "sex",
    "severity",
    "date",
    "outcome",
    "causality",
    "action_taken",
    "seriousness",
    "anatomy",
];
