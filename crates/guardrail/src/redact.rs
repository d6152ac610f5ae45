//! De-identification of a whole text: everything that HIPAA's Safe Harbor removes, each with its place.

use clinflow_core::{Phi, Span, field::Offsets};

use crate::{
    detect::{self, Wanted},
    mask::{self, Cut, mask},
    visible::Visible,
};

/// A text without identifiers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redacted {
    /// The text with every identifier replaced.
    pub text: Phi,
    /// What was replaced, in the order of the text; disjoint.
    pub spans: Vec<Replaced>,
}

/// One identifier that was replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replaced {
    /// Where it stood in the text as it was.
    pub span: Span,
    /// What it was: `NAME`, `DATE`, `MEDICAL_RECORD_NUMBER`.
    pub kind: String,
    /// What stands there now: `{NAME}`.
    pub replacement: String,
}

/// Removes from a text what HIPAA's Safe Harbor removes. Ages up to 89 and years by themselves stay.
pub fn redact(text: &str) -> Redacted {
    let masked = mask(text, |text| {
        let visible = Visible::new(text);
        detect::find(visible.text(), &Wanted::SafeHarbor)
            .into_iter()
            .map(|found| Cut {
                range: visible.original(&found.range),
                name: found.identifier.as_str().to_owned(),
                grave: false,
            })
            .collect()
    });
    let offsets = Offsets::new(text);
    let spans = masked
        .cuts
        .into_iter()
        .map(|cut| Replaced {
            span: offsets.span(cut.range),
            replacement: mask::replacement(&cut.name),
            kind: cut.name,
        })
        .collect();
    Redacted { text: Phi::new(masked.text), spans }
}
