//! How answers are read.

use std::collections::HashMap;

use aws_sdk_bedrockruntime::types::{
    self as wire, CacheDetail, ConversationRole, GuardrailSensitiveInformationPolicyAction as PiiAction,
    GuardrailSensitiveInformationPolicyAssessment, GuardrailTopic, GuardrailTopicPolicyAction,
    GuardrailTopicPolicyAssessment, GuardrailTopicType, GuardrailTraceAssessment, Message,
    ReasoningContentBlock, ReasoningTextBlock, ToolUseBlock,
};

use super::*;

fn counted(input: i32, read: i32, written: i32, details: &[(CacheTtl, i32)]) -> Usage {
    let detail = |(ttl, tokens): &(CacheTtl, i32)| {
        CacheDetail::builder().ttl(ttl.clone()).input_tokens(*tokens).build().unwrap()
    };
    let tokens = TokenUsage::builder()
        .input_tokens(input)
        .output_tokens(7)
        .total_tokens(input + 7)
        .cache_read_input_tokens(read)
        .cache_write_input_tokens(written)
        .set_cache_details(Some(details.iter().map(detail).collect()))
        .build()
        .unwrap();
    usage(&tokens)
}

#[test]
fn tokens_are_told_apart_by_class() {
    let both = [(CacheTtl::OneHour, 20), (CacheTtl::FiveMinutes, 10)];
    assert_eq!(
        counted(100, 50, 30, &both),
        Usage { input: 100, cache_read: 50, cache_write_5m: 10, cache_write_1h: 20, output: 7 }
    );
}

#[test]
fn what_was_written_and_does_not_add_up_counts_at_the_higher_price() {
    for details in [
        [].as_slice(),
        &[(CacheTtl::FiveMinutes, 29)],
        &[(CacheTtl::FiveMinutes, 20), (CacheTtl::OneHour, 20)],
        &[(CacheTtl::from("2h"), 30)],
    ] {
        let usage = counted(0, 0, 30, details);
        assert_eq!((usage.cache_write_5m, usage.cache_write_1h), (0, 30), "{details:?}");
    }
    assert_eq!(counted(-5, 0, 0, &[]).input, 0, "a negative number is no number of tokens");
}

#[test]
fn every_reason_to_stop_is_known_or_named() {
    let expected = [
        ("end_turn", Stop::Whole),
        ("stop_sequence", Stop::Whole),
        ("max_tokens", Stop::CutOff),
        ("model_context_window_exceeded", Stop::CutOff),
        ("guardrail_intervened", Stop::Blocked),
        ("content_filtered", Stop::Blocked),
        ("malformed_model_output", Stop::Malformed),
        ("malformed_tool_use", Stop::Malformed),
        ("tool_use", Stop::Unknown("tool_use".to_owned())),
        ("paused", Stop::Unknown("paused".to_owned())),
        ("Zoë Example, 1 Test Way", Stop::Unknown("unreadable".to_owned())),
    ];
    for (word, meaning) in expected {
        assert_eq!(stop(&StopReason::from(word), false), meaning, "{word}");
    }
    // All that this version of the SDK knows are above.
    for word in StopReason::values() {
        assert!(expected_words().contains(word), "{word}");
    }
}

fn expected_words() -> [&'static str; 9] {
    [
        "content_filtered",
        "end_turn",
        "guardrail_intervened",
        "malformed_model_output",
        "malformed_tool_use",
        "max_tokens",
        "model_context_window_exceeded",
        "stop_sequence",
        "tool_use",
    ]
}

