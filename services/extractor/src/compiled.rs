//! A bundle with what the extractor derives from its patterns once.

use std::{collections::HashMap, sync::Arc};

use clinflow_core::{BundleFiles, WorkflowId};
use clinflow_workflow::{Bundle, Problems, Workflow, fold};

use crate::labels::Labels;

/// Everything that is read from a bundle before the first document, by workflow.
pub struct Compiled {
    workflows: HashMap<WorkflowId, Arc<Prepared>>,
}

/// A workflow with its patterns prepared.
pub struct Prepared {
    /// The workflow.
    pub workflow: Arc<Workflow>,
    pub(crate) labels: Labels,
    /// Folded beginnings of the words at tick boxes, each with the position of its field.
    pub(crate) ticks: Vec<(String, usize)>,
}

impl Compiled {
    /// Reads a bundle.
    ///
    /// # Errors
    ///
    /// Every mistake in it.
    pub fn read(files: &BundleFiles) -> Result<Self, Problems> {
        let bundle = Bundle::read(files)?;
        let workflows = bundle
            .workflows()
            .map(|workflow| (workflow.id.clone(), Arc::new(Prepared::new(workflow.clone()))))
            .collect();
        Ok(Self { workflows })
    }

    /// A workflow.
    pub fn workflow(&self, id: &WorkflowId) -> Option<&Arc<Prepared>> {
        self.workflows.get(id)
    }
}

impl Prepared {
    /// Prepares a workflow.
    pub fn new(workflow: Arc<Workflow>) -> Self {
        let labels = Labels::new(&workflow.patterns.labelled);
        let mut ticks = Vec::new();
        for tick in &workflow.patterns.ticks {
            let field = workflow
                .fields
                .iter()
                .position(|field| field.name == tick.field.name && field.group == tick.field.group);
            // A bundle names no field it does not have, so every tick has one.
            ticks.extend(
                field.into_iter().flat_map(|field| tick.labels.iter().map(move |label| (fold(label), field))),
            );
        }
        // "Other medically important" before "other".
        ticks.sort_by_key(|(label, _)| std::cmp::Reverse(label.len()));
        Self { workflow, labels, ticks }
    }
}
