//! Words compared as a reader compares them: case, spacing and punctuation do not matter, letters and digits do.

/// The text with single spaces and in lower case; punctuation stays.
pub(crate) fn folded(text: &str) -> String {
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
pub(crate) fn same(one: &str, other: &str) -> bool {
    one == other || folded(one) == folded(other)
}

/// The words of a text in lower case: runs of letters and digits, in order.
pub(crate) fn words(text: &str) -> Vec<String> {
    text.split(|character: char| !character.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

/// Where `stretch` stands in `all` without a gap; an empty stretch stands nowhere.
pub(crate) fn holds(all: &[String], stretch: &[String]) -> Option<usize> {
    if stretch.is_empty() {
        return None;
    }
    all.windows(stretch.len()).position(|window| window == stretch)
}

/// How many of their words two texts share, in thousandths: twice the shared words over all words (Dice). A word
/// that occurs twice counts twice.
pub(crate) fn similarity(one: &[String], other: &[String]) -> usize {
    let total = one.len() + other.len();
    if total == 0 {
        return 0;
    }
    let mut left: Vec<&String> = other.iter().collect();
    let mut shared = 0;
    for word in one {
        if let Some(at) = left.iter().position(|candidate| *candidate == word) {
            left.swap_remove(at);
            shared += 1;
        }
    }
    2000 * shared / total
}

/// Words that turn a statement into its opposite.
const NEGATORS: [&str; 12] = [
    "no", "not", "non", "none", "never", "without", "neither", "nor", "denies", "denied", "negative",
    "absent",
];

/// True for a word that turns a statement into its opposite.
pub(crate) fn negates(word: &str) -> bool {
    NEGATORS.contains(&word) || word == "cannot"
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{same, similarity, words};

    #[test]
    fn case_and_spacing_do_not_matter_and_digits_do() {
        assert!(same("Febrile\n  Neutropenia", "febrile neutropenia"));
        assert!(!same("150 mg", "15 0 mg"));
    }

    #[test]
    fn half_of_the_words_shared_is_five_hundred() {
        assert_eq!(similarity(&words("heart failure"), &words("renal failure")), 500);
        assert_eq!(similarity(&words("febrile neutropenia"), &words("neutropenia, febrile")), 1000);
        assert_eq!(similarity(&[], &[]), 0);
    }

    proptest! {
        #[test]
        fn similarity_does_not_depend_on_the_side(a in "[ab ]{0,12}", b in "[ab ]{0,12}") {
            prop_assert_eq!(similarity(&words(&a), &words(&b)), similarity(&words(&b), &words(&a)));
        }
    }
}
