//! Denied topics: whether a statement asks for, or gives, what the policy refuses.
//!
//! Two topics are understood by name: `ClinicalTreatmentAdvice` and `OffLabelUsage`. For both, what decides is not the
//! subject but the mood: "What dose did she receive?" is about the record, "What dose should she receive?" asks for
//! advice. Any other topic is recognised by its examples only: a statement that shares most of an example's words. A
//! topic that needs more is for Bedrock, which reads its definition.

use std::collections::BTreeSet;

use crate::{
    Source,
    policy::Topic,
    statement::{Statement, statements},
};

/// How the local engine recognises a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Understood {
    /// By rules written for it.
    ByRules,
    /// By likeness to its examples.
    ByExamples,
    /// Not at all: it has no example.
    NotHere,
}

/// How the local engine recognises `topic`.
pub fn understood(topic: &Topic) -> Understood {
    match topic.name.as_str() {
        "ClinicalTreatmentAdvice" | "OffLabelUsage" => Understood::ByRules,
        _ if topic.examples.is_empty() => Understood::NotHere,
        _ => Understood::ByExamples,
    }
}

/// Whether a statement of `text` belongs to `topic`. What the grounding source states may be said.
pub(crate) fn is_about(topic: &Topic, side: Source, text: &str, grounding: Option<&str>) -> bool {
    let sources: Vec<BTreeSet<String>> =
        grounding.map(|source| statements(source).iter().map(content).collect()).unwrap_or_default();
    statements(text).iter().any(|statement| {
        let stated = || {
            let said = content(statement);
            !said.is_empty() && sources.iter().any(|source| said.is_subset(source))
        };
        match (topic.name.as_str(), side) {
            ("ClinicalTreatmentAdvice", Source::Input) => asks_for_advice(statement),
            ("ClinicalTreatmentAdvice", Source::Output) => gives_advice(statement) && !stated(),
            ("OffLabelUsage", Source::Input) => asks_off_label(statement),
            ("OffLabelUsage", Source::Output) => suggests_off_label(statement) && !stated(),
            _ => topic.examples.iter().any(|example| is_like(statement, example)),
        }
    })
}

/// Words about treatment, by how they begin.
const TREATMENT: [&str; 64] = [
    "dose ", "doses ", "dosage", "dosing", "mg ", "mcg ", "milligram", "microgram", "tablet", "treat", "therap",
    "medic", "drug", "prescri", "regimen", "antibiotic", "steroid", "infusion", "taper", "titrat", "discontinu",
    "stop", "hold ", "withhold", "switch", "start", "continu", "increas", "decreas", "raise", "raising", "reduc",
    "double", "doubling", "halve", "halving", "give ", "given ", "giving ", "administ", "take ", "taking ", "put ",
    "transfus", "dialys", "intubat", "surg", "operat", "vaccin", "chemo", "inject", "pill", "capsule", "insulin",
    "antidote", "manage ", "managed ", "management ", "remedy", "interven", "cure ", "compound", "product", "receive ",
];

/// Phrases that ask what ought to be, whatever stands around them.
const OPINION: [&str; 21] = [
    "would you", "do you think", "do you recommend", "do you advise", "do you suggest", "do you believe",
    "in your opinion", "your advice", "your recommendation", "your opinion", "if you were", "you would suggest",
    "you would recommend", "you suggest", "you recommend", "you advise", "your view", "your suggestion", "should i",
    "should we", "what would be",
];

/// Phrases that ask what ought to be, unless the record is asked.
const NORMATIVE: [&str; 53] = [
    "should", "ought", "must", "is it safe", "is it ok", "is it okay", "is it fine", "is it advisable",
    "is it appropriate", "is it reasonable", "is it better", "is it wise", "is it worth", "is it possible",
    "is it necessary", "would it be", "would be right", "right for", "the right", "best", "most appropriate",
    "appropriate", "the correct", "sensible", "optimal", "ideal", "suitable", "proper", "better", "safest", "safe to",
    "next step", "next treatment", "what to do", "how to treat", "how to manage", "how do i", "how do we", "how can i",
    "how can we", "can i", "can we", "could i", "could we", "may i", "may we", "need to be", "first line",
    "recommended for", "how much can", "advisable", "preferred", "too much for",
];

/// Who may be treated.
const PERSONS: [&str; 12] = [
    "she", "he", "they", "this patient", "the patient", "this subject", "the subject", "my patient", "patients",
    "subjects", "the child", "the baby",
];

/// Before a person: "can she take", "does he need".
const ALLOWED: [&str; 8] = ["can", "could", "may", "might", "shall", "would", "will", "does"];

/// What is asked for at the beginning of a request.
const REQUESTS: [&str; 31] = [
    "recommend", "suggest", "propose", "advise", "prescribe", "pick", "choose", "select", "decide", "determine",
    "calculate", "compute", "adjust", "optimise", "optimize", "increase", "decrease", "start", "stop", "treat",
    "titrate", "devise", "design a treatment", "come up with", "tell me what to give", "tell me how to treat",
    "help me treat", "help me dose", "help me choose", "advise me", "give me a treatment",
];

