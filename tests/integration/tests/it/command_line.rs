//! The command line in the embedded mode, as a newcomer meets it.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use clinflow_integration::{documents, fleet::program};
use serde_json::Value;

fn clinflow(arguments: &[&str]) -> Output {
    let mut command = Command::new(program("clinflow").unwrap());
    command.args(arguments).env_remove("CLINFLOW_GATEWAY").env_remove("CLINFLOW_CONFIG");
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples")
}

#[test]
fn run_processes_every_sample_and_every_evidence_offset_points_at_its_text() {
    let out = tempfile::tempdir().unwrap();
    let folders: Vec<String> =
        documents::WORKFLOWS.iter().map(|workflow| samples().join(workflow).display().to_string()).collect();
    let mut arguments = vec!["run", "--json", "--out", out.path().to_str().unwrap()];
    arguments.extend(folders.iter().map(String::as_str));
    let output = clinflow(&arguments);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let lines: Vec<Value> =
        text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), documents::samples().unwrap().len());
    let mut fields = 0;
    for line in &lines {
        let path = PathBuf::from(line["path"].as_str().unwrap());
        let folder = path.parent().unwrap().file_name().unwrap().to_string_lossy().into_owned();
        assert_eq!(line["workflow_id"].as_str(), Some(folder.as_str()), "{}", path.display());
        let record = PathBuf::from(line["folder"].as_str().unwrap()).join("record.json");
        let record: Value = serde_json::from_slice(&fs::read(record).unwrap()).unwrap();
        let bytes = fs::read(&path).unwrap();
        let ingested = clinflow_ingest::ingest(&bytes, "", &clinflow_ingest::Limits::default()).unwrap();
        fields += check_evidence(&path, &ingested.text.text, &record);
    }
    assert!(fields > 500, "only {fields} fields have evidence");
}

/// Checks every field's evidence against the text; answers how many fields there were.
fn check_evidence(path: &Path, text: &str, record: &Value) -> usize {
    let characters: Vec<char> = text.chars().collect();
    let number = |value: &Value| usize::try_from(value.as_u64().unwrap()).unwrap();
    let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let fields = record["fields"].as_array().unwrap();
    for field in fields {
        let evidence = field["evidence"].as_array().unwrap();
        if field["source"] != "derived" {
            assert!(!evidence.is_empty(), "{}: {} has no evidence", path.display(), field["name"]);
        }
        let mut pieces = Vec::new();
        for one in evidence {
            let by_bytes = &text[number(&one["byte_start"])..number(&one["byte_end"])];
            let by_characters: String =
                characters[number(&one["start"])..number(&one["end"])].iter().collect();
            assert_eq!(by_bytes, by_characters, "{}: {}", path.display(), field["name"]);
            pieces.push(squeezed(by_bytes));
        }
        let verbatim = evidence.first().is_some_and(|one| one["status"] == "verbatim");
        if verbatim {
            let value = squeezed(field["value"].as_str().unwrap());
            assert!(
                pieces.contains(&value),
                "{}: {} is `{value}` at {pieces:?}",
                path.display(),
                field["name"]
            );
        }
    }
    fields.len()
}

#[test]
fn run_names_every_broken_document_and_exits_1() {
    let output = clinflow(&["run", "--json", samples().join("broken").to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    let answer = text(&output.stdout);
    let line = |name: &str| {
        let found = answer.lines().find(|line| line.contains(name));
        serde_json::from_str::<Value>(found.unwrap_or_else(|| panic!("no line for {name}:\n{answer}")))
            .unwrap()
    };
    assert!(line("empty.txt")["message"].as_str().unwrap().contains("submit.empty"));
    assert!(line("not-a-pdf.pdf")["message"].as_str().unwrap().contains("submit.media-type-mismatch"));
    assert_eq!(line("encrypted.pdf")["code"], "ingest.encrypted");
    assert_eq!(line("invalid-utf8.txt")["code"], "ingest.invalid-utf8");
    assert_eq!(line("shopping-list.txt")["code"], "classify.no-workflow");
}

#[test]
fn a_kept_data_folder_answers_for_its_executions() {
    let data = tempfile::tempdir().unwrap();
    let data = data.path().to_str().unwrap();
    let sample = samples().join(&documents::samples().unwrap()[0].name);
    let run = clinflow(&["run", "--json", "--data", data, sample.to_str().unwrap()]);
    let line: Value = serde_json::from_slice(&run.stdout).unwrap();
    let id = line["execution_id"].as_str().unwrap();
    let listed = text(&clinflow(&["executions", "--data", data]).stdout);
    assert!(listed.contains(id), "{listed}");
    let shown = text(&clinflow(&["show", id, "--data", data]).stdout);
    for role in ["classifier", "extractor", "nlp", "validator", "auditor", "reporter"] {
        assert!(shown.contains(role), "{shown}");
    }
    assert!(shown.contains("the chain verifies"), "{shown}");
    let status = text(&clinflow(&["status", id, "--data", data]).stdout);
    assert_eq!(status.trim(), line["status"].as_str().unwrap());
}

#[test]
fn wrong_usage_exits_2_and_a_wrong_bundle_64_with_file_and_line() {
    assert_eq!(clinflow(&["run"]).status.code(), Some(2));
    let folder = tempfile::tempdir().unwrap();
    let workflow = folder.path().join("broken");
    fs::create_dir(&workflow).unwrap();
    fs::write(workflow.join("workflow.yaml"), "id: broken\nversion: one\ntitel: x\n").unwrap();
    let output = clinflow(&["workflow", "check", folder.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(64));
    let complaint = text(&output.stderr);
    assert!(complaint.contains("broken/workflow.yaml:2") && complaint.contains("titel"), "{complaint}");
}

#[test]
fn the_shipped_workflows_have_no_mistakes() {
    let output = clinflow(&["workflow", "check"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
}
