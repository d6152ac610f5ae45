//! Looking for identifiers in whatever form they may have taken on the way.

use std::fmt;

use aho_corasick::{AhoCorasick, AhoCorasickBuilder};

use super::Sink;

/// Characters that people put into numbers: `(802) 555-0142` and `802.555.0142` are the same.
const PUNCTUATION: &[u8] = b" ()-./\\+";

/// Digits and letters that are too few to be told from chance in megabytes of hashes and times.
const FEWEST: usize = 8;

/// An identifier where it must not be.
#[derive(Clone, PartialEq, Eq)]
pub struct Leak {
    /// Where.
    pub sink: String,
    /// Which.
    pub identifier: String,
    /// In which form.
    pub form: &'static str,
    /// What stands around it, so that whoever mends it knows where to look. Everything here is synthetic.
    pub around: String,
}

impl fmt::Debug for Leak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: `{}` {}: {}", self.sink, self.identifier, self.form, self.around)
    }
}

/// One form of one identifier.
struct Form {
    identifier: String,
    form: &'static str,
}

/// A set of patterns with what each of them is.
struct Patterns {
    finder: AhoCorasick,
    forms: Vec<Form>,
}

impl Patterns {
    fn new(patterns: Vec<(Vec<u8>, Form)>, fold: bool) -> anyhow::Result<Self> {
        let (bytes, forms): (Vec<_>, Vec<_>) = patterns.into_iter().unzip();
        let finder = AhoCorasickBuilder::new().ascii_case_insensitive(fold).build(bytes)?;
        Ok(Self { finder, forms })
    }

    fn find(&self, sink: &str, content: &[u8], leaks: &mut Vec<Leak>) {
        for hit in self.finder.find_overlapping_iter(content) {
            let Form { identifier, form } = &self.forms[hit.pattern().as_usize()];
            let is_known = |leak: &Leak| leak.identifier == *identifier && leak.form == *form;
            if leaks.iter().any(is_known) {
                continue;
            }
            let around = &content[hit.start().saturating_sub(160)..content.len().min(hit.end() + 60)];
            leaks.push(Leak {
                sink: sink.to_owned(),
                identifier: identifier.clone(),
                form,
                around: String::from_utf8_lossy(around).into_owned(),
            });
        }
    }
}

/// Looks for identifiers: as they are and in any case, without the punctuation of numbers, percent-encoded, in
/// Base64, in hexadecimal, and as the list of bytes that `{:?}` makes of them.
pub struct Search {
    plain: Patterns,
    exact: Patterns,
    bare: Patterns,
}

impl Search {
    /// A search for these identifiers and pieces of identifiers, which are ASCII.
    pub fn new<'i>(identifiers: impl IntoIterator<Item = &'i str>) -> anyhow::Result<Self> {
        let (mut plain, mut exact, mut bare) = (Vec::new(), Vec::new(), Vec::new());
        for identifier in identifiers {
            anyhow::ensure!(
                identifier.is_ascii() && identifier.len() > 3,
                "`{identifier}` cannot be told apart"
            );
            let form = |form| Form { identifier: identifier.to_owned(), form };
            plain.push((identifier.as_bytes().to_vec(), form("as it is")));
            if identifier.contains(' ') {
                plain.push((identifier.replace(' ', "+").into(), form("in a form's encoding")));
                plain.push((identifier.replace(' ', "%20").into(), form("percent-encoded")));
            }
            for case in [identifier.to_owned(), identifier.to_ascii_lowercase()] {
                let listed: Vec<String> = case.bytes().map(|byte| byte.to_string()).collect();
                plain.push((listed.join(", ").into(), form("as a list of bytes")));
                let hex: String = case.bytes().map(|byte| format!("{byte:02x}")).collect();
                // A few bytes in hexadecimal stand in every other hash.
                if case.len() > 5 {
                    plain.push((hex.into(), form("in hexadecimal")));
                    exact.extend((0..3).map(|shift| (base64(case.as_bytes(), shift), form("in Base64"))));
                }
            }
            let squeezed = squeeze(identifier.as_bytes());
            let has_digit = squeezed.iter().any(u8::is_ascii_digit);
            if has_digit && squeezed.len() >= FEWEST {
                bare.push((squeezed, form("without its punctuation")));
            }
        }
        Ok(Self {
            plain: Patterns::new(plain, true)?,
            exact: Patterns::new(exact, false)?,
            bare: Patterns::new(bare, true)?,
        })
    }

    /// Each identifier that stands in `sink`, once for each of its forms.
    pub fn leaks(&self, sink: &Sink) -> Vec<Leak> {
        let mut leaks = Vec::new();
        self.plain.find(&sink.name, &sink.content, &mut leaks);
        self.plain.find("the name of the sink", sink.name.as_bytes(), &mut leaks);
        self.exact.find(&sink.name, &sink.content, &mut leaks);
        self.bare.find(&sink.name, &squeeze(&sink.content), &mut leaks);
        leaks
    }

    /// [`Search::leaks`] of every sink.
    pub fn all(&self, sinks: &[Sink]) -> Vec<Leak> {
        sinks.iter().flat_map(|sink| self.leaks(sink)).collect()
    }
}

