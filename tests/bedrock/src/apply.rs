//! Guardrails: a policy is evaluated, and what it found is said in Bedrock's shapes, quotes and all.

use std::collections::BTreeMap;

use clinflow_guardrail::{Action, Assessment, Content, Engine, Finding, PiiType, Policy, PolicyKind, Source};
use serde_json::{Map, Value, json};

use crate::{
    error::Refusal,
    wire::{Apply, ApplyBlock, Guarded},
};

/// Characters of a text unit, by which guardrails are billed.
const UNIT: usize = 1000;

/// The guardrails of one server.
#[derive(Debug)]
pub(crate) struct Guardrails(BTreeMap<String, Engine>);

impl Guardrails {
    /// Guardrails that enforce these policies.
    pub(crate) fn new(policies: &BTreeMap<String, Policy>) -> Self {
        let engines = policies.iter().map(|(id, policy)| (id.clone(), Engine::new(policy.clone())));
        Self(engines.collect())
    }

    /// The guardrail with this id or ARN in this version.
    pub(crate) fn find(&self, id: &str, version: &str) -> Result<&Engine, Refusal> {
        let name = id.rsplit_once('/').map_or(id, |(_, name)| name);
        let engine = self.0.get(name).filter(|_| matches!(version, "1" | "DRAFT"));
        engine.ok_or_else(|| Refusal::missing("The guardrail identifier or version does not exist."))
    }
}

/// Answers ApplyGuardrail.
pub(crate) fn answer(engine: &Engine, body: &Apply) -> Result<Value, Refusal> {
    let source = match body.source.as_str() {
        "INPUT" => Source::Input,
        "OUTPUT" => Source::Output,
        other => return Err(Refusal::invalid(format!("source is `{other}`: INPUT or OUTPUT"))),
    };
    if let Some(scope) =
        body.output_scope.as_deref().filter(|scope| !["INTERVENTIONS", "FULL"].contains(scope))
    {
        return Err(Refusal::invalid(format!("outputScope is `{scope}`: INTERVENTIONS or FULL")));
    }
    if body.content.is_empty() {
        return Err(Refusal::invalid("content is empty"));
    }
    let blocks = || body.content.iter().map(|ApplyBlock::Text(block)| block);
    let known = ["grounding_source", "query", "guard_content"];
    if blocks().any(|block| block.qualifiers.iter().any(|one| !known.contains(&one.as_str()))) {
        return Err(Refusal::invalid("an unknown qualifier"));
    }
    let said_to_be = |what: &str| blocks().find(|block| has(block, what)).map(|block| block.text.as_str());
    let is_guarded = |block: &&Guarded| block.qualifiers.is_empty() || has(block, "guard_content");
    let texts: Vec<&Guarded> = blocks().filter(is_guarded).collect();
    if texts.is_empty() {
        return Err(Refusal::invalid("nothing to assess: every block is a source or a query"));
    }
    let (mut outputs, mut assessments, mut characters) = (Vec::new(), Vec::new(), 0);
    let mut intervened = false;
    for block in texts {
        let content = Content {
            text: &block.text,
            grounding_source: said_to_be("grounding_source"),
            query: said_to_be("query"),
        };
        let assessment = engine.assess(source, &content);
        characters += block.text.chars().count();
        intervened |= assessment.intervened();
        assessments.push(described(&assessment, &block.text));
        outputs.push(json!({"text": assessment.text.expose()}));
    }
    if !intervened {
        outputs.clear();
    }
    let units = characters.div_ceil(UNIT);
    Ok(json!({
        "usage": {
            "topicPolicyUnits": units, "contentPolicyUnits": units, "wordPolicyUnits": units,
            "sensitiveInformationPolicyUnits": units, "sensitiveInformationPolicyFreeUnits": 0,
            "contextualGroundingPolicyUnits": units,
        },
        "action": if intervened { "GUARDRAIL_INTERVENED" } else { "NONE" },
        "actionReason": if intervened { "Guardrail intervened." } else { "No action." },
        "outputs": outputs,
        "assessments": assessments,
        "guardrailCoverage": {"textCharacters": {"guarded": characters, "total": characters}},
    }))
}

fn has(block: &Guarded, qualifier: &str) -> bool {
    block.qualifiers.iter().any(|one| one == qualifier)
}

/// An assessment in Bedrock's shape. It quotes what was found, as Bedrock does.
pub(crate) fn described(assessment: &Assessment, text: &str) -> Value {
    let mut policies = Map::new();
    for finding in &assessment.findings {
        let action = match finding.action {
            Action::Blocked => "BLOCKED",
            Action::Anonymized => "ANONYMIZED",
            Action::Detected => "NONE",
        };
        let found = finding.span.and_then(|span| span.of(text)).unwrap_or_default();
        let ((policy, lists), list, entry) = entry(finding, action, found);
        let policy = policies.entry(policy).or_insert_with(|| {
            // Lists are there as soon as their policy is.
            Value::Object(lists.iter().map(|list| ((*list).to_owned(), json!([]))).collect())
        });
        if let Some(entries) = policy[list].as_array_mut() {
            entries.push(entry);
        }
    }
    Value::Object(policies)
}

type PolicyLists = (&'static str, &'static [&'static str]);

/// The policy with its lists, the list, and the entry of a finding.
fn entry(finding: &Finding, action: &str, found: &str) -> (PolicyLists, &'static str, Value) {
    let name = &finding.name;
    match finding.policy {
        PolicyKind::Topic => (
            ("topicPolicy", &["topics"]),
            "topics",
            json!({"name": name, "type": "DENY", "action": action, "detected": true}),
        ),
        PolicyKind::Content => (
            ("contentPolicy", &["filters"]),
            "filters",
            json!({"type": name, "confidence": "HIGH", "filterStrength": "HIGH", "action": action, "detected": true}),
        ),
        PolicyKind::Word if name == "PROFANITY" => (
            ("wordPolicy", &["customWords", "managedWordLists"]),
            "managedWordLists",
            json!({"match": found, "type": name, "action": action, "detected": true}),
        ),
        PolicyKind::Word => (
            ("wordPolicy", &["customWords", "managedWordLists"]),
            "customWords",
            json!({"match": found, "action": action, "detected": true}),
        ),
        PolicyKind::SensitiveInformation if PiiType::ALL.iter().any(|kind| kind.as_str() == name) => (
            ("sensitiveInformationPolicy", &["piiEntities", "regexes"]),
            "piiEntities",
            json!({"match": found, "type": name, "action": action, "detected": true}),
        ),
        PolicyKind::SensitiveInformation => (
            ("sensitiveInformationPolicy", &["piiEntities", "regexes"]),
            "regexes",
            json!({"name": name, "match": found, "regex": "", "action": action, "detected": true}),
        ),
        PolicyKind::ContextualGrounding => (
            ("contextualGroundingPolicy", &["filters"]),
            "filters",
            json!({"type": name, "threshold": 1.0, "score": 0.0, "action": action, "detected": true}),
        ),
    }
}
