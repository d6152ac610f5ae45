//! Claims as fields: each with the evidence that was found for it, none dropped.

use clinflow_core::{
    AgentId, Field, FieldSet, Role,
    field::{Alignment, Confidence, Source},
};
use clinflow_ingest::Text;
use uuid::Uuid;

use crate::{align::Aligner, question::Claim};

/// Who made the claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author<'a> {
    /// The agent.
    pub agent_id: &'a AgentId,
    /// The message it was handling.
    pub invocation_id: Uuid,
    /// Model id and version.
    pub model: &'a str,
}

/// How sure we are of a claim that stands in the text letter for letter: less than of a labelled cell, because a
/// sentence can be misread.
const VERBATIM: Confidence = Confidence::from_thousandths(750);
/// How sure we are of one that stands there but for case and white space.
const NORMALISED: Confidence = Confidence::from_thousandths(700);

/// The fields that `claims` about `text` make, in document order.
pub fn field_set(text: &Text, claims: Vec<Claim>, author: &Author<'_>) -> FieldSet {
    let aligner = Aligner::new(text);
    let mut fields: Vec<Field> = claims.into_iter().map(|claim| field(&aligner, claim, author)).collect();
    fields.sort_by_key(|field| field.evidence.first().map(|evidence| evidence.span.byte_start));
    FieldSet { fields, ..FieldSet::new(Role::Nlp) }
}

fn field(aligner: &Aligner<'_>, claim: Claim, author: &Author<'_>) -> Field {
    let evidence = aligner.evidence(claim.value.expose(), claim.span);
    let confidence = match evidence.status {
        Alignment::Verbatim => VERBATIM,
        Alignment::Normalised => NORMALISED,
        Alignment::Assembled | Alignment::Partial | Alignment::Absent => Confidence::NONE,
    };
    Field {
        name: claim.name,
        group: claim.group,
        index: claim.index,
        value: claim.value,
        normalized: claim.normalized,
        unit: claim.unit,
        codes: claim.codes,
        assertion: claim.assertion,
        evidence: vec![evidence],
        confidence,
        source: Source::Model,
        agent_id: author.agent_id.clone(),
        invocation_id: author.invocation_id,
        model: Some(author.model.to_owned()),
        findings: Vec::new(),
    }
}
