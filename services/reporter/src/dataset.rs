//! CDISC Dataset-JSON 1.1: one file a domain, one row a thing that happened.
//!
//! A dataset has the same columns for every document of a workflow, whatever was found in them. What the document says
//! did not happen, may have happened, or happened before has no row: a dataset has no way to say so. Only medical history
//! is of the past.

use clinflow_workflow::{FieldType, Workflow};

use crate::{
    facts::{Facts, Row, Standing},
    json::{Node, Object, is_decimal},
    lab_test,
    report::File,
    sdtm::{self, DOMAINS, Domain, Filling, Kind, Variable},
};

/// The datasets that have rows. None for a document that does not say whose it is, or that withdraws its case.
pub(crate) fn files(facts: &Facts<'_>) -> Vec<File> {
    let Some(subject) = facts.usubjid().filter(|_| !facts.withdrawn) else { return Vec::new() };
    let dataset = |domain: &'static Domain| {
        let rows: Vec<&Row<'_>> = if domain == &sdtm::DM {
            facts.describes_subject().then_some(&facts.subject).into_iter().collect()
        } else {
            facts.rows.iter().filter(|row| row.domain == domain && happened(row)).collect()
        };
        (!rows.is_empty()).then(|| File {
            name: format!("{}.json", domain.code.to_lowercase()),
            bytes: file(facts, domain, &rows, &subject),
        })
    };
    DOMAINS.into_iter().filter_map(dataset).collect()
}

/// True for a row that may stand in a dataset.
fn happened(row: &Row<'_>) -> bool {
    match row.standing {
        Standing::Present => true,
        Standing::Past => row.domain == &sdtm::MH,
        Standing::Suspected | Standing::Refuted | Standing::Elsewhere => false,
    }
}

/// One file.
fn file(facts: &Facts<'_>, domain: &'static Domain, rows: &[&Row<'_>], subject: &str) -> Vec<u8> {
    let columns = columns(domain, facts.workflow);
    let cells = |(position, row): (usize, &&Row<'_>)| {
        let cell = |variable: &&Variable| {
            cell(facts, variable, row, position, subject).map_or(Node::Null, typed(variable))
        };
        Node::List(columns.iter().map(cell).collect())
    };
    let rows: Vec<Node> = rows.iter().enumerate().map(cells).collect();
    let dataset = Object::new()
        .with("datasetJSONCreationDateTime", facts.record.made_at().to_string())
        .with("datasetJSONVersion", "1.1.0")
        .with("fileOID", format!("urn:uuid:{}/{}", facts.record.execution_id, domain.code))
        .with("originator", "clinflow")
        .with(
            "sourceSystem",
            Object::new().with("name", "clinflow").with("version", env!("CARGO_PKG_VERSION")),
        )
        .maybe("studyOID", facts.study.map(|study| study.value()))
        .with("itemGroupOID", format!("IG.{}", domain.code))
        .with("records", Node::Whole(rows.len() as u64))
        .with("name", domain.code)
        .with("label", domain.label)
        .with("columns", columns.iter().map(|variable| described(domain, variable)).collect::<Vec<_>>())
        .with("rows", rows);
    Node::Object(dataset).to_file()
}

/// The variables of a domain that documents of `workflow` can fill.
fn columns(domain: &'static Domain, workflow: &Workflow) -> Vec<&'static Variable> {
    let has = |variable: &str| workflow.fields.iter().any(|spec| spec.cdisc.as_deref() == Some(variable));
    domain.variables.iter().filter(|variable| variable.filling.needs(variable.name).is_none_or(has)).collect()
}

/// What the file says about a column.
fn described(domain: &Domain, variable: &Variable) -> Node {
    let (kind, target) = match variable.kind {
        Kind::Text => ("string", None),
        Kind::Integer => ("integer", None),
        Kind::Decimal => ("decimal", Some("decimal")),
    };
    Object::new()
        .with("itemOID", format!("IT.{}.{}", domain.code, variable.name))
        .with("name", variable.name)
        .with("label", variable.label)
        .with("dataType", kind)
        .maybe("targetDataType", target)
        .maybe("keySequence", variable.key().map(Node::Whole))
        .into()
}

/// A cell as its column's type has it. A decimal travels as a string, so that nobody rounds it.
fn typed(variable: &Variable) -> impl Fn(String) -> Node {
    let integer = variable.kind == Kind::Integer;
    move |text| match text.parse() {
        Ok(number) if integer => Node::Whole(number),
        _ => Node::Text(text),
    }
}

/// What stands in one cell.
fn cell(
    facts: &Facts<'_>,
    variable: &Variable,
    row: &Row<'_>,
    position: usize,
    subject: &str,
) -> Option<String> {
    let value = |name: &str| row.value(name);
    let test =
        || lab_test::find(value("LBTEST")?, row.fact("LBORRESU").and_then(|unit| unit.field.unit.as_deref()));
    match variable.filling {
        Filling::Field => value(variable.name).map(str::to_owned),
        Filling::Study => facts.study.map(|study| study.value().to_owned()),
        Filling::Domain => Some(row.domain.code.to_owned()),
        Filling::Subject => Some(subject.to_owned()),
        Filling::Sequence => Some((position + 1).to_string()),
        Filling::Place => Some(row.place.clone()),
        Filling::Constant(words) => Some(words.to_owned()),
        Filling::NumberOf(name) => value(name).filter(|text| is_decimal(text)).map(str::to_owned),
        Filling::WordsOf(name) => value(name).filter(|text| !is_decimal(text)).map(str::to_owned),
        Filling::CopyOf(name) => value(name).map(str::to_owned),
        Filling::UnitOf(name) => {
            let fact = row.fact(name)?;
            // A unit that is not known is reported as printed.
            let printed = || matches!(fact.spec.kind, FieldType::Unit).then(|| fact.value().to_owned());
            fact.field.unit.as_deref().map(sdtm::unit).or_else(printed)
        }
        Filling::TestCode => test().map(|test| test.code.to_owned()),
        Filling::TestName => test().map(|test| test.name).or_else(|| value("LBTEST")).map(str::to_owned),
    }
}

#[cfg(test)]
mod tests;
