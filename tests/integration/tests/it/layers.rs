//! The arrows of the house, checked over `cargo metadata`.

use std::{collections::BTreeMap, process::Command};

use serde_json::Value;

/// What each crate of the house may depend on, beside third-party crates. Services are checked by rule below.
const ARROWS: [(&str, &[&str]); 19] = [
    ("core", &[]),
    ("proto", &[]),
    ("aws", &[]),
    ("yaml", &["core"]),
    ("clinical", &["core"]),
    ("ingest", &["core"]),
    ("cost", &["core", "yaml"]),
    ("guardrail", &["core", "clinical", "yaml"]),
    ("workflow", &["core", "cost", "guardrail", "yaml"]),
    ("ports", &["core", "cost", "guardrail"]),
    ("runtime", &["core", "cost", "guardrail", "ports", "proto"]),
    ("amqp", ADAPTER),
    ("redis", ADAPTER),
    ("dynamodb", ADAPTER),
    ("objects", ADAPTER),
    ("bedrock", ADAPTER),
    ("alerts", ADAPTER),
    ("testkit", &["core", "ports", "amqp", "redis", "dynamodb", "objects"]),
    ("stand-in-bedrock", &["core", "clinical", "cost", "guardrail", "workflow", "nlp"]),
];

/// What an adapter may depend on: ports and what they speak of, and no other adapter.
const ADAPTER: &[&str] = &["core", "cost", "guardrail", "ports", "aws"];

const SERVICES: [&str; 8] =
    ["classifier", "extractor", "nlp", "aggregator", "validator", "auditor", "reporter", "gateway"];

const ADAPTERS: [&str; 6] = ["amqp", "redis", "dynamodb", "objects", "bedrock", "alerts"];

/// Everything at once, and what only tests run: they may depend on all of the house.
const WHOLE: [&str; 2] = ["clinflow", "integration"];

/// Third-party crates that only one crate of the house may name.
const SDKS: [(&str, &[&str]); 9] = [
    ("lapin", &["amqp", "integration"]),
    ("redis", &["redis"]),
    ("aws-config", &["aws"]),
    ("aws-sdk-dynamodb", &["dynamodb"]),
    ("aws-sdk-bedrockruntime", &["bedrock"]),
    ("aws-sdk-bedrockagentruntime", &["bedrock"]),
    ("aws-sdk-sns", &["alerts"]),
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
            assert!(
                !["testkit", "stand-in-bedrock"].contains(&dependency),
                "`{service}` depends on test support"
            );
        }
    }
    for name in dependencies.keys().map(String::as_str) {
        let checked =
            ARROWS.iter().any(|(one, _)| *one == name) || SERVICES.contains(&name) || WHOLE.contains(&name);
        assert!(checked, "`{name}` is new: say in `ARROWS` what it may depend on");
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
        let mut adapters = inside(&dependencies[service]);
        adapters.retain(|name| ADAPTERS.contains(name));
        adapters.sort_unstable();
        adapters
    };
    assert_eq!(adapters("auditor"), ["amqp", "dynamodb", "redis"], "the auditor reads no documents");
    assert_eq!(
        adapters("aggregator"),
        ["alerts", "amqp", "dynamodb", "redis"],
        "the aggregator reads no documents"
    );
    assert!(!adapters("gateway").contains(&"redis"), "the gateway holds no claims");
}

/// Documents can leave for a model only from there: a property to show an auditor.
#[test]
fn only_nlp_and_the_all_in_one_link_bedrock() {
    let dependencies = dependencies();
    let programs = SERVICES.into_iter().chain(["clinflow"]);
    let mut linked: Vec<&str> = programs.filter(|name| reaches(&dependencies, name, "bedrock")).collect();
    linked.sort_unstable();
    assert_eq!(linked, ["clinflow", "nlp"]);
}

/// Whether a crate of the house links another, itself or through what it depends on.
fn reaches(dependencies: &BTreeMap<String, Vec<String>>, from: &str, to: &str) -> bool {
    inside(&dependencies[from]).into_iter().any(|next| next == to || reaches(dependencies, next, to))
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
