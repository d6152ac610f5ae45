//! Headings of clinical notes and narratives, and what kind of section each one opens.
//!
//! A heading is a line of its own that is a known title or in capitals ("RESULTS"), or a known title with a colon
//! at the start of a line ("PMH: asthma"), or a title in capitals with a colon there ("EXTREMITIES: warm"). Where
//! line breaks were lost, a run of blanks stands for one before a title with a colon.
//! To teach it a title, add a line to `lexicon/sections.tsv`.

use std::{collections::HashMap, ops::Range, sync::LazyLock};

use serde::{Deserialize, Serialize};

use crate::{fold, lexicon::rows};

/// What a section of a note is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Who the patient is.
    Demographics,
    /// Why the patient came.
    Complaint,
    /// The present illness.
    PresentIllness,
    /// The course of the illness or event; a narrative.
    Course,
    /// Earlier illnesses.
    PastHistory,
    /// Earlier operations.
    SurgicalHistory,
    /// Illnesses of relatives.
    FamilyHistory,
    /// Habits, work, home.
    SocialHistory,
    /// Drugs taken.
    Medications,
    /// Treatment given.
    Treatment,
    /// Allergies.
    Allergies,
    /// Vaccines.
    Immunizations,
    /// Questions about each organ system.
    ReviewOfSystems,
    /// What an examiner saw.
    Examination,
    /// One organ system or body region, outside an examination or review of systems.
    BodySystem,
    /// Vital signs.
    Vitals,
    /// Results of any kind.
    Results,
    /// Laboratory results.
    Labs,
    /// Images and traces.
    Imaging,
    /// Procedures done.
    Procedures,
    /// Diagnoses, impressions.
    Assessment,
    /// Diagnoses and plan under one heading.
    AssessmentAndPlan,
    /// What will be done.
    Plan,
    /// Whether a drug is held to have caused an event.
    Causality,
    /// How it ended.
    Outcome,
    /// Where the patient went.
    Disposition,
    /// What the patient was told to do.
    Instructions,
    /// A heading that is not in the table.
    Other,
}

/// A heading and the text below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Bytes of the heading with its list number and colon, without white space around it.
    pub heading: Range<usize>,
    /// Bytes from the end of the heading to the next heading or the end of the text.
    pub body: Range<usize>,
    /// What it is about.
    pub kind: Kind,
}

/// A heading in capitals that is not in the table has at most this many words: longer ones are shouted sentences.
const MOST_WORDS: usize = 8;
/// A title before a colon that is not in the table has at most this many words.
const MOST_WORDS_INLINE: usize = 5;
/// No known title is longer; lines are not looked up past it.
const MOST_BYTES: usize = 60;

/// The sections of `text`, in order. Text before the first heading belongs to none. The lines of an examination
/// or review of systems ("Neck: supple") and of a list of results ("ALT: 42") are items of it, not sections.
pub fn find(text: &str) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    for (heading, kind) in headings(text) {
        if sections.last().is_some_and(|open| is_item(kind, open.kind)) {
            continue;
        }
        if let Some(last) = sections.last_mut() {
            last.body.end = heading.start;
        }
        sections.push(Section { body: heading.end..text.len(), heading, kind });
    }
    sections
}

/// True when a heading of `kind` below one of kind `open` is a line of that section.
const fn is_item(kind: Kind, open: Kind) -> bool {
    let findings =
        matches!(open, Kind::Examination | Kind::ReviewOfSystems | Kind::Vitals | Kind::BodySystem);
    match kind {
        Kind::BodySystem => findings,
        Kind::Other => findings || matches!(open, Kind::Labs | Kind::Results),
        _ => false,
    }
}

/// Every heading of `text` and its kind, in order, those that are items of a section included.
pub(crate) fn headings(text: &str) -> Vec<(Range<usize>, Kind)> {
    let mut headings = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let mut place = start;
        for piece in columns(line) {
            let found =
                heading(piece).filter(|(range, _)| place == start || piece[..range.end].ends_with(':'));
            headings.extend(found.map(|(range, kind)| (place + range.start..place + range.end, kind)));
            place += piece.len();
        }
        start += line.len();
    }
    headings
}

/// The kind of section a title names: "PMH", "Past medical history:", "3. Allergies".
pub fn kind(title: &str) -> Option<Kind> {
    static TITLES: LazyLock<HashMap<&'static str, Kind>> = LazyLock::new(|| {
        titles().expect("the table is a constant, and `every_shipped_title_has_a_kind` reads it")
    });
    let title = fold::folded(numbered(title).1);
    TITLES.get(title.trim_end_matches([':', ' ', '-'])).copied()
}

fn titles() -> Result<HashMap<&'static str, Kind>, crate::lexicon::Error> {
    rows("sections.tsv", include_str!("../lexicon/sections.tsv"), 2)?
        .into_iter()
        .map(|row| {
            let name = serde::de::value::StrDeserializer::<serde::de::value::Error>::new(row.cells[1]);
            let kind = Kind::deserialize(name)
                .map_err(|_| row.error("names no kind of section in its second column"))?;
            Ok((row.cells[0], kind))
        })
        .collect()
}

/// The pieces of a line that begin behind runs of blanks; together they are the line.
fn columns(line: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut rest = line;
    while let Some(run) = rest.find(LOST_BREAK) {
        let next = run + rest[run..].len() - rest[run..].trim_start_matches(' ').len();
        let (piece, after) = rest.split_at(next);
        pieces.push(piece);
        rest = after;
    }
    pieces.push(rest);
    pieces
}

