//! What goes wrong, and when: by script, or by chance from a seed, the same in every run.

use std::{collections::BTreeMap, fmt, str::FromStr, time::Duration};

use anyhow::{Context as _, bail, ensure};
use clinflow_guardrail::Policy;
use sha2::{Digest as _, Sha256};

use crate::Operation;

/// How a server behaves.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What chance is drawn from.
    pub seed: u64,
    /// What goes wrong with Converse by chance.
    pub chances: Chances,
    /// What happens to the first calls of an operation, in the order of their arrival: a fault, or an answer. After the
    /// last one, chance decides.
    pub script: BTreeMap<Operation, Vec<Option<Fault>>>,
    /// How long a call that hangs is left alone; then its connection ends, still without an answer.
    pub hang: Duration,
    /// How long an answer takes.
    pub latency: Duration,
    /// What a throttled caller is told to wait.
    pub retry_after: Option<Duration>,
    /// A document that holds these words is never answered: the model asks for another try, whatever it is told.
    pub ask_again: String,
    /// The guardrails by id. There is one version of each, `1`, and `DRAFT`.
    pub guardrails: BTreeMap<String, Policy>,
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            seed: 0,
            chances: Chances::default(),
            script: BTreeMap::new(),
            hang: Duration::from_secs(600),
            latency: Duration::ZERO,
            retry_after: None,
            ask_again: "ASK ME AGAIN".to_owned(),
            guardrails: BTreeMap::new(),
        }
    }
}

impl Plan {
    /// A plan in which these faults befall the first calls of Converse, one each.
    pub fn scripted(faults: impl IntoIterator<Item = Fault>) -> Self {
        Self::default().with(Operation::Converse, faults)
    }

    /// The plan with these faults for the first calls of an operation.
    #[must_use]
    pub fn with(mut self, operation: Operation, faults: impl IntoIterator<Item = Fault>) -> Self {
        self.script.insert(operation, faults.into_iter().map(Some).collect());
        self
    }
}

/// Declares the faults with their names.
macro_rules! faults {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// Something that goes wrong with one call.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Fault {
            $($(#[$doc])* $variant,)*
        }

        impl Fault {
            /// Every fault.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// Its name in a plan.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }
        }
    };
}

faults! {
    /// 429 ThrottlingException.
    Throttle = "throttle",
    /// 400 ServiceQuotaExceededException.
    Quota = "quota",
    /// 429 ModelNotReadyException.
    NotReady = "not-ready",
    /// 408 ModelTimeoutException; billed.
    Timeout = "timeout",
    /// 424 ModelErrorException.
    ModelError = "model-error",
    /// 500 InternalServerException.
    Internal = "internal",
    /// 503 ServiceUnavailableException.
    Unavailable = "unavailable",
    /// 400 ValidationException.
    Invalid = "invalid",
    /// 403 AccessDeniedException.
    Denied = "denied",
    /// 404 ResourceNotFoundException.
    Missing = "missing",
    /// No answer; billed all the same.
    Hang = "hang",
    /// The connection ends in the middle of an answer; billed all the same.
    Reset = "reset",
    /// 502 without a name, as a proxy on the way says it.
    Proxy = "proxy",
    /// 200 with a body that is no JSON; billed all the same.
    Unreadable = "unreadable",
    /// A whole answer that is not what was asked for.
    Garbage = "garbage",
    /// `max_tokens` with half of the answer.
    Truncated = "truncated",
    /// `model_context_window_exceeded` with half of the answer.
    ContextWindow = "context-window",
    /// `malformed_model_output`.
    Malformed = "malformed",
    /// `malformed_tool_use`.
    MalformedToolUse = "malformed-tool-use",
    /// `tool_use`, although no tool was offered.
    ToolUse = "tool-use",
    /// `content_filtered`.
    Filtered = "filtered",
    /// A reason to stop that nobody has heard of.
    Unheard = "unheard",
    /// A whole answer that claims something the document does not say.
    Invented = "invented",
    /// A whole answer beside a block of a kind that nobody has heard of.
    Newer = "newer",
    /// Thoughts, and no answer.
    Speechless = "speechless",
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Fault {
    type Err = anyhow::Error;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.iter().copied().find(|fault| fault.as_str() == name).with_context(|| {
            let known: Vec<_> = Self::ALL.iter().map(|fault| fault.as_str()).collect();
            format!("there is no fault `{name}`: use one of {}", known.join(", "))
        })
    }
}

