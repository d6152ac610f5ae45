//! What the rules answer about a report, question by question.

use std::sync::{Arc, LazyLock};

use clinflow_core::{
    AgentId, Evidence, Field, FieldSet, Phi, Role, WorkflowId,
    field::{Alignment, Assertion, Confidence, Offsets, Source},
};
use clinflow_ingest::Text;
use clinflow_workflow::{Bundle, Workflow, shipped};
use proptest::prelude::*;

use super::{Exchange, NOT_SAID, answer};

const REPORT: &str = "\
ADVERSE EVENT REPORT\n\
Subject: QRS-0042   Age: 61 y\n\
Event: acute pancreatitis   Onset: 10-FEB-2026   Ended: 18-FEB-2026   Outcome: Recovered\n\
Event: skin rash   Onset: 12-FEB-2026\n\
Study drug: QRS-77 40 mg PO QD, first given on 02-FEB-2026\n\
\n\
He was given meropenem 1 g IV every 8 hours. There was no evidence of sepsis. His brother had asthma.\n\
If fever occurs, his dose of paracetamol will be 500 mg.\n\
He was discharged on 19-FEB-2026.\n\
> The old dose was 999 mg.\n";

static BUNDLE: LazyLock<Bundle> = LazyLock::new(|| Bundle::read(&shipped()).unwrap());

/// The text with the fields that a validator would let pass.
struct Case {
    text: Text,
    fields: FieldSet,
    workflow: Arc<Workflow>,
}

fn case() -> Case {
    let text = Text {
        schema: Text::SCHEMA.to_owned(),
        media_type: "text/plain".to_owned(),
        text: REPORT.to_owned(),
        pages: Vec::new(),
    };
    let found = [
        ("subject_id", None, "QRS-0042"),
        ("age", None, "61 y"),
        ("event_term", Some(("event", 1)), "acute pancreatitis"),
        ("onset_date", Some(("event", 1)), "10-FEB-2026"),
        ("end_date", Some(("event", 1)), "18-FEB-2026"),
        ("outcome", Some(("event", 1)), "Recovered"),
        ("event_term", Some(("event", 2)), "skin rash"),
        ("onset_date", Some(("event", 2)), "12-FEB-2026"),
        ("drug_name", Some(("suspect_drug", 1)), "QRS-77"),
        ("dose", Some(("suspect_drug", 1)), "40 mg"),
        ("start_date", Some(("suspect_drug", 1)), "02-FEB-2026"),
    ];
    let fields = found.into_iter().map(|(name, repetition, value)| field(name, repetition, value)).collect();
    let workflow = BUNDLE.workflow(&WorkflowId::new("ae-report").unwrap()).unwrap().clone();
    Case { text, fields: FieldSet { fields, ..FieldSet::new(Role::Validator) }, workflow }
}

fn field(name: &str, repetition: Option<(&str, u32)>, value: &str) -> Field {
    let start = REPORT.find(value).unwrap();
    Field {
        name: name.to_owned(),
        group: repetition.map(|(group, _)| group.to_owned()),
        index: repetition.map(|(_, index)| index),
        value: Phi::new(value),
        normalized: None,
        unit: None,
        codes: Vec::new(),
        assertion: Assertion::default(),
        evidence: vec![Evidence {
            span: Offsets::new(REPORT).span(start..start + value.len()),
            page: None,
            status: Alignment::Verbatim,
        }],
        confidence: Confidence::FULL,
        source: Source::Pattern,
        agent_id: AgentId::new("ae-report.extractor").unwrap(),
        invocation_id: uuid::Uuid::from_u128(1),
        model: None,
        findings: Vec::new(),
    }
}

/// The answers to a conversation, each with what it cites.
fn conversation(questions: &[&str]) -> Vec<(String, Vec<String>)> {
    let Case { text, fields, workflow } = case();
    let mut earlier = Vec::new();
    let mut answers = Vec::new();
    for question in questions {
        let (answer, citations) = answer(question, &text, &fields, &workflow, &earlier);
        let cited = |one: &clinflow_core::Citation| match &one.field {
            Some(field) => format!("{field} {}", one.span.of(REPORT).unwrap()),
            None => one.span.of(REPORT).unwrap().to_owned(),
        };
        answers.push((answer.expose().to_owned(), citations.iter().map(cited).collect()));
        earlier.push(Exchange { question: Phi::new(*question), answer, citations });
    }
    answers
}

fn said(question: &str) -> String {
    conversation(&[question]).remove(0).0
}

#[test]
fn what_dose_did_the_patient_receive_is_the_dose_with_its_span() {
    let (answer, cited) = conversation(&["What dose did the patient receive?"]).remove(0);
    assert_eq!(answer, "QRS-77: \"40 mg\"");
    assert_eq!(cited, ["suspect_drug[1].dose 40 mg", "suspect_drug[1].drug_name QRS-77"]);
}