/// Three blanks: two are a typist's habit after a period.
const LOST_BREAK: &str = "   ";

/// The heading a line begins with or consists of.
fn heading(line: &str) -> Option<(Range<usize>, Kind)> {
    let indent = line.len() - line.trim_start().len();
    let trimmed = line.trim();
    let (number, rest) = numbered(trimmed);
    if rest.is_empty() || rest.starts_with(['-', '*', '\u{2022}']) {
        return None;
    }
    let alone = rest.len() <= MOST_BYTES;
    if alone && let Some(kind) = kind(rest) {
        // "Neck" alone on a line is as likely a body part in a list; a heading has capitals or a colon.
        let capital = rest.chars().next().is_some_and(char::is_uppercase);
        return capital.then_some((indent..indent + trimmed.len(), kind));
    }
    if let Some(colon) = rest.find(':').filter(|colon| *colon <= MOST_BYTES) {
        let title = &rest[..colon];
        let range = indent..indent + number + colon + 1;
        if title.chars().next().is_some_and(char::is_uppercase)
            && let Some(kind) = kind(title)
        {
            return Some((range, kind));
        }
        let title_like = shouted(title) && words(title) <= MOST_WORDS_INLINE;
        return title_like.then_some((range, Kind::Other));
    }
    let shouted_line =
        alone && shouted(rest) && words(rest) <= MOST_WORDS && !rest.ends_with(['.', ',', ';']);
    shouted_line.then_some((indent..indent + trimmed.len(), Kind::Other))
}

/// The length of a list number or Markdown mark before a title, and the title: "3. PLAN", "## PLAN".
fn numbered(title: &str) -> (usize, &str) {
    let rest = title.trim_start_matches('#').trim_start();
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let rest = match rest[digits..].strip_prefix(['.', ')']) {
        Some(after) if (1..=2).contains(&digits) => after.trim_start(),
        _ => rest,
    };
    (title.len() - rest.len(), rest)
}

/// At least three letters, all of them capitals, and no digits: a dose table's "10 MG" is no title.
fn shouted(title: &str) -> bool {
    let letters = title.chars().filter(|character| character.is_alphabetic()).count();
    letters >= 3
        && !title.chars().any(char::is_lowercase)
        && !title.chars().any(|character| character.is_ascii_digit())
        && title.chars().next().is_some_and(char::is_alphabetic)
}

fn words(title: &str) -> usize {
    title.split_whitespace().count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Kind, find, kind, titles};

    fn headings(text: &str) -> Vec<(&str, Kind)> {
        find(text).into_iter().map(|section| (&text[section.heading], section.kind)).collect()
    }

    #[test]
    fn every_shipped_title_has_a_kind() {
        assert!(titles().unwrap().len() > 150);
    }

    #[test]
    fn a_title_on_its_own_line_opens_a_section_up_to_the_next() {
        let text = "CHIEF COMPLAINT\n\nCough.\n\nPast Medical History:\nAsthma.\n";
        assert_eq!(
            headings(text),
            [("CHIEF COMPLAINT", Kind::Complaint), ("Past Medical History:", Kind::PastHistory)]
        );
        assert_eq!(&text[find(text)[0].body.clone()], "\n\nCough.\n\n");
    }

    #[test]
    fn a_title_before_a_colon_opens_a_section_on_its_line() {
        let text = "PMH: asthma\n3. Allergies: none\nEXTREMITIES:  no edema\nNote: seen at 10:30";
        assert_eq!(
            headings(text),
            [
                ("PMH:", Kind::PastHistory),
                ("3. Allergies:", Kind::Allergies),
                ("EXTREMITIES:", Kind::BodySystem)
            ]
        );
    }

    #[test]
    fn the_lines_of_an_examination_are_no_sections() {
        let text = "PHYSICAL EXAM\n\nNeck: supple\nGAIT: steady\n\nPLAN\n\nRest.";
        assert_eq!(headings(text), [("PHYSICAL EXAM", Kind::Examination), ("PLAN", Kind::Plan)]);
    }

    #[test]
    fn blanks_in_place_of_a_lost_line_break_part_headings_from_text() {
        let text = "EXAMINATION PERFORMED:  CT HEAD   10:30    CLINICAL HISTORY:   Fall.";
        assert_eq!(
            headings(text),
            [("EXAMINATION PERFORMED:", Kind::Imaging), ("CLINICAL HISTORY:", Kind::Complaint)]
        );
    }

    #[test]
    fn sentences_bullets_and_shouted_doses_are_no_headings() {
        assert_eq!(
            headings(
                "The plan is to wait.\n• Cardiovascular: murmur\nASPIRIN 81 MG DAILY\nNO ACUTE DISEASE.\n"
            ),
            []
        );
    }

    #[test]
    fn a_title_is_known_in_any_case_with_number_and_colon() {
        assert_eq!(kind("2) family history:"), Some(Kind::FamilyHistory));
        assert_eq!(kind("the weather"), None);
    }

    proptest! {
        #[test]
        fn sections_lie_in_order_on_character_boundaries(text in "(([A-Z]{2,9}|[a-zé ]{0,9}|PLAN|HPI)[:.]?[ \\n]){0,20}") {
            let mut end = 0;
            for section in find(&text) {
                prop_assert!(end <= section.heading.start);
                prop_assert_eq!(section.heading.end, section.body.start);
                prop_assert!(text.get(section.heading.clone()).is_some());
                prop_assert!(text.get(section.body.clone()).is_some());
                end = section.body.end;
            }
        }
    }
}