/// What may stand before a request.
const POLITE: [&str; 12] = [
    "please", "can you", "could you", "would you", "will you", "i need you to", "i want you to", "kindly", "now",
    "help me", "i would like you to", "you must",
];

/// Phrases that point to the record.
const RECORD: [&str; 52] = [
    "according to", "as per", "per protocol", "per the protocol", "does the protocol", "does the document",
    "does the report", "does the narrative", "does the record", "does the amendment", "does the form", "does the label",
    "does the plan", "does the case", "does the manual", "does the sponsor", "does the investigator", "in the report",
    "in the narrative", "in the document", "in the record", "in the protocol", "in the amendment", "in the form",
    "in the file", "in amendment", "in section", "under the protocol", "under the amended protocol",
    "of the protocol", "protocol say", "protocol state", "protocol require", "protocol allow", "report say",
    "narrative say", "document say", "is reported", "are reported", "reported as", "recorded", "documented", "is listed",
    "are listed", "is stated", "are stated", "mentioned", "the report mention", "the narrative mention",
    "the document mention", "the protocol mention", "planned in",
];

/// Verbs that put a question into the past.
const PAST: [&str; 13] = [
    "did", "was", "were", "had", "has been", "have been", "has the", "have the", "has she", "has he", "has this",
    "who decided", "who ordered",
];

fn about_treatment(statement: &Statement) -> bool {
    statement.treatment || statement.has_stem(&TREATMENT)
}

/// Whether a question is about what was, or what a document says.
fn asks_the_record(statement: &Statement) -> bool {
    let normative = statement.first(&NORMATIVE).unwrap_or(usize::MAX);
    statement.has(&RECORD) || statement.first(&PAST).is_some_and(|past| past < normative)
}

fn is_request(statement: &Statement) -> bool {
    let mut words = statement.words.as_str();
    // "AI, please ..." and "Could you please ..." are requests too.
    for _ in 0..3 {
        let rest = POLITE.iter().find_map(|polite| words.strip_prefix(&format!(" {polite}")));
        words = rest.filter(|rest| rest.starts_with(' ')).unwrap_or(words);
    }
    REQUESTS.iter().any(|request| words.starts_with(&format!(" {request} ")))
}

/// "Can she take", "does he need".
fn asks_leave(statement: &Statement) -> bool {
    ALLOWED.iter().any(|modal| {
        PERSONS.iter().any(|person| match *modal {
            "does" => statement.has(&[&format!("does {person} need"), &format!("does {person} require")]),
            modal => statement.has(&[&format!("{modal} {person}")]),
        })
    })
}

fn asks_for_advice(statement: &Statement) -> bool {
    if statement.has(&OPINION) && (about_treatment(statement) || statement.finding) {
        return !statement.has(&RECORD);
    }
    if is_request(statement) && about_treatment(statement) {
        return !asks_the_record(statement);
    }
    let asks = statement.question || statement.begins(&["tell me", "give me", "i need", "explain", "advise", "i want"]);
    asks && about_treatment(statement)
        && (statement.has(&NORMATIVE) || asks_leave(statement))
        && !asks_the_record(statement)
}

/// Phrases that give advice.
const ADVICE: [&str; 44] = [
    "you should", "you must", "you need to", "you ought", "you could give", "you can give", "you may give", "i recommend",
    "i suggest", "i advise", "i would recommend", "i would suggest", "i would advise", "i would give", "i would start",
    "i would stop", "we recommend", "we suggest", "we advise", "my advice", "my recommendation", "my suggestion",
    "it would be best", "it would be better", "it would be advisable", "it would be wise", "it would be safe",
    "it is best to", "it is safe to", "it is advisable", "it is recommended to", "is recommended for this patient",
    "should be given", "should be started", "should be stopped", "should be increased", "should be reduced",
    "should be treated", "should be switched", "should be withheld", "should be administered", "should be prescribed",
    "should be discontinued", "would benefit from",
];

/// What a person should do, in an answer.
const DUTY: [&str; 6] = ["should", "must", "ought to", "needs to", "need to", "has to"];

/// First words of an instruction.
const ORDERS: [&str; 27] = [
    "give", "take", "start", "stop", "increase", "decrease", "administer", "switch", "hold", "continue", "double",
    "reduce", "prescribe", "discontinue", "consider starting", "consider stopping", "consider increasing",
    "consider switching", "consider giving", "treat", "initiate", "begin", "raise", "lower", "taper", "titrate", "withhold",
];

