//! Reads YAML configuration as a person would want it read: every mistake of a file at once, each with its line, its
//! place in the file's structure, and what to do about it.
//!
//! [`read`] parses a file and hands its root to a function that takes it apart key by key ([`Item`], [`Table`]); what
//! that function does not like it notes, and goes on.

mod node;
mod problem;
mod table;

pub use problem::{Problem, Problems};
pub use table::{Item, Place, Sink, Table, unknown};

/// Reads the text of `file` with `read`; what is wrong with it is added to `problems`. `None` when it is no YAML.
pub fn read<T>(
    file: &str,
    text: &str,
    problems: &mut Vec<Problem>,
    read: impl FnOnce(Item<'_>, &Sink<'_>) -> T,
) -> Option<T> {
    let node = match node::parse(text) {
        Ok(node) => node,
        Err((line, message)) => {
            problems.push(Problem { file: file.to_owned(), line, field: String::new(), message });
            return None;
        }
    };
    let sink = Sink::new(file);
    let value = read(Item::root(&node, &sink), &sink);
    problems.extend(sink.into_problems());
    Some(value)
}
