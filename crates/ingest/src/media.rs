//! What a document is, told from its bytes and never from its name.

use crate::Error;

/// A kind of document that its first bytes give away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaType {
    /// Text without markup.
    PlainText,
    /// Portable Document Format.
    Pdf,
    /// A web page.
    Html,
    /// Any XML, C-CDA among it.
    Xml,
    /// Rich Text Format.
    Rtf,
    /// A version 2 message, ORU among them.
    Hl7v2,
    /// A ZIP archive: DOCX and XLSX are ones.
    Zip,
    /// The compound file of Word 97 to 2003.
    Ole,
    /// A picture.
    Png,
    /// A picture.
    Jpeg,
    /// A picture, often a fax.
    Tiff,
    /// Bytes that are none of these and not text.
    Binary,
}

impl MediaType {
    /// The registered name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PlainText => "text/plain",
            Self::Pdf => "application/pdf",
            Self::Html => "text/html",
            Self::Xml => "application/xml",
            Self::Rtf => "application/rtf",
            Self::Hl7v2 => "application/hl7-v2",
            Self::Zip => "application/zip",
            Self::Ole => "application/x-ole-storage",
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Tiff => "image/tiff",
            Self::Binary => "application/octet-stream",
        }
    }

    /// The kind a submitter means by `name`, which is in lower case and without parameters.
    fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "text/plain" => Self::PlainText,
            "application/pdf" | "application/x-pdf" => Self::Pdf,
            "text/html" | "application/xhtml+xml" => Self::Html,
            "application/xml" | "text/xml" | "application/cda+xml" => Self::Xml,
            "application/rtf" | "text/rtf" => Self::Rtf,
            "application/hl7-v2" | "x-application/hl7-v2+er7" => Self::Hl7v2,
            "application/zip" | "application/vnd.openxmlformats-officedocument.wordprocessingml.document" => {
                Self::Zip
            }
            "application/msword" => Self::Ole,
            "image/png" => Self::Png,
            "image/jpeg" => Self::Jpeg,
            "image/tiff" => Self::Tiff,
            _ => return None,
        })
    }
}

/// How far into a file the header of a PDF may stand, as readers accept it.
const PDF_HEADER_WITHIN: usize = 1024;

/// How many bytes decide whether something is text: enough for any header, cheap for any document.
const TEXT_PROBE: usize = 8192;

/// What `bytes` are. Never fails: what is nothing else and holds no NUL is text.
pub fn sniff(bytes: &[u8]) -> MediaType {
    const MAGIC: [(&[u8], MediaType); 8] = [
        (b"PK\x03\x04", MediaType::Zip),
        (b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", MediaType::Ole),
        (b"\x89PNG\r\n\x1A\n", MediaType::Png),
        (b"\xFF\xD8\xFF", MediaType::Jpeg),
        (b"II*\0", MediaType::Tiff),
        (b"MM\0*", MediaType::Tiff),
        (b"{\\rtf", MediaType::Rtf),
        (b"MSH|", MediaType::Hl7v2),
    ];
    if let Some((_, found)) = MAGIC.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return *found;
    }
    let head = &bytes[..bytes.len().min(PDF_HEADER_WITHIN)];
    if head.windows(5).any(|window| window == b"%PDF-") {
        return MediaType::Pdf;
    }
    let head = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head).trim_ascii_start();
    let begins = |with: &[u8]| head.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with));
    if begins(b"<!doctype html") || begins(b"<html") {
        return MediaType::Html;
    }
    if begins(b"<?xml") {
        return MediaType::Xml;
    }
    if begins(b"MSH|") {
        return MediaType::Hl7v2;
    }
    let probe = &bytes[..bytes.len().min(TEXT_PROBE)];
    if probe.contains(&0) { MediaType::Binary } else { MediaType::PlainText }
}

/// What `bytes` are, when that is what the submitter says.
pub(crate) fn agree(bytes: &[u8], declared: &str) -> Result<MediaType, Error> {
    let found = sniff(bytes);
    let (name, parameters) = declared.split_once(';').unwrap_or((declared, ""));
    let name = name.trim().to_ascii_lowercase();
    if name.is_empty() || name == "application/octet-stream" {
        return Ok(found);
    }
    let Some(said) = MediaType::from_name(&name) else {
        return Err(Error::Unsupported { what: "the declared media type" });
    };
    if said == MediaType::PlainText && !is_utf8(parameters) {
        return Err(Error::Unsupported { what: "a charset other than utf-8" });
    }
    match (said, found) {
        _ if said == found => Ok(found),
        (MediaType::Pdf, _) => Err(Error::NotPdf),
        // XHTML is both.
        (MediaType::Html, MediaType::Xml) => Ok(MediaType::Html),
        (said, found) => Err(Error::Mismatch { declared: said.as_str(), found: found.as_str() }),
    }
}

/// True unless the parameters of a media type name a charset that UTF-8 does not include.
fn is_utf8(parameters: &str) -> bool {
    parameters
        .split(';')
        .filter_map(|parameter| parameter.split_once('='))
        .filter(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))
        .all(|(_, charset)| {
            let charset = charset.trim().trim_matches('"').to_ascii_lowercase();
            ["utf-8", "utf8", "us-ascii", "ascii"].contains(&charset.as_str())
        })
}

#[cfg(test)]
mod tests {
    use super::{MediaType, agree, sniff};

    #[test]
    fn bytes_tell_what_they_are() {
        for (bytes, kind) in [
            (&b"%PDF-1.7\n"[..], MediaType::Pdf),
            (b"\r\n\t%PDF-1.4", MediaType::Pdf),
            (b"Visit 3, no adverse event", MediaType::PlainText),
            ("\u{feff}Besuch 3: 38,9 °C".as_bytes(), MediaType::PlainText),
            (b"PK\x03\x04rest", MediaType::Zip),
            (b"{\\rtf1 text}", MediaType::Rtf),
            (b"MSH|^~\\&|LAB", MediaType::Hl7v2),
            (b"  <!DOCTYPE HTML><p>", MediaType::Html),
            (b"\xEF\xBB\xBF<?xml version='1.0'?>", MediaType::Xml),
            (b"a\0b", MediaType::Binary),
        ] {
            assert_eq!(sniff(bytes), kind);
        }
    }

    #[test]
    fn a_declared_type_must_be_the_one_the_bytes_have() {
        let pdf = b"%PDF-1.7";
        assert_eq!(agree(pdf, "Application/PDF; version=1.7").unwrap(), MediaType::Pdf);
        assert_eq!(agree(pdf, "").unwrap(), MediaType::Pdf);
        assert_eq!(agree(pdf, "application/octet-stream").unwrap(), MediaType::Pdf);
        assert_eq!(agree(pdf, "text/plain").unwrap_err().code(), "ingest.mismatch");
        assert_eq!(agree(b"hello", "application/pdf").unwrap_err().code(), "ingest.not-pdf");
        assert_eq!(agree(b"hello", "audio/ogg").unwrap_err().code(), "ingest.unsupported");
    }

    #[test]
    fn only_charsets_that_utf8_includes_are_text() {
        assert!(agree(b"hello", "text/plain; charset=\"UTF-8\"").is_ok());
        assert_eq!(agree(b"hello", "text/plain;charset=latin1").unwrap_err().code(), "ingest.unsupported");
    }
}
