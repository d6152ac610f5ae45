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

/// Says whether participants must consent again, from the first sentence that says so or denies it. A labelled cell or a
/// tick box is no sentence: those are for patterns.
pub(super) fn tell(story: &Story<'_>, claims: &mut Claims<'_>) {
    if !claims.wants("reconsent_required") {
        return;
    }
    if let Some(hit) = RECONSENT.find_iter(story.text).find(|hit| is_prose(line_at(story.text, hit.start())))
    {
        let place = story.segment(story.segment_at(hit.start()));
        let needed = !says(&folded(&story.text[place.clone()]), &NOT_NEEDED);
        let normalized = Some(if needed { "Y" } else { "N" }.to_owned());
        claims.say(story, "reconsent_required", None, Said { place, normalized, ..Said::default() });
    }
}

/// The line that byte `at` stands on.
fn line_at(text: &str, at: usize) -> &str {
    let start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    text[start..].lines().next().unwrap_or_default()
}

/// True for a line without columns, leaders or boxes.
fn is_prose(line: &str) -> bool {
    let line = line.trim();
    !["  ", "..", "[", "]", "|", "\u{2610}", "\u{2611}", "\u{2612}"].iter().any(|mark| line.contains(mark))
}
