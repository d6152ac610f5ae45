//! Prints what the local model claims about text files, as one JSON object per file: `claims WORKFLOW PATH...`.

use std::io::Write as _;

use clinflow_core::WorkflowId;
use clinflow_nlp::{local, wanted};
use clinflow_workflow::{Bundle, shipped};

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let workflow: WorkflowId = arguments.next().unwrap_or_default().parse()?;
    let bundle = Bundle::read(&shipped())?;
    let workflow =
        bundle.workflow(&workflow).ok_or_else(|| anyhow::anyhow!("name a workflow, then text files"))?;
    let wanted = wanted::wanted(workflow);
    let mut out = std::io::stdout().lock();
    for path in arguments {
        let text = std::fs::read_to_string(&path)?;
        let fields: Vec<_> = local::claims(&text, &wanted)
            .into_iter()
            .map(|claim| {
                serde_json::json!({
                    "name": claim.name,
                    "group": claim.group,
                    "index": claim.index,
                    "value": claim.value.expose(),
                    "normalized": claim.normalized.as_ref().map(clinflow_core::Phi::expose),
                    "unit": claim.unit,
                    "assertion": claim.assertion,
                })
            })
            .collect();
        writeln!(out, "{}", serde_json::json!({ "document": path, "fields": fields }))?;
    }
    Ok(())
}
