//! Answers among the validated fields: the field whose name, group and neighbours have everything that is asked.

use std::{collections::HashSet, ops::Range};

use clinflow_clinical::sentence;
use clinflow_core::{Field, FieldSet, field::Alignment};
use clinflow_ingest::Text;
use clinflow_workflow::{FieldSpec, FieldType, Workflow};

use super::{
    Reading,
    quote::{Place, Quotation},
    words,
};
use crate::answering::material::path;

/// What a term counts where it stands.
const IN_NAME: i32 = 60;
const IN_ANCHOR: i32 = 50;
const IN_GROUP: i32 = 40;
const IN_MEANING: i32 = 30;
/// A term that is in every question counts little.
const FAINT: i32 = 12;
/// What a field loses for a part of its name that is not asked for, and for a term that another field has.
const UNASKED: i32 = 8;
const ELSEWHERE: i32 = 20;
/// What "when?" means where nobody says of what: the beginning.
const FIRST: i32 = 4;

/// Fields whose values every question of a document may name without asking for anything.
const AMBIENT: [&str; 5] = ["study_drug", "suspect_drug.drug_name", "study_id", "subject_id", "site_id"];

/// The fields of one document.
pub(super) struct Fields<'m> {
    known: Vec<Known<'m>>,
    text: &'m str,
    ambient: HashSet<String>,
    has_result: bool,
    has_reason: bool,
}

/// A field with evidence, and what its workflow says about it.
struct Known<'m> {
    field: &'m Field,
    spec: &'m FieldSpec,
    places: Vec<Range<usize>>,
    name: HashSet<String>,
    group: HashSet<String>,
    meaning: HashSet<String>,
    /// The names in its repetition: of the event, of the drug, of the test.
    anchors: HashSet<String>,
    /// What the guardrail left of a value: told instead of what stands in the text.
    masked: Option<&'m str>,
    /// The first words of its group: they name the repetition.
    is_naming: bool,
}

/// How well a field answers.
struct Fit<'f, 'm> {
    known: &'f Known<'m>,
    score: i32,
    explained: HashSet<&'f str>,
}

impl<'m> Fields<'m> {
    /// The fields of `set` that stand in `text` and mean something in `workflow`.
    pub(super) fn new(set: &'m FieldSet, workflow: &'m Workflow, text: &'m Text) -> Self {
        let text = text.text.as_str();
        let known: Vec<_> = set.fields.iter().filter_map(|field| known(field, set, workflow, text)).collect();
        let ambient = known
            .iter()
            .filter(|known| AMBIENT.contains(&known.spec.path().as_str()))
            .flat_map(|known| words::terms(known.field.value.expose()).collect::<Vec<_>>())
            .collect();
        let names = |term: &str| known.iter().any(|known| known.name.contains(term));
        let (has_result, has_reason) = (names("result"), names("reason"));
        Self { known, text, ambient, has_result, has_reason }
    }

    /// What the fields say to a question; nothing unless they have all that is asked.
    pub(super) fn find(&self, reading: &Reading) -> Vec<Quotation> {
        let best = self.best(reading);
        if !best.is_empty() || !self.has_result {
            return self.quote(&best, reading);
        }
        // "What was the potassium?" asks for its result.
        let asks_result = Reading {
            terms: reading.terms.iter().cloned().chain(["result".to_owned()]).collect(),
            ..reading.clone()
        };
        self.quote(&self.best(&asks_result), reading)
    }

    /// The study drug's name, when doses and the like are asked for without saying of what, and the fields found are
    /// only those of other drugs: a question in a trial is about its drug first.
    pub(super) fn study_drug_beside(&self, reading: &Reading, found: &[Quotation]) -> Option<Vec<String>> {
        let of_drug = |term: &String| matches!(term.as_str(), "dose" | "route" | "frequency");
        if !reading.names.is_empty() || !reading.beside.is_empty() || !reading.terms.iter().any(of_drug) {
            return None;
        }
        let suspect =
            |place: &Place| place.field.as_deref().is_some_and(|path| path.starts_with("suspect_drug"));
        if found.iter().any(|quotation| quotation.said.iter().any(suspect)) {
            return None;
        }
        let drug = self.known.iter().find(|known| known.spec.path() == "study_drug")?;
        Some(words::terms(drug.field.value.expose()).collect())
    }

