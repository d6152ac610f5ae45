//! Configuration: defaults, then a file, then the environment, read once at the start.

use std::{collections::HashMap, path::Path};

use config::{Environment, File, Source as _};
use serde::{Serialize, de::DeserializeOwned};

/// Prefix of environment variables: `CLINFLOW__BROKER__URL` sets `broker.url`.
const PREFIX: &str = "CLINFLOW";

/// Reads `C`: its `Default`, then `file` if one is named, then the environment. The error names the key.
///
/// A file is written for one program, and `C` may refuse what it does not know. An environment is shared: what it says
/// about sections that only other programs have is for them.
pub fn load<C: Default + Serialize + DeserializeOwned>(file: Option<&Path>) -> anyhow::Result<C> {
    load_from(
        file,
        std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect(),
    )
}

fn load_from<C: Default + Serialize + DeserializeOwned>(
    file: Option<&Path>,
    variables: HashMap<String, String>,
) -> anyhow::Result<C> {
    let defaults = config::Config::try_from(&C::default())?;
    let sections = defaults.collect()?;
    let variables = variables
        .into_iter()
        .filter(|(name, _)| section(name).is_some_and(|section| sections.contains_key(&section)))
        .collect();
    let mut builder = config::Config::builder().add_source(defaults);
    if let Some(file) = file {
        builder = builder.add_source(File::from(file).required(true));
    }
    let environment = Environment::with_prefix(PREFIX)
        .prefix_separator("__")
        .separator("__")
        .try_parsing(true)
        .source(Some(variables));
    Ok(builder.add_source(environment).build()?.try_deserialize()?)
}

/// The section that an environment variable is about: `broker` of `CLINFLOW__BROKER__URL`.
fn section(variable: &str) -> Option<String> {
    let rest = variable.strip_prefix(PREFIX)?.strip_prefix("__")?;
    rest.split("__").next().map(str::to_lowercase)
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

    #[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Program {
        sample: Option<Sample>,
    }

    #[test]
    fn the_environment_may_speak_of_sections_of_other_programs() {
        let variables = [
            ("CLINFLOW__SAMPLE__NAME", "from the environment"),
            ("CLINFLOW__REDIS__URL", "redis://redis:6379"),
            ("PATH", "/bin"),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let program: Program = load_from(None, HashMap::from(variables)).unwrap();
        assert_eq!(program.sample.unwrap().name, "from the environment");
        let wrong = ("CLINFLOW__SAMPLE__NAEM".to_owned(), "x".to_owned());
        let error = load_from::<Program>(None, HashMap::from([wrong])).unwrap_err().to_string();
        assert!(error.contains("naem"), "{error}");
    }

    #[test]
    fn an_unknown_key_is_named() {
        let error = load_text("unknown", "wiat = \"5m\"\n").unwrap_err().to_string();
        assert!(error.contains("wiat"), "{error}");
    }
}
