//! How requests are written, model by model.

use super::*;

const OWN_WORDS: &str = "Read the document.";

fn writer(model: &str) -> Writer {
    let capabilities = Capabilities::of(model).unwrap();
    Writer { capabilities, cache: Cache::FiveMinutes, guardrail: None }
}

fn request() -> Request {
    Request {
        instructions: OWN_WORDS.to_owned(),
        document: "Rash on day 2.".into(),
        query: "Report the fields.".into(),
        schema: Some(Schema { name: "claims".to_owned(), json: r#"{"type":"object"}"#.to_owned() }),
        max_output_tokens: 4096,
    }
}

/// The texts of the system blocks and whether the last block is a mark.
fn system(writer: &Writer, request: &Request) -> (Vec<String>, bool) {
    let blocks = writer.system(request);
    let texts = blocks.iter().filter_map(|block| block.as_text().ok().cloned()).collect();
    (texts, blocks.last().is_some_and(SystemContentBlock::is_cache_point))
}

#[test]
fn a_model_that_takes_a_schema_gets_it_and_another_reads_it_in_its_instructions() {
    let native = writer("anthropic.claude-sonnet-5-5");
    assert!(native.output(&request()).is_some());
    assert_eq!(system(&native, &request()).0, [OWN_WORDS]);

    let instructed = writer("anthropic.claude-opus-5-5");
    assert_eq!(instructed.output(&request()), None);
    let (texts, _) = system(&instructed, &request());
    assert!(texts[0].starts_with(OWN_WORDS) && texts[0].ends_with(r#"{"type":"object"}"#), "{texts:?}");

    let in_words = Request { schema: None, ..request() };
    assert_eq!(native.output(&in_words), None);
    assert_eq!(system(&instructed, &in_words).0, [OWN_WORDS]);
}

#[test]
fn only_a_model_that_takes_a_temperature_is_told_one_and_no_model_more_tokens_than_it_writes() {
    let much = Request { max_output_tokens: 1_000_000, ..request() };
    let settings = |model: &str| {
        let inference = writer(model).inference(&much);
        (inference.temperature, inference.max_tokens)
    };
    assert_eq!(settings("anthropic.claude-sonnet-5-5"), (None, Some(128_000)));
    assert_eq!(settings("anthropic.claude-sonnet-4-6"), (Some(0.0), Some(64_000)));
}

#[test]
fn instructions_are_marked_for_keeping_when_they_can_be_long_enough() {
    let sonnet = writer("anthropic.claude-sonnet-5-5");
    let long = Request { instructions: "x".repeat(512), ..request() };
    assert!(!system(&sonnet, &request()).1, "18 bytes are never 512 tokens");
    assert!(system(&sonnet, &long).1);
    assert!(!system(&writer("anthropic.claude-haiku-4-5-20251001-v1:0"), &long).1, "it keeps 4,096 and more");
    assert!(!system(&Writer { cache: Cache::Off, ..sonnet.clone() }, &long).1);
    let hour = Writer { cache: Cache::OneHour, ..sonnet };
    let blocks = hour.system(&long);
    assert_eq!(blocks[1].as_cache_point().unwrap().ttl(), Some(&CacheTtl::OneHour));
}

#[test]
fn blocks_of_nothing_but_space_are_not_sent() {
    let empty = Request { instructions: String::new(), document: " \n".into(), ..request() };
    let sonnet = writer("anthropic.claude-sonnet-5-5");
    assert_eq!(sonnet.system(&empty), []);
    assert_eq!(sonnet.messages(&empty)[0].content().len(), 1);
}

#[test]
fn with_a_guardrail_document_and_query_say_what_they_are() {
    let guardrail = Some(GuardrailRef { id: "abcd1234".to_owned(), version: "3".to_owned() });
    let guarded = Writer { guardrail, ..writer("anthropic.claude-sonnet-5-5") };
    let messages = guarded.messages(&request());
    let qualifiers: Vec<_> = messages[0]
        .content()
        .iter()
        .map(|block| block.as_guard_content().unwrap().as_text().unwrap().qualifiers().to_vec())
        .collect();
    assert_eq!(
        qualifiers,
        [vec![Qualifier::GroundingSource, Qualifier::GuardContent], vec![Qualifier::Query]]
    );
    assert_eq!(guarded.guardrail().unwrap().guardrail_version(), "3");
    assert_eq!(writer("anthropic.claude-sonnet-5-5").guardrail(), None);
}

#[test]
fn the_limit_on_tokens_covers_every_byte() {
    // 18 + 14 + 18 bytes of text, 6 + 17 of schema, and the frame.
    assert_eq!(Writer::most_input_tokens(&request()), 50 + 23 + FRAME_TOKENS);
    let wide = Request { document: "é".repeat(10).into(), ..request() };
    assert_eq!(Writer::most_input_tokens(&wide), 56 + 23 + FRAME_TOKENS);
}

#[test]
fn metadata_keeps_to_its_alphabet_and_length() {
    let asker = Asker {
        attempt: "a".repeat(300),
        agent: "ae-report.nlp".to_owned(),
        workflow: "ae(report)\n{1}".to_owned(),
        team: String::new(),
        document: "00ff".to_owned(),
    };
    let metadata = metadata(&asker);
    assert_eq!(metadata["attempt"].len(), 256);
    assert_eq!(metadata["agent"], "ae-report.nlp");
    assert_eq!(metadata["workflow"], "ae_report___1_");
    assert!(!metadata.contains_key("team"), "a value may not be empty");
}