#[test]
fn a_question_is_answered_by_the_field_that_has_all_of_it() {
    for (question, answer) in [
        ("How old is the patient?", "\"61 y\""),
        ("Which adverse events were reported?", "\"acute pancreatitis\"; \"skin rash\""),
        ("When did the pancreatitis begin?", "acute pancreatitis: \"10-FEB-2026\""),
        ("When was the acute pancreatitis over?", "\"18-FEB-2026\""),
        ("When did the events start?", "acute pancreatitis: \"10-FEB-2026\"; skin rash: \"12-FEB-2026\""),
        ("When was the study drug started?", "QRS-77: \"02-FEB-2026\""),
        ("When was QRS-77 first given?", "\"02-FEB-2026\""),
        ("What is the subject number?", "\"QRS-0042\""),
    ] {
        assert_eq!(said(question), answer, "{question}");
    }
}

#[test]
fn what_no_field_has_is_quoted_from_its_sentence() {
    assert_eq!(said("Did the patient have sepsis?"), "\"There was no evidence of sepsis.\"");
    assert_eq!(
        said("What dose of meropenem was given?"),
        "\"1 g\" \"He was given meropenem 1 g IV every 8 hours.\""
    );
    assert_eq!(said("When was he discharged?"), "\"19-FEB-2026\" \"He was discharged on 19-FEB-2026.\"");
}

#[test]
fn what_the_document_does_not_say_is_said_to_be_so() {
    for question in [
        "What is the weight of the patient?",
        "What dose of ibuprofen did the patient receive?",
        "What dose of paracetamol did the patient receive?",
        "When did the headache start?",
        "What is the blood type?",
        "What is the capital of France?",
        "When?",
        "?",
    ] {
        let (answer, cited) = conversation(&[question]).remove(0);
        assert_eq!((answer.as_str(), cited.len()), (NOT_SAID, 0), "{question}");
    }
}

#[test]
fn a_question_is_understood_from_the_one_before_it() {
    let answers =
        conversation(&["What was the first event?", "and when did it start?", "What about the skin rash?"]);
    assert_eq!(answers[1].0, "acute pancreatitis: \"10-FEB-2026\"; skin rash: \"12-FEB-2026\"");
    let answers = conversation(&["What was the outcome of the pancreatitis?", "and when did it end?"]);
    assert_eq!(answers[1].0, "acute pancreatitis: \"18-FEB-2026\"");
    let alone = conversation(&["and when did it end?"]);
    assert_eq!(alone[0].0, "acute pancreatitis: \"18-FEB-2026\"", "only one end is known");
    let other = conversation(&["What was the dose of QRS-77?", "When did it start?"]);
    assert_eq!(other[1].0, "QRS-77: \"02-FEB-2026\"");
}

#[test]
fn a_value_that_was_withheld_is_not_told() {
    let Case { text, mut fields, workflow } = case();
    fields.fields.iter_mut().for_each(|field| field.evidence[0].status = Alignment::Absent);
    let (answer, _) = answer("How old is the patient?", &text, &fields, &workflow, &[]);
    assert_eq!(
        answer.expose(),
        "\"Age: 61 y\" \"Subject: QRS-0042 Age: 61 y\"",
        "from the text, not from the field"
    );
}

#[test]
fn what_the_guardrail_has_masked_in_a_field_stays_masked() {
    let Case { text, mut fields, workflow } = case();
    let mut reporter = field("reporter_name", None, "Subject");
    reporter.value = Phi::new("{NAME}");
    fields.fields.push(reporter);
    let (answer, citations) = answer("Who reported the event?", &text, &fields, &workflow, &[]);
    assert_eq!((answer.expose(), citations.len()), ("\"{NAME}\"", 1));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn everything_an_answer_quotes_stands_where_it_cites(words in prop::collection::vec(
        prop::sample::select(vec![
            "when", "what", "dose", "the", "event", "pancreatitis", "rash", "start", "end", "it", "and", "QRS-77", "how old",
            "who", "outcome", "sepsis", "meropenem", "discharged", "é", "\"", "drug", "route", "9",
        ]), 0..7)) {
        let question = words.join(" ");
        let Case { text, fields, workflow } = case();
        let (first, citations) = answer(&question, &text, &fields, &workflow, &[]);
        prop_assert!(super::super::support::rests_on(first.expose(), &citations, REPORT), "{}", first.expose());
        prop_assert_eq!(first.expose() == NOT_SAID, citations.is_empty());
        let flat = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        for citation in &citations {
            let cited = flat(citation.span.of(REPORT).unwrap());
            prop_assert!(first.expose().contains(&cited), "{cited} is cited and not quoted in {}", first.expose());
        }
        let (again, same) = answer(&question, &text, &fields, &workflow, &[]);
        prop_assert_eq!((first, citations), (again, same));
    }
}
