//! How a workflow's tables look: which groups there are, and which columns each has.

use std::collections::BTreeMap;

use clinflow_workflow::{FieldType, Workflow};

/// One column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// The field's name.
    pub name: String,
    /// Whether a column with the unit follows.
    pub unit: bool,
}

/// The columns of each repeated group of `workflow`, in its order. Two documents of one workflow have the same columns
/// whatever was found in them.
pub fn groups(workflow: &Workflow) -> BTreeMap<String, Vec<Column>> {
    let mut groups: BTreeMap<String, Vec<Column>> = BTreeMap::new();
    for field in &workflow.fields {
        if let Some(group) = &field.group {
            let unit = matches!(field.kind, FieldType::Quantity);
            groups.entry(group.clone()).or_default().push(Column { name: field.name.clone(), unit });
        }
    }
    groups
}