/// Phrases that report what somebody else said.
const REPORTED: [&str; 30] = [
    "according to", "recommended that", "recommended to", "was advised", "were advised", "was told", "was instructed",
    "advised that", "advised the", "suggested that", "the protocol states", "the protocol requires", "per protocol",
    "the document states", "the report states", "the investigator recommended", "the physician recommended",
    "the investigator advised", "the physician advised", "the doctor advised", "as recommended by", "as advised by",
    "was recommended", "were recommended", "had been advised", "the label states", "the investigator suggested",
    "the protocol says", "the narrative states", "section",
];

fn gives_advice(statement: &Statement) -> bool {
    if statement.question || statement.has(&REPORTED) || !(about_treatment(statement) || statement.finding) {
        return false;
    }
    let duty = PERSONS
        .iter()
        .any(|person| DUTY.iter().any(|duty| statement.has(&[&format!("{} {duty}", person.trim())])));
    let words = statement.words.split_whitespace().count();
    // "Continue" is the value of a field; "Continue the infusion at 5 mg" is an instruction.
    let order = words > 3 && (statement.begins(&ORDERS) || order_after_comma(statement));
    statement.has(&ADVICE) || duty || order
}

/// "As instructed in the document, take two tablets now": punctuation is gone, so the phrase before it must be known.
fn order_after_comma(statement: &Statement) -> bool {
    ["as instructed in the document", "as the document asks", "as requested", "in this case", "therefore", "so", "then", "now", "please", "as instructed", "immediately"]
        .iter()
        .any(|lead| ORDERS.iter().any(|order| statement.begins(&[&format!("{lead} {order}")])))
}

/// Phrases about use outside an approval.
const OFF_LABEL: [&str; 34] = [
    "off label", "offlabel", "unapproved", "unlicensed", "unregistered", "not approved", "not been approved",
    "not indicated", "not licensed", "not authorised", "not authorized", "no approval", "no licence", "no license",
    "not labeled for", "not labelled for", "beyond the label", "outside the label", "outside its label",
    "beyond its label", "outside the approved", "outside its approved", "beyond the approved", "outside its indication",
    "outside the indication", "outside of its indication", "outside its licence", "outside its license", "adults only",
    "only approved for", "approved only for", "only licensed for", "contrary to the label", "despite the label",
];

/// Phrases that ask for or suggest a use.
const SUGGESTS: [&str; 31] = [
    "can", "could", "may", "might", "would", "should", "suggest", "recommend", "propose", "consider", "promising",
    "effective", "works", "work", "try", "uses", "benefit", "helps", "help", "explore", "potential", "indications",
    "list", "give me", "tell me", "name", "ideas", "how", "which", "what", "any",
];

fn asks_off_label(statement: &Statement) -> bool {
    statement.has(&OFF_LABEL)
        && (statement.question || is_request(statement) || statement.has(&OPINION))
        && statement.has(&SUGGESTS)
        && (statement.has(&OPINION) || !asks_the_record(statement))
}

fn suggests_off_label(statement: &Statement) -> bool {
    const SAID: [&str; 14] = [
        "can", "could", "may", "might", "would", "should", "suggest", "recommend", "consider", "promising",
        "is effective", "works well", "works", "benefit",
    ];
    statement.has(&OFF_LABEL) && statement.has(&SAID) && !statement.has(&REPORTED) && !statement.has(&PAST)
}

/// Words that carry no content.
pub(crate) const EMPTY: [&str; 46] = [
    "a", "an", "the", "of", "to", "in", "on", "at", "for", "and", "or", "is", "are", "was", "were", "be", "been", "it",
    "this", "that", "with", "by", "as", "do", "does", "did", "we", "i", "you", "she", "he", "they", "her", "his", "me",
    "my", "our", "please", "what", "which", "who", "how", "when", "can", "any", "from",
];

/// A statement's words that carry content.
pub(crate) fn content(statement: &Statement) -> BTreeSet<String> {
    statement.words.split_whitespace().filter(|word| !EMPTY.contains(word)).map(stem).collect()
}

/// A word without the endings that do not change what it is about.
pub(crate) fn stem(word: &str) -> String {
    let cut = |ending: &str, least: usize| word.strip_suffix(ending).filter(|rest| rest.chars().count() >= least);
    if word.bytes().any(|byte| byte.is_ascii_digit()) {
        return word.to_owned();
    }
    let stem = cut("ing", 4).or_else(|| cut("ed", 4)).or_else(|| cut("es", 4)).or_else(|| cut("s", 3)).unwrap_or(word);
    stem.strip_suffix('e').filter(|rest| rest.len() > 3).unwrap_or(stem).to_owned()
}

/// Whether a statement shares most of an example's content, and little else.
fn is_like(statement: &Statement, example: &str) -> bool {
    let said = content(statement);
    statements(example).iter().any(|example| {
        let wanted = content(example);
        let shared = said.intersection(&wanted).count();
        // Three quarters of the example (Dice), and at least two words of it.
        shared >= 2 && 8 * shared >= 3 * (said.len() + wanted.len())
    })
}