    /// The fields that fit best, and for what is then left unanswered those that fit that best.
    fn best<'f>(&'f self, reading: &'f Reading) -> Vec<&'f Known<'m>> {
        let fits: Vec<_> = self.known.iter().filter_map(|known| self.fit(known, reading)).collect();
        let mut chosen = top(&fits, |_| true);
        for term in reading.terms.iter().map(String::as_str) {
            let is_explained = chosen.iter().any(|fit| fit.explained.contains(term));
            let is_small = words::is_faint(term) || (term == "reason" && !self.has_reason);
            if is_explained || is_small || self.ambient.contains(term) {
                continue;
            }
            let more = top(&fits, |fit| fit.known.name.contains(term));
            if more.is_empty() {
                // Half an answer would look like a whole one.
                return Vec::new();
            }
            chosen.extend(more);
        }
        let mut chosen: Vec<_> = chosen.into_iter().map(|fit| fit.known).collect();
        chosen.sort_by_key(|known| known.places[0].start);
        chosen
    }

    /// How well a field has what is asked; `None` when it has something that nothing in the document's fields explains.
    fn fit<'f>(&'f self, known: &'f Known<'m>, reading: &'f Reading) -> Option<Fit<'f, 'm>> {
        if !reading.beside.is_empty() && !stands_beside(known.field, &reading.beside) {
            return None;
        }
        // "When?" alone is no question.
        if reading.terms == ["date"] && reading.beside.is_empty() {
            return None;
        }
        let is_date = matches!(known.spec.kind, FieldType::Date);
        let asks_date = reading.terms.iter().any(|term| term == "date");
        let asks_time =
            asks_date || reading.terms.iter().any(|term| matches!(term.as_str(), "begin" | "end"));
        if (asks_date && !is_date) || (is_date && !asks_time) {
            return None;
        }
        let (mut score, mut aspects, mut meant, mut explained) = (0, 0, 0, HashSet::new());
        let (mut grouped, mut anchored, mut is_ambient) = (known.field.group.is_none(), false, false);
        // Where all words are in every question, each must name the field: "subject number" is no site's number.
        let only_faint = reading.terms.iter().all(|term| words::is_faint(term));
        for term in &reading.terms {
            let worth = |value: i32| if words::is_faint(term) { FAINT } else { value };
            if known.name.contains(term) || (term == "date" && is_date) {
                score += worth(IN_NAME);
                aspects += 1;
            } else if known.anchors.contains(term) {
                score += IN_ANCHOR;
                (grouped, anchored) = (true, true);
            } else if known.group.contains(term) {
                score += worth(IN_GROUP);
                grouped = true;
            } else if known.meaning.contains(term) && !only_faint {
                score += worth(IN_MEANING);
                meant += i32::from(!words::is_faint(term));
            } else if only_faint {
                return None;
            } else if words::is_faint(term) || (term == "reason" && !self.has_reason) {
                continue;
            } else if self.ambient.contains(term) {
                is_ambient = true;
                continue;
            } else if !reading.names.contains(term)
                && self.known.iter().any(|other| other.name.contains(term))
            {
                score -= ELSEWHERE;
                continue;
            } else {
                return None;
            }
            explained.insert(term.as_str());
        }
        // What a field means tells it from others of its own group only. "Which events were there?" asks for their names.
        if aspects == 0 && !(grouped && (meant > 0 || known.is_naming && !anchored)) {
            return None;
        }
        // Asked of the study drug and of nothing else, what is known of an event or another drug is no answer.
        if is_ambient && !grouped {
            return None;
        }
        let small = ["date", "name", "number", "term", "report"];
        let unasked =
            known.name.iter().filter(|part| !reading.terms.contains(part) && !small.contains(&part.as_str()));
        score -= UNASKED * i32::try_from(unasked.count()).unwrap_or(i32::MAX / UNASKED);
        if asks_date && ["begin", "admission", "collect"].iter().any(|first| known.name.contains(*first)) {
            score += FIRST;
        }
        Some(Fit { known, score, explained })
    }

    /// The fields as quotations.
    fn quote(&self, chosen: &[&Known<'m>], reading: &Reading) -> Vec<Quotation> {
        let several = chosen.windows(2).any(|pair| repetition(pair[0].field) != repetition(pair[1].field));
        chosen.iter().map(|known| self.quotation(known, reading, several)).collect()
    }

    fn quotation(&self, known: &Known<'m>, reading: &Reading, several: bool) -> Quotation {
        let place = |known: &Known<'_>, range: &Range<usize>| Place {
            range: range.clone(),
            field: Some(path(known.field)),
            masked: known.masked.map(str::to_owned),
        };
        let assertion = known.field.assertion;
        if assertion != clinflow_core::field::Assertion::default() {
            // "Sepsis" alone would say the opposite of "no evidence of sepsis".
            let whole = segment(self.text, &known.places[0]);
            return Quotation { about: None, said: vec![place(known, &whole)] };
        }
        let siblings = |wanted: &dyn Fn(&Known<'_>) -> bool| {
            let same = |other: &&Known<'m>| repetition(other.field) == repetition(known.field);
            self.known.iter().filter(same).find(|other| known.field.group.is_some() && wanted(other))
        };
        let naming = siblings(&|other| other.is_naming).filter(|_| !known.is_naming);
        let is_named = naming.is_some_and(|naming| {
            words::terms(naming.field.value.expose()).all(|term| reading.terms.contains(&term))
        });
        let about = naming.filter(|_| several || !is_named).map(|naming| place(naming, &naming.places[0]));
        let mut said: Vec<Place> = known.places.iter().map(|range| place(known, range)).collect();
        if matches!(known.spec.kind, FieldType::Number)
            && let Some(unit) = siblings(&|other| matches!(other.spec.kind, FieldType::Unit))
        {
            said.push(place(unit, &unit.places[0]));
        }
        Quotation { about, said }
    }
}