/// How often each fault happens, in hundredths of a percent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chances(BTreeMap<Fault, u32>);

/// Certainty, in hundredths of a percent.
const ALWAYS: u32 = 10_000;

impl Chances {
    /// What happens to the `nth` call with this body.
    pub(crate) fn draw(&self, seed: u64, body: &str, nth: u32) -> Option<Fault> {
        let digest = Sha256::digest(format!("{seed}/{body}/{nth}"));
        let first = digest.first_chunk::<8>().copied().unwrap_or_default();
        let mut drawn = u64::from_be_bytes(first) % u64::from(ALWAYS);
        for (fault, chance) in &self.0 {
            let chance = u64::from(*chance);
            if drawn < chance {
                return Some(*fault);
            }
            drawn -= chance;
        }
        None
    }
}

impl FromStr for Chances {
    type Err = anyhow::Error;

    /// `throttle=5%,hang=2%,garbage=0.5%`.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut chances = BTreeMap::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let Some((fault, percent)) = part.split_once('=') else {
                bail!("`{part}` is no chance: write `throttle=5%`");
            };
            let chance = hundredths(percent.trim())
                .with_context(|| format!("`{percent}` is no percentage with at most two decimals"))?;
            chances.insert(fault.trim().parse()?, chance);
        }
        let sum: u32 = chances.values().sum();
        ensure!(sum <= ALWAYS, "the chances add up to more than 100 %");
        Ok(Self(chances))
    }
}

/// `2.5%` as 250.
fn hundredths(percent: &str) -> Option<u32> {
    let number = percent.strip_suffix('%').unwrap_or(percent);
    let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
    let decimals: u32 = match decimals.len() {
        0 => 0,
        1 => decimals.parse::<u32>().ok()? * 10,
        2 => decimals.parse().ok()?,
        _ => return None,
    };
    whole.parse::<u32>().ok().filter(|whole| *whole <= 100).map(|whole| whole * 100 + decimals)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chances_are_read_and_mistakes_in_them_are_said() {
        let chances: Chances = "throttle=5%, hang=2%,garbage=0.25%".parse().unwrap();
        let expected = [(Fault::Throttle, 500), (Fault::Hang, 200), (Fault::Garbage, 25)];
        assert_eq!(chances, Chances(BTreeMap::from(expected)));
        for bad in ["throttle", "throttle=x", "throttle=5.001%", "hunger=5%", "hang=60%,reset=60%"] {
            assert!(bad.parse::<Chances>().is_err(), "{bad}");
        }
    }

    #[test]
    fn every_fault_is_found_by_its_name() {
        for fault in Fault::ALL {
            assert_eq!(fault.as_str().parse::<Fault>().unwrap(), *fault);
        }
    }

    #[test]
    fn chance_is_the_same_in_every_run_and_about_as_often_as_said() {
        let chances: Chances = "throttle=5%,hang=2%".parse().unwrap();
        let drawn = |seed| -> Vec<_> {
            (0..10_000).map(|call| chances.draw(seed, &format!("body {call}"), 0)).collect()
        };
        assert_eq!(drawn(7), drawn(7));
        assert_ne!(drawn(7), drawn(8));
        let count = |fault| drawn(7).iter().filter(|drawn| **drawn == Some(fault)).count();
        assert!((400..600).contains(&count(Fault::Throttle)), "{}", count(Fault::Throttle));
        assert!((130..270).contains(&count(Fault::Hang)), "{}", count(Fault::Hang));
    }

    #[test]
    fn the_next_try_of_the_same_call_is_drawn_anew() {
        let half: Chances = "throttle=50%".parse().unwrap();
        let drawn: Vec<_> = (0..64).map(|nth| half.draw(1, "body", nth)).collect();
        assert!(drawn.contains(&None) && drawn.contains(&Some(Fault::Throttle)));
    }
}
