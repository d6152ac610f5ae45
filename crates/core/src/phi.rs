//! Text that may identify a patient, in a type that cannot be printed by accident.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Text taken from a document. `Debug` shows its length in code points and nothing else, and there is no
/// `Display`: whoever wants the text says [`Phi::expose`], which a reviewer can search for.
///
/// It serialises as the plain string, because it is written to the object store, where PHI belongs.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Phi(String);

impl Phi {
    /// Marks `text` as possibly identifying.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself. For decisions and for the object store; never for logs, errors, labels or messages.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The text itself, by value.
    pub fn into_exposed(self) -> String {
        self.0
    }

    /// True when there is no text at all.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Debug for Phi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Phi({} chars)", self.0.chars().count())
    }
}

impl From<String> for Phi {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Phi {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::Phi;

    #[test]
    fn debug_shows_the_length_and_not_the_text() {
        assert_eq!(format!("{:?}", Phi::new("Zoë Example")), "Phi(11 chars)");
    }
}
