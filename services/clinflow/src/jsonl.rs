//! One JSON object a line in, one a line out, in the same order; a line that cannot be read is told and skipped.

use std::{
    fs::File,
    io::{self, BufRead, BufReader},
    path::Path,
};

use anyhow::Context as _;
use serde_json::{Map, Value};

use crate::{Ended, print};

/// Opens a file, or standard input for `-`.
pub(crate) fn open(path: &Path) -> anyhow::Result<Box<dyn BufRead>> {
    if path == Path::new("-") {
        return Ok(Box::new(BufReader::new(io::stdin())));
    }
    let file = File::open(path).with_context(|| format!("`{}`", path.display()))?;
    Ok(Box::new(BufReader::new(file)))
}

/// Answers every line. What is wrong with a line goes to standard error with its number, and never quotes it: it may
/// hold a patient's data.
pub(crate) fn answer_each(
    mut lines: impl BufRead,
    answer: impl Fn(&Map<String, Value>) -> Result<Value, String>,
) -> anyhow::Result<Ended> {
    let mut ended = Ended::Well;
    let mut bytes = Vec::new();
    for number in 1_u64.. {
        bytes.clear();
        if lines.read_until(b'\n', &mut bytes).context("read a line")? == 0 {
            break;
        }
        if bytes.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        match object(&bytes).and_then(|object| answer(&object)) {
            Ok(value) => print::answer(&format!("{value}\n"))?,
            Err(reason) => {
                eprintln!("clinflow: line {number}: {reason}");
                ended = Ended::WithFailures;
            }
        }
    }
    Ok(ended)
}

/// A line as an object.
fn object(line: &[u8]) -> Result<Map<String, Value>, String> {
    if std::str::from_utf8(line).is_err() {
        return Err("not UTF-8: convert the file".to_owned());
    }
    match serde_json::from_slice(line) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err("not a JSON object: write one object a line".to_owned()),
        Err(error) => Err(format!("not JSON at column {}: write one object a line", error.column())),
    }
}

/// The text under `key` of a line.
pub(crate) fn text<'a>(object: &'a Map<String, Value>, key: &str) -> Result<&'a str, String> {
    match object.get(key) {
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(format!("`{key}` is not a text: put it in quotes")),
        None => Err(format!("`{key}` is missing")),
    }
}

/// The id of a line, which its answer repeats.
pub(crate) fn id(object: &Map<String, Value>) -> Result<&Value, String> {
    object.get("id").ok_or_else(|| "`id` is missing".to_owned())
}

#[cfg(test)]
mod tests {
    use super::object;

    #[test]
    fn what_is_wrong_with_a_line_is_said_without_quoting_it() {
        assert_eq!(object(b"{\"id\": Jane}").unwrap_err(), "not JSON at column 8: write one object a line");
        assert_eq!(object(b"[\"Jane\"]").unwrap_err(), "not a JSON object: write one object a line");
        assert_eq!(object(b"{\"id\": \"\xff\"}").unwrap_err(), "not UTF-8: convert the file");
        assert!(object(b"{\"id\": 1}\n").is_ok());
    }
}
