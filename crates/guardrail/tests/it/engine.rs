//! What the engine promises about masking, blocking and reporting, whatever the text.

use std::time::Instant;

use clinflow_guardrail::{Action, Content, Engine, PiiType, Policy, PolicyKind, Source, redact};
use proptest::prelude::*;

const POLICY: &str = include_str!("../../../../workflows/guardrails/pharma-clinical.yaml");

fn engine() -> Engine {
    Engine::new(Policy::read("pharma-clinical.yaml", POLICY).unwrap())
}

fn engine_with(section: &str) -> Engine {
    let yaml = format!("Name: p\nBlockedInputMessaging: in\nBlockedOutputsMessaging: out\n{section}");
    Engine::new(Policy::read("p.yaml", &yaml).unwrap())
}

#[test]
fn the_two_messages_are_the_configured_ones() {
    let engine = engine();
    let input = engine.assess(Source::Input, &Content::of("What dose should this patient receive?"));
    assert!(input.blocked && input.intervened());
    assert_eq!(
        input.text.expose(),
        "This query is outside the permitted scope for clinical data processing."
    );
    let output = engine.assess(Source::Output, &Content::of("You should double the dose."));
    assert_eq!(
        output.text.expose(),
        "This response was blocked by compliance policy. Please contact your data ops team."
    );
    let record = engine.assess(Source::Input, &Content::of("What dose did the patient receive?"));
    assert!(!record.blocked && record.findings.is_empty());
}

#[test]
fn masked_intervenes_and_does_not_block() {
    let text = "Zoë: reporter Dr. Amelia Hartwell, a.hartwell@example.org";
    let masked = engine().assess(Source::Output, &Content::of(text));
    assert!(masked.intervened() && !masked.blocked);
    assert_eq!(masked.text.expose(), "Zoë: reporter Dr. {NAME}, {EMAIL}");
    let found: Vec<_> =
        masked.findings.iter().map(|one| (one.name.as_str(), one.span.unwrap().of(text).unwrap())).collect();
    assert_eq!(found, [("EMAIL", "a.hartwell@example.org"), ("NAME", "Amelia Hartwell")]);
}

#[test]
fn none_reports_and_leaves_the_text_alone() {
    let engine = engine_with(
        "SensitiveInformationPolicyConfig: {PiiEntitiesConfig: [{Type: EMAIL, Action: NONE}]}\n\
         WordPolicyConfig: {WordsConfig: [{Text: quelmirant, InputAction: NONE}]}\n",
    );
    let text = "Quelmirant: a@example.org";
    let assessment = engine.assess(Source::Input, &Content::of(text));
    assert_eq!(assessment.text.expose(), text);
    assert!(!assessment.intervened() && !assessment.blocked);
    assert!(assessment.findings.iter().all(|one| one.action == Action::Detected));
    assert_eq!(assessment.findings.len(), 2);
    assert!(engine.assess(Source::Output, &Content::of(text)).blocked, "the other side blocks by default");
}

#[test]
fn a_side_that_is_not_enabled_is_not_looked_at() {
    let engine = engine_with("WordPolicyConfig: {WordsConfig: [{Text: quelmirant, InputEnabled: false}]}\n");
    assert!(engine.assess(Source::Input, &Content::of("quelmirant")).findings.is_empty());
    assert!(engine.assess(Source::Output, &Content::of("quelmirant")).blocked);
}

#[test]
fn words_are_whole_and_in_any_case_and_seen_through_invisible_characters() {
    let blocked = |text: &str| engine().assess(Source::Input, &Content::of(text)).blocked;
    assert!(blocked("QUELMIRANT was given"));
    assert!(blocked("quel\u{200b}mirant was given"));
    assert!(!blocked("quelmirants were given"));
}

#[test]
fn a_value_whose_field_says_what_it_holds_is_masked_whole() {
    let engine = engine();
    let value = engine.value(Some(PiiType::Name), "xu");
    assert_eq!((value.text.expose(), value.blocked), ("{NAME}", false));
    assert_eq!(engine.value(None, "xu").text.expose(), "xu");
    assert_eq!(engine.value(Some(PiiType::Name), "{NAME}").findings, []);
    assert!(engine.value(Some(PiiType::UsSocialSecurityNumber), "1").blocked);
    assert_eq!(engine.value(Some(PiiType::Age), "57").text.expose(), "57", "the policy does not name it");
}

#[test]
fn other_topics_are_known_by_their_examples() {
    let engine = engine_with(
        "TopicPolicyConfig: {TopicsConfig: [{Name: Pricing, Definition: Prices of products., Type: DENY, Examples: [What does the product cost per pack?]}]}\n",
    );
    let blocked = |text: &str| engine.assess(Source::Input, &Content::of(text)).blocked;
    assert!(blocked("What does one pack of the product cost?"));
    assert!(!blocked("What does the protocol require?"));
}

#[test]
fn findings_never_hold_what_was_found() {
    let assessment = engine().assess(Source::Input, &Content::of("Patient name: Jane Roe, SSN 457-55-5462"));
    assert!(assessment.blocked);
    let shown = format!("{assessment:?}");
    assert!(!shown.contains("Roe") && !shown.contains("5462"), "{shown}");
    assert!(assessment.findings.iter().any(|one| one.policy == PolicyKind::SensitiveInformation));
}

