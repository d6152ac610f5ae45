//! What models and guardrails cost: a table that is data, and a refusal for what is not in it.

mod read;

use std::collections::BTreeMap;

use clinflow_core::id::ObjectHash;
use clinflow_yaml::Problems;
use jiff::Timestamp;

use crate::{NanoUsd, Usage};

/// Prices in pico-dollars a token: a dollar for a million tokens is a million pico-dollars for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Rates {
    input: u64,
    cache_read: u64,
    cache_write_5m: u64,
    cache_write_1h: u64,
    output: u64,
}

impl Rates {
    /// The most that a token of input can cost, whatever becomes of it.
    fn dearest_input(&self) -> u64 {
        self.input.max(self.cache_read).max(self.cache_write_5m).max(self.cache_write_1h)
    }
}

/// What prompts longer than `above` tokens cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Band {
    above: u64,
    rates: Rates,
}

/// What a model costs from some time on.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Row {
    from: Timestamp,
    /// Ascending, the first one above 0.
    bands: Vec<Band>,
}

/// Where a model runs, which its price depends on. Bedrock's ids say it in their prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Endpoint {
    /// One region: no prefix.
    Region,
    /// The regions of one geography: `us.`, `eu.` and so on.
    Geo,
    /// Any region: `global.`.
    Global,
}

impl Endpoint {
    /// Its word in the file.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Region => "region",
            Self::Geo => "geo",
            Self::Global => "global",
        }
    }
}

/// The prefixes of geographies.
const GEOS: [&str; 6] = ["us.", "eu.", "jp.", "au.", "apac.", "ca."];

/// What a guardrail checked, in text units of up to 1,000 characters for each kind of policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct GuardrailUnits {
    /// Content filters.
    pub content: u64,
    /// Denied topics.
    pub topic: u64,
    /// Sensitive information other than by regular expression.
    pub sensitive_information: u64,
    /// Contextual grounding.
    pub contextual_grounding: u64,
}

/// Why there is no price. A call without a price is not made: nothing is ever counted as $0 because it is unknown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unpriced {
    /// Nobody has said what it costs.
    #[error("the price table has no row for `{0}`: add one, or a profile that names the model it stands for")]
    Unknown(String),
    /// Its prices begin later.
    #[error("the price table has no price for `{0}` at this time: add a row that is effective earlier")]
    NotYet(String),
    /// More than can be counted.
    #[error("a call of `{0}` with so many tokens costs more than can be counted")]
    TooLarge(String),
}

/// The prices of models and guardrails.
#[derive(Debug, Clone)]
pub struct PriceTable {
    version: ObjectHash,
    verified: Timestamp,
    models: BTreeMap<(String, Endpoint), Vec<Row>>,
    profiles: BTreeMap<String, String>,
    /// Pico-dollars a text unit, like [`GuardrailUnits`].
    guardrail: [u64; 4],
}

impl PriceTable {
    /// Reads a table. `file` is what its problems call it.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it, by line.
    pub fn read(file: &str, text: &str) -> Result<Self, Problems> {
        read::table(file, text)
    }

    /// The table's own version: the hash of its file. It is written with every cost, so that the cost can be computed
    /// again.
    pub const fn version(&self) -> ObjectHash {
        self.version
    }

    /// The beginning of the day (UTC) on which its prices were last compared with where they come from.
    pub const fn verified(&self) -> Timestamp {
        self.verified
    }

    /// What a call at `at` that used this costs: rounded up, once.
    pub fn price(&self, model: &str, at: Timestamp, usage: Usage) -> Result<NanoUsd, Unpriced> {
        let prompt = usage
            .input
            .saturating_add(usage.cache_read)
            .saturating_add(usage.cache_write_5m)
            .saturating_add(usage.cache_write_1h);
        let rates = self.bands(model, at)?.iter().rev().find(|band| band.above == 0 || prompt > band.above);
        let Some(Band { rates, .. }) = rates else { return Err(Unpriced::NotYet(model.to_owned())) };
        let parts = [
            (usage.input, rates.input),
            (usage.cache_read, rates.cache_read),
            (usage.cache_write_5m, rates.cache_write_5m),
            (usage.cache_write_1h, rates.cache_write_1h),
            (usage.output, rates.output),
        ];
        sum(&parts).ok_or_else(|| Unpriced::TooLarge(model.to_owned()))
    }

    /// What a call at `at` costs at most, if it reads no more than `input_tokens` and answers no more than
    /// `max_output_tokens`: every token of the prompt at the dearest rate that applies to it.
    pub fn upper_bound(
        &self,
        model: &str,
        at: Timestamp,
        input_tokens: u64,
        max_output_tokens: u64,
    ) -> Result<NanoUsd, Unpriced> {
        // A shorter prompt can only be in a band before, which may be dearer if somebody prices it so.
        let reached =
            self.bands(model, at)?.iter().filter(|band| band.above == 0 || input_tokens > band.above);
        let (input, output) = reached.fold((0, 0), |(input, output), Band { rates, .. }| {
            (rates.dearest_input().max(input), rates.output.max(output))
        });
        sum(&[(input_tokens, input), (max_output_tokens, output)])
            .ok_or_else(|| Unpriced::TooLarge(model.to_owned()))
    }

    /// What a guardrail's check costs: rounded up, once.
    pub fn guardrail(&self, units: GuardrailUnits) -> NanoUsd {
        let counts = [units.content, units.topic, units.sensitive_information, units.contextual_grounding];
        let parts: Vec<_> = counts.into_iter().zip(self.guardrail).collect();
        sum(&parts).unwrap_or(NanoUsd::MAX)
    }

    /// The bands that hold for `model` at `at`.
    fn bands(&self, model: &str, at: Timestamp) -> Result<&[Band], Unpriced> {
        let known = self.models.get(&key(self.profiles.get(model).map_or(model, String::as_str)));
        let rows = known.ok_or_else(|| Unpriced::Unknown(model.to_owned()))?;
        let row = rows.iter().rev().find(|row| row.from <= at);
        row.map(|row| row.bands.as_slice()).ok_or_else(|| Unpriced::NotYet(model.to_owned()))
    }
}

/// The row that a model id names: the id without its prefix, and what the prefix says. ARNs of foundation models and of
/// the provider's own profiles end in the id.
fn key(model: &str) -> (String, Endpoint) {
    let id = match model.strip_prefix("arn:").and_then(|arn| arn.rsplit_once('/')) {
        Some((kind, id)) if !kind.ends_with("application-inference-profile") => id,
        _ => model,
    };
    if let Some(id) = id.strip_prefix("global.") {
        return (id.to_owned(), Endpoint::Global);
    }
    match GEOS.iter().find_map(|geo| id.strip_prefix(geo)) {
        Some(id) => (id.to_owned(), Endpoint::Geo),
        None => (id.to_owned(), Endpoint::Region),
    }
}

/// Counts times pico-dollars, in nano-dollars rounded up; `None` beyond what a counter holds.
fn sum(parts: &[(u64, u64)]) -> Option<NanoUsd> {
    let pico: u128 = parts.iter().map(|(count, price)| u128::from(*count) * u128::from(*price)).sum();
    let nano = NanoUsd::new(u64::try_from(pico.div_ceil(1000)).ok()?);
    (nano <= NanoUsd::MAX).then_some(nano)
}

#[cfg(test)]
mod tests;
