//! Every failure code has a page that says what now, and every page has a code.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && path.file_name().is_some_and(|name| name != "tests" && name != "target") {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Every string in the sources that looks like a code of one of these families.
fn codes() -> BTreeSet<String> {
    const FAMILIES: [&str; 20] = [
        "auth",
        "broker",
        "budget",
        "bundle",
        "classify",
        "deadline",
        "document",
        "execution",
        "guardrail",
        "handler",
        "ingest",
        "join",
        "loop",
        "message",
        "model",
        "question",
        "redrive",
        "store",
        "submit",
        "workflow",
    ];
    let mut files = Vec::new();
    for folder in ["crates", "services"] {
        sources(&root().join(folder), &mut files);
    }
    let mut codes = BTreeSet::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let code_only = text.split("#[cfg(test)]").next().unwrap_or_default();
        for (at, _) in code_only.match_indices('"') {
            let rest = &code_only[at + 1..];
            let Some(end) = rest.find('"') else { continue };
            let word = &rest[..end];
            let Some((family, name)) = word.split_once('.') else { continue };
            let plain = |text: &str| {
                !text.is_empty()
                    && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
            };
            let is_event = clinflow_ports::Event::ALL.iter().any(|event| event.key() == word);
            if FAMILIES.contains(&family)
                && plain(name)
                && !is_event
                && !["json", "csv", "yaml", "txt"].contains(&name)
            {
                codes.insert(word.to_owned());
            }
        }
    }
    codes
}

#[test]
fn every_code_has_a_page_and_every_page_a_code() {
    let folder = root().join("docs/failures");
    let pages: BTreeSet<String> = fs::read_dir(&folder)
        .unwrap()
        .filter_map(|entry| {
            entry.unwrap().file_name().to_string_lossy().strip_suffix(".md").map(str::to_owned)
        })
        .filter(|name| name != "README")
        .collect();
    let codes = codes();
    assert!(codes.len() > 20, "the search for codes finds too few: {codes:?}");
    let undocumented: Vec<_> = codes.difference(&pages).collect();
    let unused: Vec<_> = pages.difference(&codes).collect();
    assert!(undocumented.is_empty(), "no page in docs/failures for {undocumented:?}");
    assert!(unused.is_empty(), "pages without a code: {unused:?}");
}

#[test]
fn every_page_says_what_happened_and_what_now() {
    for entry in fs::read_dir(root().join("docs/failures")).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().is_some_and(|name| name == "README.md") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        for heading in ["## What happened", "## What now"] {
            assert!(text.contains(heading), "{} has no `{heading}`", path.display());
        }
    }
}
