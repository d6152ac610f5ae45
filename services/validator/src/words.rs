//! How alike two texts are, word by word; comparing words is what grounding does, and its words are used here too.

pub(crate) use clinflow_guardrail::words::{holds, same, words};

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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{similarity, words};

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
