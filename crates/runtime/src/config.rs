//! Configuration: defaults, then a file, then the environment, read once at the start.

use std::path::Path;

use serde::{Serialize, de::DeserializeOwned};

/// Prefix of environment variables: `CLINFLOW__BROKER__URL` sets `broker.url`.
const PREFIX: &str = "CLINFLOW";

/// Reads `C`: its `Default`, then `file` if one is named, then the environment. The error names the key.
pub fn load<C: Default + Serialize + DeserializeOwned>(file: Option<&Path>) -> anyhow::Result<C> {
    let mut builder = config::Config::builder().add_source(config::Config::try_from(&C::default())?);
    if let Some(file) = file {
        builder = builder.add_source(config::File::from(file).required(true));
    }
    let environment =
        config::Environment::with_prefix(PREFIX).prefix_separator("__").separator("__").try_parsing(true);
    Ok(builder.add_source(environment).build()?.try_deserialize()?)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jiff::fmt::serde::unsigned_duration::friendly::compact::required as friendly;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Sample {
        #[serde(with = "friendly")]
        wait: Duration,
        name: String,
    }

    impl Default for Sample {
        fn default() -> Self {
            Self { wait: Duration::from_secs(30), name: "default".to_owned() }
        }
    }

    fn load_text(name: &str, text: &str) -> anyhow::Result<Sample> {
        // A file of its own for each test: they run at the same time.
        let file = std::env::temp_dir().join(format!("clinflow-config-{}-{name}.toml", std::process::id()));
        std::fs::write(&file, text)?;
        let loaded = load(Some(&file));
        std::fs::remove_file(&file)?;
        loaded
    }

    #[test]
    fn a_file_overrides_defaults() {
        assert_eq!(
            load_text("known", "wait = \"5m\"\n").unwrap(),
            Sample { wait: Duration::from_secs(300), name: "default".to_owned() }
        );
    }

    #[test]
    fn an_unknown_key_is_named() {
        let error = load_text("unknown", "wiat = \"5m\"\n").unwrap_err().to_string();
        assert!(error.contains("wiat"), "{error}");
    }
}
