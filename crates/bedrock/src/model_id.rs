//! Ids of models: which model an id or an ARN leads to.

/// Geographies that an inference profile can stand for: they come before the model's id and say where documents go.
const GEOGRAPHIES: [&str; 8] = ["us", "us-gov", "eu", "apac", "jp", "au", "ca", "global"];

/// An id or an ARN, read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ModelId<'a> {
    /// A model of one region: `anthropic.claude-sonnet-4-6`.
    Model(&'a str),
    /// A model through an inference profile of a geography: `us.anthropic.claude-sonnet-4-6`.
    Profile {
        /// The geography.
        geography: &'a str,
        /// The model.
        model: &'a str,
    },
    /// An application inference profile, whose id says nothing.
    Opaque,
}

impl<'a> ModelId<'a> {
    /// Reads an id or an ARN.
    pub(crate) fn read(id: &'a str) -> Self {
        let name = if id.starts_with("arn:") {
            match id.rsplit_once('/') {
                Some((kind, name)) if !kind.ends_with(":application-inference-profile") => name,
                _ => return Self::Opaque,
            }
        } else {
            id
        };
        match name.split_once('.') {
            Some((geography, model)) if GEOGRAPHIES.contains(&geography) => {
                Self::Profile { geography, model }
            }
            _ => Self::Model(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ModelId::{self, Model, Opaque, Profile};

    #[test]
    fn a_geography_is_told_from_a_provider() {
        assert_eq!(
            ModelId::read("us.anthropic.claude-sonnet-5-5"),
            Profile { geography: "us", model: "anthropic.claude-sonnet-5-5" }
        );
        assert_eq!(
            ModelId::read("anthropic.claude-haiku-4-5-20251001-v1:0"),
            Model("anthropic.claude-haiku-4-5-20251001-v1:0")
        );
    }

    #[test]
    fn an_arn_is_read_to_the_model_where_it_names_one() {
        let arn = |rest: &str| format!("arn:aws:bedrock:eu-west-1:111122223333:{rest}");
        assert_eq!(
            ModelId::read(&arn("inference-profile/eu.anthropic.claude-sonnet-5-5")),
            Profile { geography: "eu", model: "anthropic.claude-sonnet-5-5" }
        );
        assert_eq!(ModelId::read(&arn("application-inference-profile/a1b2c3")), Opaque);
        assert_eq!(ModelId::read("arn:aws:bedrock"), Opaque);
    }
}
