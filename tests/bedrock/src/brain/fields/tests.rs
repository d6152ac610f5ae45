//! What is said about a document follows from it, and is found again where it was meant.

use serde_json::{Value, json};

use super::{answer, invent, quote};

const STORY: &str = "Rash. Mild rash on 02-FEB-2026. The rash was severe.\nA 61-year-old man took QRS-77. He was \
    treated with meropenem 1 g IV every 8 hours. The pancreatitis resolved on 18-FEB-2026.\n";

fn schema(fields: &[&str]) -> Value {
    json!({"properties": {"claims": {"items": {"properties": {"field": {"enum": fields}}}}}})
}

#[test]
fn every_claim_is_wanted_and_stands_in_the_document_where_its_quote_does() {
    let fields = ["age", "treatment.drug_name", "treatment.dose", "event.event_term", "event.end_date"];
    let answer = answer(STORY, &schema(&fields)).unwrap();
    let claims = answer["claims"].as_array().unwrap();
    assert!(claims.len() >= 3, "{answer}");
    for claim in claims {
        assert!(fields.contains(&claim["field"].as_str().unwrap()), "{claim}");
        let (quote, value) = (claim["quote"].as_str().unwrap(), claim["value"].as_str().unwrap());
        assert!(STORY.contains(quote) && quote.contains(value), "{claim}");
    }
    let drug = claims.iter().find(|claim| claim["field"] == "treatment.drug_name").unwrap();
    assert_eq!((&drug["value"], &drug["index"]), (&json!("meropenem"), &json!(1)));
}

#[test]
fn a_quote_leads_to_its_value_and_not_to_an_earlier_one() {
    let sentences = clinflow_clinical::sentence::split(STORY);
    for (at, words) in STORY.match_indices("rash") {
        let quote = quote(STORY, &sentences, at..at + words.len());
        assert_eq!(STORY.find(quote).unwrap() + quote.find(words).unwrap(), at, "{quote}");
    }
    let again = "5 mg\n5 mg\n5 mg\n";
    let sentences = clinflow_clinical::sentence::split(again);
    let third = quote(again, &sentences, 10..14);
    assert!(
        again.contains(third) && third.contains("5 mg"),
        "no stretch leads there, and it is still a quote"
    );
}

#[test]
fn an_invented_claim_is_of_something_the_document_does_not_say() {
    let schema = schema(&["age", "treatment.drug_name"]);
    let invented = invent(answer(STORY, &schema).unwrap(), &schema).unwrap();
    let claims = invented["claims"].as_array().unwrap();
    let last = claims.last().unwrap();
    assert_eq!(last["field"], "treatment.drug_name");
    assert!(!STORY.contains(last["value"].as_str().unwrap()));
}

#[test]
fn a_schema_that_lists_no_fields_is_refused() {
    assert_eq!(answer(STORY, &json!({})).unwrap_err().name, "ValidationException");
}
