//! Mistakes, each of which must be found where it is, and all of them at once.

use clinflow_core::BundleFiles;

use crate::{Bundle, shipped};

const CODE_LISTS: &str = "outcome:\n  - { value: FATAL, synonyms: [died] }\n  - { value: UNKNOWN }\n";

const RULES: &str = "\
rules:
  - id: R-1
    version: 1
    severity: review
    title: Deaths have an end.
    message: '{when} without {present}'
    checks:
      - value_requires_present: { when: { field: event.outcome, is: [FATAL] }, present: event.end_date }
";

const WORKFLOW: &str = "\
id: demo
version: 1
title: Demonstration
team: team-a
document_type: demo
classify: { markers: [{ pattern: demo, weight: 1 }] }
branches: [extractor]
join: { deadline: 30s, on_missing: partial }
fields:
  - { name: outcome, group: event, type: code, code_list: outcome, agents: [extractor], description: How it ended }
  - { name: end_date, group: event, type: date, agents: [extractor], label: date, description: When it ended }
rules: [R-1]
guardrail: demo
outputs: [json]
review_below: 0.5
";

const GUARDRAIL: &str = "\
Name: demo
BlockedInputMessaging: No.
BlockedOutputsMessaging: No.
WordPolicyConfig: { WordsConfig: [{ Text: secret }] }
";

const PATTERNS: &str = "labelled:\n  event.outcome: { labels: [outcome] }\n";

/// A small bundle without mistakes.
fn files() -> BundleFiles {
    let file = |path: &str, text: &str| (path.to_owned(), text.to_owned());
    let shipped = shipped();
    BundleFiles(
        [
            file("code_lists.yaml", CODE_LISTS),
            file("rules.yaml", RULES),
            file("patterns.yaml", "{}\n"),
            // What they hold is read, and tested, elsewhere.
            file("prices.yaml", &shipped.0["prices.yaml"]),
            file("budgets.yaml", &shipped.0["budgets.yaml"]),
            file("guardrails/demo.yaml", GUARDRAIL),
            file("demo/workflow.yaml", WORKFLOW),
            file("demo/patterns.yaml", PATTERNS),
        ]
        .into(),
    )
}

/// The mistakes of the small bundle after `from` became `to` in one of its files.
fn mistakes(path: &str, from: &str, to: &str) -> Vec<String> {
    let mut files = files();
    let text = files.0.get_mut(path).unwrap();
    assert!(text.contains(from), "`{from}` is not in `{path}`");
    *text = text.replacen(from, to, 1);
    Bundle::read(&files).unwrap_err().0.iter().map(ToString::to_string).collect()
}

#[test]
fn the_shipped_bundle_is_free_of_mistakes() {
    if let Err(problems) = Bundle::read(&shipped()) {
        panic!("{problems}");
    }
}

#[test]
fn the_small_bundle_is_free_of_mistakes_and_its_names_are_resolved() {
    let bundle = Bundle::read(&files()).unwrap();
    let workflow = bundle.workflow(&"demo".parse().unwrap()).unwrap();
    assert_eq!(
        workflow.field("outcome", Some("event")).unwrap().code_list().unwrap().find("Died").unwrap().value,
        "FATAL"
    );
    assert_eq!(workflow.rules[0].checks.len(), 1);
    assert_eq!(bundle.hash(), files().hash());
}

#[test]
fn every_mistake_is_found_at_once_with_its_file_line_and_field() {
    let mut files = files();
    let workflow = WORKFLOW
        .replace("30s", "soon")
        .replace("rules: [R-1]", "rules: [R-1, R-9]")
        .replace("code_list: outcome,", "code_list: outcom,")
        .replace("review_below: 0.5", "review_below: 5\ncolour: red");
    files.0.insert("demo/workflow.yaml".to_owned(), workflow);
    files.0.insert(
        "demo/patterns.yaml".to_owned(),
        PATTERNS.replace("[outcome]", "[outcome], value: '(?P<value>'"),
    );
    let found: Vec<_> = Bundle::read(&files).unwrap_err().0.iter().map(ToString::to_string).collect();
    for expected in [
        "demo/workflow.yaml:8: `join.deadline`: `soon` is no duration: write `30s` or `5m`",
        "demo/workflow.yaml:10: `fields[0].code_list`: unknown code list `outcom`; expected one of outcome",
        "demo/workflow.yaml:12: `rules[1]`: unknown rule `R-9`; expected one of R-1",
        "demo/workflow.yaml:15: `review_below`: expected a number between 0 and 1",
        "demo/workflow.yaml:16: `colour`: unknown key `colour`; expected one of id, version, title, team, document_type, \
         classify, branches, join, fields, outputs, guardrail, review_below, rules",
    ] {
        assert!(found.iter().any(|line| line == expected), "{expected}\nnot in\n{}", found.join("\n"));
    }
    assert!(found.iter().any(|line| {
        line.starts_with("demo/patterns.yaml:2: `labelled.event.outcome.value`: not a regular expression")
    }));
}

