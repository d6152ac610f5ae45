//! How assessments are read. What a real policy finds is tested over TCP.

use aws_sdk_bedrockruntime::types::{
    GuardrailContextualGroundingFilter, GuardrailContextualGroundingFilterType,
    GuardrailContextualGroundingPolicyAction, GuardrailContextualGroundingPolicyAssessment,
    GuardrailOutputContent, GuardrailPiiEntityFilter, GuardrailPiiEntityType,
    GuardrailSensitiveInformationPolicyAction, GuardrailSensitiveInformationPolicyAssessment,
};

use super::*;

fn pii(action: &str, detected: Option<bool>) -> GuardrailAssessment {
    let entity = GuardrailPiiEntityFilter::builder()
        .r#match("Zoë Example")
        .r#type(GuardrailPiiEntityType::Name)
        .action(GuardrailSensitiveInformationPolicyAction::from(action))
        .set_detected(detected)
        .build()
        .unwrap();
    let policy = GuardrailSensitiveInformationPolicyAssessment::builder()
        .pii_entities(entity)
        .set_regexes(Some(Vec::new()))
        .build()
        .unwrap();
    GuardrailAssessment::builder().sensitive_information_policy(policy).build()
}

fn said(action: &str, assessments: Vec<GuardrailAssessment>, text: Option<&str>) -> Assessment {
    let outputs = text.map(|text| GuardrailOutputContent::builder().text(text).build());
    let output = ApplyGuardrailOutput::builder()
        .action(GuardrailAction::from(action))
        .set_assessments(Some(assessments))
        .set_outputs(Some(outputs.into_iter().collect()))
        .build();
    read(output.unwrap(), "Zoë Example had a rash.")
}

#[test]
fn masking_intervenes_and_does_not_block() {
    let masked = said("GUARDRAIL_INTERVENED", vec![pii("ANONYMIZED", None)], Some("{NAME} had a rash."));
    assert!(masked.intervened() && !masked.blocked);
    assert_eq!(masked.text.expose(), "{NAME} had a rash.");
    let blocked = said("GUARDRAIL_INTERVENED", vec![pii("BLOCKED", None)], Some("Not in scope."));
    assert!(blocked.blocked);
    assert_eq!(blocked.text.expose(), "Not in scope.");
}

#[test]
fn an_intervention_that_is_not_explained_blocks() {
    assert!(said("GUARDRAIL_INTERVENED", Vec::new(), Some("x")).blocked, "no finding");
    assert!(said("GUARDRAIL_INTERVENED", vec![pii("ANONYMIZED", None)], None).blocked, "no masked text");
    assert!(said("GUARDRAIL_INTERVENED", vec![pii("SHREDDED", None)], Some("x")).blocked, "a new action");
    assert!(said("INTERRUPTED", Vec::new(), Some("x")).blocked, "a new answer");
}

#[test]
fn what_is_only_reported_goes_on_unchanged() {
    for detected in [None, Some(true)] {
        let reported = said("NONE", vec![pii("NONE", detected)], None);
        assert_eq!(reported.findings[0].action, Action::Detected);
        assert!(!reported.blocked && !reported.intervened());
        assert_eq!(reported.text.expose(), "Zoë Example had a rash.");
    }
    assert_eq!(said("NONE", vec![pii("NONE", Some(false))], None).findings, []);
}

#[test]
fn an_answer_that_follows_well_is_no_finding() {
    let filter = |action: &str| {
        let filter = GuardrailContextualGroundingFilter::builder()
            .r#type(GuardrailContextualGroundingFilterType::Grounding)
            .threshold(0.7)
            .score(0.9)
            .action(GuardrailContextualGroundingPolicyAction::from(action))
            .build();
        let policy = GuardrailContextualGroundingPolicyAssessment::builder().filters(filter.unwrap()).build();
        findings(&GuardrailAssessment::builder().contextual_grounding_policy(policy).build())
    };
    assert_eq!(filter("NONE"), []);
    assert_eq!(filter("BLOCKED")[0].name, "GROUNDING");
}

#[test]
fn nothing_of_a_finding_quotes_the_text() {
    let masked = said("GUARDRAIL_INTERVENED", vec![pii("ANONYMIZED", None)], Some("{NAME} had a rash."));
    let shown = format!("{masked:?}");
    assert!(!shown.contains("Zoë") && shown.contains("\"NAME\""), "{shown}");
}

#[test]
fn only_an_answer_is_held_against_a_source() {
    let content = Content { text: "answer", grounding_source: Some("source"), query: Some(" ") };
    assert_eq!(blocks(Source::Output, content).len(), 2, "a blank query is not sent");
    assert_eq!(blocks(Source::Input, content).len(), 1);
}

#[test]
fn a_guardrail_that_cannot_be_asked_is_asked_again_and_one_that_refuses_waits_for_a_person() {
    let verdict = |error| {
        let failure = failed(error);
        (failure.code, failure.verdict.to_string())
    };
    assert_eq!(verdict(ModelError::TimedOut), ("guardrail.unavailable", "retry".to_owned()));
    assert_eq!(
        verdict(ModelError::Refused { code: "AccessDeniedException".to_owned() }),
        ("guardrail.refused", "parked".to_owned())
    );
}
