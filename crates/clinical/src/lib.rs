//! Text to clinical facts, pure: sections, sentences, assertion, lexicon, doses, units, dates.
//!
//! [`annotate()`] reads a whole text and returns everything it found, each mention with its place, its codes and
//! its ConText properties. The modules below it are usable alone: a rule that must compare "09-JAN-2026" with
//! "2026-01-09" asks [`dates::parse`], one that must know whether "K/µL" is a unit asks [`quantity::ucum`], one
//! that needs the CDISC term for "drug held" asks [`attributes::action_taken`].
//!
//! Nothing here does I/O, knows the time or draws a random number: the same text gives the same facts.
//! What the crate knows about words lies in `lexicon/*.tsv`; to teach it a drug, add a line there.

pub mod annotate;
pub mod assertion;
pub mod attributes;
pub mod dates;
pub mod demographics;
pub mod label;
pub mod lexicon;
pub mod quantity;
pub mod relation;
pub mod section;
pub mod sentence;

mod fold;
mod mention;
mod phrases;

pub use annotate::{Annotation, Annotator, Entity, Target, annotate};
pub use label::Label;
