//! Bytes to text with geometry: a document comes in as bytes and leaves as text whose every word has a place on a page.
//!
//! One file per format turns bytes into words with positions; one layout function, `layout`, turns those
//! into lines of text with columns kept. To add a format: give it a [`MediaType`], teach [`sniff`] its magic bytes,
//! and add an arm to [`ingest`].
//!
//! Everything here is a pure function of its arguments. Hostile input is refused by [`Limits`], or ends when the caller
//! raises [`Stop`]. Neither reaches into the repair of a broken PDF, whose time can grow with the square of its size:
//! whoever reads documents from strangers reads them in a process that can be killed.

mod assemble;
mod error;
mod geometry;
mod layout;
mod limits;
mod media;
mod pdf;
mod plain;
mod text;

pub use error::Error;
pub use geometry::{Geometry, Layer, PageGeometry, WordBox};
pub use limits::{Limits, Stop};
pub use media::{MediaType, sniff};
pub use text::{Page, Text};

/// A document's text, and where on its pages each word of it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Ingested {
    /// The text; every offset of every later stage points into it.
    pub text: Text,
    /// Where its words stand.
    pub geometry: Geometry,
}

/// Turns the bytes of a document into text.
///
/// `declared_media_type` is what the submitter says the bytes are; it must agree with what they are. The empty string
/// and `application/octet-stream` say nothing, and the bytes decide.
///
/// # Errors
///
/// Every [`Error`] is about the document and none about the world: the same bytes give the same error, so a retry
/// helps only after [`Error::Stopped`].
pub fn ingest(bytes: &[u8], declared_media_type: &str, limits: &Limits) -> Result<Ingested, Error> {
    if bytes.is_empty() {
        return Err(Error::Empty);
    }
    if bytes.len() > limits.max_bytes {
        return Err(Error::TooLarge { bytes: bytes.len(), limit: limits.max_bytes });
    }
    match media::agree(bytes, declared_media_type)? {
        MediaType::Pdf => pdf::ingest(bytes, limits),
        MediaType::PlainText => plain::ingest(bytes, limits),
        other => Err(Error::Unsupported { what: other.as_str() }),
    }
}
