//! Identities. What the same inputs name twice gets the same id twice, so that a redelivery makes nothing new.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::role::Role;

/// Namespace of every id clinflow derives (UUIDv5 of `clinflow` in the OID namespace).
const NAMESPACE: Uuid = Uuid::from_u128(0x2f1c_3c5b_77d0_5d6f_9f0e_2d7f_6a8c_5b11);

/// Derives an id from `parts`. The parts are length-prefixed, so `["ab", "c"]` and `["a", "bc"]` differ.
pub fn derive(parts: &[&[u8]]) -> Uuid {
    let mut name = Vec::with_capacity(parts.iter().map(|part| part.len() + 8).sum());
    for part in parts {
        name.extend_from_slice(&(part.len() as u64).to_be_bytes());
        name.extend_from_slice(part);
    }
    Uuid::new_v5(&NAMESPACE, &name)
}

/// The id of the `index`th `event` that `role` produces because of `cause` (the message id of its input).
pub fn output_id(role: Role, event: &str, cause: Uuid, index: u32) -> Uuid {
    derive(&[b"output", role.as_str().as_bytes(), event.as_bytes(), cause.as_bytes(), &index.to_be_bytes()])
}

/// A name that cannot be an id.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum InvalidId {
    /// Empty, too long, or with characters outside `a-z A-Z 0-9 . _ -`.
    #[error("{what} has 1 to 64 of the characters a-z, A-Z, 0-9, `.`, `_` and `-`")]
    Name {
        /// What was being read.
        what: &'static str,
    },
    /// Not 64 hexadecimal digits.
    #[error("{what} is 64 hexadecimal digits")]
    Hash {
        /// What was being read.
        what: &'static str,
    },
    /// Not a UUID.
    #[error("an execution id is a UUID")]
    Uuid,
}

macro_rules! name_id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Reads a name: 1 to 64 of `a-z A-Z 0-9 . _ -`. It appears in routing keys, headers and metric
            /// labels, so it must not be able to carry a patient's name or a wildcard.
            pub fn new(name: impl Into<String>) -> Result<Self, InvalidId> {
                let name = name.into();
                let legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
                if name.is_empty() || name.len() > 64 || !name.chars().all(legal) {
                    return Err(InvalidId::Name { what: $what });
                }
                Ok(Self(name))
            }

            /// The name.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(name: &str) -> Result<Self, Self::Err> {
                Self::new(name)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;

            fn try_from(name: String) -> Result<Self, Self::Error> {
                Self::new(name)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    };
}

name_id!(
    /// A workflow: `ae-report`.
    WorkflowId,
    "a workflow id"
);
name_id!(
    /// The team that pays for and answers for a workflow.
    TeamId,
    "a team id"
);
name_id!(
    /// What a submitter groups executions and questions by.
    SessionId,
    "a session id"
);
name_id!(
    /// A role inside a workflow: `ae-report.extractor`.
    AgentId,
    "an agent id"
);

impl WorkflowId {
    /// The workflow of a submission that leaves the choice to the classifier.
    pub const AUTO: &'static str = "auto";

    /// The placeholder for "let the classifier choose".
    pub fn auto() -> Self {
        Self(Self::AUTO.to_owned())
    }

    /// True for the placeholder.
    pub fn is_auto(&self) -> bool {
        self.0 == Self::AUTO
    }

    /// The agent that plays `role` in this workflow.
    pub fn agent(&self, role: Role) -> AgentId {
        AgentId(format!("{}.{}", self.0, role.as_str()))
    }
}

macro_rules! hash_id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name([u8; 32]);

        impl $name {
            /// Takes a SHA-256 that was computed elsewhere.
            pub const fn from_bytes(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }

            /// Hashes `bytes`.
            pub fn of(bytes: &[u8]) -> Self {
                Self(Sha256::digest(bytes).into())
            }

            /// The 32 bytes.
            pub const fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }

            /// The first 12 hexadecimal digits: enough to tell documents apart in a folder listing.
            pub fn prefix(&self) -> String {
                hex::encode(&self.0[..6])
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex::encode(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.prefix())
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let mut bytes = [0; 32];
                hex::decode_to_slice(text, &mut bytes).map_err(|_| InvalidId::Hash { what: $what })?;
                Ok(Self(bytes))
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(hash: $name) -> Self {
                hash.to_string()
            }
        }
    };
}

hash_id!(
    /// A document's identity: the SHA-256 of its bytes, never a file name.
    DocumentHash,
    "a document hash"
);
hash_id!(
    /// The identity of the configuration an execution runs under.
    BundleHash,
    "a bundle hash"
);
hash_id!(
    /// The SHA-256 of a stored object's bytes.
    ObjectHash,
    "an object hash"
);

/// One run of a workflow over a document. It is the AMQP correlation id of every message of that run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ExecutionId(Uuid);

impl ExecutionId {
    /// Derives the id, so that a duplicate submission finds the existing execution. `rerun` is 0 unless a
    /// person asked for the same work once more.
    pub fn derive(workflow: &WorkflowId, document: &DocumentHash, bundle: &BundleHash, rerun: u32) -> Self {
        Self(derive(&[
            b"execution",
            workflow.as_str().as_bytes(),
            document.as_bytes(),
            bundle.as_bytes(),
            &rerun.to_be_bytes(),
        ]))
    }

    /// Takes an id that was derived elsewhere.
    pub const fn from_uuid(id: Uuid) -> Self {
        Self(id)
    }

    /// The UUID.
    pub const fn as_uuid(&self) -> Uuid {
        self.0
    }
}

impl fmt::Display for ExecutionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for ExecutionId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self).map_err(|_| InvalidId::Uuid)
    }
}

#[cfg(test)]
mod tests {
    use super::{BundleHash, DocumentHash, ExecutionId, WorkflowId, derive, output_id};
    use crate::role::Role;

    #[test]
    fn the_same_submission_names_the_same_execution() {
        let (workflow, bundle) = (WorkflowId::new("ae-report").unwrap(), BundleHash::of(b"bundle"));
        let first = ExecutionId::derive(&workflow, &DocumentHash::of(b"a"), &bundle, 0);
        assert_eq!(first, ExecutionId::derive(&workflow, &DocumentHash::of(b"a"), &bundle, 0));
        assert_ne!(first, ExecutionId::derive(&workflow, &DocumentHash::of(b"b"), &bundle, 0));
        assert_ne!(first, ExecutionId::derive(&workflow, &DocumentHash::of(b"a"), &bundle, 1));
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_ne!(derive(&[b"ab", b"c"]), derive(&[b"a", b"bc"]));
    }

    #[test]
    fn outputs_of_one_input_differ_by_role_event_and_index() {
        let cause = derive(&[b"input"]);
        let id = output_id(Role::Nlp, "fields.extracted", cause, 0);
        assert_eq!(id, output_id(Role::Nlp, "fields.extracted", cause, 0));
        assert_ne!(id, output_id(Role::Extractor, "fields.extracted", cause, 0));
        assert_ne!(id, output_id(Role::Nlp, "document.failed", cause, 0));
        assert_ne!(id, output_id(Role::Nlp, "fields.extracted", cause, 1));
    }

    #[test]
    fn a_name_that_could_be_a_wildcard_or_a_sentence_is_refused() {
        for bad in ["", "#", "a*", "John Smith", &"x".repeat(65)] {
            assert!(WorkflowId::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_hash_reads_back_from_its_own_text() {
        let hash = DocumentHash::of(b"document");
        assert_eq!(hash.to_string().parse::<DocumentHash>().unwrap(), hash);
        assert!("zz".parse::<DocumentHash>().is_err());
    }
}
