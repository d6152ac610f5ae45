//! Cases of a policy: texts with the decision they must get, one JSON object a line.
//!
//! `{"id", "kind", "side": "INPUT"|"OUTPUT", "text", "source"?, "question"?, "expect": "allow"|"mask"|"block", "by"?: [names],
//! "result"?}`: `by` names what must have found something, `result` is the text that must come out.

use clinflow_yaml::{Problem, Problems};
use serde::Deserialize;

use crate::{Action, Assessment, Content, Engine, Source};

/// What a case expects.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Expect {
    /// Nothing is done to the text.
    Allow,
    /// Something in it is masked, and it goes on.
    Mask,
    /// It does not go on.
    Block,
}

impl Expect {
    /// The spelling in a cases file.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Mask => "mask",
            Self::Block => "block",
        }
    }
}

#[derive(Debug, Clone, Copy, Deserialize)]
enum Side {
    #[serde(rename = "INPUT")]
    Input,
    #[serde(rename = "OUTPUT")]
    Output,
}

/// One case.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// Its name.
    pub id: String,
    /// What it is an example of, for counting: `in-scope`, `paraphrased`.
    #[serde(default)]
    pub kind: String,
    side: Side,
    text: String,
    #[serde(default)]
    source: Option<String>,
    #[serde(default)]
    question: Option<String>,
    /// What must come of it.
    pub expect: Expect,
    #[serde(default)]
    by: Vec<String>,
    #[serde(default)]
    result: Option<String>,
    /// Whether it was written before, and kept away from, the work on the engine.
    #[serde(default)]
    pub held_out: bool,
}

/// Reads a cases file.
///
/// # Errors
///
/// Every line that is no case.
pub fn read(file: &str, text: &str) -> Result<Vec<Case>, Problems> {
    let mut cases = Vec::new();
    let mut problems = Vec::new();
    for (line, written) in (1..).zip(text.lines()).filter(|(_, written)| !written.trim().is_empty()) {
        match serde_json::from_str(written) {
            Ok(case) => cases.push(case),
            Err(error) => problems.push(Problem {
                file: file.to_owned(),
                line,
                field: String::new(),
                message: format!("no case: {error}"),
            }),
        }
    }
    if problems.is_empty() { Ok(cases) } else { Err(Problems(problems)) }
}

impl Case {
    /// Puts the case to an engine. `None` when it decides as expected, else what it did instead.
    pub fn fails(&self, engine: &Engine) -> Option<String> {
        let side = match self.side {
            Side::Input => Source::Input,
            Side::Output => Source::Output,
        };
        let content = Content {
            text: &self.text,
            grounding_source: self.source.as_deref(),
            query: self.question.as_deref(),
        };
        let assessment = engine.assess(side, &content);
        let decided = decision(&assessment);
        let found: Vec<&str> = assessment.findings.iter().map(|finding| finding.name.as_str()).collect();
        let all_named = self.by.iter().all(|name| found.contains(&name.as_str()));
        let text_fits = self.result.as_ref().is_none_or(|result| result == assessment.text.expose());
        if decided == self.expect && all_named && text_fits {
            return None;
        }
        let expected = self.expect.as_str();
        let by = if self.by.is_empty() { String::new() } else { format!(" by {}", self.by.join(", ")) };
        let found = if found.is_empty() { "nothing".to_owned() } else { found.join(", ") };
        let text = if text_fits { "" } else { ", and the text is not the expected one" };
        Some(format!("expected {expected}{by}; got {} with {found}{text}", decided.as_str()))
    }
}

/// What an assessment came to.
pub fn decision(assessment: &Assessment) -> Expect {
    let masked = assessment.findings.iter().any(|finding| finding.action == Action::Anonymized);
    match (assessment.blocked, masked) {
        (true, _) => Expect::Block,
        (false, true) => Expect::Mask,
        (false, false) => Expect::Allow,
    }
}
