//! What a guardrail says about a text, wherever it runs: here or in Bedrock.

use clinflow_core::{Phi, Span};

/// On which side of a model a text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// It goes in: a question, a document.
    Input,
    /// It comes out: an answer, a value, a report.
    Output,
}

impl Source {
    /// The spelling in the API and in metrics: `INPUT`, `OUTPUT`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Input => "INPUT",
            Self::Output => "OUTPUT",
        }
    }
}

/// A text to assess, with what it is held against.
#[derive(Clone, Copy, Default)]
pub struct Content<'a> {
    /// The text itself.
    pub text: &'a str,
    /// The document that an answer must follow from.
    pub grounding_source: Option<&'a str>,
    /// The question that an answer must answer.
    pub query: Option<&'a str>,
}

impl<'a> Content<'a> {
    /// A text by itself.
    pub const fn of(text: &'a str) -> Self {
        Self { text, grounding_source: None, query: None }
    }
}

/// The policy that found something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PolicyKind {
    /// A denied topic.
    Topic,
    /// Harmful content.
    Content,
    /// A word.
    Word,
    /// Personal information.
    SensitiveInformation,
    /// An answer that does not follow.
    ContextualGrounding,
}

impl PolicyKind {
    /// Every kind.
    pub const ALL: [Self; 5] =
        [Self::Topic, Self::Content, Self::Word, Self::SensitiveInformation, Self::ContextualGrounding];

    /// The spelling in records and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Topic => "topic",
            Self::Content => "content",
            Self::Word => "word",
            Self::SensitiveInformation => "sensitive-information",
            Self::ContextualGrounding => "contextual-grounding",
        }
    }
}

/// What was done about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Reported only: the policy says `NONE`.
    Detected,
    /// Masked; the rest of the text stands.
    Anonymized,
    /// The configured message stands in place of the text.
    Blocked,
}

impl Action {
    /// The spelling in records and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Detected => "detected",
            Self::Anonymized => "anonymized",
            Self::Blocked => "blocked",
        }
    }
}

/// Something that a policy found. Never holds what was found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The policy.
    pub policy: PolicyKind,
    /// The topic, the type of personal information, the pattern's or filter's name, `custom` or `PROFANITY` for words.
    pub name: String,
    /// What was done.
    pub action: Action,
    /// Where in the assessed text; `None` when it is about the whole, or the guardrail does not say where.
    pub span: Option<Span>,
}

/// What a guardrail says about a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assessment {
    /// What was found, in the order of the text within each policy.
    pub findings: Vec<Finding>,
    /// The text to go on with: unchanged, masked, or the configured message.
    pub text: Phi,
    /// True when the text may not go on.
    pub blocked: bool,
}

impl Assessment {
    /// Whether anything was done to the text. Masked is not blocked.
    pub fn intervened(&self) -> bool {
        self.findings.iter().any(|finding| finding.action != Action::Detected)
    }
}
