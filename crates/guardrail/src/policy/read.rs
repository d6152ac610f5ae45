//! From YAML to a policy: each section of `AWS::Bedrock::Guardrail` with its limits.

use std::collections::BTreeSet;

use clinflow_yaml::{Item, Problems, Table};
use regex::RegexBuilder;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{
    Actions, Filter, FilterType, Grounding, GroundingType, Measure, Pattern, Pii, PiiMeasure, PiiType,
    Policy, Strength, Topic, Word,
    limits::{self, list, one_of, text},
};

/// Bytes a compiled pattern may take.
const REGEX_BYTES: usize = 1 << 20;

pub(super) fn policy(file: &str, yaml: &str) -> Result<Policy, Problems> {
    let mut found = Vec::new();
    let sha256 = hex::encode(Sha256::digest(yaml));
    let read = clinflow_yaml::read(file, yaml, &mut found, |item, _| properties(&item, &sha256));
    // What could be read once can be read again.
    let json = serde_saphyr::from_str_with_options(yaml, serde_saphyr::options! { strict_booleans: true });
    if let (Some(Some(policy)), Ok(properties), true) = (read, json, found.is_empty()) {
        return Ok(Policy { properties, ..policy });
    }
    found.sort();
    Err(Problems(found))
}

fn properties(root: &Item<'_>, sha256: &str) -> Option<Policy> {
    let table = limits::table(
        root,
        &[
            "Name",
            "Description",
            "BlockedInputMessaging",
            "BlockedOutputsMessaging",
            "KmsKeyArn",
            "Tags",
            "CrossRegionConfig",
            "TopicPolicyConfig",
            "ContentPolicyConfig",
            "WordPolicyConfig",
            "SensitiveInformationPolicyConfig",
            "ContextualGroundingPolicyConfig",
            "AutomatedReasoningPolicyConfig",
        ],
    )?;
    let name = table.required("Name").and_then(|at| {
        let name = text(&at, 1, 50)?;
        let fits = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        if !fits {
            at.note("may hold only letters, digits, `-` and `_`");
        }
        Some(name.to_owned())
    });
    let message = |key| table.required(key).and_then(|at| text(&at, 1, 500).map(str::to_owned));
    let (blocked_input, blocked_output) =
        (message("BlockedInputMessaging"), message("BlockedOutputsMessaging"));
    let description = table.optional("Description").and_then(|at| text(&at, 1, 200).map(str::to_owned));
    if let Some(at) = table.optional("AutomatedReasoningPolicyConfig") {
        at.note("automated reasoning runs only in Bedrock and cannot be enforced here: remove it, or attach it to a guardrail of its own");
    }
    let cross_region = cross_region(&table);
    aws_only(&table);
    let topics = section(&table, "TopicPolicyConfig", &["TopicsConfig", "TopicsTierConfig"], |section| {
        tier(section, "TopicsTierConfig", cross_region);
        unique(section.required("TopicsConfig").map(|at| list(&at, 1, 30)), topic, |topic| topic.name.clone())
    });
    let filters =
        section(&table, "ContentPolicyConfig", &["FiltersConfig", "ContentFiltersTierConfig"], |section| {
            tier(section, "ContentFiltersTierConfig", cross_region);
            unique(section.required("FiltersConfig").map(|at| list(&at, 1, 6)), filter, |filter| {
                filter.kind.as_str().to_owned()
            })
        });
    let mut profanity = None;
    let words = section(&table, "WordPolicyConfig", &["WordsConfig", "ManagedWordListsConfig"], |section| {
        profanity = section.optional("ManagedWordListsConfig").and_then(|at| managed(&at));
        unique(section.optional("WordsConfig").map(|at| list(&at, 1, 10_000)), word, |word| {
            word.text.to_lowercase()
        })
    });
    let mut regexes = Vec::new();
    let pii = section(
        &table,
        "SensitiveInformationPolicyConfig",
        &["PiiEntitiesConfig", "RegexesConfig"],
        |section| {
            regexes =
                unique(section.optional("RegexesConfig").map(|at| list(&at, 1, 30)), pattern, |pattern| {
                    pattern.name.clone()
                });
            unique(
                section.optional("PiiEntitiesConfig").map(|at| list(&at, 1, PiiType::ALL.len())),
                pii,
                |pii| pii.kind.as_str().to_owned(),
            )
        },
    );
    let grounding = section(&table, "ContextualGroundingPolicyConfig", &["FiltersConfig"], |section| {
        unique(section.required("FiltersConfig").map(|at| list(&at, 1, 2)), grounding, |filter| {
            filter.kind.as_str().to_owned()
        })
    });
    if [topics.len(), filters.len(), words.len(), pii.len(), regexes.len(), grounding.len()] == [0; 6]
        && profanity.is_none()
    {
        table.note("has no policy: add at least one of the `...PolicyConfig` sections");
    }
    Some(Policy {
        name: name?,
        description,
        blocked_input: blocked_input?,
        blocked_output: blocked_output?,
        topics,
        filters,
        words,
        profanity,
        pii,
        regexes,
        grounding,
        sha256: sha256.to_owned(),
        properties: Value::Null,
    })
}