fn squeeze(text: &[u8]) -> Vec<u8> {
    text.iter().copied().filter(|byte| !PUNCTUATION.contains(byte)).collect()
}

/// What of `text` always looks the same in Base64 when `shift` bytes of something else stand before it.
fn base64(text: &[u8], shift: usize) -> Vec<u8> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let whole = (text.len() + shift) / 3 * 3;
    let padded: Vec<u8> = std::iter::repeat_n(0, shift).chain(text.iter().copied()).take(whole).collect();
    let coded = padded.chunks_exact(3).flat_map(|three| {
        let bits = u32::from(three[0]) << 16 | u32::from(three[1]) << 8 | u32::from(three[2]);
        [18, 12, 6, 0].map(|by| ALPHABET[(bits >> by & 63) as usize])
    });
    // The first characters also depend on what stands before.
    coded.skip([0, 2, 3][shift]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forms(content: &[u8]) -> Vec<&'static str> {
        let search = Search::new(["Wilhelmina Quastenberg", "Quastenberg", "(802) 555-0142"]).unwrap();
        let log = Sink::new("log", content);
        let mut forms: Vec<_> = search.leaks(&log).into_iter().map(|leak| leak.form).collect();
        forms.dedup();
        forms
    }

    #[test]
    fn a_line_that_leaks_is_found_in_a_log_whatever_form_the_identifier_has() {
        let clean =
            "{\"level\":\"DEBUG\",\"message\":\"submitted\",\"execution\":\"8025-55\"}\n".repeat(1000);
        assert!(forms(clean.as_bytes()).is_empty());
        for (leak, form) in [
            (format!("{:?}", "Wilhelmina Quastenberg"), "as it is"),
            ("no value for `wilhelmina quastenberg`".to_owned(), "as it is"),
            ("Mrs QUASTENBERG".to_owned(), "as it is"),
            ("name=Wilhelmina%20Quastenberg".to_owned(), "percent-encoded"),
            (format!("{:?}", b"Mrs Quastenberg".to_vec()), "as a list of bytes"),
            ("call 802.555.0142".to_owned(), "without its punctuation"),
            ("tel:+18025550142".to_owned(), "without its punctuation"),
            // `Mrs Quastenberg`, `Ms Quastenberg` and `M Quastenberg`: one for each place in a group of three bytes.
            ("TXJzIFF1YXN0ZW5iZXJn".to_owned(), "in Base64"),
            ("TXMgUXVhc3RlbmJlcmc=".to_owned(), "in Base64"),
            ("TSBRdWFzdGVuYmVyZw==".to_owned(), "in Base64"),
            ("5175617374656e62657267".to_owned(), "in hexadecimal"),
        ] {
            let log = format!("{clean}{{\"level\":\"DEBUG\",\"error\":\"{leak}\"}}\n{clean}");
            assert!(forms(log.as_bytes()).contains(&form), "{leak}");
        }
    }

    #[test]
    fn the_name_of_a_thing_is_searched_like_its_content() {
        let search = Search::new(["Quastenberg"]).unwrap();
        assert_eq!(search.leaks(&Sink::new("reports/quastenberg.json", "")).len(), 1);
    }
}