/// The best of those that are wanted; all of them where several are equally good.
fn top<'a, 'f, 'm>(fits: &'a [Fit<'f, 'm>], wanted: impl Fn(&Fit<'f, 'm>) -> bool) -> Vec<&'a Fit<'f, 'm>> {
    let best = fits.iter().filter(|fit| wanted(fit)).map(|fit| fit.score).max();
    fits.iter().filter(|fit| wanted(fit) && Some(fit.score) == best).collect()
}

/// A field that stands in the text, with what is to be known about it.
fn known<'m>(field: &'m Field, set: &'m FieldSet, workflow: &'m Workflow, text: &str) -> Option<Known<'m>> {
    let spec = workflow.field(&field.name, field.group.as_deref())?;
    let stands = |status| !matches!(status, Alignment::Absent | Alignment::Partial);
    let places: Vec<_> = field
        .evidence
        .iter()
        .filter(|evidence| {
            stands(evidence.status) && evidence.span.of(text).is_some_and(|said| !said.trim().is_empty())
        })
        .map(|evidence| evidence.span.byte_start..evidence.span.byte_end)
        .collect();
    if places.is_empty() {
        return None;
    }
    let terms = |text: &str| words::terms(&words::plain(&text.replace('_', " "))).collect::<HashSet<_>>();
    let naming = |name: &str| {
        let first = |spec: &&FieldSpec| spec.group == field.group && matches!(spec.kind, FieldType::Text);
        workflow.fields.iter().find(first).is_some_and(|spec| spec.name == name)
    };
    let beside = set.fields.iter().filter(|other| {
        field.group.is_some() && repetition(other) == repetition(field) && naming(&other.name)
    });
    let anchors = beside
        .flat_map(|other| [Some(&other.value), other.normalized.as_ref()])
        .flatten()
        .flat_map(|value| words::terms(value.expose()).collect::<Vec<_>>())
        .collect();
    let label = spec.label.as_deref().unwrap_or_default();
    Some(Known {
        field,
        spec,
        places,
        name: terms(&spec.name),
        group: spec.group.as_deref().map(terms).unwrap_or_default(),
        meaning: terms(&format!("{} {label}", spec.description)),
        anchors,
        masked: masked(field, text),
        is_naming: field.group.is_some() && naming(&field.name),
    })
}

/// The value of a field that a guardrail has masked: its text says more than may be told.
fn masked<'m>(field: &'m Field, text: &str) -> Option<&'m str> {
    let value = field.value.expose();
    let stands =
        || field.evidence.iter().filter_map(|evidence| evidence.span.of(text)).any(|said| said.contains('{'));
    (value.contains('{') && value.contains('}') && !stands()).then_some(value)
}

/// Which repetition of which group a field belongs to.
fn repetition(field: &Field) -> (Option<&str>, Option<u32>) {
    (field.group.as_deref(), field.index)
}

/// Whether a field belongs to the repetition of one of `paths`.
fn stands_beside(field: &Field, paths: &[String]) -> bool {
    let own = path(field);
    let folder = own.strip_suffix(&field.name).unwrap_or_default();
    !folder.is_empty()
        && paths.iter().any(|path| path.strip_prefix(folder).is_some_and(|rest| !rest.contains('.')))
}

/// The sentence that a place begins in.
fn segment(text: &str, place: &Range<usize>) -> Range<usize> {
    let holds = |segment: &Range<usize>| segment.start <= place.start && place.start < segment.end;
    sentence::split(text).into_iter().find(holds).unwrap_or_else(|| place.clone())
}
