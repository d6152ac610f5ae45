//! What belongs together: a dose to its drug, a result to its test, an adverse event to the drug it is blamed on.
//!
//! A condition or symptom becomes an adverse event when the words between it and a drug in the same segment say
//! so: "X-induced Y", "Y due to X", "developed Y while on X". A condition the drug is given for ("for", "with a
//! history of", "treated with") stays a condition.

use std::ops::Range;

use clinflow_core::field::Experiencer;

use crate::{annotate::Entity, label::Label, phrases::stands_alone};

/// Fills the links of `entities` and turns attributed conditions and symptoms into adverse events.
pub(crate) fn link(text: &str, segments: &[Range<usize>], entities: &mut [Entity]) {
    let mut first = 0;
    for segment in segments {
        first += entities[first..].partition_point(|entity| entity.span.byte_start < segment.start);
        let count = entities[first..].partition_point(|entity| entity.span.byte_start < segment.end);
        let statement = Statement { text, segment: segment.clone(), first };
        statement.link_parts(&mut entities[first..first + count]);
        statement.link_events(&mut entities[first..first + count]);
        first += count;
    }
}

/// One segment of a text; its first entity is number `first` of the text.
struct Statement<'t> {
    text: &'t str,
    segment: Range<usize>,
    first: usize,
}

impl Statement<'_> {
    /// Links doses, routes, frequencies and durations to drugs, results to tests, units to results, severities,
    /// outcomes and dates to events.
    fn link_parts(&self, entities: &mut [Entity]) {
        for at in 0..entities.len() {
            let owner = match entities[at].label {
                Label::Dose | Label::Route | Label::Frequency | Label::Duration | Label::ActionTaken => {
                    nearest(entities, at, |label| label == Label::Drug, Side::Before)
                }
                Label::LabValue => nearest(entities, at, |label| label == Label::LabTest, Side::OnlyBefore),
                Label::Unit => nearest(entities, at, |label| label == Label::LabValue, Side::OnlyBefore),
                Label::Severity => nearest(entities, at, is_problem, Side::After),
                Label::Outcome => nearest(entities, at, is_problem, Side::Before),
                _ => None,
            };
            if let Some(owner) = owner {
                entities[at].links.push(self.first + owner);
            }
        }
    }

    /// Turns the problems attributed to a drug into adverse events linked to it.
    fn link_events(&self, entities: &mut [Entity]) {
        let drugs: Vec<_> = (0..entities.len()).filter(|at| entities[*at].label == Label::Drug).collect();
        if drugs.is_empty() {
            return;
        }
        let problems: Vec<_> = (0..entities.len()).filter(|at| may_be_an_effect(&entities[*at])).collect();
        let mut blamed: Vec<Vec<usize>> = problems
            .iter()
            .map(|problem| {
                let alone = |drug: &&usize| {
                    let (low, high) = (*problem.min(drug), *problem.max(drug));
                    problems.partition_point(|other| *other <= low)
                        >= problems.partition_point(|other| *other < high)
                };
                drugs
                    .iter()
                    .filter(alone)
                    .filter(|drug| self.is_attributed(entities, *problem, **drug))
                    .copied()
                    .collect()
            })
            .collect();
        // "Aspirin caused nausea, rash and fever" blames it for all three, "nausea and rash from aspirin" for both.
        for at in 1..problems.len() {
            if blamed[at].is_empty() && self.is_listed(entities, problems[at - 1], problems[at]) {
                blamed[at] = blamed[at - 1].clone();
            }
        }
        for at in (1..problems.len()).rev() {
            if blamed[at - 1].is_empty() && self.is_listed(entities, problems[at - 1], problems[at]) {
                blamed[at - 1] = blamed[at].clone();
            }
        }
        for (problem, blamed) in problems.into_iter().zip(blamed) {
            if !blamed.is_empty() {
                entities[problem].label = Label::AdverseEvent;
                entities[problem].links.extend(blamed.into_iter().map(|drug| self.first + drug));
            }
        }
    }

    /// Whether nothing but the joints of a list and one adjective stands between two mentions.
    fn is_listed(&self, entities: &[Entity], one: usize, next: usize) -> bool {
        let between = &self.text[entities[one].span.byte_end..entities[next].span.byte_start];
        let joints = |word: &&str| matches!(*word, "" | "and" | "or" | "&" | "/" | "as" | "well");
        let mut others = between.split(|c: char| c.is_whitespace() || c == ',').filter(|word| !joints(word));
        let joined = between.contains(',')
            || between.contains(" and ")
            || between.contains(" or ")
            || between.contains('/');
        let adjective =
            others.next().is_none_or(|word| !PREPOSITIONS.contains(&word) && !word.contains(['.', ';', '(']));
        joined && adjective && others.next().is_none()
    }

    /// Whether the words between the problem and the drug blame the drug. The phrase next to the problem decides:
    /// in "rash after treatment with X" it is "after", in "gout treated with X, followed by" it is "treated with".
    fn is_attributed(&self, entities: &[Entity], problem: usize, drug: usize) -> bool {
        let (effect, cause) = (&entities[problem].span, &entities[drug].span);
        if problem < drug {
            let between = Between::new(&self.text[effect.byte_end..cause.byte_start]);
            let before = Between::new(&self.text[self.segment.start..effect.byte_start]);
            let blame = between.first(EFFECT_THEN_CAUSE);
            let treatment = between.first(INDICATIONS);
            let exposed = between.begins_with(&[" in "]) && between.first(EXPOSURE).is_some();
            return between.first(DECHALLENGE).is_some()
                || exposed
                || is_nearer(blame, treatment)
                || (before.first(ONSET).is_some() && is_nearer(between.first(EXPOSURE), treatment));
        }
        let between = Between::new(&self.text[cause.byte_end..effect.byte_start]);
        let nearest = |last: Option<usize>| last.map(|at| between.0.len() - at);
        between.is_blank()
            || between.begins_with(INDUCED)
            || is_nearer(nearest(between.last(CAUSE_THEN_EFFECT)), nearest(between.last(INDICATIONS)))
    }
}

