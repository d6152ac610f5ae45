//! One attempt at one call of a model: what is reserved, written down and settled.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The name of an attempt, derived from what it is an attempt at, so that a redelivery names the same one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Attempt {
    /// The message being handled.
    pub invocation: Uuid,
    /// Which of the calls that handling it takes, from 0: a long document is asked about in parts.
    pub ordinal: u32,
    /// Which attempt at that call, from 1.
    pub number: u32,
}

impl Attempt {
    /// The call this is an attempt at. The loop guard counts calls: an attempt after a throttle, or of a redelivery,
    /// is not another call.
    pub fn call(&self) -> String {
        format!("{}.{}", self.invocation.simple(), self.ordinal)
    }

    /// The next attempt at the same call.
    #[must_use]
    pub const fn next(self) -> Self {
        Self { number: self.number.saturating_add(1), ..self }
    }
}

impl fmt::Display for Attempt {
    /// `<invocation>.<ordinal>.<number>`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.invocation.simple(), self.ordinal, self.number)
    }
}

/// A text that names no attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an attempt is `<invocation>.<ordinal>.<number>`")]
pub struct InvalidAttempt;

impl FromStr for Attempt {
    type Err = InvalidAttempt;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = text.split('.');
        let mut next = || parts.next().ok_or(InvalidAttempt);
        let attempt = Self {
            invocation: next()?.parse().map_err(|_| InvalidAttempt)?,
            ordinal: next()?.parse().map_err(|_| InvalidAttempt)?,
            number: next()?.parse().map_err(|_| InvalidAttempt)?,
        };
        if parts.next().is_some() { Err(InvalidAttempt) } else { Ok(attempt) }
    }
}

impl TryFrom<String> for Attempt {
    type Error = InvalidAttempt;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Attempt> for String {
    fn from(attempt: Attempt) -> Self {
        attempt.to_string()
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::Attempt;

    #[test]
    fn an_attempt_reads_back_from_its_name_and_shares_its_call_with_the_next() {
        let attempt = Attempt { invocation: Uuid::from_u128(7), ordinal: 2, number: 1 };
        assert_eq!(attempt.to_string().parse(), Ok(attempt));
        assert_eq!(attempt.next().number, 2);
        assert_eq!(attempt.next().call(), attempt.call());
        for bad in
            ["", "x.0.1", "00000000000000000000000000000007.0", "00000000000000000000000000000007.0.1.2"]
        {
            assert!(bad.parse::<Attempt>().is_err(), "{bad}");
        }
    }
}
