//! The whole name of a condition, where the lexicon knows only its core.

use std::ops::Range;

use clinflow_clinical::{Entity, Label};

use super::story::Story;

/// Words before a condition that are part of its name.
const QUALIFIERS: [&str; 24] = [
    "acute",
    "subacute",
    "chronic",
    "recurrent",
    "relapsed",
    "refractory",
    "metastatic",
    "decompensated",
    "generalised",
    "generalized",
    "bilateral",
    "left",
    "right",
    "upper",
    "lower",
    "latent",
    "severe-type",
    "drug-induced",
    "hereditary",
    "neonatal",
    "congenital",
    "idiopathic",
    "secondary",
    "primary",
];

/// Where a mention begins that ends at `end` and can be the first part of a name: the place or the cause of what
/// follows, as in "duodenal ulcer haemorrhage".
fn ends_at(story: &Story<'_>, end: usize) -> Option<usize> {
    let at = story.entities.partition_point(|entity| entity.span.byte_end < end);
    let entity = story.entities.get(at).filter(|entity| entity.span.byte_end == end)?;
    matches!(entity.label, Label::Condition | Label::Anatomy).then_some(entity.span.byte_start)
}

/// The bytes of the mention with the qualifiers before it ("acute decompensated heart failure", "stage 3 chronic
/// kidney disease"), as far as they stand on one line or the next.
pub(super) fn whole(story: &Story<'_>, entity: &Entity) -> Range<usize> {
    let mut start = entity.span.byte_start;
    loop {
        let before = story.text[..start].trim_end();
        // A gap of two lines, or of a column, is not within a name.
        let gap = &story.text[before.len()..start];
        if gap.is_empty() || gap.matches('\n').count() > 1 || (gap.len() > 1 && !gap.contains('\n')) {
            break;
        }
        let word_start = before.rfind(char::is_whitespace).map_or(0, |at| at + 1);
        let word = before[word_start..].to_lowercase();
        if let Some(part) = ends_at(story, before.len()) {
            start = part;
            continue;
        }
        let is_stage_number = word.bytes().all(|byte| byte.is_ascii_digit()) && word.len() == 1;
        if QUALIFIERS.contains(&word.as_str()) {
            start = word_start;
        } else if is_stage_number && before[..word_start].trim_end().to_lowercase().ends_with("stage") {
            start = before[..word_start].trim_end().len() - "stage".len();
        } else {
            break;
        }
    }
    start..entity.span.byte_end
}
