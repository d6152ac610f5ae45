//! People's names, by titles, labels, roles, credentials, given names and initials around them.

use std::{collections::HashSet, ops::Range};

use super::{
    Found, Identifier,
    people::{CREDENTIALS, EPONYMS, LABELS, PARTICLES, PREDICATES, ROLES, TITLES},
    token::{GIVEN, NOT_NAMES, Shape, Tokens},
};
use crate::policy::PiiType;

/// Most parts that a name has.
const MOST_PARTS: usize = 5;

/// How well a name is known: what only a given name says is not looked for elsewhere in the text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Evidence {
    Strong,
    Weak,
}

/// Finds names. `broad` takes titles and credentials along, and given names alone.
pub(super) fn find(tokens: &Tokens<'_>, broad: bool, found: &mut Vec<Found>) {
    let mut names: Vec<(Range<usize>, Evidence)> = Vec::new();
    let mut at = 0;
    while at < tokens.all.len() {
        match begins(tokens, at, broad) {
            Some((name, evidence)) => {
                at = name.end.max(at + 1);
                names.push((name, evidence));
            }
            None => at += 1,
        }
    }
    elsewhere(tokens, &mut names);
    for (name, _) in names {
        let name = if broad { with_title(tokens, name) } else { name };
        let mut range = tokens.range(&name);
        // "Sandra L." ends with its period.
        if tokens.shape(name.end - 1) == Some(Shape::Initial) && tokens.text[range.end..].starts_with('.') {
            range.end += 1;
        }
        found.push(Found { identifier: Identifier::Pii(PiiType::Name), range });
    }
}

/// The name that begins at a word, and how well it is known.
fn begins(tokens: &Tokens<'_>, at: usize, broad: bool) -> Option<(Range<usize>, Evidence)> {
    if let Some(evidence) = announced(tokens, at) {
        let name = parts(tokens, at, true)?;
        let single = name.len() == 1;
        let enough = match evidence {
            Announced::Title => tokens.shape(at) != Some(Shape::Initial) || !single,
            // "Patient: Roe" is rarer than "Subject: Follow-up".
            Announced::Label => !single || given(tokens, at).is_some() || names_people(tokens, at),
            Announced::Role => !single || (given(tokens, at).is_some() && !tokens.all[at].clinical),
        };
        if enough && !is_eponym(tokens, &name) && (evidence != Announced::Role || likely(tokens, &name)) {
            return Some((name, Evidence::Strong));
        }
    }
    let name = parts(tokens, at, false)?;
    if is_eponym(tokens, &name) || name.clone().any(|part| tokens.all[part].clinical) {
        return None;
    }
    let credentials = tokens.all.get(name.end).is_some() && {
        let gap = tokens.gap(name.end - 1);
        let next = tokens.lower(name.end);
        (gap == ", " || gap == " ")
            && CREDENTIALS.contains(&next.as_str())
            && matches!(tokens.shape(name.end), Some(Shape::Capitals | Shape::Capital))
    };
    if credentials && name.len() > 1 {
        return Some((name, Evidence::Strong));
    }
    let first = given(tokens, at);
    if name.len() > 1 {
        let known = first == Some(false)
            || (first == Some(true) && !tokens.begins(at))
            || with_initial(tokens, &name)
            || (name.len() > 1 && given(tokens, name.end - 1) == Some(false) && likely(tokens, &name));
        if known || (apposed(tokens, &name) && likely(tokens, &name)) {
            return Some((name, Evidence::Strong));
        }
    }
    (broad && name.len() == 1 && first == Some(false)).then_some((name, Evidence::Weak))
}

