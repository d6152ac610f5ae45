//! Every sample is recognised as what it is, and what is no clinical document is recognised as nothing.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

use std::{fs, path::Path};

use clinflow_classifier::decide;
use clinflow_ingest::{Limits, ingest};
use clinflow_workflow::{Bundle, shipped};

fn text(path: &Path) -> Option<String> {
    let bytes = fs::read(path).unwrap();
    ingest(&bytes, "", &Limits::default()).ok().map(|ingested| ingested.text.text)
}

#[test]
fn every_sample_is_recognised_as_what_it_is() {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples");
    let bundle = Bundle::read(&shipped()).unwrap();
    let mut wrong = Vec::new();
    for workflow in bundle.workflows() {
        for entry in fs::read_dir(samples.join(workflow.id.as_str())).unwrap() {
            let path = entry.unwrap().path();
            let decision = decide(&text(&path).unwrap(), &bundle);
            if decision.workflow.as_ref() != Some(&workflow.id) {
                wrong.push(format!("{}: {decision:?}", path.file_name().unwrap().to_string_lossy()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_no_clinical_document_is_recognised_as_nothing() {
    let broken = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples/broken/shopping-list.txt");
    let bundle = Bundle::read(&shipped()).unwrap();
    assert_eq!(decide(&text(&broken).unwrap(), &bundle).workflow, None);
}