/// A condition or symptom that is there, in the patient: nobody blames a drug for what is denied.
fn may_be_an_effect(entity: &Entity) -> bool {
    is_problem(entity.label)
        && !entity.assertion.negated
        && entity.assertion.experiencer == Experiencer::Patient
}

/// True when there is a distance and it is the shorter one.
fn is_nearer(distance: Option<usize>, other: Option<usize>) -> bool {
    distance.is_some_and(|distance| other.is_none_or(|other| distance < other))
}

/// The words between two mentions, in lower case with single blanks and a blank at either end that is not glued.
struct Between(String);

impl Between {
    fn new(text: &str) -> Self {
        let words: Vec<_> = text.split_whitespace().map(str::to_ascii_lowercase).collect();
        let joined = words.join(" ");
        let glued = text.starts_with(|c: char| !c.is_whitespace());
        Self(if glued { format!("{joined} ") } else { format!(" {joined} ") })
    }

    /// Where the first of `phrases` stands as whole words.
    fn first(&self, phrases: &[&str]) -> Option<usize> {
        self.places(phrases).min()
    }

    /// Where the last of `phrases` stands as whole words.
    fn last(&self, phrases: &[&str]) -> Option<usize> {
        self.places(phrases).max()
    }

    fn places(&self, phrases: &[&str]) -> impl Iterator<Item = usize> {
        phrases.iter().filter_map(|phrase| {
            self.0
                .match_indices(phrase)
                .map(|(at, _)| at)
                .find(|at| stands_alone(&self.0, *at..at + phrase.len()))
        })
    }

    /// True when nothing stands between: "methotrexate toxicity".
    fn is_blank(&self) -> bool {
        self.0.trim().is_empty()
    }

    /// True when it begins with one of `phrases`.
    fn begins_with(&self, phrases: &[&str]) -> bool {
        phrases.iter().any(|phrase| self.0.starts_with(phrase))
    }
}

/// "X-induced Y".
const INDUCED: &[&str] = &[
    "-induced",
    " induced",
    "-associated",
    " associated",
    "-related",
    " related",
    "-triggered",
    "-mediated",
    "-provoked",
];
/// "X caused Y".
const CAUSE_THEN_EFFECT: &[&str] = &[
    "caused",
    "causes",
    "causing",
    "cause",
    "cause of",
    "induced",
    "induces",
    "induce",
    "led to",
    "leads to",
    "lead to",
    "leading to",
    "resulted in",
    "results in",
    "result in",
    "resulting in",
    "produced",
    "produces",
    "produce",
    "precipitated",
    "precipitate",
    "triggered",
    "trigger",
    "provoked",
    "provoke",
    "associated with",
    "complicated by",
    "developed",
    "develop",
    "develops",
    "experienced",
    "followed by",
    "elicited",
    "responsible for",
    "implicated in",
    "presented with",
    "exacerbated",
    "exacerbate",
    "aggravated",
    "suffered",
    "side effect",
    "side effects",
    "adverse effects",
    "adverse effect",
    "unmasked",
    "contributed to",
    "promote",
];
/// "Y due to X".
const EFFECT_THEN_CAUSE: &[&str] = &[
    "due to",
    "caused by",
    "induced by",
    "secondary to",
    "after",
    "following",
    "associated with",
    "related to",
    "attributed to",
    "attributable to",
    "as a result of",
    "because of",
    "resulting from",
    "result of",
    "in response to",
    "provoked by",
    "triggered by",
    "precipitated by",
    "from",
    "during",
    "with the use of",
    "the use of",
    "side effect of",
    "side effects of",
    "complication of",
    "on",
    "while on",
    "while taking",
    "while receiving",
    "to",
    "under",
    "in association with",
    "produced by",
    "by",
    "temporally related",
    "had been ingesting",
];
/// "developed Y while on X": what stands before the problem.
const ONSET: &[&str] =
    &["developed", "experienced", "presented with", "suffered", "reported", "had", "onset of"];
