//! Where each resource comes from: one Provenance with the agents, the document, and the places in its text.

use clinflow_core::{
    AgentId, Field,
    field::{Alignment, Evidence},
};
use uuid::Uuid;

use super::{
    bundle::{Bundle, to},
    element::{concept, extension, hl7, nested, own},
};
use crate::{
    facts::Fact,
    json::{Node, Object},
    tables::{confidence, source},
};

/// A resource, and the facts that tell of it.
pub(super) struct Told<'a> {
    /// Its reference.
    pub(super) reference: String,
    /// The facts.
    pub(super) facts: Vec<Fact<'a>>,
}

/// An agent, and the model it asked.
type Agent<'a> = (&'a AgentId, Option<&'a str>);

/// Who found something: an agent, the invocation of it, and the model it asked.
type Finder<'a> = (&'a AgentId, Uuid, Option<&'a str>);

fn finder(field: &Field) -> Finder<'_> {
    (&field.agent_id, field.invocation_id, field.model.as_deref())
}

/// The agents, each with the model it asked.
pub(super) struct Devices<'a>(Vec<(Agent<'a>, String)>);

impl Devices<'_> {
    fn of(&self, (agent, _, model): &Finder<'_>) -> Option<&str> {
        let wanted = (*agent, *model);
        self.0.iter().find(|(device, _)| *device == wanted).map(|(_, reference)| reference.as_str())
    }
}

/// Adds a Device for each agent and model that found something.
pub(super) fn devices<'a>(bundle: &mut Bundle<'a>) -> Devices<'a> {
    let mut devices = Devices(Vec::new());
    let fields: Vec<&Field> =
        bundle.told.iter().flat_map(|told| &told.facts).map(|fact| fact.field).collect();
    for field in fields {
        if devices.of(&finder(field)).is_some() {
            continue;
        }
        let (agent, model) = (field.agent_id.to_string(), field.model.as_deref());
        let identifier = Object::new().with("system", "urn:clinflow:agent").with("value", agent.as_str());
        let name = Object::new().with("name", agent.as_str()).with("type", "user-friendly-name");
        let version = model.map(|model| {
            let kind = Object::new().with("text", "model");
            Object::new().with("type", kind).with("value", model).into()
        });
        let members = Object::new()
            .with("identifier", vec![identifier.into()])
            .with("deviceName", vec![name.into()])
            .list("version", version.into_iter().collect());
        let place = format!("{agent}/{}", model.unwrap_or_default());
        let reference = bundle.add("Device", &place, members);
        devices.0.push(((&field.agent_id, model), reference));
    }
    devices
}

/// Adds the Provenance of every resource that facts tell of.
pub(super) fn put(bundle: &mut Bundle<'_>, devices: &Devices<'_>) {
    let record = bundle.facts.record;
    for told in std::mem::take(&mut bundle.told) {
        let mut finders: Vec<Finder<'_>> = Vec::new();
        for fact in &told.facts {
            let finder = finder(fact.field);
            if !finders.contains(&finder) {
                finders.push(finder);
            }
        }
        let ended = record.steps.iter().filter(|step| {
            finders
                .iter()
                .any(|(agent, invocation, _)| (*agent, *invocation) == (&step.agent_id, step.invocation_id))
        });
        let recorded = ended.map(|step| step.ended_at).max().unwrap_or_else(|| record.made_at());
        let author = |finder: &Finder<'_>| {
            let invocation = extension(own("invocation"), "valueUri", format!("urn:uuid:{}", finder.1));
            let kind = concept(hl7("provenance-participant-type", "author"));
            let who = devices.of(finder)?;
            let agent =
                Object::new().with("extension", vec![invocation]).with("type", kind).with("who", to(who));
            Some(agent.into())
        };
        let source = Object::new()
            .with("extension", told.facts.iter().map(evidence).collect::<Vec<_>>())
            .with("role", "source")
            .with("what", to(&bundle.document));
        let session = record
            .session_id
            .as_ref()
            .map(|session| extension(own("session"), "valueString", session.to_string()));
        let members = Object::new()
            .list("extension", session.into_iter().collect())
            .with("target", vec![to(&told.reference)])
            .with("recorded", recorded.to_string())
            .with("policy", vec![format!("urn:clinflow:bundle:{}", record.bundle).into()])
            .with("agent", finders.iter().filter_map(author).collect::<Vec<_>>())
            .with("entity", vec![source.into()]);
        bundle.add("Provenance", &told.reference, members);
    }
}

/// What one fact rests on.
fn evidence(fact: &Fact<'_>) -> Node {
    let field = fact.field;
    let mut parts = vec![extension("field", "valueString", fact.path())];
    parts.extend(field.evidence.iter().map(span));
    parts.push(extension("source", "valueCode", source(field.source)));
    parts.extend(
        Node::decimal(&confidence(field.confidence.thousandths()))
            .map(|value| extension("confidence", "valueDecimal", value)),
    );
    parts.push(extension("agent", "valueString", field.agent_id.to_string()));
    parts.extend(field.findings.iter().map(|rule| extension("finding", "valueString", rule.as_str())));
    nested(own("evidence"), parts)
}

/// A stretch of the text, in code points.
fn span(evidence: &Evidence) -> Node {
    let mut parts = vec![
        extension("start", "valueUnsignedInt", Node::Whole(evidence.span.start as u64)),
        extension("end", "valueUnsignedInt", Node::Whole(evidence.span.end as u64)),
    ];
    parts.extend(evidence.page.map(|page| extension("page", "valuePositiveInt", Node::Whole(page.into()))));
    parts.push(extension("alignment", "valueCode", alignment(evidence.status)));
    nested("span", parts)
}

/// The spelling that `record.json` has too.
const fn alignment(status: Alignment) -> &'static str {
    match status {
        Alignment::Verbatim => "verbatim",
        Alignment::Normalised => "normalised",
        Alignment::Assembled => "assembled",
        Alignment::Partial => "partial",
        Alignment::Absent => "absent",
    }
}
