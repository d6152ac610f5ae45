//! Metrics, dashboards, rules and runbook: what one of them names, the others have.

mod live;
mod prometheus;
mod promql;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use clinflow_integration::fleet::program;
use serde_json::Value;

/// What a runbook page says, in this order.
const HEADINGS: [&str; 3] = ["## Symptom", "## Why", "## What to do"];

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The files of a folder of the repository with this extension.
fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(root().join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no .{extension} in {folder}");
    files
}

fn stem(path: &Path) -> String {
    path.file_stem().unwrap().to_string_lossy().into_owned()
}

fn yaml(path: &Path) -> Value {
    let text = fs::read_to_string(path).unwrap();
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every rule that alerts or records.
fn rules() -> Vec<Value> {
    let mut rules = Vec::new();
    for path in files("deploy/prometheus/rules", "yml") {
        for group in yaml(&path)["groups"].as_array().unwrap() {
            rules.extend(group["rules"].as_array().unwrap().iter().cloned());
        }
    }
    rules
}

fn alerts() -> BTreeMap<String, Value> {
    rules()
        .into_iter()
        .filter_map(|rule| Some((rule.get("alert")?.as_str()?.to_owned(), rule.clone())))
        .collect()
}

/// A panel of a dashboard that asks Prometheus something.
struct Panel {
    name: String,
    json: Value,
    expressions: Vec<String>,
}

/// A dashboard: its variables' queries and its panels.
struct Board {
    name: String,
    json: Value,
    panels: Vec<Panel>,
}

impl Board {
    /// What the variables choose from: `label_values(<series>, <label>)`.
    fn choices(&self) -> Vec<String> {
        let variables = self.json["templating"]["list"].as_array().unwrap();
        variables.iter().filter_map(|variable| variable["query"].as_str()).map(str::to_owned).collect()
    }
}

fn boards() -> Vec<Board> {
    files("deploy/grafana/dashboards", "json")
        .into_iter()
        .map(|path| {
            let json: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
            let all = json["panels"].as_array().unwrap().iter().filter(|panel| panel["type"] != "row");
            let panels = all
                .map(|panel| Panel {
                    name: format!("{}: {}", stem(&path), panel["title"].as_str().unwrap_or_default()),
                    expressions: panel["targets"]
                        .as_array()
                        .unwrap()
                        .iter()
                        .map(|target| target["expr"].as_str().unwrap().to_owned())
                        .collect(),
                    json: panel.clone(),
                })
                .collect();
            Board { name: stem(&path), panels, json }
        })
        .collect()
}

/// The names of series that the metric catalogue promises. That the catalogue is what the programs export is a test of
/// `clinflow-runtime`.
fn catalogue() -> BTreeSet<String> {
    let guide = fs::read_to_string(root().join("docs/guide/observability.md")).unwrap();
    let mut names = BTreeSet::new();
    for row in guide.lines().filter(|line| line.starts_with("| `clinflow_")) {
        let cells: Vec<&str> = row.split('|').map(|cell| cell.trim().trim_matches('`')).collect();
        let parts: &[&str] = if cells[2] == "histogram" { &["_bucket", "_sum", "_count"] } else { &[""] };
        names.extend(parts.iter().map(|part| format!("{}{part}", cells[1])));
    }
    assert!(names.len() > 40, "too few metrics in the guide: {names:?}");
    names
}

/// Every series that a dashboard or a rule asks for, with who asks.
fn asked() -> BTreeMap<String, String> {
    let mut asked = BTreeMap::new();
    let mut ask = |expression: &str, who: &str| {
        let names = promql::names(expression);
        assert!(!names.is_empty(), "{who} asks for nothing: {expression}");
        asked.extend(names.into_iter().map(|name| (name, who.to_owned())));
    };
    for board in boards() {
        for panel in &board.panels {
            panel.expressions.iter().for_each(|expression| ask(expression, &panel.name));
        }
        board.choices().iter().filter(|query| *query != "prometheus").for_each(|query| {
            let series = query.strip_prefix("label_values(").and_then(|rest| rest.rsplit_once(','));
            ask(series.unwrap_or_else(|| panic!("what is `{query}`?")).0, &board.name);
        });
    }
    for rule in rules() {
        let who = rule.get("alert").or_else(|| rule.get("record")).unwrap().as_str().unwrap();
        ask(rule["expr"].as_str().unwrap(), who);
    }
    asked
}

#[test]
fn every_metric_of_ours_that_a_dashboard_or_rule_names_is_in_the_catalogue_or_recorded() {
    let mut known = catalogue();
    known.extend(rules().iter().filter_map(|rule| Some(rule.get("record")?.as_str()?.to_owned())));
    known.insert("up".to_owned());
    for (name, who) in asked() {
        let of_the_broker = name.starts_with("rabbitmq_");
        assert!(of_the_broker || known.contains(&name), "{who} names `{name}`, which nobody exports");
    }
}

#[test]
fn every_alert_says_how_urgent_it_is_and_has_a_page_that_says_what_to_do() {
    let alerts = alerts();
    let pages: BTreeSet<String> =
        files("docs/runbook", "md").iter().map(|path| stem(path)).filter(|name| name != "README").collect();
    let names: BTreeSet<String> = alerts.keys().cloned().collect();
    assert_eq!(names, pages, "left: alerts; right: pages in docs/runbook");
    let list = fs::read_to_string(root().join("docs/runbook/README.md")).unwrap();
    for (name, alert) in &alerts {
        let severity = alert["labels"]["severity"].as_str().unwrap_or_default();
        assert!(["warning", "critical"].contains(&severity), "{name} has severity `{severity}`");
        let annotations = &alert["annotations"];
        for annotation in ["summary", "description"] {
            let text = annotations[annotation].as_str().unwrap_or_default();
            assert!(text.len() > 10, "{name} has no {annotation}");
        }
        let page = format!("docs/runbook/{name}.md");
        assert_eq!(annotations["runbook_url"], page.as_str(), "{name}");
        let text = fs::read_to_string(root().join(&page)).unwrap();
        assert!(text.starts_with(&format!("# {name}\n")), "{page} is about something else");
        let places: Vec<_> = HEADINGS.iter().map(|heading| text.find(heading)).collect();
        assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{page} has not {HEADINGS:?}");
        assert!(
            list.contains(&format!("| [{name}]({name}.md) | {severity} |")),
            "{name} in docs/runbook/README.md"
        );
    }
}

#[test]
fn every_alert_is_tested_to_fire() {
    let mut fires = BTreeSet::new();
    for path in files("deploy/prometheus/tests", "yml") {
        for test in yaml(&path)["tests"].as_array().unwrap() {
            for case in test["alert_rule_test"].as_array().unwrap() {
                if case.get("exp_alerts").is_some_and(|alerts| !alerts.as_array().unwrap().is_empty()) {
                    fires.insert(case["alertname"].as_str().unwrap().to_owned());
                }
            }
        }
    }
    let names: BTreeSet<String> = alerts().into_keys().collect();
    assert_eq!(names, fires, "left: alerts; right: those that a test in deploy/prometheus/tests sees firing");
}

/// The words of a command up to its first argument or flag: `workflow check` of `clinflow workflow check DIR`.
fn subcommand(command: &str) -> Vec<&str> {
    let is_word = |word: &&str| word.chars().all(|c| c.is_ascii_lowercase());
    command.split(' ').skip(1).take_while(is_word).filter(|word| *word != "workflows").collect()
}

#[test]
fn every_clinflow_command_in_the_runbook_exists_with_its_flags() {
    let program = program("clinflow").unwrap();
    let mut commands = BTreeSet::new();
    for path in files("docs/runbook", "md") {
        let text = fs::read_to_string(&path).unwrap().replace("\n   ", " ");
        let code = text.split('`').skip(1).step_by(2).filter(|code| code.starts_with("clinflow "));
        commands.extend(code.map(str::to_owned));
    }
    assert!(commands.len() > 5, "{commands:?}");
    let mut missing = Vec::new();
    for command in &commands {
        let output = Command::new(&program).args(subcommand(command)).arg("--help").output().unwrap();
        let help = String::from_utf8_lossy(&output.stdout);
        let flags = command.split(' ').filter(|word| word.starts_with("--"));
        let unknown: Vec<&str> = flags.filter(|flag| !help.contains(flag)).collect();
        if !output.status.success() || !unknown.is_empty() {
            missing.push(format!("`{command}` {unknown:?}"));
        }
    }
    assert!(missing.is_empty(), "the runbook names commands that are not there: {missing:#?}");
}

#[test]
fn every_dashboard_is_chosen_from_and_every_panel_explains_itself() {
    let mut ids = BTreeSet::new();
    for board in boards() {
        assert_eq!(board.json["uid"], format!("clinflow-{}", board.name).as_str());
        assert_eq!(board.json["editable"], false, "{} is made by render.py", board.name);
        assert!(board.panels.len() > 10, "{} has too few panels", board.name);
        for panel in &board.panels {
            let Panel { name, json, expressions } = panel;
            assert_eq!(json["datasource"]["uid"], "${datasource}", "{name}");
            assert!(json["description"].as_str().is_some_and(|text| text.len() > 20), "{name}");
            assert!(json["fieldConfig"]["defaults"]["unit"].is_string(), "{name} has no unit");
            assert!(!expressions.is_empty(), "{name} asks for nothing");
            assert!(
                ids.insert((board.name.clone(), json["id"].as_u64().unwrap())),
                "{name}: id is used twice"
            );
        }
    }
}