#[test]
fn only_what_the_model_says_is_its_answer() {
    let thought = ReasoningTextBlock::builder().text("the patient is Zoë").build().unwrap();
    let call = ToolUseBlock::builder().tool_use_id("1").name("x").input(true.into()).build().unwrap();
    let blocks = vec![
        ContentBlock::ReasoningContent(ReasoningContentBlock::ReasoningText(thought)),
        ContentBlock::Text("{\"claims\":".to_owned()),
        ContentBlock::ToolUse(call),
        ContentBlock::Text("[]}".to_owned()),
    ];
    assert_eq!(text(blocks), r#"{"claims":[]}"#);
}

fn answer(text: Option<&str>, usage: Option<TokenUsage>) -> ConverseOutput {
    let message = Message::builder()
        .role(ConversationRole::Assistant)
        .set_content(Some(text.map(|text| ContentBlock::Text(text.to_owned())).into_iter().collect()))
        .build()
        .unwrap();
    ConverseOutput::builder()
        .output(wire::ConverseOutput::Message(message))
        .stop_reason(StopReason::EndTurn)
        .set_usage(usage)
        .build()
        .unwrap()
}

#[test]
fn an_answer_without_its_bill_is_no_answer_and_one_without_words_is_malformed() {
    let bill = TokenUsage::builder().input_tokens(3).output_tokens(2).total_tokens(5).build().unwrap();
    let error = read(answer(Some("{}"), None)).unwrap_err();
    assert!(error.may_be_billed());
    assert_eq!(read(answer(None, Some(bill.clone()))).unwrap().stop, Stop::Malformed);
    let whole = read(answer(Some("{}"), Some(bill))).unwrap();
    assert_eq!((whole.stop, whole.usage.input, whole.text.expose()), (Stop::Whole, 3, "{}"));
}

/// What a guardrail did to an answer: an action on a name, and whether a topic was blocked.
fn trace(pii: PiiAction, topic: Option<GuardrailTopicPolicyAction>) -> GuardrailTraceAssessment {
    let entity = wire::GuardrailPiiEntityFilter::builder()
        .r#match("Zoë Example")
        .r#type(wire::GuardrailPiiEntityType::Name)
        .action(pii)
        .build()
        .unwrap();
    let pii = GuardrailSensitiveInformationPolicyAssessment::builder()
        .pii_entities(entity)
        .set_regexes(Some(Vec::new()))
        .build()
        .unwrap();
    let topic = topic.map(|action| {
        let topic = GuardrailTopic::builder()
            .name("ClinicalTreatmentAdvice")
            .r#type(GuardrailTopicType::Deny)
            .action(action)
            .build()
            .unwrap();
        GuardrailTopicPolicyAssessment::builder().topics(topic).build().unwrap()
    });
    let assessment =
        GuardrailAssessment::builder().sensitive_information_policy(pii).set_topic_policy(topic).build();
    GuardrailTraceAssessment::builder()
        .set_output_assessments(Some(HashMap::from([("abcd1234".to_owned(), vec![assessment])])))
        .build()
}

#[test]
fn an_answer_with_something_masked_is_whole_and_one_with_something_blocked_is_blocked() {
    let stop_of = |trace: GuardrailTraceAssessment| {
        let bill = TokenUsage::builder().input_tokens(3).output_tokens(2).total_tokens(5).build().unwrap();
        let mut answer = answer(Some("{NAME} had a rash."), Some(bill));
        answer.stop_reason = StopReason::GuardrailIntervened;
        answer.trace = Some(ConverseTrace::builder().guardrail(trace).build());
        read(answer).unwrap().stop
    };
    assert_eq!(stop_of(trace(PiiAction::Anonymized, None)), Stop::Whole);
    assert_eq!(stop_of(trace(PiiAction::Blocked, None)), Stop::Blocked);
    assert_eq!(stop_of(trace(PiiAction::None, None)), Stop::Blocked, "something intervened, unseen");
    let blocked = Some(GuardrailTopicPolicyAction::Blocked);
    assert_eq!(stop_of(trace(PiiAction::Anonymized, blocked)), Stop::Blocked);
    let reported = Some(GuardrailTopicPolicyAction::None);
    assert_eq!(stop_of(trace(PiiAction::Anonymized, reported)), Stop::Whole);
}
