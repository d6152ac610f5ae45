//! Words as questions, fields and documents have in common: each brought to one that stands for all of its kind.

use std::{collections::HashMap, sync::LazyLock};

/// Phrases whose words say less apart than together, and what they ask for.
const PHRASES: [(&str, &str); 53] = [
    ("who reported the adverse event", "reporter"),
    ("who reported the event", "reporter"),
    ("who reported it", "reporter"),
    ("who reported this", "reporter"),
    ("who reported", "reporter"),
    ("who wrote", "reporter"),
    ("what happened", "event"),
    ("how old", "age"),
    ("how much", "dose"),
    ("how often", "frequency"),
    ("how frequently", "frequency"),
    ("how many times", "frequency"),
    ("how long", "duration"),
    ("how severe", "severity"),
    ("how bad", "severity"),
    ("how intense", "severity"),
    ("how serious", "serious"),
    ("which way", "route"),
    ("what way", "route"),
    ("how was it given", "route"),
    ("how was it administered", "route"),
    ("how is it given", "route"),
    ("how did it end", "outcome"),
    ("how did it turn out", "outcome"),
    ("what became of", "outcome"),
    ("what day", "when"),
    ("which day", "when"),
    ("what date", "when"),
    ("which date", "when"),
    ("what time", "when"),
    ("since when", "when begin"),
    ("until when", "when end"),
    ("male or female", "sex"),
    ("man or woman", "sex"),
    ("adverse drug reaction", "event"),
    ("adverse event", "event"),
    ("adverse reaction", "event"),
    ("adverse effect", "event"),
    ("side effect", "event"),
    ("side-effect", "event"),
    ("study drug", "suspect drug"),
    ("study medication", "suspect drug"),
    ("study treatment", "suspect drug"),
    ("study product", "suspect drug"),
    ("investigational product", "suspect drug"),
    ("other medication", "concomitant drug"),
    ("other medicine", "concomitant drug"),
    ("other drug", "concomitant drug"),
    ("medical history", "history condition"),
    ("past history", "history condition"),
    ("normal range", "reference range"),
    ("consent again", "reconsent"),
    ("re-consent", "reconsent"),
];

/// One word for many. What is not here stands for itself, without its ending.
const KINDS: [(&str, &str); 52] = [
    ("begin", "began begin begins beginning onset start started starting starts commence commenced first"),
    (
        "end",
        "end ended ends ending stop stopped stopping resolve resolved resolution cease ceased over last finish finished",
    ),
    ("date", "date dates day dated when"),
    ("dose", "dose doses dosage dosages dosed amount strength"),
    ("route", "route routes orally intravenously"),
    ("frequency", "frequency schedule regimen"),
    ("duration", "duration"),
    ("age", "age aged ages years old"),
    ("sex", "sex gender male female man woman"),
    ("severity", "severity severe intensity mild moderate"),
    ("grade", "grade grades graded ctcae toxicity"),
    ("serious", "serious seriousness sae"),
    ("outcome", "outcome outcomes recover recovered recovery recovering"),
    (
        "causality",
        "causality cause caused causes causal related relationship relatedness relate relates attributed attributable attribution",
    ),
    (
        "drug",
        "drug drugs medicine medicines medication medications product products imp treatment treatments therapy",
    ),
    ("suspect", "suspect suspected investigational"),
    ("concomitant", "concomitant concomitantly comedication comedications"),
    ("event", "event events ae aes reaction reactions adverse"),
    ("action", "action actions"),
    ("death", "death die died dies dead fatal deceased"),
    (
        "hospital",
        "hospital hospitalisation hospitalised hospitalization hospitalized hospitalise hospitalize inpatient",
    ),
    ("admission", "admission admit admitted admissions"),
    ("discharge", "discharge discharged"),
    ("lot", "lot lots batch batches"),
    ("indication", "indication indications indicated"),
    ("subject", "subject subjects participant participants patient patients volunteer"),
    ("number", "number no id identifier numbers ids identification"),
    ("site", "site sites centre centres center centers"),
    ("study", "study studies trial trials protocol protocols"),
    ("reporter", "reporter reporters reports investigator physician"),
    ("report", "report reported narrative form document letter"),
    ("laboratory", "laboratory laboratories lab labs"),
    ("test", "test tests analyte analytes assay parameter"),
    ("result", "result results value values level levels count counts measured measurement"),
    ("reference", "reference normal"),
    ("range", "range ranges limit limits interval"),
    ("unit", "unit units"),
    ("flag", "flag flags flagged abnormal"),
    ("sample", "sample samples specimen specimens"),
    ("collect", "collect collected collection drawn"),
    (
        "condition",
        "condition conditions disease diseases illness illnesses diagnosis diagnoses diagnosed disorder disorders",
    ),
    ("history", "history historical past previous previously"),
    ("amendment", "amendment amendments amended amend"),
    ("reason", "reason reasons rationale why"),
    ("change", "change changes changed"),
    ("section", "section sections"),
    ("version", "version versions"),
    ("approve", "approve approved approval"),
    ("enrol", "enrol enroll enrolled enrolment enrollment"),
    ("reconsent", "reconsent reconsented"),
    ("symptom", "symptom symptoms complaint complaints sign signs"),
    ("race", "race ethnicity"),
];

