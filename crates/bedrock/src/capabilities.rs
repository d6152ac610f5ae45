//! What each model takes and gives: the table in `models.yaml`, and finding a model in it.

use std::sync::LazyLock;

use anyhow::{Context as _, bail, ensure};
use serde::Deserialize;

use crate::{Config, model_id::ModelId};

/// What a model takes and gives.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Capabilities {
    /// Its id without a geography.
    pub model: String,
    /// How many tokens it reads at most, answer included.
    pub context_tokens: u64,
    /// How many it writes at most.
    pub max_output_tokens: u32,
    /// The shortest text that prompt caching keeps; `None` where there is no caching.
    pub cache_minimum_tokens: Option<u64>,
    /// How it is told to follow a JSON Schema.
    pub structured_output: StructuredOutput,
    /// Whether it takes a temperature.
    pub sampling: bool,
    /// Whether it always thinks before it answers; what it thinks is billed as output.
    pub thinking: bool,
    /// Whether it can be called only through an inference profile.
    pub inference_profile: bool,
    /// Whether `CountTokens` knows it.
    pub count_tokens: bool,
    /// What is known of its tokenizer, for people.
    pub tokenizer: String,
}

/// How a model is told to follow a JSON Schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum StructuredOutput {
    /// As `outputConfig.textFormat`: it cannot write anything else.
    Native,
    /// In its instructions: it may not follow them.
    Instructed,
}

/// The table.
static TABLE: LazyLock<Vec<Capabilities>> = LazyLock::new(|| {
    serde_saphyr::from_str(include_str!("../models.yaml"))
        .expect("the table is compiled in, and every test of this file reads it")
});

impl Capabilities {
    /// The row of a model's id without a geography.
    pub fn of(model: &str) -> Option<&'static Self> {
        TABLE.iter().find(|row| row.model == model)
    }
}

/// The id whose price is paid, and the row of the model that `config` asks for, or what is wrong with it.
pub(crate) fn find(config: &Config) -> anyhow::Result<(String, &'static Capabilities)> {
    ensure!(
        !config.model.is_empty(),
        "no model is configured: set `model`, for example to `us.anthropic.claude-sonnet-5-5`"
    );
    let named = match (ModelId::read(&config.model), &config.stands_for) {
        (ModelId::Opaque, None) => bail!(
            "`{}` does not say which model it leads to: set `stands_for` to that model's id, for example `us.anthropic.claude-sonnet-5-5`",
            config.model
        ),
        (ModelId::Opaque, Some(stands_for)) => stands_for.as_str(),
        (_, Some(_)) => bail!(
            "`stands_for` is only for the ARN of an application inference profile; `{}` names its model",
            config.model
        ),
        (ModelId::Model(_) | ModelId::Profile { .. }, None) => config.model.as_str(),
    };
    let (geography, model) = match ModelId::read(named) {
        ModelId::Model(model) => (None, model),
        ModelId::Profile { geography, model } => (Some(geography), model),
        ModelId::Opaque => bail!("`stands_for` is `{named}`: give the id of a model"),
    };
    let row = Capabilities::of(model).with_context(|| {
        let known = TABLE.iter().map(|row| row.model.as_str()).collect::<Vec<_>>().join("`, `");
        format!("the model `{model}` is not in the table of models: use one of `{known}`, or add its row to crates/bedrock/models.yaml")
    })?;
    ensure!(
        geography.is_some() || !row.inference_profile,
        "the model `{model}` is called through an inference profile only: put a geography in front, for example `us.{model}`, `eu.{model}` or `global.{model}`"
    );
    let priced = geography.map_or_else(|| model.to_owned(), |geography| format!("{geography}.{model}"));
    Ok((priced, row))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(model: &str, stands_for: Option<&str>) -> Result<(String, &'static str), String> {
        let config = Config {
            model: model.to_owned(),
            stands_for: stands_for.map(str::to_owned),
            ..Config::default()
        };
        find(&config).map(|(id, row)| (id, row.model.as_str())).map_err(|error| error.to_string())
    }

    #[test]
    fn every_row_can_be_used() {
        assert_eq!(TABLE.len(), 8);
        for row in TABLE.iter() {
            assert!(u64::from(row.max_output_tokens) < row.context_tokens, "{}", row.model);
            assert_eq!(Capabilities::of(&row.model), Some(row), "two rows for {}", row.model);
            assert!(
                !(row.thinking && row.sampling),
                "{}: a model that thinks takes no temperature",
                row.model
            );
        }
    }

    #[test]
    fn a_model_is_found_by_its_id_and_by_its_profiles() {
        for id in ["us.anthropic.claude-sonnet-5-5", "global.anthropic.claude-sonnet-5-5"] {
            assert_eq!(found(id, None).unwrap(), (id.to_owned(), "anthropic.claude-sonnet-5-5"));
        }
        let arn = "arn:aws:bedrock:us-east-1:111122223333:inference-profile/us.anthropic.claude-haiku-5-5";
        assert_eq!(
            found(arn, None).unwrap(),
            ("us.anthropic.claude-haiku-5-5".to_owned(), "anthropic.claude-haiku-5-5")
        );
    }

    #[test]
    fn an_application_profile_takes_the_row_and_the_price_of_what_it_stands_for() {
        let arn = "arn:aws:bedrock:us-east-1:111122223333:application-inference-profile/a1b2c3";
        assert_eq!(
            found(arn, Some("us.anthropic.claude-haiku-5-5")).unwrap(),
            ("us.anthropic.claude-haiku-5-5".to_owned(), "anthropic.claude-haiku-5-5")
        );
        assert!(found(arn, None).unwrap_err().contains("set `stands_for`"));
        assert!(found(arn, Some(arn)).unwrap_err().contains("give the id of a model"));
        assert!(
            found("us.anthropic.claude-haiku-5-5", Some("us.anthropic.claude-haiku-5-5"))
                .unwrap_err()
                .contains("only for the ARN")
        );
    }

    #[test]
    fn an_unknown_model_and_a_model_without_its_profile_are_refused_with_what_to_do() {
        let unknown = found("us.anthropic.claude-sonnet-9", None).unwrap_err();
        assert!(unknown.contains("`anthropic.claude-sonnet-9` is not in the table"), "{unknown}");
        assert!(unknown.contains("`anthropic.claude-haiku-5-5`"), "{unknown}");
        let bare = found("anthropic.claude-opus-5-5", None).unwrap_err();
        assert!(bare.contains("`us.anthropic.claude-opus-5-5`"), "{bare}");
        assert!(found("", None).unwrap_err().contains("set `model`"));
    }
}