/// Whether the label before a word is one of people only.
fn names_people(tokens: &Tokens<'_>, at: usize) -> bool {
    const OTHERS: [&str; 12] = [
        "subject",
        "patient",
        "participant",
        "sponsor",
        "contact",
        "monitor",
        "from",
        "to",
        "by",
        "signature",
        "cc",
        "provider",
    ];
    at > 0 && !OTHERS.contains(&tokens.lower(at - 1).as_str())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Announced {
    Title,
    Label,
    Role,
}

/// Whether what stands before a word says that a name follows.
fn announced(tokens: &Tokens<'_>, at: usize) -> Option<Announced> {
    let before = at.checked_sub(1)?;
    let gap = tokens.gap(before);
    let word = tokens.lower(before);
    let close = matches!(gap, " " | ". " | "." | "  ")
        || (gap.starts_with('.') && gap.trim_start_matches('.').trim().is_empty());
    if close
        && !gap.contains('\n')
        && TITLES.contains(&word.as_str())
        && tokens.shape(before) != Some(Shape::Small)
    {
        return Some(Announced::Title);
    }
    let labelled = gap.trim_end_matches([' ', '\t']).ends_with([':', '\t']) && !gap.contains('\n');
    let named = matches!(gap, " is " | " ");
    if labelled && LABELS.contains(&word.as_str()) {
        return Some(Announced::Label);
    }
    if named && word == "is" && before > 0 && matches!(tokens.lower(before - 1).as_str(), "name" | "surname")
    {
        return Some(Announced::Label);
    }
    let role = matches!(gap, " " | ", " | " (" | " - " | ": ");
    (role && ROLES.contains(&word.as_str())).then_some(Announced::Role)
}

/// The parts of a name from a word on. After a label a name may be in capitals, and inverted: "ROE, JANE".
fn parts(tokens: &Tokens<'_>, at: usize, labelled: bool) -> Option<Range<usize>> {
    let is_part = |at: usize| {
        let shape = tokens.shape(at);
        let fits = matches!(shape, Some(Shape::Capital | Shape::Initial))
            || (labelled && shape == Some(Shape::Capitals));
        (fits && !NOT_NAMES.contains(tokens.lower(at).as_str())) || shape == Some(Shape::Initial)
    };
    if !is_part(at) {
        return None;
    }
    let mut end = at + 1;
    let mut inverted = false;
    while end < tokens.all.len() && end - at < MOST_PARTS {
        let gap = tokens.gap(end - 1);
        let after_initial = tokens.shape(end - 1) == Some(Shape::Initial) && matches!(gap, ". " | ".");
        let comma =
            labelled && !inverted && end == at + 1 && gap == ", " && tokens.shape(at) != Some(Shape::Initial);
        if !(gap == " " || after_initial || comma) {
            break;
        }
        if comma && CREDENTIALS.contains(&tokens.lower(end).as_str()) {
            break;
        }
        // Particles count only with a part after them.
        let mut next = end;
        while next < tokens.all.len()
            && next - end < 2
            && PARTICLES.contains(&tokens.word(next))
            && tokens.gap(next) == " "
        {
            next += 1;
        }
        if next >= tokens.all.len() || !is_part(next) || (tokens.all[next].clinical && !labelled) {
            break;
        }
        inverted |= comma;
        end = next + 1;
    }
    // An initial alone is no name.
    let whole = at..end;
    let has_word = whole.clone().any(|part| tokens.shape(part) != Some(Shape::Initial));
    has_word.then_some(whole)
}

/// Whether a word is a given name, and then whether it is an English word too.
fn given(tokens: &Tokens<'_>, at: usize) -> Option<bool> {
    matches!(tokens.shape(at), Some(Shape::Capital | Shape::Capitals))
        .then(|| GIVEN.get(tokens.lower(at).as_str()).copied())
        .flatten()
}

/// "Sandra L.", "J. Smith": a word and an initial with its period. "Hepatitis B" has none, or is known.
fn with_initial(tokens: &Tokens<'_>, name: &Range<usize>) -> bool {
    let first = tokens.shape(name.start) == Some(Shape::Initial);
    let last = tokens.shape(name.end - 1) == Some(Shape::Initial);
    let dotted = |at: usize| tokens.gap(at).starts_with('.');
    // "Hanne I. Kreutzmann"
    let middle =
        name.len() == 3 && tokens.shape(name.start + 1) == Some(Shape::Initial) && dotted(name.start + 1);
    if middle && likely(tokens, name) {
        return true;
    }
    (first && dotted(name.start) && likely(tokens, name) && tokens.word(name.end - 1).len() > 3)
        || (last && name.len() == 2 && dotted(name.end - 1) && likely(tokens, name))
}

/// Whether no part is known as something else.
fn likely(tokens: &Tokens<'_>, name: &Range<usize>) -> bool {
    name.clone().all(|part| {
        !tokens.all[part].clinical
            && !super::token::PLACES.contains(tokens.lower(part).as_str())
            && !EPONYMS.contains(&tokens.lower(part).as_str())
    })
}

/// A name set apart by commas or brackets in a sentence that describes a person.
fn apposed(tokens: &Tokens<'_>, name: &Range<usize>) -> bool {
    let before = tokens.gap_before(name.start);
    if !matches!(before, ", " | " (") {
        return false;
    }
    let after = tokens.gap(name.end - 1);
    let closes = after.starts_with([',', ')', '?', '.', ';']) || after.is_empty();
    let predicate = after == " "
        && tokens.all.get(name.end).is_some()
        && PREDICATES.contains(&tokens.lower(name.end).as_str());
    let mut looked = 0;
    let person = (0..name.start).rev().take_while(|at| {
        looked += 1;
        looked < 40 && !tokens.gap(*at).contains(['.', '?', '!', '\n'])
    });
    (closes || predicate)
        && person.into_iter().any(|at| {
            matches!(
                tokens.lower(at).as_str(),
                "year-old"
                    | "years"
                    | "yo"
                    | "y"
                    | "old"
                    | "male"
                    | "female"
                    | "man"
                    | "woman"
                    | "patient"
                    | "pt"
                    | "child"
                    | "infant"
                    | "boy"
                    | "girl"
            ) || tokens.word(at).ends_with("-old")
                || tokens.word(at).ends_with("yo")
        })
}

/// Whether what follows makes an eponym of it: "Cushing's syndrome", "Wells score".
fn is_eponym(tokens: &Tokens<'_>, name: &Range<usize>) -> bool {
    let gap = tokens.gap(name.end - 1);
    let mut next = name.end;
    if !matches!(gap, " " | "'s " | "\u{2019}s " | "-") {
        return false;
    }
    let mut looked = 0;
    while next < tokens.all.len() && looked < 2 {
        if EPONYMS.contains(&tokens.lower(next).as_str()) {
            return true;
        }
        if tokens.gap(next) != " " {
            return false;
        }
        next += 1;
        looked += 1;
    }
    false
}

/// Adds the other places where a name that is well known, or its last word, stands.
fn elsewhere(tokens: &Tokens<'_>, names: &mut Vec<(Range<usize>, Evidence)>) {
    let mut known: HashSet<&str> = HashSet::new();
    let mut taken = vec![false; tokens.all.len()];
    for (name, evidence) in names.iter() {
        taken[name.clone()].fill(true);
        if *evidence == Evidence::Strong {
            known.extend(
                name.clone()
                    .filter(|part| {
                        tokens.shape(*part) != Some(Shape::Initial) && tokens.word(*part).len() > 2
                    })
                    .filter(|part| given(tokens, *part) != Some(true) && !tokens.all[*part].clinical)
                    .map(|part| tokens.word(part)),
            );
        }
    }
    if known.is_empty() {
        return;
    }
    for (at, taken) in taken.iter().enumerate() {
        let one = at..at + 1;
        if !taken
            && known.contains(tokens.word(at))
            && !NOT_NAMES.contains(tokens.lower(at).as_str())
            && !is_eponym(tokens, &one)
        {
            names.push((one, Evidence::Strong));
        }
    }
}

/// A name with the title before it.
fn with_title(tokens: &Tokens<'_>, name: Range<usize>) -> Range<usize> {
    match name.start.checked_sub(1) {
        Some(before)
            if TITLES.contains(&tokens.lower(before).as_str())
                && tokens.gap(before).trim_matches(['.', ' ']).is_empty()
                && tokens.shape(before) != Some(Shape::Small) =>
        {
            before..name.end
        }
        _ => name,
    }
}
