//! Places and institutions: by the kind of institution in the name, and by lists of cities, states and countries.

use std::ops::Range;

use super::{
    Found, Identifier,
    token::{NOT_NAMES, PLACES, Shape, Tokens},
};

/// What an institution's name ends with.
const INSTITUTIONS: [&str; 30] = [
    "hospital",
    "hospitals",
    "clinic",
    "clinics",
    "center",
    "centre",
    "ctr",
    "cntr",
    "hosp",
    "infirmary",
    "hospice",
    "institute",
    "university",
    "college",
    "sanatorium",
    "pharmacy",
    "practice",
    "laboratories",
    "foundation",
    "school",
    "health",
    "healthcare",
    "medicine",
    "care",
    "facility",
    "med",
    "medical",
    "surgery",
    "church",
    "prison",
];

/// Words within an institution's name that are not capitalised.
const INSIDE: [&str; 6] = ["of", "for", "the", "and", "de", "at"];

/// Before a place: "seen at", "lives in".
const BEFORE: [&str; 9] = ["at", "in", "from", "to", "near", "of", "by", "outside", "via"];

/// Verbs before `at`, `in`, `from`, `to` after which any capitalised word is a place.
const VERBS: [&str; 31] = [
    "admitted",
    "seen",
    "treated",
    "residing",
    "resides",
    "living",
    "lives",
    "lived",
    "evaluated",
    "hospitalized",
    "hospitalised",
    "discharged",
    "transferred",
    "referred",
    "born",
    "diagnosed",
    "visited",
    "presenting",
    "presented",
    "visiting",
    "reviewed",
    "examined",
    "assessed",
    "moved",
    "enrolled",
    "based",
    "located",
    "works",
    "consulted",
    "traveled",
    "attending",
];

pub(super) fn find(tokens: &Tokens<'_>, found: &mut Vec<Found>) {
    let mut at = 0;
    while at < tokens.all.len() {
        let place = institution(tokens, at).or_else(|| listed(tokens, at)).or_else(|| after_verb(tokens, at));
        match place {
            Some(mut place) => {
                // "Sacramento, CA"
                let state = tokens.gap(place.end - 1) == ", "
                    && tokens.shape(place.end) == Some(Shape::Capitals)
                    && tokens.word(place.end).len() == 2;
                place.end += usize::from(state);
                found.push(Found { identifier: Identifier::Location, range: tokens.range(&place) });
                at = place.end;
            }
            None => at += 1,
        }
    }
}

/// Whether a gap joins two words of one name.
fn joins(gap: &str) -> bool {
    matches!(gap, " " | ". " | "'s " | "\u{2019}s " | "' " | "&" | " & " | "-" | "/")
}

fn capital(tokens: &Tokens<'_>, at: usize) -> bool {
    matches!(tokens.shape(at), Some(Shape::Capital | Shape::Capitals | Shape::Initial))
}

/// "St. Mary's Medical Center", "Children's Hospital of Atlanta": words with capitals of which one says what it is.
fn institution(tokens: &Tokens<'_>, at: usize) -> Option<Range<usize>> {
    if !capital(tokens, at)
        || (tokens.begins(at) && NOT_NAMES.contains(tokens.lower(at).as_str()) && !is_institution(tokens, at))
    {
        return None;
    }
    let mut end = at + 1;
    let mut kind = is_institution(tokens, at).then_some(at);
    while end < tokens.all.len() && end - at < 9 && joins(tokens.gap(end - 1)) {
        if capital(tokens, end) {
            if is_institution(tokens, end) {
                kind = Some(end);
            }
            end += 1;
        } else if INSIDE.contains(&tokens.word(end))
            && tokens.all.len() > end + 1
            && capital(tokens, end + 1)
            && tokens.gap(end) == " "
        {
            end += 2;
        } else {
            break;
        }
    }
    let kind = kind?;
    // "Clinic" alone names nothing; "Clinic of Springfield" and "Mercy Clinic" do.
    (end - at > 1 && (kind > at || end > kind + 2)).then_some(at..end)
}

fn is_institution(tokens: &Tokens<'_>, at: usize) -> bool {
    INSTITUTIONS.contains(&tokens.lower(at).as_str())
}

/// A city, state or country of the list, of up to three words.
fn listed(tokens: &Tokens<'_>, at: usize) -> Option<Range<usize>> {
    if !capital(tokens, at) || tokens.all[at].clinical {
        return None;
    }
    (1..=3).rev().map(|length| at..at + length).filter(|words| words.end <= tokens.all.len()).find(|words| {
        words.clone().all(|word| capital(tokens, word))
            && (words.start..words.end - 1).all(|word| matches!(tokens.gap(word), " " | ". "))
            && PLACES.contains(tokens.text[tokens.range(words)].to_lowercase().as_str())
            && !(words.len() == 1 && tokens.begins(at) && tokens.gap(at).starts_with(':'))
    })
}

/// "admitted to Cedars-Sinai": whatever has a capital there.
fn after_verb(tokens: &Tokens<'_>, at: usize) -> Option<Range<usize>> {
    let before = at.checked_sub(1)?;
    if !matches!(tokens.shape(at), Some(Shape::Capital | Shape::Capitals))
        || !BEFORE.contains(&tokens.word(before))
        || tokens.gap(before) != " "
        || tokens.all[at].clinical
        || NOT_NAMES.contains(tokens.lower(at).as_str())
    {
        return None;
    }
    let near = (before.saturating_sub(4)..before).rev().take_while(|word| matches!(tokens.gap(*word), " "));
    let by_verb = near.into_iter().any(|word| VERBS.contains(&tokens.lower(word).as_str()));
    let at_or_near = matches!(tokens.word(before), "at" | "near");
    if !(by_verb || at_or_near) {
        return None;
    }
    let mut end = at + 1;
    while end < tokens.all.len()
        && end - at < 6
        && joins(tokens.gap(end - 1))
        && capital(tokens, end)
        && !tokens.all[end].clinical
    {
        end += 1;
    }
    Some(at..end)
}
