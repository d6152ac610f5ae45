//! A guardrail's policy: the Properties of `AWS::Bedrock::Guardrail`, read from YAML and checked as a whole.
//!
//! Names, enumerations and limits are those of the CloudFormation resource and, where it is stricter, of the API. One
//! file is enforced here and rendered for Bedrock ([`crate::render`]), so that both refuse the same things.

mod limits;
mod pii;
mod read;

use clinflow_yaml::Problems;
use regex::Regex;

pub use pii::{Means, PiiType};

/// A policy that was read and found free of mistakes.
#[derive(Debug, Clone)]
pub struct Policy {
    /// The guardrail's name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Said in place of an input that is blocked.
    pub blocked_input: String,
    /// Said in place of an output that is blocked.
    pub blocked_output: String,
    /// Topics that are refused.
    pub topics: Vec<Topic>,
    /// Harmful content.
    pub filters: Vec<Filter>,
    /// Words that are refused.
    pub words: Vec<Word>,
    /// Profanity, when its managed list is named.
    pub profanity: Option<Actions<Measure>>,
    /// Personal information by type.
    pub pii: Vec<Pii>,
    /// Personal information by pattern.
    pub regexes: Vec<Pattern>,
    /// How well an answer must follow from its source.
    pub grounding: Vec<Grounding>,
    /// The hash of the file, which names the policy in records and in the rendered version.
    pub sha256: String,
    /// The properties as they were written, for rendering.
    pub(crate) properties: serde_json::Value,
}

impl Policy {
    /// Reads and checks a policy; `file` is its name in messages.
    ///
    /// # Errors
    ///
    /// Every mistake in it, each with its line and field.
    pub fn read(file: &str, yaml: &str) -> Result<Self, Problems> {
        read::policy(file, yaml)
    }
}

/// What is done about something found, on either side of a model. `None` where that side is not looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Actions<A> {
    /// For what goes in.
    pub input: Option<A>,
    /// For what comes out.
    pub output: Option<A>,
}

/// What is done about a topic, a filter or a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// `BLOCK`: the configured message is said instead.
    Block,
    /// `NONE`: it is reported.
    Report,
}

/// What is done about personal information.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PiiMeasure {
    /// `BLOCK`: the configured message is said instead.
    Block,
    /// `ANONYMIZE`: it is masked.
    Anonymize,
    /// `NONE`: it is reported.
    Report,
}

/// A topic that is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic {
    /// Its name.
    pub name: String,
    /// What belongs to it, in words.
    pub definition: String,
    /// What people say when they mean it.
    pub examples: Vec<String>,
    /// What is done.
    pub actions: Actions<Measure>,
}

/// Kinds of harmful content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FilterType {
    /// Sexual content.
    Sexual,
    /// Violence and threats of it.
    Violence,
    /// Contempt for people because of what they are.
    Hate,
    /// Insults.
    Insults,
    /// Crime, fraud, and falsifying of records.
    Misconduct,
    /// Attempts to make a model forget its instructions.
    PromptAttack,
}

impl FilterType {
    /// Every type.
    pub const ALL: [Self; 6] =
        [Self::Sexual, Self::Violence, Self::Hate, Self::Insults, Self::Misconduct, Self::PromptAttack];

    /// The spelling in a policy.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sexual => "SEXUAL",
            Self::Violence => "VIOLENCE",
            Self::Hate => "HATE",
            Self::Insults => "INSULTS",
            Self::Misconduct => "MISCONDUCT",
            Self::PromptAttack => "PROMPT_ATTACK",
        }
    }
}

/// How sure a filter must be before it acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strength {
    /// Never acts.
    None,
    /// Acts on what is certain.
    Low,
    /// Acts on what is likely.
    Medium,
    /// Acts on what is possible.
    High,
}

impl Strength {
    /// Every strength.
    pub const ALL: [Self; 4] = [Self::None, Self::Low, Self::Medium, Self::High];

    /// The spelling in a policy.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "NONE",
            Self::Low => "LOW",
            Self::Medium => "MEDIUM",
            Self::High => "HIGH",
        }
    }

    /// The least confidence, 1 to 3, at which a filter of this strength acts; `None` when it never does.
    pub const fn acts_from(self) -> Option<u8> {
        match self {
            Self::None => None,
            Self::Low => Some(3),
            Self::Medium => Some(2),
            Self::High => Some(1),
        }
    }
}

/// A filter for one kind of harmful content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Filter {
    /// The kind.
    pub kind: FilterType,
    /// How sure it must be about what goes in.
    pub input: Strength,
    /// How sure it must be about what comes out.
    pub output: Strength,
    /// What is done.
    pub actions: Actions<Measure>,
}

/// A word or phrase that is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// The word, in any case.
    pub text: String,
    /// What is done.
    pub actions: Actions<Measure>,
}

/// A type of personal information.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pii {
    /// The type.
    pub kind: PiiType,
    /// What is done.
    pub actions: Actions<PiiMeasure>,
}

/// Personal information by pattern.
#[derive(Debug, Clone)]
pub struct Pattern {
    /// Its name, and what it is masked as.
    pub name: String,
    /// The pattern, without look-around and back references.
    pub regex: Regex,
    /// What is done.
    pub actions: Actions<PiiMeasure>,
}

/// What an answer is held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroundingType {
    /// The source: does the answer follow from it?
    Grounding,
    /// The question: does the answer answer it?
    Relevance,
}

impl GroundingType {
    /// Every type.
    pub const ALL: [Self; 2] = [Self::Grounding, Self::Relevance];

    /// The spelling in a policy.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Grounding => "GROUNDING",
            Self::Relevance => "RELEVANCE",
        }
    }
}

/// How well an answer must follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grounding {
    /// From what.
    pub kind: GroundingType,
    /// The least score that passes, in thousandths.
    pub threshold: u16,
    /// What is done about a score below; `None` when it is not looked at.
    pub action: Option<Measure>,
}
