//! A text as numbers, words and signs in their normal forms, so that "1,500 mg" and "1500mg" are the same.

use std::ops::Range;

/// A number, a word or a sign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) range: Range<usize>,
    /// The normal form: lower case, "1500" for "1,500.0", "ug" for "µg".
    pub(crate) normal: String,
    pub(crate) number: bool,
}

/// Signs that change what a number says. Other punctuation does not count.
const SIGNS: [(char, &str); 13] = [
    ('<', "<"),
    ('>', ">"),
    ('=', "="),
    ('\u{2264}', "<="),
    ('\u{2265}', ">="),
    ('+', "+"),
    ('\u{b1}', "+-"),
    ('%', "%"),
    ('/', "/"),
    ('*', "*"),
    ('\u{d7}', "*"),
    ('^', "^"),
    ('\u{b0}', "\u{b0}"),
];

/// The tokens of a text.
pub(crate) fn tokens(text: &str) -> Vec<Token> {
    let mut all: Vec<Token> = Vec::new();
    let mut at = 0;
    while let Some(character) = text[at..].chars().next() {
        let rest = &text[at..];
        let length = if character.is_ascii_digit() {
            number(rest)
        } else if character.is_alphabetic() {
            word(rest)
        } else {
            character.len_utf8()
        };
        let range = at..at + length;
        let written = &text[range.clone()];
        at = range.end;
        if character.is_ascii_digit() {
            // A minus belongs to its number; between two words or numbers it is a hyphen or a range.
            let mut before = text[..range.start].chars().rev();
            let negative = matches!(before.next(), Some('-' | '\u{2212}'))
                && before
                    .next()
                    .is_none_or(|earlier| earlier.is_whitespace() || matches!(earlier, '(' | '=' | ':'));
            let normal = format!("{}{}", if negative { "-" } else { "" }, plain(written));
            let start = if negative {
                range.start - text[..range.start].chars().next_back().map_or(0, char::len_utf8)
            } else {
                range.start
            };
            all.push(Token { range: start..range.end, normal, number: true });
        } else if character.is_alphabetic() {
            // "neutro-\npenia" is one word.
            let broken = text[..range.start].ends_with("-\n");
            match all.last_mut() {
                Some(last) if broken && !last.number && last.range.end + 2 == range.start => {
                    last.normal.push_str(&fold(written));
                    last.range.end = range.end;
                }
                _ => all.push(Token { normal: fold(written), range, number: false }),
            }
        } else if let Some((_, normal)) = SIGNS.iter().find(|(sign, _)| *sign == character) {
            match (all.last_mut(), *normal) {
                (Some(last), "=")
                    if last.range.end == range.start && matches!(last.normal.as_str(), "<" | ">") =>
                {
                    last.normal.push('=');
                    last.range.end = range.end;
                }
                _ => all.push(Token { range, normal: (*normal).to_owned(), number: false }),
            }
        }
    }
    all
}

/// The length of the digits at the start, with separators between digits.
fn number(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut length = 1;
    while length < bytes.len() {
        let separated =
            matches!(bytes[length], b'.' | b',') && bytes.get(length + 1).is_some_and(u8::is_ascii_digit);
        if bytes[length].is_ascii_digit() {
            length += 1;
        } else if separated {
            length += 2;
        } else {
            break;
        }
    }
    length
}

/// The length of the letters and digits at the start: "m2" is one word.
fn word(text: &str) -> usize {
    text.find(|character: char| !character.is_alphanumeric()).unwrap_or(text.len())
}

/// Digits without separators of thousands, leading zeros, and zeros at the end of a fraction.
fn plain(digits: &str) -> String {
    let groups: Vec<&str> = digits.split(',').collect();
    let thousands = groups.len() > 1
        && groups[1..].iter().all(|group| group.split('.').next().is_some_and(|whole| whole.len() == 3))
        && groups[0].len() <= 3;
    let joined = if thousands { groups.concat() } else { digits.replace(',', ".") };
    let (whole, fraction) = joined.split_once('.').unwrap_or((&joined, ""));
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let fraction = if fraction.contains('.') { fraction } else { fraction.trim_end_matches('0') };
    if fraction.is_empty() { whole.to_owned() } else { format!("{whole}.{fraction}") }
}

/// A word in lower case, with one spelling for each unit that has several.
fn fold(word: &str) -> String {
    let lower: String =
        word.chars().map(|character| if character == '\u{b5}' { '\u{3bc}' } else { character }).collect();
    let lower = lower.to_lowercase();
    match lower.as_str() {
        "mcg" | "\u{3bc}g" => "ug".to_owned(),
        "mgs" => "mg".to_owned(),
        "milligram" | "milligrams" => "mg".to_owned(),
        "microgram" | "micrograms" => "ug".to_owned(),
        "\u{3bc}l" => "ul".to_owned(),
        _ => lower.replace('\u{3bc}', "u"),
    }
}

#[cfg(test)]
mod tests {
    use super::tokens;

    #[test]
    fn numbers_and_units_have_one_form() {
        let normal = |text| tokens(text).into_iter().map(|token| token.normal).collect::<Vec<_>>();
        assert_eq!(normal("1,500 mg"), normal("1500mg"));
        assert_eq!(
            normal("0.30 \u{b5}g"),
            normal(".3mcg").iter().map(|word| word.replace('3', "0.3")).collect::<Vec<_>>()
        );
        assert_eq!(normal("neutro-\npenia, (severe)"), ["neutropenia", "severe"]);
        assert_eq!(normal("\u{2264}5 %"), normal("<= 5%"));
        assert_eq!(normal("T -4.2, 3-4 m2"), ["t", "-4.2", "3", "4", "m2"]);
        assert_ne!(normal("1.5"), normal("15"));
    }
}
