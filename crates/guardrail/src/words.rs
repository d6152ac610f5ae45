//! Words compared as a reader compares them: case, spacing and punctuation do not matter, letters and digits do.

/// The text with single spaces and in lower case; punctuation stays.
pub fn folded(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !folded.is_empty() {
            folded.push(' ');
        }
        folded.extend(word.chars().flat_map(char::to_lowercase));
    }
    folded
}

/// True when both are the same text but for case and spacing.
pub fn same(one: &str, other: &str) -> bool {
    one == other || folded(one) == folded(other)
}

/// The words of a text in lower case: runs of letters and digits, in order.
pub fn words(text: &str) -> Vec<String> {
    text.split(|character: char| !character.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

/// Where `stretch` stands in `all` without a gap; an empty stretch stands nowhere.
pub fn holds(all: &[String], stretch: &[String]) -> Option<usize> {
    if stretch.is_empty() {
        return None;
    }
    all.windows(stretch.len()).position(|window| window == stretch)
}

/// Words that turn a statement into its opposite.
const NEGATORS: [&str; 12] = [
    "no", "not", "non", "none", "never", "without", "neither", "nor", "denies", "denied", "negative",
    "absent",
];

/// True for a word that turns a statement into its opposite.
pub fn negates(word: &str) -> bool {
    NEGATORS.contains(&word) || word == "cannot"
}

#[cfg(test)]
mod tests {
    use super::same;

    #[test]
    fn case_and_spacing_do_not_matter_and_digits_do() {
        assert!(same("Febrile\n  Neutropenia", "febrile neutropenia"));
        assert!(!same("150 mg", "15 0 mg"));
    }
}
