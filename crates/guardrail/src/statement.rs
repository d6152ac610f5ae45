//! A text in statements, folded so that phrases can be looked for: lower case, contractions written out.

use clinflow_clinical::{Label, lexicon::Lexicon, sentence};

/// One statement, question or request.
#[derive(Debug, Clone)]
pub(crate) struct Statement {
    /// Its words in lower case with one space around each: " what dose did she receive ".
    pub(crate) words: String,
    /// Whether it ends with a question mark, or begins as a question does.
    pub(crate) question: bool,
    /// Whether it names a drug or a procedure.
    pub(crate) treatment: bool,
    /// Whether it names a condition, a symptom or a laboratory test.
    pub(crate) finding: bool,
}

impl Statement {
    /// Whether any of the phrases stands in it as whole words.
    pub(crate) fn has(&self, phrases: &[&str]) -> bool {
        self.first(phrases).is_some()
    }

    /// Where the first of the phrases stands.
    pub(crate) fn first(&self, phrases: &[&str]) -> Option<usize> {
        phrases.iter().filter_map(|phrase| self.words.find(&format!(" {phrase} "))).min()
    }

    /// Whether a word begins with one of the stems; a stem that ends in a full stop is a whole word.
    pub(crate) fn has_stem(&self, stems: &[&str]) -> bool {
        stems.iter().any(|stem| match stem.strip_suffix('.') {
            Some(word) => self.words.contains(&format!(" {word} ")),
            None => self.words.contains(&format!(" {stem}")),
        })
    }

    /// Whether it begins with one of the phrases.
    pub(crate) fn begins(&self, phrases: &[&str]) -> bool {
        phrases.iter().any(|phrase| self.words.starts_with(&format!(" {phrase} ")))
    }
}

/// First words of questions.
const QUESTIONS: [&str; 31] = [
    "what", "which", "who", "whom", "whose", "when", "where", "why", "how", "is", "are", "was", "were", "do",
    "does", "did", "has", "have", "had", "can", "could", "may", "might", "shall", "should", "would", "will",
    "must", "any", "am", "ought",
];

/// Where a statement goes on as another: "..., and what should she get next?"
const TURNS: [&str; 22] = [
    "and what",
    "and how",
    "and which",
    "and should",
    "and can",
    "and could",
    "and would",
    "and tell",
    "and recommend",
    "and suggest",
    "and is it",
    "so what",
    "but should",
    "then recommend",
    "then tell",
    "and propose",
    "and advise",
    "instead tell",
    "and give me",
    "and do you",
    "so should",
    "but what",
];

/// The statements of a text.
pub(crate) fn statements(text: &str) -> Vec<Statement> {
    let mut all = Vec::new();
    for range in sentence::split(text) {
        let written = &text[range];
        let asks = written.trim_end_matches(['"', '\'', ')', ' ']).ends_with('?');
        let (mut treatment, mut finding) = (false, false);
        for hit in Lexicon::shipped().find(written) {
            treatment |= matches!(hit.entry.label, Label::Drug | Label::Procedure);
            finding |= matches!(hit.entry.label, Label::Condition | Label::Symptom | Label::LabTest);
        }
        for words in clauses(&folded(written)) {
            let question = asks || QUESTIONS.iter().any(|first| words.starts_with(&format!(" {first} ")));
            all.push(Statement { words, question, treatment, finding });
        }
    }
    all
}

/// Lower case, contractions written out, every other punctuation a space.
pub(crate) fn folded(text: &str) -> String {
    let mut plain = String::with_capacity(text.len() + 2);
    for character in text.chars() {
        match character {
            '\u{2019}' | '\u{2018}' | '\'' => plain.push('\''),
            character if character.is_alphanumeric() => plain.extend(character.to_lowercase()),
            _ => plain.push(' '),
        }
    }
    let mut words = String::with_capacity(plain.len() + 2);
    words.push(' ');
    for word in plain.split_whitespace() {
        let word = word.trim_matches('\'');
        let written_out = match word {
            "can't" | "cannot" => "can not",
            "won't" => "will not",
            "what's" => "what is",
            "how's" => "how is",
            "who's" => "who is",
            "it's" => "it is",
            "let's" => "let us",
            "i'd" => "i would",
            "you'd" => "you would",
            "we'd" => "we would",
            "i'm" => "i am",
            "you're" => "you are",
            "we're" => "we are",
            "they're" => "they are",
            other => match other.strip_suffix("n't") {
                Some(verb) => {
                    words.push_str(verb);
                    words.push_str(" not ");
                    continue;
                }
                None => other.strip_suffix("'s").unwrap_or(other),
            },
        };
        words.push_str(written_out);
        words.push(' ');
    }
    words
}

/// A folded statement, cut where it turns to ask for something else.
fn clauses(words: &str) -> Vec<String> {
    let mut cuts: Vec<usize> = TURNS
        .iter()
        .flat_map(|turn| words.match_indices(&format!(" {turn} ")).map(|(at, _)| at).collect::<Vec<_>>())
        .collect();
    cuts.sort_unstable();
    let mut clauses = Vec::new();
    let mut start = 0;
    for cut in cuts.into_iter().filter(|cut| *cut > 0).chain([words.len()]) {
        let clause = words[start..cut].trim();
        let clause = clause.strip_prefix("and ").or_else(|| clause.strip_prefix("but ")).unwrap_or(clause);
        if !clause.is_empty() {
            clauses.push(format!(" {clause} "));
        }
        start = cut;
    }
    clauses
}

#[cfg(test)]
mod tests {
    use super::statements;

    #[test]
    fn a_statement_is_cut_where_it_turns_and_contractions_are_written_out() {
        let all = statements("What's the dose, and what should she get next? She isn't well.");
        let words: Vec<&str> = all.iter().map(|one| one.words.as_str()).collect();
        assert_eq!(words, [" what is the dose ", " what should she get next ", " she is not well "]);
        assert_eq!(all.iter().map(|one| one.question).collect::<Vec<_>>(), [true, true, false]);
    }
}
