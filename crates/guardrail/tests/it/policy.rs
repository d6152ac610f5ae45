//! A policy with mistakes says each of them with file, line, field and reason.

use clinflow_guardrail::{PiiType, Policy, render};

const POLICY: &str = include_str!("../../../../workflows/guardrails/pharma-clinical.yaml");

const HEAD: &str = "Name: p\nBlockedInputMessaging: in\nBlockedOutputsMessaging: out\n";

fn mistakes(yaml: &str) -> Vec<String> {
    Policy::read("p.yaml", yaml).unwrap_err().0.iter().map(ToString::to_string).collect()
}

#[test]
fn the_shipped_policy_holds_what_the_seed_asks_for() {
    let policy = Policy::read("pharma-clinical.yaml", POLICY).unwrap();
    assert_eq!(policy.name, "pharma-clinical-guardrail-prod");
    assert_eq!(
        policy.topics.iter().map(|topic| topic.name.as_str()).collect::<Vec<_>>(),
        ["ClinicalTreatmentAdvice", "OffLabelUsage"]
    );
    assert_eq!(policy.words.len(), 12);
    assert_eq!(policy.pii.len(), 5);
    assert_eq!(policy.regexes.len(), 2);
    assert_eq!(policy.grounding.len(), 2);
    assert_eq!(policy.sha256.len(), 64);
}

#[test]
fn all_types_of_personal_information_are_read() {
    let entities: Vec<String> =
        PiiType::ALL.iter().map(|kind| format!("{{Type: {}, Action: ANONYMIZE}}", kind.as_str())).collect();
    let yaml =
        format!("{HEAD}SensitiveInformationPolicyConfig:\n  PiiEntitiesConfig: [{}]\n", entities.join(", "));
    assert_eq!(Policy::read("p.yaml", &yaml).unwrap().pii.len(), 31);
}

#[test]
fn every_mistake_is_reported_with_its_line_and_field() {
    let yaml = "Name: has space\nBlockedInputMessaging: in\nTopicPolicyConfig:\n  TopicsConfig:\n    - Name: T\n      Type: ALLOW\n      Definition: d\n      Exampels: []\nSensitiveInformationPolicyConfig:\n  PiiEntitiesConfig:\n    - {Type: PERSON, Action: ANONYMIZE}\n    - {Type: NAME, Action: ANONYMIZED}\n";
    let found = mistakes(yaml);
    for start in [
        "p.yaml:1: `BlockedOutputsMessaging` is missing",
        "p.yaml:1: `Name`: may hold only letters",
        "p.yaml:6: `TopicPolicyConfig.TopicsConfig[0].Type`: unknown value `ALLOW`; expected one of DENY",
        "p.yaml:8: `TopicPolicyConfig.TopicsConfig[0].Exampels`: unknown key `Exampels`",
        "p.yaml:11: `SensitiveInformationPolicyConfig.PiiEntitiesConfig[0].Type`: unknown value `PERSON`",
        "p.yaml:12: `SensitiveInformationPolicyConfig.PiiEntitiesConfig[1].Action`: unknown value `ANONYMIZED`; expected one of BLOCK, ANONYMIZE, NONE",
    ] {
        assert!(found.iter().any(|one| one.starts_with(start)), "{start}\n{found:#?}");
    }
    assert_eq!(found.len(), 6, "{found:#?}");
}

#[test]
fn limits_are_those_of_the_service() {
    let one = |section: &str, reason: &str| {
        // A valid section beside it, so that only the mistake is one.
        let other = if section.is_empty() || section.contains("WordPolicy") {
            ""
        } else {
            "WordPolicyConfig: {WordsConfig: [{Text: w}]}\n"
        };
        let found = mistakes(&format!("{HEAD}{section}{other}"));
        assert!(found.len() == 1 && found[0].contains(reason), "{section}: {found:#?}");
    };
    one(
        "ContentPolicyConfig: {FiltersConfig: [{Type: PROMPT_ATTACK, InputStrength: HIGH, OutputStrength: LOW}]}\n",
        "must be NONE",
    );
    one("WordPolicyConfig: {WordsConfig: [{Text: a}, {Text: A}]}\n", "is there twice");
    one(
        "ContextualGroundingPolicyConfig: {FiltersConfig: [{Type: GROUNDING, Threshold: 1.0}]}\n",
        "from 0 to 0.99",
    );
    one(
        "SensitiveInformationPolicyConfig: {RegexesConfig: [{Name: r, Pattern: '(?=a)', Action: BLOCK}]}\n",
        "not a regular expression",
    );
    one(
        "SensitiveInformationPolicyConfig: {RegexesConfig: [{Name: r, Pattern: 'a*', Action: BLOCK}]}\n",
        "matches the empty text",
    );
    one(
        "AutomatedReasoningPolicyConfig: {Policies: [x]}\nWordPolicyConfig: {WordsConfig: [{Text: a}]}\n",
        "runs only in Bedrock",
    );
    one("WordPolicyConfig: {WordsConfig: [{Text: '...'}]}\n", "holds no letter or digit");
    one(
        "TopicPolicyConfig: {TopicsTierConfig: {TierName: STANDARD}, TopicsConfig: [{Name: t, Definition: d, Type: DENY}]}\n",
        "needs `CrossRegionConfig",
    );
    one("", "has no policy");
    assert!(mistakes("Name: [\n")[0].contains("not readable as YAML"));
    assert!(mistakes("just words\n")[0].contains("expected a table"));
}

#[test]
fn another_policy_is_another_version() {
    let template = |yaml: &str| render::template(&Policy::read("p.yaml", yaml).unwrap());
    let description = |yaml: &str| {
        template(yaml)["Resources"]["GuardrailVersion"]["Properties"]["Description"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_ne!(description(POLICY), description(&POLICY.replace("0.7", "0.8")));
    let properties = &template(POLICY)["Resources"]["Guardrail"]["Properties"];
    assert_eq!(properties["Name"], "pharma-clinical-guardrail-prod");
    assert_eq!(properties["WordPolicyConfig"]["WordsConfig"].as_array().unwrap().len(), 12);
}