#[test]
fn a_rule_that_can_never_apply_is_a_mistake() {
    let found = mistakes("rules.yaml", "present: event.end_date", "present: event.end");
    assert_eq!(
        found,
        [
            "demo/workflow.yaml:12: `rules[0]`: rule `R-1` has no check whose fields this workflow has: remove it or add the fields",
            "rules.yaml:8: `rules[0].checks[0]`: no workflow that lists `R-1` has all of `event.outcome`, `event.end`",
        ]
    );
    let found = mistakes("rules.yaml", "[FATAL]", "[DEAD]");
    assert_eq!(
        found,
        [
            "demo/workflow.yaml:12: `rules[0]`: a check compares `event.outcome` with `DEAD`, which it can never be"
        ]
    );
}

#[test]
fn a_message_may_only_name_what_its_checks_have() {
    let found = mistakes("rules.yaml", "{present}", "{absent}");
    assert_eq!(
        found,
        [
            "rules.yaml:6: `rules[0].message`: `value_requires_present` has no `{absent}`; it has {when}, {present}"
        ]
    );
}

#[test]
fn patterns_name_fields_that_are_in_the_table() {
    let found = mistakes("demo/patterns.yaml", "event.outcome", "event.outcomes");
    assert_eq!(
        found,
        [
            "demo/patterns.yaml:2: `labelled.event.outcomes`: unknown field `event.outcomes`; expected one of event.end_date, event.outcome"
        ]
    );
    let found = mistakes("patterns.yaml", "{}", "loose: [{ pattern: '(?P<age>x)' }]");
    assert_eq!(
        found,
        [
            "patterns.yaml:1: `loose[0].pattern`: unknown field `age`; expected one of event.end_date, event.outcome"
        ]
    );
}

#[test]
fn names_that_are_there_twice_are_mistakes() {
    let found = mistakes("demo/workflow.yaml", "name: end_date", "name: outcome");
    assert!(found.iter().any(|line| line.contains("field `event.outcome` is there twice")), "{found:?}");
    let found = mistakes("code_lists.yaml", "value: UNKNOWN", "value: UNKNOWN, synonyms: [Died!]");
    assert_eq!(found, ["code_lists.yaml:3: `outcome[1]`: `Died!` is a spelling of `FATAL` too: keep one"]);
}

#[test]
fn an_unknown_label_and_a_branch_nobody_plays_are_mistakes() {
    let found = mistakes("demo/workflow.yaml", "label: date", "label: day");
    assert!(
        found[0].starts_with("demo/workflow.yaml:11: `fields[1].label`: unknown label `day`"),
        "{found:?}"
    );
    let found = mistakes("demo/workflow.yaml", "branches: [extractor]", "branches: [extracter]");
    assert!(found[0].starts_with("demo/workflow.yaml:7: `branches"), "{found:?}");
}

#[test]
fn a_regular_expression_that_would_take_too_much_room_is_a_mistake() {
    let found = mistakes("demo/workflow.yaml", "pattern: demo", r"pattern: '(?:\w{100}){100}'");
    assert_eq!(found.len(), 1);
    assert!(
        found[0].starts_with("demo/workflow.yaml:6: `classify.markers[0].pattern`: not a regular expression"),
        "{found:?}"
    );
}

#[test]
fn a_missing_file_and_a_file_nobody_reads_are_mistakes() {
    let mut files = files();
    files.0.remove("demo/patterns.yaml");
    files.0.insert("demo/extra.yaml".to_owned(), String::new());
    let found: Vec<_> = Bundle::read(&files).unwrap_err().0.iter().map(ToString::to_string).collect();
    assert!(found.contains(&"demo/patterns.yaml: the file is missing".to_owned()), "{found:?}");
    assert!(found.iter().any(|line| line.starts_with("demo/extra.yaml: unknown file")), "{found:?}");
}
