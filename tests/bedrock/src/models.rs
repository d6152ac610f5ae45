//! The models that this Bedrock serves, and what each of them refuses.

use crate::error::Refusal;

/// Geographies of inference profiles.
const GEOGRAPHIES: [&str; 8] = ["us", "us-gov", "eu", "apac", "jp", "au", "ca", "global"];

/// A model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Served {
    name: &'static str,
    /// Whether it takes `temperature` and `topP`.
    pub(crate) sampling: bool,
    /// Whether it takes a schema.
    pub(crate) schema: bool,
    /// Whether it thinks before every answer.
    pub(crate) thinks: bool,
    /// Whether its tokens can be counted.
    pub(crate) counts: bool,
    /// The most tokens of an answer.
    pub(crate) most_output: i64,
    /// The most tokens of a request and its answer.
    pub(crate) context: u64,
    /// The fewest tokens that are kept.
    pub(crate) keeps: u64,
}

/// The models. Written down apart from the adapter's own table, so that a mistake in that one is found.
const SERVED: [Served; 8] = [
    served("anthropic.claude-haiku-5-5", false, true, false, 512),
    served("anthropic.claude-sonnet-5-5", false, true, true, 512),
    served("anthropic.claude-opus-5-5", false, false, true, 512),
    served("anthropic.claude-fable-5-1", false, false, true, 512),
    served("anthropic.claude-sonnet-5", false, true, false, 1024),
    Served {
        most_output: 64_000,
        counts: true,
        ..served("anthropic.claude-sonnet-4-6", true, true, false, 1024)
    },
    Served {
        most_output: 64_000,
        context: 200_000,
        counts: true,
        ..served("anthropic.claude-sonnet-4-5-20250929-v1:0", true, true, false, 1024)
    },
    Served {
        most_output: 64_000,
        context: 200_000,
        counts: true,
        ..served("anthropic.claude-haiku-4-5-20251001-v1:0", true, true, false, 4096)
    },
];

const fn served(name: &'static str, sampling: bool, schema: bool, thinks: bool, keeps: u64) -> Served {
    Served { name, sampling, schema, thinks, counts: false, most_output: 128_000, context: 1_000_000, keeps }
}

impl Served {
    /// The model that an id of the path leads to.
    pub(crate) fn find(id: &str) -> Result<&'static Self, Refusal> {
        let named = id.rsplit_once('/').map_or(id, |(_, name)| name);
        let (is_profile, name) = match named.split_once('.') {
            Some((geography, name)) if GEOGRAPHIES.contains(&geography) => (true, name),
            _ => (false, named),
        };
        let served = SERVED.iter().find(|served| served.name == name);
        let served = served.ok_or_else(|| Refusal::invalid("The provided model identifier is invalid."))?;
        if !is_profile {
            return Err(Refusal::invalid(format!(
                "Invocation of model ID {id} with on-demand throughput isn\u{2019}t supported. Retry your request \
                 with the ID or ARN of an inference profile that contains this model."
            )));
        }
        Ok(served)
    }
}
