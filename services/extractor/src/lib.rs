//! The extractor: finds the fields of a workflow by its patterns.
//!
//! [`extract()`] is the whole of it, as a pure function; the handler only fetches and stores. A document is read as
//! a form (labelled cells, tick boxes, tables, lists, repeated groups) and then as running text; each way of finding
//! a value is a module of its own, and each has a confidence in `confidence.rs`.

mod boxes;
mod candidate;
mod compiled;
mod confidence;
mod extract;
mod handler;
mod labels;
mod lists;
mod normalise;
mod page;
mod regions;
mod rows;
mod value;

pub use compiled::{Compiled, Prepared};
pub use extract::{AMBIGUOUS_DATE, CONTRADICTION, UNREAD, extract};
pub use handler::{Extract, catalog};

#[cfg(test)]
mod tests;
