//! The arrows of the house, checked over `cargo metadata`.

use std::{collections::BTreeMap, process::Command};

use serde_json::Value;

/// What each crate of the house may depend on, beside third-party crates. Services are checked by rule below.
const ARROWS: [(&str, &[&str]); 12] = [
    ("core", &[]),
    ("proto", &[]),
    ("clinical", &["core"]),
    ("ingest", &["core"]),
    ("workflow", &["core"]),
    ("ports", &["core"]),
    ("runtime", &["core", "ports", "proto"]),
    ("amqp", &["core", "ports"]),
    ("redis", &["core", "ports"]),
    ("dynamodb", &["core", "ports"]),
    ("objects", &["core", "ports"]),
    ("testkit", &["core", "ports", "amqp", "redis", "dynamodb", "objects"]),
];

const SERVICES: [&str; 8] =
    ["classifier", "extractor", "nlp", "aggregator", "validator", "auditor", "reporter", "gateway"];

const ADAPTERS: [&str; 4] = ["amqp", "redis", "dynamodb", "objects"];

/// Third-party crates that only one crate of the house may name.
const SDKS: [(&str, &[&str]); 5] = [
    ("lapin", &["amqp", "integration"]),
    ("redis", &["redis"]),
    ("aws-sdk-dynamodb", &["dynamodb"]),
    ("object_store", &["objects"]),
    ("dynoxide-rs", &["dynamodb"]),
];

/// Normal and build dependencies of every crate of the house, without the `clinflow-` of their names.
fn dependencies() -> BTreeMap<String, Vec<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let short = |name: &Value| {
        let name = name.as_str().unwrap();
        name.strip_prefix("clinflow-").unwrap_or(name).to_owned()
    };
    let of = |package: &Value| {
        let normal = package["dependencies"].as_array().unwrap().iter().filter(|one| one["kind"] != "dev");
        normal.map(|one| one["name"].as_str().unwrap().to_owned()).collect()
    };
    metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| (short(&package["name"]), of(package)))
        .collect()
}

fn inside(dependencies: &[String]) -> Vec<&str> {
    dependencies.iter().filter_map(|name| name.strip_prefix("clinflow-")).collect()
}

#[test]
fn no_arrow_points_the_wrong_way() {
    let dependencies = dependencies();
    for (name, allowed) in ARROWS {
        for dependency in inside(&dependencies[name]) {
            assert!(
                allowed.contains(&dependency),
                "`{name}` depends on `{dependency}`; it may on {allowed:?}"
            );
        }
    }
    for service in SERVICES {
        for dependency in inside(&dependencies[service]) {
            assert!(!SERVICES.contains(&dependency), "`{service}` depends on the service `{dependency}`");
            assert_ne!(dependency, "testkit", "`{service}` depends on test support");
        }
    }
}

#[test]
fn an_sdk_stays_behind_its_adapter() {
    for (name, dependencies) in dependencies() {
        for (sdk, allowed) in SDKS {
            if dependencies.iter().any(|dependency| dependency == sdk) {
                assert!(allowed.contains(&name.as_str()), "`{name}` names `{sdk}`; only {allowed:?} may");
            }
        }
    }
}

#[test]
fn a_service_holds_only_the_adapters_of_its_powers() {
    let dependencies = dependencies();
    let adapters = |service: &str| {
        inside(&dependencies[service]).into_iter().filter(|name| ADAPTERS.contains(name)).collect::<Vec<_>>()
    };
    assert_eq!(adapters("auditor"), ["amqp", "dynamodb", "redis"], "the auditor reads no documents");
    assert_eq!(adapters("aggregator"), ["amqp", "dynamodb", "redis"], "the aggregator reads no documents");
    assert!(!adapters("gateway").contains(&"redis"), "the gateway holds no claims");
}

#[test]
fn every_crate_inherits_the_lints() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for folder in ["crates", "services", "tests"] {
        for entry in std::fs::read_dir(root.join(folder)).unwrap() {
            let manifest = entry.unwrap().path().join("Cargo.toml");
            if let Ok(text) = std::fs::read_to_string(&manifest) {
                assert!(text.contains("[lints]\nworkspace = true"), "{}", manifest.display());
            }
        }
    }
}
