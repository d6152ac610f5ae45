//! How a workflow's tables look: which groups there are, and which columns each has.

use std::collections::BTreeMap;

use clinflow_workflow::{FieldType, Format, Workflow};

/// The tables of a workflow. Two documents of one workflow have the same columns whatever was found in them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Layout {
    /// Whether tables are wanted beside `record.json`.
    pub tables: bool,
    /// The columns of each repeated group, in the workflow's order.
    pub groups: BTreeMap<String, Vec<Column>>,
}

/// One column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// The field's name.
    pub name: String,
    /// Whether a column with the unit follows.
    pub unit: bool,
}

impl Layout {
    /// The layout of `workflow`.
    pub fn of(workflow: &Workflow) -> Self {
        let mut groups: BTreeMap<String, Vec<Column>> = BTreeMap::new();
        for field in &workflow.fields {
            if let Some(group) = &field.group {
                let unit = matches!(field.kind, FieldType::Quantity);
                groups.entry(group.clone()).or_default().push(Column { name: field.name.clone(), unit });
            }
        }
        Self { tables: workflow.outputs.contains(&Format::Csv), groups }
    }
}
