//! Who does the work, and on which lane it travels.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A part of the pipeline. Queue names, metric labels, Kubernetes names and agent ids all derive from
/// [`Role::as_str`]; nothing else spells them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Takes documents and questions in, shows executions.
    Gateway,
    /// Reads the document's text and decides which workflow it belongs to.
    Classifier,
    /// Finds fields by pattern.
    Extractor,
    /// Finds fields by a clinical model.
    Nlp,
    /// Fans in what extractor and nlp found; re-drives what made no progress.
    Aggregator,
    /// Reconciles both sources and checks the result against rules.
    Validator,
    /// Writes the hash-chained record and the terminal state.
    Auditor,
    /// Writes the outputs that downstream systems read.
    Reporter,
}

impl Role {
    /// Every role, in the order in which a document meets them.
    pub const ALL: [Self; 8] = [
        Self::Gateway,
        Self::Classifier,
        Self::Extractor,
        Self::Nlp,
        Self::Aggregator,
        Self::Validator,
        Self::Auditor,
        Self::Reporter,
    ];

    /// The roles that consume a queue (all but the gateway).
    pub const CONSUMERS: [Self; 7] = [
        Self::Classifier,
        Self::Extractor,
        Self::Nlp,
        Self::Aggregator,
        Self::Validator,
        Self::Auditor,
        Self::Reporter,
    ];

    /// The one spelling of this role.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::Classifier => "classifier",
            Self::Extractor => "extractor",
            Self::Nlp => "nlp",
            Self::Aggregator => "aggregator",
            Self::Validator => "validator",
            Self::Auditor => "auditor",
            Self::Reporter => "reporter",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A name that is none of the known ones.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("unknown {what} `{name}`; expected one of {expected}")]
pub struct UnknownName {
    what: &'static str,
    name: String,
    expected: String,
}

impl FromStr for Role {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|role| role.as_str() == name).ok_or_else(|| UnknownName {
            what: "role",
            name: name.to_owned(),
            expected: Self::ALL.map(Self::as_str).join(", "),
        })
    }
}

/// How urgent a document is. Each lane has queues of its own, so that a batch flood does not delay a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lane {
    /// A person is waiting.
    Interactive,
    /// Nobody is waiting.
    Batch,
}

impl Lane {
    /// Both lanes, the urgent one first.
    pub const ALL: [Self; 2] = [Self::Interactive, Self::Batch];

    /// The one spelling of this lane.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Interactive => "interactive",
            Self::Batch => "batch",
        }
    }
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Lane {
    type Err = UnknownName;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|lane| lane.as_str() == name).ok_or_else(|| UnknownName {
            what: "lane",
            name: name.to_owned(),
            expected: Self::ALL.map(Self::as_str).join(", "),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Lane, Role};

    #[test]
    fn every_role_and_lane_reads_back_from_its_own_spelling() {
        for role in Role::ALL {
            assert_eq!(role.as_str().parse::<Role>().unwrap(), role);
        }
        for lane in Lane::ALL {
            assert_eq!(lane.as_str().parse::<Lane>().unwrap(), lane);
        }
    }

    #[test]
    fn an_unknown_role_is_named_with_what_was_expected() {
        let message = "clasifier".parse::<Role>().unwrap_err().to_string();
        assert!(
            message.starts_with("unknown role `clasifier`; expected one of gateway, classifier"),
            "{message}"
        );
    }
}
