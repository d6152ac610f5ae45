//! Answers questions from the standard input, one a line, about a text and its record: `answer WORKFLOW TEXT RECORD`.

use std::io::{BufRead as _, Write as _};

use clinflow_core::{FieldSet, Role, WorkflowId};
use clinflow_ingest::Text;
use clinflow_nlp::answering::{Exchange, local};
use clinflow_workflow::{Bundle, shipped};

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut next = || {
        arguments.next().ok_or_else(|| anyhow::anyhow!("name a workflow, a text file and its record.json"))
    };
    let workflow: WorkflowId = next()?.parse()?;
    let bundle = Bundle::read(&shipped())?;
    let workflow = bundle.workflow(&workflow).ok_or_else(|| anyhow::anyhow!("no workflow `{workflow}`"))?;
    let text = Text {
        schema: Text::SCHEMA.to_owned(),
        media_type: "text/plain".to_owned(),
        text: std::fs::read_to_string(next()?)?,
        pages: Vec::new(),
    };
    let record: serde_json::Value = serde_json::from_slice(&std::fs::read(next()?)?)?;
    let fields = FieldSet {
        fields: serde_json::from_value(record["fields"].clone())?,
        ..FieldSet::new(Role::Validator)
    };
    let mut earlier = Vec::new();
    let mut out = std::io::stdout().lock();
    for question in std::io::stdin().lock().lines() {
        let question = question?;
        let (answer, citations) = local::answer(&question, &text, &fields, workflow, &earlier);
        let cited: Vec<_> = citations.iter().filter_map(|citation| citation.field.as_deref()).collect();
        writeln!(out, "? {question}\n  {}  {cited:?}", answer.expose())?;
        earlier.push(Exchange { question: question.into(), answer, citations });
    }
    Ok(())
}
