//! What an amendment asks of those who take part: whether they must consent again.

use std::sync::LazyLock;

use regex::Regex;

use super::{
    claims::{Claims, Said},
    story::{Story, folded, says},
};

/// Words for consenting again.
static RECONSENT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"(?i)\bre-?\s?consent(?:ed|ing)?\b|\bconsent(?:ed)? again\b|\bnew (?:written )?informed consent\b",
    )
    .expect("the pattern is a constant, and every test of this file compiles it")
});

/// What makes consenting again unnecessary.
const NOT_NEEDED: [&str; 6] = ["not", "no", "none", "without", "neither", "nor"];

/// Says whether participants must consent again, from the first sentence that says so or denies it.
pub(super) fn tell(story: &Story<'_>, claims: &mut Claims<'_>) {
    if !claims.wants("reconsent_required") {
        return;
    }
    if let Some(hit) = RECONSENT.find(story.text) {
        let segment = story.segment(story.segment_at(hit.start()));
        // A denial further away denies something else.
        let before = &story.text[segment.start.min(hit.start())..hit.start()];
        let start = before.rmatch_indices(char::is_whitespace).nth(3).map_or(0, |(at, _)| at + 1);
        let after = &story.text[hit.end()..segment.end.max(hit.end())];
        let end = after.match_indices(char::is_whitespace).nth(5).map_or(after.len(), |(at, _)| at);
        let place = hit.start() - before.len() + start..hit.end() + end;
        let needed = !says(&folded(&story.text[place.clone()]), &NOT_NEEDED);
        let normalized = Some(if needed { "Y" } else { "N" }.to_owned());
        claims.say(story, "reconsent_required", None, Said { place, normalized, ..Said::default() });
    }
}
