//! FHIR and Dataset-JSON of every sample, read by libraries that are not ours.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use clinflow_integration::{documents, fleet::program};
use serde_json::{Value, json};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Runs the samples into `out`.
fn run(out: &Path) {
    let mut command = Command::new(program("clinflow").unwrap());
    command
        .args(["run", "--json", "--out"])
        .arg(out)
        .env_remove("CLINFLOW_GATEWAY")
        .env_remove("CLINFLOW_CONFIG");
    command.args(documents::WORKFLOWS.iter().map(|workflow| root().join("samples").join(workflow)));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn check(out: &Path) -> Output {
    let python = root().join("target/python/bin/python");
    assert!(python.exists(), "run tests/servers.sh first: {} is not there", python.display());
    Command::new(python).arg(root().join("tests/outputs/check.py")).arg(out).output().unwrap()
}

/// The first file with this name in a folder of `out`.
fn first(out: &Path, name: &str) -> PathBuf {
    let folders = fs::read_dir(out).unwrap().map(|folder| folder.unwrap().path().join(name));
    folders.filter(|file| file.exists()).min().unwrap()
}

/// Changes a file and answers what it was.
fn spoil(file: &Path, change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let before = fs::read(file).unwrap();
    let mut content: Value = serde_json::from_slice(&before).unwrap();
    change(&mut content);
    fs::write(file, serde_json::to_vec(&content).unwrap()).unwrap();
    before
}

#[test]
fn every_bundle_and_every_dataset_of_the_samples_is_valid_and_says_what_its_record_says() {
    let out = tempfile::tempdir().unwrap();
    run(out.path());
    let output = check(out.path());
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    println!("{said}");
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));

    // A check that cannot fail proves nothing: each of these must be found.
    let refuses = |file: &Path, change: &dyn Fn(&mut Value)| {
        let before = spoil(file, change);
        let output = check(out.path());
        fs::write(file, before).unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", file.display());
        assert!(!String::from_utf8_lossy(&output.stdout).contains(", 0 mistakes"));
    };
    let dataset = &first(out.path(), "ae.json");
    let bundle = &dataset.with_file_name("fhir.json");
    refuses(bundle, &|bundle| bundle["entry"][1]["resource"]["birthDate"] = json!("12-MAR-1968"));
    refuses(bundle, &|bundle| bundle["entry"][1]["fullUrl"] = json!("urn:uuid:nobody"));
    refuses(bundle, &|bundle| drop(bundle["entry"].as_array_mut().unwrap().pop()));
    refuses(dataset, &|dataset| dataset["rows"][0][3] = json!("1"));
    refuses(dataset, &|dataset| drop(dataset["rows"][0].as_array_mut().unwrap().pop()));
    refuses(dataset, &|dataset| dataset["datasetJSONVersion"] = json!("2.0"));
}
