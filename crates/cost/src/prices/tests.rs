//! Prices to the nano-dollar, what has none, and tables with mistakes.

use jiff::Timestamp;
use proptest::prelude::*;

use super::{GuardrailUnits, PriceTable, Unpriced};
use crate::{NanoUsd, Usage};

const SHIPPED: &str = include_str!("../../../../workflows/prices.yaml");
const SONNET: &str = "us.anthropic.claude-sonnet-5-5";
const HAIKU: &str = "us.anthropic.claude-haiku-5-5";

fn shipped() -> PriceTable {
    PriceTable::read("prices.yaml", SHIPPED).unwrap()
}

fn now() -> Timestamp {
    "2026-11-23T00:00:00Z".parse().unwrap()
}

fn problems(text: &str) -> Vec<String> {
    PriceTable::read("prices.yaml", text).unwrap_err().0.iter().map(ToString::to_string).collect()
}

#[test]
fn every_class_of_token_has_its_price_and_the_sum_is_rounded_up_once() {
    let usage =
        Usage { input: 1_000, cache_read: 2_000, cache_write_5m: 3_000, cache_write_1h: 4_000, output: 500 };
    // 1000 x 2.20 + 2000 x 0.11 + 3000 x 2.75 + 4000 x 4.40 + 500 x 11.00, in millionths of a dollar.
    assert_eq!(shipped().price(SONNET, now(), usage), Ok(NanoUsd::new(33_770_000)));
    // 11,000 pico-dollars a cached token: 11 nano-dollars; at a tenth of a cent for a million, a token rounds up.
    let one = Usage { cache_read: 1, ..Usage::default() };
    assert_eq!(shipped().price(HAIKU, now(), one), Ok(NanoUsd::new(11)));
    assert_eq!(shipped().price(HAIKU, now(), Usage { input: 1, ..one }), Ok(NanoUsd::new(121)));
    let odd = SHIPPED.replace("cache_read: 0.011,", "cache_read: 0.000001,");
    let odd = PriceTable::read("prices.yaml", &odd).unwrap();
    assert_eq!(odd.price(HAIKU, now(), one), Ok(NanoUsd::new(1)), "a pico-dollar is rounded up");
    assert_eq!(odd.price(HAIKU, now(), Usage::default()), Ok(NanoUsd::ZERO));
}

#[test]
fn a_long_prompt_is_in_a_dearer_band_with_all_of_its_tokens() {
    let of = |input, cache_read| Usage { input, cache_read, ..Usage::default() };
    assert_eq!(shipped().price(HAIKU, now(), of(100_000, 0)), Ok(NanoUsd::new(11_000_000)));
    assert_eq!(shipped().price(HAIKU, now(), of(100_001, 0)), Ok(NanoUsd::new(55_000_550)));
    assert_eq!(
        shipped().price(HAIKU, now(), of(100_000, 1)),
        Ok(NanoUsd::new(55_000_055)),
        "what is read from the cache is a part of the prompt"
    );
}

#[test]
fn the_place_of_a_model_is_a_part_of_its_price_and_arns_name_the_same_row() {
    let usage = Usage { input: 1_000_000, ..Usage::default() };
    let price = |model| shipped().price(model, now(), usage);
    assert_eq!(price("global.anthropic.claude-sonnet-5-5"), Ok(NanoUsd::new(2_000_000_000)));
    assert_eq!(price("eu.anthropic.claude-sonnet-5-5"), Ok(NanoUsd::new(2_200_000_000)));
    let arn = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-5-5";
    assert_eq!(price(arn), Ok(NanoUsd::new(2_200_000_000)));
}

#[test]
fn what_has_no_row_has_no_price_and_never_costs_nothing() {
    let table = shipped();
    let usage = Usage { input: 1, ..Usage::default() };
    for model in ["anthropic.claude-sonnet-5-5", "us.anthropic.claude-9", "", "us."] {
        assert_eq!(table.price(model, now(), usage), Err(Unpriced::Unknown(model.to_owned())));
        assert_eq!(table.upper_bound(model, now(), 1, 1), Err(Unpriced::Unknown(model.to_owned())));
    }
    let profile = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc";
    assert_eq!(table.price(profile, now(), usage), Err(Unpriced::Unknown(profile.to_owned())));
    let known = format!("{SHIPPED}\nprofiles:\n  {profile}: {SONNET}\n");
    let known = PriceTable::read("prices.yaml", &known).unwrap();
    assert_eq!(known.price(profile, now(), usage), table.price(SONNET, now(), usage));
    let before = "2026-09-27T23:59:59Z".parse().unwrap();
    assert_eq!(table.price(SONNET, before, usage), Err(Unpriced::NotYet(SONNET.to_owned())));
    let much = Usage { input: u64::MAX, ..usage };
    assert_eq!(table.price(SONNET, now(), much), Err(Unpriced::TooLarge(SONNET.to_owned())));
}

