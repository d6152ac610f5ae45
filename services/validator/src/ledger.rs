//! Fields and findings while they are being judged, and which finding is about which field.

use clinflow_core::{Field, Finding, Severity};

/// Fields with everything that has been said about them so far.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) fields: Vec<Field>,
    pub(crate) findings: Vec<Finding>,
    /// The gravest finding about each field.
    pub(crate) worst: Vec<Option<Severity>>,
}

impl Ledger {
    /// A ledger of `fields`.
    pub(crate) fn of(fields: Vec<Field>) -> Self {
        Self { worst: vec![None; fields.len()], fields, findings: Vec::new() }
    }

    /// Says `finding` about the fields at `positions`.
    pub(crate) fn say(&mut self, finding: Finding, positions: &[usize]) {
        for position in positions {
            let field = &mut self.fields[*position];
            if !field.findings.contains(&finding.rule) {
                field.findings.push(finding.rule.clone());
            }
            let worst = &mut self.worst[*position];
            *worst = (*worst).max(Some(finding.severity));
        }
        self.findings.push(finding);
    }

    /// Where the fields with this name stand, in this repetition and, where one is named, this group.
    pub(crate) fn positions(&self, name: &str, group: Option<&str>, index: Option<u32>) -> Vec<usize> {
        let is = |field: &Field| {
            field.name == name && field.index == index && (group.is_none() || field.group.as_deref() == group)
        };
        self.fields.iter().enumerate().filter(|(_, field)| is(field)).map(|(position, _)| position).collect()
    }
}