/// Words that carry nothing by themselves.
const EMPTY: &str = "a an the this that these those it its they them their he she his her him who whom whose what which \
    where how is are was were be been being am do does did done has have had having can could will would may might shall \
    must and or but if then than so as at by for from in into of on onto off to with without within about between per via \
    there here any some all each every both either other another such only just also too very please tell me us you we i \
    my our your yes not no nor s t re exactly exact total known current currently actual actually specific";

/// Words that are in every question and every document: they need not be found again.
const FAINT: &str = "subject report document study give given gave gives receive received receives take took taken takes get \
    got gets administer administered happen happened happens occur occurred occurs occurring experience experienced say \
    says said state stated states mention mentioned mentions describe described describes note noted find found show shows \
    shown case name named names called use used using time during after before while main clinical value treat treated \
    list give make made much many data information detail details suffer suffered assess assessed judge judged consider \
    considered think thought record recorded go went number term result";

static KIND: LazyLock<HashMap<&str, &str>> = LazyLock::new(|| {
    KINDS.iter().flat_map(|(kind, words)| words.split_whitespace().map(|word| (word, *kind))).collect()
});

/// Whether a word carries nothing.
fn is_empty(word: &str) -> bool {
    EMPTY.split_whitespace().any(|empty| empty == word)
}

/// Whether a term stands for a kind of thing, and names none.
pub(super) fn is_general(term: &str) -> bool {
    KINDS.iter().any(|(kind, _)| *kind == term)
}

/// Whether a term is in every question and document.
pub(super) fn is_faint(term: &str) -> bool {
    FAINT.split_whitespace().any(|faint| faint == term || stem(faint) == term)
}

/// The phrases of a question replaced by what they ask for.
pub(super) fn plain(question: &str) -> String {
    let mut text =
        format!(" {} ", question.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>().join(" "));
    for (phrase, kind) in PHRASES {
        for ending in [" ", "s ", "?", ",", ".", "s?"] {
            text = text.replace(
                &format!(" {phrase}{ending}"),
                &format!(" {kind} {}", ending.trim_start_matches('s')),
            );
        }
    }
    text
}

/// The terms of a text, in order, repetitions included.
pub(super) fn terms(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).filter_map(|word| {
        let word = word.to_lowercase();
        (!is_empty(&word)).then(|| term(&word))
    })
}

/// The term of one word in lower case.
pub(super) fn term(word: &str) -> String {
    KIND.get(word).map_or_else(|| stem(word), |kind| (*kind).to_owned())
}

/// A word without its ending, British as American: "haemorrhages" and "hemorrhage" are one.
fn stem(word: &str) -> String {
    let word = word.replace("ae", "e").replace("oe", "e").replace("isation", "ization").replace("ise", "ize");
    let cut =
        |ending: &str, least: usize| word.strip_suffix(ending).filter(|stem| stem.chars().count() >= least);
    if let Some(stem) = cut("ies", 3) {
        return format!("{stem}y");
    }
    for (ending, least) in [("ing", 4), ("ed", 4), ("es", 4)] {
        if let Some(stem) = cut(ending, least) {
            return stem.trim_end_matches('e').to_owned();
        }
    }
    match word.strip_suffix('s') {
        Some(stem) if stem.chars().count() >= 3 && !stem.ends_with(['s', 'u', 'i']) => {
            stem.trim_end_matches('e').to_owned()
        }
        _ if word.chars().count() > 3 => word.trim_end_matches('e').to_owned(),
        _ => word,
    }
}

#[cfg(test)]
mod tests {
    use super::{plain, stem, terms};

    fn of(text: &str) -> Vec<String> {
        terms(&plain(text)).collect()
    }

    #[test]
    fn different_words_for_the_same_are_the_same_term() {
        assert_eq!(of("When did the side effects start?"), ["date", "event", "begin"]);
        assert_eq!(of("What was the onset date of the adverse event?"), ["begin", "date", "event"]);
        assert_eq!(of("How old is she, and how often did she take it?"), ["age", "frequency", "tak"]);
        assert_eq!(of("which study drug"), ["suspect", "drug"]);
    }

    #[test]
    fn a_word_loses_its_ending_and_its_spelling_and_keeps_its_meaning() {
        for (one, other) in [
            ("haemorrhages", "hemorrhage"),
            ("infections", "infection"),
            ("interrupted", "interrupts"),
            ("biopsies", "biopsy"),
            ("oedema", "edema"),
        ] {
            assert_eq!(stem(one), stem(other), "{one} {other}");
        }
        assert_ne!(stem("sepsis"), stem("sepsi"));
    }
}
