//! How far each way of finding a value can be relied on, in thousandths.
//!
//! The numbers order the ways; calibration against gold belongs to `clinflow eval`. They leave room above for
//! what a second, independent source adds.

use clinflow_core::field::Confidence;
use clinflow_workflow::pattern::Strength;

/// The form itself says which field this is, on the same line.
pub(crate) const LABELLED: u16 = 950;
/// A ticked box with its words: as good as a label.
pub(crate) const TICKED: u16 = 950;
/// A cell in a row whose shape and, where there is one, header agree.
pub(crate) const CELL: u16 = 920;
/// The line that begins a repetition names it.
pub(crate) const HEADING: u16 = 900;
/// The value stands below its label: right in most forms, the neighbour's in some.
pub(crate) const BELOW: u16 = 850;
/// An item of a list whose heading is known; where an item ends is a guess.
pub(crate) const LISTED: u16 = 850;
/// The label is a word of running text: "centre 212".
pub(crate) const IN_TEXT: u16 = 800;
/// Words of running text that name the field.
pub(crate) const STRONG: u16 = 750;
/// Words of running text that may mean something else.
pub(crate) const WEAK: u16 = 600;
/// Taken off when only a part of what stands there could be read as a value.
pub(crate) const PARTLY_READ: u16 = 150;
/// Taken off when two cells of the document say different things: below any threshold for review.
pub(crate) const CONTRADICTED: u16 = 500;

/// The confidence of a match of a loose pattern.
pub(crate) const fn loose(strength: Strength) -> u16 {
    match strength {
        Strength::Weak => WEAK,
        Strength::Strong => STRONG,
    }
}

/// As a confidence.
pub(crate) const fn of(thousandths: u16) -> Confidence {
    Confidence::from_thousandths(thousandths)
}