#[test]
fn a_later_row_holds_from_its_day_and_the_version_changes_with_the_file() {
    let row = "
  - model: anthropic.claude-sonnet-5-5
    endpoints: [geo]
    effective_from: 2027-01-01
    source: a price list
    bands: [{ input: 1, cache_read: 1, cache_write_5m: 1, cache_write_1h: 1, output: 1 }]

guardrail:";
    let table = PriceTable::read("prices.yaml", &SHIPPED.replace("\nguardrail:", row)).unwrap();
    let usage = Usage { input: 1_000_000, ..Usage::default() };
    let at = |text: &str| table.price(SONNET, text.parse().unwrap(), usage).unwrap().get();
    assert_eq!(at("2026-12-31T23:59:59Z"), 2_200_000_000);
    assert_eq!(at("2027-01-01T00:00:00Z"), 1_000_000_000);
    assert_ne!(table.version(), shipped().version());
    assert_eq!(shipped().verified().to_string(), "2026-11-22T00:00:00Z");
}

#[test]
fn a_guardrail_costs_by_the_thousand_text_units() {
    let units = GuardrailUnits {
        content: 1_000,
        topic: 1_000,
        sensitive_information: 1_000,
        contextual_grounding: 1_000,
    };
    assert_eq!(shipped().guardrail(units), NanoUsd::new(500_000_000));
    assert_eq!(shipped().guardrail(GuardrailUnits { topic: 1, ..Default::default() }), NanoUsd::new(150_000));
}

#[test]
fn every_mistake_is_named_with_its_line() {
    let bad = SHIPPED
        .replacen("input: 0.11,", "input: eleven,", 1)
        .replacen("endpoints: [global]", "endpoints: [mars]", 1)
        .replacen("effective_from: 2026-09-28", "effective_from: soon", 1);
    let at = |needle: &str| bad.lines().position(|line| line.contains(needle)).unwrap() + 1;
    let expected = [
        format!("prices.yaml:{}: `models[0].bands[0].input`: expected a number, found a text", at("eleven")),
        format!(
            "prices.yaml:{}: `models[1].endpoints[0]`: unknown endpoint `mars`; expected one of region, geo, global",
            at("mars")
        ),
        format!(
            "prices.yaml:{}: `models[2].effective_from`: expected the date from which the price holds: `2026-10-07`",
            at("soon")
        ),
    ];
    let found = problems(&bad);
    assert_eq!(found, expected);
}

#[test]
fn a_missing_price_a_negative_one_and_a_word_too_many_are_mistakes() {
    let has = |text: &str, what: &str| {
        let found = problems(text);
        assert!(found.iter().any(|problem| problem.contains(what)), "{what}: {found:?}");
    };
    has(&SHIPPED.replacen("cache_read: 0.011, ", "", 1), "`cache_read` is missing");
    let band = "prices.yaml:20: `models[0].bands[1]`: the first band has no `above`, and every further one a higher one";
    has(&SHIPPED.replacen("above: 100000", "above: 0", 1), band);
    has(
        &SHIPPED.replacen("- { input: 0.11,", "- { above: 5, input: 0.11,", 1),
        "`models[0].bands[0]`: the first band",
    );
    has(&SHIPPED.replacen("output: 0.55", "output: -0.55", 1), "`-0.55` is no amount");
    has(&SHIPPED.replacen("output: 0.55", "output: 0.5555555", 1), "more than 6 decimals");
    has(&SHIPPED.replacen("output: 0.55", "output: 0.55, free: 1", 1), "unknown key `free`");
    has(&format!("{SHIPPED}\nprofiles: {{ x: us.nothing }}\n"), "no row for the model `us.nothing`");
    has(&SHIPPED.replace("2026-09-28", "2026-09-2"), "expected the date");
    has("models: []\n", "`guardrail` is missing");
    has(
        &SHIPPED.replace("verified: 2026", "verified: 26"),
        "expected the date on which the prices were checked",
    );
    has(&SHIPPED.replace("verified: ", "# verified: "), "`verified` is missing");
    has(": [", "not readable as YAML");
}

proptest! {
    /// Whatever a call within its bounds uses, it costs no more than its upper bound.
    #[test]
    fn no_call_costs_more_than_its_upper_bound(
        classes in prop::array::uniform4(0u64..60_000), output in 0u64..8_000, spare in 0u64..50_000, haiku: bool,
    ) {
        let [input, cache_read, cache_write_5m, cache_write_1h] = classes;
        let usage = Usage { input, cache_read, cache_write_5m, cache_write_1h, output };
        let model = if haiku { HAIKU } else { SONNET };
        let prompt: u64 = classes.iter().sum();
        let bound = shipped().upper_bound(model, now(), prompt + spare, output).unwrap();
        prop_assert!(shipped().price(model, now(), usage).unwrap() <= bound);
    }
}