/// "developed Y while on X", "Y in a patient treated with X": what stands between.
const EXPOSURE: &[&str] =
    &["while", "taking", "receiving", "treated with", "therapy with", "after starting", "who received"];
/// "Y resolved after withdrawal of X".
const DECHALLENGE: &[&str] = &[
    "discontinuation of",
    "withdrawal of",
    "cessation of",
    "stopping",
    "discontinuing",
    "withdrawing",
    "removal of",
    "interruption of",
];
/// What says that the drug is given for the problem.
const INDICATIONS: &[&str] = &[
    "for",
    "treated",
    "treatment with",
    "to treat",
    "treating",
    "treatment of",
    "therapy of",
    "managed with",
    "managed",
    "controlled",
    "received",
    "given",
    "in patients with",
    "in a patient with",
    "with a history of",
    "responded to",
    "improved",
    "resolved",
    "reversed",
    "relieved",
    "was started on",
    "history of",
    "undergoing",
    "prescribed",
    "prophylaxis",
    "prevention of",
    "suffering from",
    "in the management of",
];
/// What parts two mentions that commas would join.
const PREPOSITIONS: &[&str] = &[
    "in", "of", "with", "for", "during", "after", "due", "from", "to", "on", "by", "who", "which", "but",
    "without",
];

const fn is_problem(label: Label) -> bool {
    matches!(label, Label::Condition | Label::Symptom)
}

/// Where an owner is looked for first.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    /// Before, then after: "aspirin 81 mg", but also "81 mg aspirin".
    Before,
    /// Only before.
    OnlyBefore,
    /// After, then before: "severe nausea", but also "nausea, severe".
    After,
}

/// The nearest entity with a fitting label on the side where it is looked for first, else on the other.
fn nearest(entities: &[Entity], at: usize, fits: impl Fn(Label) -> bool, side: Side) -> Option<usize> {
    let before = || (0..at).rev().find(|other| fits(entities[*other].label));
    let after = || (at + 1..entities.len()).find(|other| fits(entities[*other].label));
    match side {
        Side::Before => before().or_else(after),
        Side::OnlyBefore => before(),
        Side::After => after().or_else(before),
    }
}

#[cfg(test)]
mod tests {
    use crate::{Annotation, Label, annotate};

    /// The adverse events of `text`, each with the drugs it is linked to.
    fn events(text: &str) -> Vec<(&str, Vec<&str>)> {
        let Annotation { entities, .. } = annotate(text);
        let words = |at: &usize| entities[*at].span.of(text).unwrap();
        entities
            .iter()
            .filter(|entity| entity.label == Label::AdverseEvent)
            .map(|event| (event.span.of(text).unwrap(), event.links.iter().map(words).collect()))
            .collect()
    }

    #[test]
    fn a_blamed_problem_is_an_adverse_event_linked_to_its_drug() {
        assert_eq!(events("Azithromycin-induced ototoxicity."), [("ototoxicity", vec!["Azithromycin"])]);
        assert_eq!(events("Rash due to ampicillin."), [("Rash", vec!["ampicillin"])]);
        assert_eq!(
            events("He developed rhabdomyolysis while taking simvastatin."),
            [("rhabdomyolysis", vec!["simvastatin"])]
        );
        assert_eq!(events("Colchicine can cause myopathy."), [("myopathy", vec!["Colchicine"])]);
    }

    #[test]
    fn a_list_of_problems_shares_its_cause() {
        assert_eq!(
            events("Aspirin caused nausea, severe rash and fever."),
            [("nausea", vec!["Aspirin"]), ("rash", vec!["Aspirin"]), ("fever", vec!["Aspirin"])]
        );
    }

    #[test]
    fn what_a_drug_is_given_for_and_what_is_denied_is_no_adverse_event() {
        assert_eq!(events("Methotrexate for rheumatoid arthritis."), []);
        assert_eq!(events("Gout treated with allopurinol."), []);
        assert_eq!(events("No rash after amoxicillin."), []);
    }

    #[test]
    fn doses_routes_and_frequencies_belong_to_the_drug_and_results_to_their_test() {
        let text = "Aspirin 81 mg PO daily. ANC 0.3 x10^9/L.";
        let Annotation { entities, .. } = annotate(text);
        let linked: Vec<_> = entities
            .iter()
            .flat_map(|entity| {
                entity.links.iter().map(|at| (entity.label, entities[*at].span.of(text).unwrap()))
            })
            .collect();
        assert_eq!(
            linked,
            [
                (Label::Dose, "Aspirin"),
                (Label::Route, "Aspirin"),
                (Label::Frequency, "Aspirin"),
                (Label::LabValue, "ANC"),
                (Label::Unit, "0.3"),
            ]
        );
    }
}
