//! A workflow: which fields are wanted from which kind of document, who looks for them, and how they are judged.

use std::{sync::Arc, time::Duration};

use clinflow_core::{Role, TeamId, WorkflowId, field::Confidence};
use clinflow_guardrail::{Engine, PiiType};
use regex::Regex;

use crate::{CodeList, FieldRef, Patterns, Rule};

/// A workflow, with everything it refers to.
#[derive(Debug, Clone)]
pub struct Workflow {
    /// Its id, which is its folder's name.
    pub id: WorkflowId,
    /// Raised by whoever changes it.
    pub version: u32,
    /// What it is, in a few words.
    pub title: String,
    /// The team that pays for it and answers for it.
    pub team: TeamId,
    /// The kind of document it is for, as the classifier reports it.
    pub document_type: String,
    /// How its documents are recognised.
    pub classify: Classify,
    /// The roles that look for fields; the aggregator waits for each.
    pub branches: Vec<Role>,
    /// How long the aggregator waits for a branch, and what then.
    pub join: Join,
    /// The wanted fields, in the order in which outputs show them.
    pub fields: Vec<FieldSpec>,
    /// The rules, each with only those of its checks whose fields this workflow has.
    pub rules: Vec<Rule>,
    /// What may go to a model, and what may leave.
    pub guardrail: Arc<Engine>,
    /// What the reporter writes.
    pub outputs: Vec<Format>,
    /// A field with less confidence than this needs a person's eye.
    pub review_below: Confidence,
    /// How the extractor finds fields.
    pub patterns: Patterns,
}

impl Workflow {
    /// The field `name` of `group`; of no group for `None`.
    pub fn field(&self, name: &str, group: Option<&str>) -> Option<&FieldSpec> {
        self.fields.iter().find(|field| field.name == name && field.group.as_deref() == group)
    }

    /// The field a reference names.
    pub fn resolve(&self, reference: &FieldRef) -> Option<&FieldSpec> {
        self.field(&reference.name, reference.group.as_deref())
    }

    /// The names of its repeated groups, in the order of their first field.
    pub fn groups(&self) -> Vec<&str> {
        let mut groups = Vec::new();
        for group in self.fields.iter().filter_map(|field| field.group.as_deref()) {
            if !groups.contains(&group) {
                groups.push(group);
            }
        }
        groups
    }
}

/// One wanted field.
#[derive(Debug, Clone)]
pub struct FieldSpec {
    /// Its name, unique in its group.
    pub name: String,
    /// The repeated group it belongs to.
    pub group: Option<String>,
    /// What its values are.
    pub kind: FieldType,
    /// The roles that look for it.
    pub agents: Vec<Role>,
    /// The kind of mention that can fill it, an entity label of `clinflow annotate`; `None` when only patterns can.
    pub label: Option<String>,
    /// The CDISC variable it becomes: `AESTDTC`.
    pub cdisc: Option<String>,
    /// The ICH E2B(R3) element it becomes: `E.i.4`.
    pub e2b: Option<String>,
    /// What it means, for people and for models that read instructions.
    pub description: String,
    /// Whether a document without it needs a person's eye.
    pub required: bool,
    /// What its values are for certain, whatever they look like: a reporter's name is a `NAME`.
    pub phi: Option<PiiType>,
}

impl FieldSpec {
    /// Its name with its group: `event.onset_date`.
    pub fn path(&self) -> String {
        match &self.group {
            Some(group) => format!("{group}.{}", self.name),
            None => self.name.clone(),
        }
    }

    /// Its code list, when it is coded.
    pub const fn code_list(&self) -> Option<&Arc<CodeList>> {
        match &self.kind {
            FieldType::Code(list) => Some(list),
            FieldType::Text
            | FieldType::Date
            | FieldType::Number
            | FieldType::Quantity
            | FieldType::Unit
            | FieldType::Boolean => None,
        }
    }
}

/// What the values of a field are, and so what their normal form is.
#[derive(Debug, Clone)]
pub enum FieldType {
    /// Words; the normal form is the words with single spaces.
    Text,
    /// A date, perhaps a partial one, perhaps with a time; the normal form is ISO 8601: `2026-01`.
    Date,
    /// A number, perhaps with a comparison: `<6`.
    Number,
    /// A number with a unit; the normal form is the number, the unit is UCUM.
    Quantity,
    /// A unit by itself; the normal form is UCUM: `10*3/uL`.
    Unit,
    /// A term of a code list.
    Code(Arc<CodeList>),
    /// `Y` or `N`.
    Boolean,
}

impl FieldType {
    /// The spelling in `workflow.yaml`.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Date => "date",
            Self::Number => "number",
            Self::Quantity => "quantity",
            Self::Unit => "unit",
            Self::Code(_) => "code",
            Self::Boolean => "boolean",
        }
    }
}

/// How the documents of a workflow are recognised: by what only they say, and by what they say often.
#[derive(Debug, Clone, Default)]
pub struct Classify {
    /// Titles and headings, each of which counts once.
    pub markers: Vec<Marker>,
    /// Words, each of which counts as often as it occurs, up to [`Vocabulary::at_most`] times.
    pub vocabulary: Vec<Vocabulary>,
}

/// A title or heading that gives a kind of document away.
#[derive(Debug, Clone)]
pub struct Marker {
    /// Found anywhere in the text.
    pub pattern: Regex,
    /// What finding it adds to the score.
    pub weight: u32,
}

/// Words that a kind of document uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vocabulary {
    /// The words, in lower case.
    pub terms: Vec<String>,
    /// What each occurrence adds to the score.
    pub weight: u32,
    /// How many occurrences of one term count, so that one page of repetition does not outweigh a form's title.
    pub at_most: u32,
}

/// How long the aggregator waits for a branch, and what then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Join {
    /// Counted from the first branch that arrives.
    pub deadline: Duration,
    /// What happens when a branch is missing then.
    pub on_missing: OnMissing,
}

/// What happens when a branch is missing at the deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnMissing {
    /// Go on with what there is, and ask for review.
    Partial,
    /// Fail the execution.
    Fail,
    /// Wait on, until the sweeper gives up.
    Wait,
}

impl OnMissing {
    /// Every policy.
    pub const ALL: [Self; 3] = [Self::Partial, Self::Fail, Self::Wait];

    /// The spelling in `workflow.yaml`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Partial => "partial",
            Self::Fail => "fail",
            Self::Wait => "wait",
        }
    }
}

/// A format the reporter writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// The record with its evidence.
    Json,
    /// One table for each group.
    Csv,
    /// A FHIR R4 Bundle with Provenance.
    Fhir,
    /// One CDISC Dataset-JSON 1.1 file for each domain that the fields' CDISC variables are of.
    DatasetJson,
}

impl Format {
    /// Every format.
    pub const ALL: [Self; 4] = [Self::Json, Self::Csv, Self::Fhir, Self::DatasetJson];

    /// The spelling in `workflow.yaml`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Fhir => "fhir",
            Self::DatasetJson => "dataset-json",
        }
    }
}
