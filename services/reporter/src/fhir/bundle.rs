//! The Bundle: ids, references, and the order of its entries.

use clinflow_core::{Status, id};
use uuid::Uuid;

use super::{
    element::{own, reference, words},
    laboratory, medication, problem,
    provenance::{self, Told},
    subject,
};
use crate::{
    facts::{Fact, Facts, Standing},
    json::{Node, Object},
};

/// The bytes of the Bundle for a record.
pub(crate) fn file(facts: &Facts<'_>) -> Vec<u8> {
    let mut bundle = Bundle::new(facts);
    bundle.document = document(&mut bundle);
    if !facts.withdrawn {
        let subject = subject::put(&mut bundle);
        let suspects = medication::put(&mut bundle, &subject);
        problem::put(&mut bundle, &subject, &suspects);
        laboratory::put(&mut bundle, &subject);
    }
    let devices = provenance::devices(&mut bundle);
    provenance::put(&mut bundle, &devices);
    bundle.finish()
}

/// A bundle under construction.
pub(super) struct Bundle<'a> {
    pub(super) facts: &'a Facts<'a>,
    /// The reference of the DocumentReference.
    pub(super) document: String,
    /// What is told by which facts, in the order of the entries.
    pub(super) told: Vec<Told<'a>>,
    entries: Vec<Node>,
}

impl<'a> Bundle<'a> {
    const fn new(facts: &'a Facts<'a>) -> Self {
        Self { facts, document: String::new(), told: Vec::new(), entries: Vec::new() }
    }

    /// Adds a resource; `place` sets it apart from the others of its kind. Answers its reference.
    ///
    /// Ids follow from execution, kind and place, so that the same record makes the same resources.
    pub(super) fn add(&mut self, kind: &'static str, place: &str, members: Object) -> String {
        let execution = self.facts.record.execution_id.to_string();
        let id = id::derive(&[b"fhir", execution.as_bytes(), kind.as_bytes(), place.as_bytes()]);
        let reference = format!("urn:uuid:{id}");
        let resource = resource(kind, id).and(members);
        self.entries
            .push(Object::new().with("fullUrl", reference.as_str()).with("resource", resource).into());
        reference
    }

    /// Adds a resource that `facts` tell of.
    pub(super) fn tell(
        &mut self,
        kind: &'static str,
        place: &str,
        members: Object,
        facts: impl IntoIterator<Item = Fact<'a>>,
    ) -> String {
        let reference = self.add(kind, place, members);
        let facts: Vec<_> = facts.into_iter().collect();
        if !facts.is_empty() {
            self.told.push(Told { reference: reference.clone(), facts });
        }
        reference
    }

    fn finish(self) -> Vec<u8> {
        let record = self.facts.record;
        let execution = record.execution_id.to_string();
        let tag = Object::new().with("system", "urn:clinflow:status").with("code", record.status.to_string());
        let identifier =
            Object::new().with("system", "urn:ietf:rfc:3986").with("value", format!("urn:uuid:{execution}"));
        let members = Object::new()
            .with("meta", Object::new().with("tag", vec![tag.into()]))
            .with("identifier", identifier)
            .with("type", "collection")
            .with("timestamp", record.made_at().to_string())
            .with("entry", self.entries);
        let id = id::derive(&[b"fhir", execution.as_bytes(), b"Bundle"]);
        Node::Object(resource("Bundle", id).and(members)).to_file()
    }
}

/// The beginning of every resource.
fn resource(kind: &'static str, id: Uuid) -> Object {
    Object::new().with("resourceType", kind).with("id", id.to_string())
}

/// The document, by its hash and without its name, which can identify a patient.
fn document(bundle: &mut Bundle<'_>) -> String {
    let facts = bundle.facts;
    let record = facts.record;
    let hash =
        Object::new().with("system", "urn:clinflow:sha256").with("value", record.document.sha256.to_string());
    let attachment = Object::new().with("contentType", record.document.media_type.as_str());
    let members = Object::new()
        .with("masterIdentifier", hash)
        .with("status", if facts.withdrawn { "entered-in-error" } else { "current" })
        .with("type", words(&facts.workflow.title))
        .with("content", vec![Object::new().with("attachment", attachment).into()]);
    bundle.add("DocumentReference", "document", members)
}

/// The status of an observation: preliminary until a person has settled what there is to settle.
pub(super) fn observed(facts: &Facts<'_>, standing: Standing) -> &'static str {
    let settled = facts.record.status == Status::Completed && standing == Standing::Present;
    if settled { "final" } else { "preliminary" }
}

/// The extension with what one of clinflow's own elements says.
pub(super) fn said(name: &str, concept: Object) -> Node {
    Object::new().with("url", own(name)).with("valueCodeableConcept", concept).into()
}

/// A reference as a member.
pub(super) fn to(target: &str) -> Node {
    reference(target).into()
}
