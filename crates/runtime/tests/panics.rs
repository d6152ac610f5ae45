//! What a panic says: where, and nothing of the document it stumbled over.

use std::process::Command;

use clinflow_runtime::telemetry::{LogSettings, start};

#[test]
#[ignore = "runs in a process of its own, which the test below starts"]
fn a_process_that_stumbles_over_a_document() {
    let _kept = start("test", &LogSettings { filter: "debug".to_owned(), ..LogSettings::default() }).unwrap();
    let document = "Zo\u{eb} Quastenberg".to_owned();
    let stumbled = std::panic::catch_unwind(|| document[..3].to_owned());
    let words = stumbled.unwrap_err();
    assert!(words.downcast_ref::<String>().unwrap().contains("Quastenberg"), "this panic quotes");
}

#[test]
fn a_panic_in_a_service_says_where_and_never_what_it_stumbled_over() {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture", "a_process_that_stumbles_over_a_document"])
        .env("RUST_BACKTRACE", "1")
        .output()
        .unwrap();
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{said}");
    assert!(said.contains("tests/panics.rs:") && said.contains("\"ERROR\""), "{said}");
    assert!(said.contains("a_process_that_stumbles_over_a_document::"), "with a backtrace: {said}");
    assert!(!said.contains("Quastenberg"), "{said}");
}
