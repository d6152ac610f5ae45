//! The data types of FHIR that several resources are made of.

use clinflow_core::field::Code;
use clinflow_workflow::FieldType;

use crate::{
    facts::Fact,
    json::{Node, Object},
};

/// The extensions of the HL7 guide "Adverse Event Clinical Research R4 Backport".
pub(crate) const AE_RESEARCH: &str = "http://hl7.org/fhir/uv/ae-research-backport-ig/StructureDefinition/";

/// The URL of one of clinflow's own extensions.
pub(crate) fn own(name: &str) -> String {
    format!("urn:clinflow:extension:{name}")
}

/// An extension with a value; `kind` is the member for its type: `valueString`.
pub(crate) fn extension(url: impl Into<Node>, kind: &'static str, value: impl Into<Node>) -> Node {
    Object::new().with("url", url).with(kind, value).into()
}

/// An extension of extensions.
pub(crate) fn nested(url: impl Into<Node>, extensions: Vec<Node>) -> Node {
    Object::new().with("url", url).with("extension", extensions).into()
}

/// The extension that says why a mandatory element has no value.
pub(crate) fn unknown() -> Node {
    let url = "http://hl7.org/fhir/StructureDefinition/data-absent-reason";
    Object::new().with("extension", vec![extension(url, "valueCode", "unknown")]).into()
}

/// A reference to a resource of the bundle.
pub(crate) fn reference(to: &str) -> Object {
    Object::new().with("reference", to)
}

/// A coding in a code system of HL7's terminology server.
pub(crate) fn hl7(system: &str, code: &str) -> Node {
    Object::new()
        .with("system", format!("http://terminology.hl7.org/CodeSystem/{system}"))
        .with("code", code)
        .into()
}

/// A concept with one coding.
pub(crate) fn concept(coding: Node) -> Object {
    Object::new().with("coding", vec![coding])
}

/// A concept in words.
pub(crate) fn words(text: &str) -> Object {
    Object::new().with("text", text)
}

/// The concept of a coded or verbatim fact: its codes, those of FHIR's own systems first, and its normal form.
pub(crate) fn coded(fact: &Fact<'_>) -> Object {
    let mut codes = fact.codes();
    codes.sort_by_key(|code| !code.system.starts_with(FHIR));
    let codings = codes.iter().map(|code| coding(code)).collect();
    Object::new().list("coding", codings).with("text", fact.value())
}

/// How code lists name FHIR's own code systems: `FHIR adverse-event-outcome`.
const FHIR: &str = "FHIR ";

/// The code of a fact in one of FHIR's own code systems.
pub(crate) fn fhir_code<'a>(fact: &Fact<'a>, system: &str) -> Option<&'a str> {
    let named = |code: &&&Code| code.system.strip_prefix(FHIR) == Some(system);
    fact.codes().iter().find(named).map(|code| code.code.as_str())
}

fn coding(code: &Code) -> Node {
    Object::new()
        .with("system", system(&code.system))
        .with("code", code.code.as_str())
        .maybe("display", code.display.as_deref())
        .into()
}

/// The URI of a terminology. One that has none here gets one of clinflow's, so that no code is lost.
fn system(name: &str) -> String {
    if let Some(name) = name.strip_prefix(FHIR) {
        return format!("http://terminology.hl7.org/CodeSystem/{name}");
    }
    match name {
        "LOINC" => "http://loinc.org".to_owned(),
        "SNOMED CT" => "http://snomed.info/sct".to_owned(),
        "RxNorm" => "http://www.nlm.nih.gov/research/umls/rxnorm".to_owned(),
        "NCIt" => "http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl".to_owned(),
        _ => format!("urn:clinflow:terminology:{}", name.to_lowercase().replace(' ', "-")),
    }
}

/// The quantity that is `number`, which may begin with a comparison; `None` where it is no number.
pub(crate) fn quantity(number: &str, ucum: Option<&str>) -> Option<Object> {
    let digits = number.trim_start_matches(['<', '>', '=']);
    let comparator = &number[..number.len() - digits.len()];
    let value = Node::decimal(digits).filter(|_| ["", "<", "<=", ">", ">="].contains(&comparator))?;
    let quantity = Object::new()
        .with("value", value)
        .maybe("comparator", Some(comparator).filter(|sign| !sign.is_empty()))
        .maybe("unit", ucum);
    Some(match ucum {
        Some(code) => quantity.with("system", "http://unitsofmeasure.org").with("code", code),
        None => quantity,
    })
}

/// A dateTime: the date as precisely as it is known. FHIR takes a time only with seconds and a zone, which documents do
/// not say; [`local_time`] has it.
pub(crate) fn date(fact: &Fact<'_>) -> Option<String> {
    if !matches!(fact.spec.kind, FieldType::Date) {
        return None;
    }
    let (date, _) = split(fact.value());
    let digits = |part: &str, length| part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit());
    let mut parts = date.split('-');
    let whole = parts.next().is_some_and(|year| digits(year, 4))
        && parts.next().is_none_or(|month| digits(month, 2))
        && parts.next().is_none_or(|day| digits(day, 2))
        && parts.next().is_none();
    whole.then(|| date.to_owned())
}

/// What stands beside a date whose time is known without its zone, for the member with an underscore.
pub(crate) fn local_time(fact: &Fact<'_>) -> Option<Object> {
    let (_, time) = split(fact.value());
    let spoken = date(fact).and(time)?;
    Some(Object::new().with("extension", vec![extension(own("local-time"), "valueString", spoken)]))
}

fn split(value: &str) -> (&str, Option<&str>) {
    value.split_once('T').map_or((value, None), |(date, time)| (date, Some(time)))
}

/// The period between two facts; `None` without a date.
pub(crate) fn period(start: Option<Fact<'_>>, end: Option<Fact<'_>>) -> Option<Object> {
    let day = |fact: Option<Fact<'_>>| fact.and_then(|fact| date(&fact));
    let (start, end) = (day(start), day(end));
    // A period that ends before it begins is no period; the rules have said so.
    let end = end.filter(|end| start.as_ref().is_none_or(|start| in_order(start, end)));
    (start.is_some() || end.is_some()).then(|| Object::new().maybe("start", start).maybe("end", end))
}

/// True unless `start` is after `end`, as far as both are known.
fn in_order(start: &str, end: &str) -> bool {
    let known = start.len().min(end.len());
    start[..known] <= end[..known]
}

#[cfg(test)]
mod tests {
    use super::{in_order, quantity};
    use crate::json::Node;

    fn shown(number: &str, unit: Option<&str>) -> Option<String> {
        quantity(number, unit).map(|object| String::from_utf8(Node::Object(object).to_file()).unwrap())
    }

    #[test]
    fn a_quantity_keeps_its_comparison_its_digits_and_its_unit() {
        assert_eq!(
            shown("<0.06", Some("g/L")).unwrap().trim_end(),
            r#"{"value":0.06,"comparator":"<","unit":"g/L","system":"http://unitsofmeasure.org","code":"g/L"}"#
        );
        assert_eq!(shown("2.20", None).unwrap().trim_end(), r#"{"value":2.20}"#);
        assert_eq!(shown("Non-reactive", None), None);
        assert_eq!(shown("==5", None), None);
    }

    #[test]
    fn dates_are_compared_as_far_as_both_are_known() {
        assert!(in_order("2026-01", "2026-01-09") && in_order("2026-01-09", "2026"));
        assert!(!in_order("2026-02", "2026-01-09"));
    }
}
