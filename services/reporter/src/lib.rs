//! The reporter: turns what was recorded into the files that downstream systems read.
//!
//! [`report::files`] decides what the files say; everything here only fetches and stores. To add a format, add it to
//! [`clinflow_workflow::Format`] and there.

pub mod cost;
pub mod csv;
mod dataset;
mod facts;
mod fhir;
mod json;
mod lab_test;
pub mod layout;
pub mod record;
mod recorded;
pub mod report;
mod sdtm;
pub mod tables;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use bytes::Bytes;
use clinflow_core::{Failure, FieldSet, Role, step::ObjectRef};
use clinflow_ports::{
    Objects, StoreError,
    objects::{get_checked, key},
};
use clinflow_proto::v1;
use clinflow_runtime::{Catalog, Context, Done, Handler, Output, Work, wire};
use clinflow_workflow::Bundle;
use futures_util::future::{try_join, try_join_all};

use crate::{recorded::Recorded, report::File};

/// Writes reports.
pub struct Report {
    objects: Arc<dyn Objects>,
    bundles: Arc<Catalog<Bundle>>,
}

impl Report {
    /// A reporter that reads and writes `objects` and takes workflows from `bundles`.
    pub fn new(objects: Arc<dyn Objects>, bundles: Arc<Catalog<Bundle>>) -> Self {
        Self { objects, bundles }
    }

    /// The validated fields.
    async fn fields(&self, reference: &ObjectRef) -> Result<FieldSet, Failure> {
        let bytes = get_checked(self.objects.as_ref(), reference).await?;
        serde_json::from_slice(&bytes).map_err(|_| {
            // The parser's words may quote the document.
            StoreError::Corrupt { store: "objects", what: format!("field set `{}`", reference.key) }.into()
        })
    }

    /// Writes the files of a report, each unless it is there: a second run must not change what downstream read.
    async fn write(&self, folder: &str, files: Vec<File>) -> Result<Vec<ObjectRef>, Failure> {
        let writes = files.into_iter().map(|file| async move {
            self.objects.create(&format!("{folder}/{}", file.name), Bytes::from(file.bytes)).await
        });
        Ok(try_join_all(writes).await?)
    }
}

impl Handler for Report {
    const ROLE: Role = Role::Reporter;
    type Input = v1::ExtractionRecorded;

    async fn handle(&self, input: v1::ExtractionRecorded, _context: &Context) -> Result<Done, Failure> {
        let recorded = Recorded::try_from(&input)?;
        let (bundle, fields) =
            try_join(self.bundles.get(recorded.run.bundle), self.fields(&recorded.fields)).await?;
        let workflow = bundle.workflow(&recorded.workflow).ok_or_else(|| {
            Failure::park(
                "workflow.unknown",
                anyhow::anyhow!("bundle has no workflow `{}`", recorded.workflow),
            )
        })?;
        let folder = key::report_folder(recorded.run.execution);
        let record = recorded.record(fields)?;
        let outputs = self.write(&folder, report::files(&record, workflow)).await?;

        let work = Work { output: outputs.first().cloned(), ..Work::of(workflow.id.agent(Role::Reporter)) };
        let completed = v1::ReportCompleted {
            execution: input.validated.and_then(|validated| validated.document?.execution),
            workflow_id: workflow.id.to_string(),
            status: record.status.to_string(),
            folder,
            outputs: outputs.iter().map(wire::to_wire).collect(),
            chain_sequence: input.chain_sequence,
            chain_hash: input.chain_hash,
        };
        Ok(Done::one(Output::new(&workflow.id, completed), work))
    }
}
