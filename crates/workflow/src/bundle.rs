//! The bundle as a whole.

use std::{collections::BTreeMap, sync::Arc};

use clinflow_core::{BundleFiles, BundleHash, TeamId, WorkflowId};
use clinflow_cost::{Budgets, PriceTable};
use clinflow_yaml::Problems;

use crate::{CodeList, Workflow, read};

/// A bundle that was read and found free of mistakes.
#[derive(Debug, Clone)]
pub struct Bundle {
    pub(crate) hash: BundleHash,
    pub(crate) workflows: BTreeMap<WorkflowId, Arc<Workflow>>,
    pub(crate) code_lists: BTreeMap<String, Arc<CodeList>>,
    pub(crate) prices: Arc<PriceTable>,
    pub(crate) budgets: Arc<Budgets>,
}

impl Bundle {
    /// Reads and checks a bundle.
    ///
    /// # Errors
    ///
    /// Every mistake in every file.
    pub fn read(files: &BundleFiles) -> Result<Self, Problems> {
        read::bundle(files)
    }

    /// The identity of the files it was read from.
    pub const fn hash(&self) -> BundleHash {
        self.hash
    }

    /// A workflow.
    pub fn workflow(&self, id: &WorkflowId) -> Option<&Arc<Workflow>> {
        self.workflows.get(id)
    }

    /// Every workflow, in the order of their ids.
    pub fn workflows(&self) -> impl Iterator<Item = &Arc<Workflow>> {
        self.workflows.values()
    }

    /// Every workflow, with the team that pays for it.
    pub fn owners(&self) -> Vec<(TeamId, WorkflowId)> {
        self.workflows().map(|workflow| (workflow.team.clone(), workflow.id.clone())).collect()
    }

    /// What a token of which model costs.
    pub const fn prices(&self) -> &Arc<PriceTable> {
        &self.prices
    }

    /// What may be spent by whom.
    pub const fn budgets(&self) -> &Arc<Budgets> {
        &self.budgets
    }

    /// A code list by its id in `code_lists.yaml`.
    pub fn code_list(&self, id: &str) -> Option<&Arc<CodeList>> {
        self.code_lists.get(id)
    }
}
