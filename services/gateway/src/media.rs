//! What a submitter says a document is: read into a known name, and held against the first bytes.
//!
//! Only known names go on: a declared type lands in messages and tables, where no free text (`application/pdf;
//! name="..."`) may be. The classifier looks closer; this is the cheap part, done while the submitter can still
//! be told.

use crate::refusal::Refusal;

/// A declared media type with the bytes its documents begin with; no bytes where the beginning says nothing.
struct Known {
    name: &'static str,
    begins: &'static [&'static [u8]],
}

/// A PDF begins with this, perhaps after some other bytes.
const PDF: &[u8] = b"%PDF-";

/// How far into a file a PDF's header may stand (PDF Reference 1.7, appendix H, implementation note 13).
const PDF_WITHIN: usize = 1024;

const KNOWN: [Known; 16] = [
    Known { name: "application/pdf", begins: &[PDF] },
    Known { name: "text/plain", begins: &[] },
    Known { name: "text/html", begins: &[] },
    Known { name: "application/xhtml+xml", begins: &[] },
    Known { name: "application/xml", begins: &[] },
    Known { name: "text/xml", begins: &[] },
    Known { name: "application/cda+xml", begins: &[] },
    Known { name: "application/rtf", begins: &[b"{\\rtf"] },
    Known { name: "text/rtf", begins: &[b"{\\rtf"] },
    Known { name: "application/hl7-v2", begins: &[] },
    Known { name: "application/zip", begins: &[b"PK\x03\x04"] },
    Known {
        name: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        begins: &[b"PK\x03\x04"],
    },
    Known { name: "application/msword", begins: &[b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"] },
    Known { name: "image/png", begins: &[b"\x89PNG\r\n\x1A\n"] },
    Known { name: "image/jpeg", begins: &[b"\xFF\xD8\xFF"] },
    Known { name: "image/tiff", begins: &[b"II*\0", b"MM\0*"] },
];

/// What says nothing about a document: no type, any bytes, and what curl sends unless told otherwise.
const SAYS_NOTHING: [&str; 3] = ["", "application/octet-stream", "application/x-www-form-urlencoded"];

/// The media type a submitter declared; empty for none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Declared(&'static str);

impl Declared {
    /// Reads a `Content-Type`. Parameters are dropped, but for a charset of a text that is not UTF-8.
    pub(crate) fn read(value: &str) -> Result<Self, Refusal> {
        let (name, parameters) = value.split_once(';').unwrap_or((value, ""));
        let name = name.trim().to_ascii_lowercase();
        if SAYS_NOTHING.contains(&name.as_str()) {
            return Ok(Self::default());
        }
        let known = KNOWN.iter().find(|known| known.name == name).ok_or(Refusal::UnsupportedMediaType)?;
        if name.starts_with("text/") && !utf8(parameters) {
            return Err(Refusal::UnsupportedMediaType);
        }
        Ok(Self(known.name))
    }

    /// The registered name; empty for none.
    pub(crate) const fn name(self) -> &'static str {
        self.0
    }

    /// Holds the declaration against the document.
    pub(crate) fn check(self, document: &[u8]) -> Result<(), Refusal> {
        let Some(known) = KNOWN.iter().find(|known| known.name == self.0) else { return Ok(()) };
        let begins = |with: &[u8]| {
            if with == PDF {
                document[..document.len().min(PDF_WITHIN)].windows(PDF.len()).any(|window| window == PDF)
            } else {
                document.starts_with(with)
            }
        };
        if known.begins.is_empty() || known.begins.iter().any(|with| begins(with)) {
            Ok(())
        } else {
            Err(Refusal::MediaTypeMismatch { declared: known.name })
        }
    }
}

/// True unless the parameters name a charset that UTF-8 does not include.
fn utf8(parameters: &str) -> bool {
    parameters.split(';').filter_map(|parameter| parameter.split_once('=')).all(|(name, value)| {
        let value = value.trim().trim_matches('"').to_ascii_lowercase();
        !name.trim().eq_ignore_ascii_case("charset")
            || ["utf-8", "utf8", "us-ascii", "ascii"].contains(&value.as_str())
    })
}

#[cfg(test)]
mod tests {
    use super::Declared;

    fn code(value: &str, document: &[u8]) -> &'static str {
        match Declared::read(value).and_then(|declared| declared.check(document)) {
            Ok(()) => "",
            Err(refusal) => refusal.code(),
        }
    }

    #[test]
    fn a_declared_type_must_fit_the_first_bytes() {
        assert_eq!(code("application/pdf", b"%PDF-1.7\n"), "");
        assert_eq!(code("Application/PDF", b"\r\n%PDF-1.4"), "");
        assert_eq!(code("application/pdf", b"hello"), "submit.media-type-mismatch");
        assert_eq!(code("application/pdf", &[b' '; 4096]), "submit.media-type-mismatch");
        assert_eq!(code("image/tiff", b"MM\0*rest"), "");
        assert_eq!(code("image/png", b"%PDF-1.7"), "submit.media-type-mismatch");
        assert_eq!(code("text/plain", b"%PDF-1.7"), "", "the classifier's business");
    }

    #[test]
    fn parameters_and_free_text_do_not_go_on() {
        assert_eq!(
            Declared::read("application/pdf; name=\"Jane Roe.pdf\"").unwrap().name(),
            "application/pdf"
        );
        assert_eq!(code("application/jane-roe", b"x"), "submit.unsupported-media-type");
        assert_eq!(code("multipart/form-data; boundary=x", b"x"), "submit.unsupported-media-type");
    }

    #[test]
    fn a_type_that_says_nothing_is_none() {
        for value in ["", "application/octet-stream", "application/x-www-form-urlencoded"] {
            assert_eq!(Declared::read(value).unwrap().name(), "");
        }
    }

    #[test]
    fn text_is_utf8() {
        assert_eq!(code("text/plain; charset=\"UTF-8\"", b"x"), "");
        assert_eq!(code("text/plain;charset=iso-8859-1", b"x"), "submit.unsupported-media-type");
    }
}