/// What only AWS uses is checked for its form, and kept for rendering.
fn aws_only(table: &Table<'_>) {
    if let Some(at) = table.optional("KmsKeyArn")
        && text(&at, 1, 2048).is_some_and(|arn| !arn.starts_with("arn:aws"))
    {
        at.note("expected the ARN of a key: `arn:aws:kms:...`");
    }
    for tag in table.optional("Tags").map(|at| list(&at, 0, 200)).unwrap_or_default() {
        if let Some(tag) = limits::table(&tag, &["Key", "Value"]) {
            tag.required("Key").and_then(|at| text(&at, 1, 128));
            tag.required("Value").and_then(|at| text(&at, 0, 256));
        }
    }
}

/// Whether a cross-region profile is named, which the `STANDARD` tiers need.
fn cross_region(table: &Table<'_>) -> bool {
    let profile = table
        .optional("CrossRegionConfig")
        .and_then(|at| limits::table(&at, &["GuardrailProfileArn"]))
        .and_then(|config| config.required("GuardrailProfileArn"))
        .and_then(|at| text(&at, 15, 2048));
    profile.is_some()
}

fn tier(section: &Table<'_>, key: &'static str, cross_region: bool) {
    let name = section
        .optional(key)
        .and_then(|at| limits::table(&at, &["TierName"]))
        .and_then(|tier| tier.required("TierName"));
    let Some(at) = name else { return };
    if one_of(&at, &["CLASSIC", "STANDARD"], |name| name) == Some("STANDARD") && !cross_region {
        at.note("the STANDARD tier needs `CrossRegionConfig.GuardrailProfileArn`");
    }
}

