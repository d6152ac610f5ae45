//! FHIR R4 (4.0.1): one Bundle of type `collection` with what a document says, and a Provenance for each resource.
//!
//! What the subject has is a resource of its own kind. A condition it does not have is a Condition with the
//! verification status `refuted`, one it may have `unconfirmed`; one it had before is of the category medical history. A
//! drug that was not given, and whatever is about somebody else, is left out.

mod bundle;
mod element;
mod laboratory;
mod medication;
mod problem;
mod provenance;
mod subject;

pub(crate) use bundle::file;

#[cfg(test)]
mod tests;