/// A hundred times the text takes about a hundred times as long, for texts made to be tried again and again.
#[test]
fn hostile_texts_take_time_in_proportion_to_their_length() {
    let engine = engine();
    for piece in [
        "a@",
        "1-",
        "Dr. A ",
        "{NAME} ",
        "(555) ",
        "https://",
        "DOB: 1 ",
        "A. ",
        "should ignore ",
        "no 1 mg ",
        "Aa Aa 1 ",
    ] {
        let time = |times: usize| {
            let text = piece.repeat(times);
            let start = Instant::now();
            let _ = engine.assess(
                Source::Output,
                &Content { text: &text, grounding_source: Some(&text), query: Some("what?") },
            );
            let _ = redact(&text);
            start.elapsed().as_secs_f64()
        };
        time(10);
        let (short, long) = (time(1_000), time(8_000));
        // Eight times the text; quadratic would be 64 times.
        assert!(long < 32.0 * short + 0.2, "{piece:?}: {short:.3} s and {long:.3} s");
    }
}

/// Texts made of what is found, what nearly is, and what is not.
fn texts() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "Patient name: ",
        "Dr. ",
        "Jane Roe",
        "Zoë",
        "Hartwell",
        "O'Brien",
        ", ",
        " ",
        "\n",
        "a.roe@example.org",
        "617-555-0142",
        "+44 20 7946 0958",
        "48 Larkspur Avenue",
        "Springfield, IL 62704",
        "457-55-5462",
        "DOB: ",
        "12-MAR-1961",
        "MRN: ",
        "00482913",
        "{NAME}",
        "}",
        "{",
        "5 mg",
        "Crohn's disease",
        "\u{200b}",
        "é",
        "1",
        "seen at ",
        "Mercy Clinic",
        "Name: ",
        "ROE, JANE",
        "Address: ",
        "www.example.org",
        "J. ",
        "4111 1111 1111 1111",
    ]);
    prop::collection::vec(pieces, 0..14).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn masking_is_idempotent_keeps_offsets_and_leaves_no_match_behind(text in texts()) {
        let policy = POLICY.replace("US_SOCIAL_SECURITY_NUMBER, Action: BLOCK", "US_SOCIAL_SECURITY_NUMBER, Action: ANONYMIZE");
        let engine = Engine::new(Policy::read("p", &policy).unwrap());
        let once = engine.assess(Source::Output, &Content::of(&text));
        prop_assert!(!once.blocked);
        let twice = engine.assess(Source::Output, &Content::of(once.text.expose()));
        prop_assert_eq!(twice.text.expose(), once.text.expose());
        // Replacing what the findings say, where they say it, gives the masked text.
        let mut spans: Vec<_> = once.findings.iter().map(|one| (one.span.unwrap(), one.name.clone())).collect();
        spans.sort_by_key(|(span, _)| span.byte_start);
        let mut rebuilt = String::new();
        let mut end = 0;
        for (span, name) in &spans {
            prop_assert!(span.byte_start >= end);
            prop_assert_eq!(text[..span.byte_start].chars().count(), span.start);
            rebuilt += &text[end..span.byte_start];
            rebuilt += &format!("{{{name}}}");
            end = span.byte_end;
        }
        rebuilt += &text[end..];
        prop_assert_eq!(once.text.expose(), rebuilt.as_str());
        for (span, _) in &spans {
            let raw = span.of(&text).unwrap();
            let left = once.text.expose().match_indices(raw).any(|(at, _)| {
                let joined = |one: Option<char>, other: Option<char>| one.is_some_and(char::is_alphanumeric) && other.is_some_and(char::is_alphanumeric);
                let masked = once.text.expose();
                !joined(masked[..at].chars().next_back(), raw.chars().next()) && !joined(raw.chars().next_back(), masked[at + raw.len()..].chars().next())
            });
            prop_assert!(raw.len() < 4 || raw.contains('{') || !left, "{raw:?} is left in {:?}", once.text.expose());
        }
    }

    #[test]
    fn redacting_is_idempotent_and_keeps_offsets(text in texts()) {
        let once = redact(&text);
        let twice = redact(once.text.expose());
        prop_assert_eq!(twice.text.expose(), once.text.expose());
        let mut end = 0;
        let mut rebuilt = String::new();
        for one in &once.spans {
            rebuilt += &text[end..one.span.byte_start];
            rebuilt += &one.replacement;
            end = one.span.byte_end;
        }
        rebuilt += &text[end..];
        prop_assert_eq!(rebuilt.as_str(), once.text.expose());
    }

    #[test]
    fn no_text_makes_the_engine_panic(text in "\\PC{0,120}", source in "\\PC{0,80}") {
        let engine = engine();
        let content = Content { text: &text, grounding_source: Some(&source), query: Some(&source) };
        let _ = engine.assess(Source::Output, &content);
        let _ = engine.assess(Source::Input, &content);
        let _ = redact(&text);
        let _ = clinflow_guardrail::grounding::locate(&source, &text);
    }
}