fn section<T>(
    table: &Table<'_>,
    key: &'static str,
    known: &[&'static str],
    read: impl FnOnce(&Table<'_>) -> Vec<T>,
) -> Vec<T> {
    table
        .optional(key)
        .and_then(|at| limits::table(&at, known))
        .map(|section| read(&section))
        .unwrap_or_default()
}

/// Reads every item, and notes those whose name another already has.
fn unique<'a, T>(
    items: Option<Vec<Item<'a>>>,
    read: impl Fn(&Item<'a>) -> Option<T>,
    name: impl Fn(&T) -> String,
) -> Vec<T> {
    let mut seen = BTreeSet::new();
    let mut all = Vec::new();
    for at in items.unwrap_or_default() {
        let Some(item) = read(&at) else { continue };
        let name = name(&item);
        if seen.insert(name.clone()) {
            all.push(item);
        } else {
            at.note(format!("`{name}` is there twice: keep one"));
        }
    }
    all
}

const MEASURES: [(&str, Measure); 2] = [("BLOCK", Measure::Block), ("NONE", Measure::Report)];
const PII_MEASURES: [(&str, PiiMeasure); 3] =
    [("BLOCK", PiiMeasure::Block), ("ANONYMIZE", PiiMeasure::Anonymize), ("NONE", PiiMeasure::Report)];

/// The action under `key`; `usual` when it is not given.
fn action<A: Copy>(table: &Table<'_>, key: &'static str, known: &[(&'static str, A)], usual: A) -> A {
    let found = table.optional(key).and_then(|at| one_of(&at, known, |(name, _)| name));
    found.map_or(usual, |(_, action)| action)
}

/// `InputAction`, `InputEnabled` and their siblings for the output.
fn actions<A: Copy>(table: &Table<'_>, known: &[(&'static str, A)], usual: A) -> Actions<A> {
    let side = |enabled: &'static str, key: &'static str| {
        let enabled = table.optional(enabled).and_then(|at| at.flag()).unwrap_or(true);
        let action = action(table, key, known, usual);
        enabled.then_some(action)
    };
    Actions { input: side("InputEnabled", "InputAction"), output: side("OutputEnabled", "OutputAction") }
}

fn topic(at: &Item<'_>) -> Option<Topic> {
    let table = limits::table(
        at,
        &[
            "Name",
            "Definition",
            "Examples",
            "Type",
            "InputAction",
            "OutputAction",
            "InputEnabled",
            "OutputEnabled",
        ],
    )?;
    let name = table.required("Name").and_then(|at| text(&at, 1, 100));
    let definition = table.required("Definition").and_then(|at| text(&at, 1, 1000));
    let examples = table.optional("Examples").map(|at| list(&at, 0, 5)).unwrap_or_default();
    let examples = examples.iter().filter_map(|at| text(at, 1, 100).map(str::to_owned)).collect();
    table.required("Type").and_then(|at| one_of(&at, &["DENY"], |name| name));
    let actions = actions(&table, &MEASURES, Measure::Block);
    Some(Topic { name: name?.to_owned(), definition: definition?.to_owned(), examples, actions })
}

fn filter(at: &Item<'_>) -> Option<Filter> {
    let table = limits::table(
        at,
        &[
            "Type",
            "InputStrength",
            "OutputStrength",
            "InputModalities",
            "OutputModalities",
            "InputAction",
            "OutputAction",
            "InputEnabled",
            "OutputEnabled",
        ],
    )?;
    let kind = table.required("Type").and_then(|at| one_of(&at, &FilterType::ALL, FilterType::as_str));
    let strength = |key| table.required(key).and_then(|at| one_of(&at, &Strength::ALL, Strength::as_str));
    let (input, output) = (strength("InputStrength"), strength("OutputStrength"));
    for key in ["InputModalities", "OutputModalities"] {
        for at in table.optional(key).map(|at| list(&at, 1, 2)).unwrap_or_default() {
            one_of(&at, &["TEXT", "IMAGE"], |name| name);
        }
    }
    let actions = actions(&table, &MEASURES, Measure::Block);
    if kind == Some(FilterType::PromptAttack) && output.is_some_and(|output| output != Strength::None) {
        table.note("`OutputStrength` of PROMPT_ATTACK must be NONE: only what goes in can attack");
    }
    Some(Filter { kind: kind?, input: input?, output: output?, actions })
}

fn word(at: &Item<'_>) -> Option<Word> {
    let table = limits::table(at, &["Text", "InputAction", "OutputAction", "InputEnabled", "OutputEnabled"])?;
    let text = table.required("Text").and_then(|at| {
        let text = text(&at, 1, 100)?;
        if !text.chars().any(char::is_alphanumeric) {
            at.note("holds no letter or digit, so nothing would be found");
        }
        Some(text)
    });
    let actions = actions(&table, &MEASURES, Measure::Block);
    Some(Word { text: text?.to_owned(), actions })
}

fn managed(at: &Item<'_>) -> Option<Actions<Measure>> {
    let lists = list(at, 1, 1);
    let table = limits::table(
        lists.first()?,
        &["Type", "InputAction", "OutputAction", "InputEnabled", "OutputEnabled"],
    )?;
    table.required("Type").and_then(|at| one_of(&at, &["PROFANITY"], |name| name));
    Some(actions(&table, &MEASURES, Measure::Block))
}

fn pii(at: &Item<'_>) -> Option<Pii> {
    let table = limits::table(
        at,
        &["Type", "Action", "InputAction", "OutputAction", "InputEnabled", "OutputEnabled"],
    )?;
    let kind = table.required("Type").and_then(|at| one_of(&at, &PiiType::ALL, PiiType::as_str));
    let usual = table.required("Action").and_then(|at| one_of(&at, &PII_MEASURES, |(name, _)| name));
    let (_, usual) = usual?;
    let actions = actions(&table, &PII_MEASURES, usual);
    Some(Pii { kind: kind?, actions })
}

fn pattern(at: &Item<'_>) -> Option<Pattern> {
    let table = limits::table(
        at,
        &[
            "Name",
            "Pattern",
            "Description",
            "Action",
            "InputAction",
            "OutputAction",
            "InputEnabled",
            "OutputEnabled",
        ],
    )?;
    let name = table.required("Name").and_then(|at| {
        let name = text(&at, 1, 100)?;
        if name.contains(['{', '}']) {
            at.note("may not hold `{` or `}`: it is what the mask is made of");
        }
        Some(name)
    });
    table.optional("Description").and_then(|at| text(&at, 1, 1000));
    let regex = table.required("Pattern").and_then(|at| {
        let pattern = text(&at, 1, 500)?;
        match RegexBuilder::new(pattern).size_limit(REGEX_BYTES).build() {
            Ok(regex) if regex.is_match("") => {
                at.note("matches the empty text, so it would be found everywhere");
                None
            }
            Ok(regex) => Some(regex),
            Err(error) => {
                // The last line says what is wrong; the lines before show the pattern with a marker.
                let words = error.to_string();
                let last = words.lines().last().unwrap_or("").trim_start_matches("error: ");
                at.note(format!("not a regular expression: {last}"));
                None
            }
        }
    });
    let usual = table.required("Action").and_then(|at| one_of(&at, &PII_MEASURES, |(name, _)| name));
    let (_, usual) = usual?;
    let actions = actions(&table, &PII_MEASURES, usual);
    Some(Pattern { name: name?.to_owned(), regex: regex?, actions })
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to lie in 0..=990")]
fn grounding(at: &Item<'_>) -> Option<Grounding> {
    let table = limits::table(at, &["Type", "Threshold", "Action", "Enabled"])?;
    let kind = table.required("Type").and_then(|at| one_of(&at, &GroundingType::ALL, GroundingType::as_str));
    let threshold = table.required("Threshold").and_then(|at| {
        let number = at.number()?;
        if !(0.0..=0.99).contains(&number) {
            at.note("expected a number from 0 to 0.99");
            return None;
        }
        Some((number * 1000.0).round() as u16)
    });
    let enabled = table.optional("Enabled").and_then(|at| at.flag()).unwrap_or(true);
    let action = action(&table, "Action", &MEASURES, Measure::Block);
    Some(Grounding { kind: kind?, threshold: threshold?, action: enabled.then_some(action) })
}
