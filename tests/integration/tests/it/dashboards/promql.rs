//! Which series a PromQL expression asks for.

use std::collections::BTreeSet;

/// Words that stand between expressions, and constants.
const KEYWORDS: [&str; 8] = ["and", "or", "unless", "offset", "bool", "atan2", "inf", "nan"];

/// Words before a list of labels in parentheses.
const BEFORE_LABELS: [&str; 6] = ["by", "without", "on", "ignoring", "group_left", "group_right"];

/// What follows `open`, after the `close` that belongs to it. Brackets in strings do not count.
fn after(text: &str, open: char, close: char) -> &str {
    let (mut depth, mut quoted, mut escaped) = (0, false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            _ if c == open => depth += 1,
            _ if c == close => {
                depth -= 1;
                if depth == 0 {
                    return &text[at + c.len_utf8()..];
                }
            }
            _ => {}
        }
    }
    panic!("`{open}` is not closed in `{text}`")
}

/// The names of the series, without their labels.
pub(super) fn names(expression: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut rest = expression.trim_start();
    while let Some(first) = rest.chars().next() {
        let word_end = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | ':' | '.')))
            .unwrap_or(rest.len());
        match first {
            '{' => rest = after(rest, '{', '}'),
            '[' => rest = after(rest, '[', ']'),
            '"' => panic!("a text outside a selector: `{rest}`"),
            c if c.is_ascii_digit() => rest = &rest[word_end..],
            c if c.is_ascii_alphabetic() || c == '_' || c == ':' => {
                let word = &rest[..word_end];
                rest = rest[word_end..].trim_start();
                if BEFORE_LABELS.contains(&word) {
                    rest = after(rest, '(', ')');
                } else {
                    let is_function = rest.starts_with('(')
                        || ["by ", "by(", "without ", "without("].iter().any(|next| rest.starts_with(next));
                    if !is_function && !KEYWORDS.contains(&word) {
                        names.insert(word.to_owned());
                    }
                }
            }
            c => rest = &rest[c.len_utf8()..],
        }
        rest = rest.trim_start();
    }
    names
}

#[test]
fn functions_labels_durations_and_numbers_are_not_series() {
    let expression = r#"topk(20, sum by (le, role) (rate(a_total{x="b_total{[(\"", y!="c"}[$__rate_interval])))
        / on (role) group_left (z) (max(d:e:ratio offset 1w) > 1e-6) and abs(f) == 5 or time() - 86400 * 30"#;
    assert_eq!(names(expression), ["a_total", "d:e:ratio", "f"].map(str::to_owned).into());
}
