//! Why a document could not be turned into text.

/// Why a document could not be turned into text. No variant holds document text, so each may be logged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// There are no bytes, or nothing but a byte order mark and white space.
    #[error("the document is empty: submit it again with its content")]
    Empty,
    /// More bytes than [`Limits::max_bytes`](crate::Limits::max_bytes).
    #[error("the document has {bytes} bytes and the limit is {limit}: split it or raise the limit")]
    TooLarge {
        /// The size of the document.
        bytes: usize,
        /// The most that is read.
        limit: usize,
    },
    /// Declared as PDF, but the bytes are something else.
    #[error("declared as `application/pdf`, but the bytes do not begin as a PDF: declare what it is")]
    NotPdf,
    /// The declared media type is not the one the bytes have.
    #[error("declared as `{declared}`, but the bytes are `{found}`: declare what it is")]
    Mismatch {
        /// What the submitter says.
        declared: &'static str,
        /// What the bytes say.
        found: &'static str,
    },
    /// The PDF opens only with a password.
    #[error("the PDF is protected by a password: submit a copy without one")]
    Encrypted,
    /// The PDF cannot be read, even by repairing it.
    #[error("the PDF is damaged: {what}")]
    Damaged {
        /// What failed, in words of the format and never of the document.
        what: &'static str,
    },
    /// The text is not UTF-8.
    #[error("byte {offset} is not UTF-8: convert the text and submit it again")]
    InvalidUtf8 {
        /// The first byte that is not UTF-8, counted from 0 in the document as submitted.
        offset: usize,
    },
    /// No page has a text layer: a scan, or a document of pictures.
    #[error(
        "no text layer on any of {pages} pages, of which {scanned} show an image: needs character recognition"
    )]
    NoText {
        /// Pages in the document.
        pages: usize,
        /// Pages that show at least one image.
        scanned: usize,
    },
    /// A format that is not read.
    #[error("`{what}` is not read: submit UTF-8 text or a PDF")]
    Unsupported {
        /// The format, as far as it was recognised.
        what: &'static str,
    },
    /// The document asks for more work or room than a document may.
    #[error("more than {limit} {what}: the document is hostile or needs a higher limit")]
    Limit {
        /// What there is too much of.
        what: &'static str,
        /// How much is allowed.
        limit: usize,
    },
    /// The caller raised [`Stop`](crate::Stop).
    #[error("stopped before the document was read to its end")]
    Stopped,
}

impl Error {
    /// The stable code of this error: a metric label and the name of a page in `docs/failures`.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Empty => "ingest.empty",
            Self::TooLarge { .. } => "ingest.too-large",
            Self::NotPdf => "ingest.not-pdf",
            Self::Mismatch { .. } => "ingest.mismatch",
            Self::Encrypted => "ingest.encrypted",
            Self::Damaged { .. } => "ingest.damaged",
            Self::InvalidUtf8 { .. } => "ingest.invalid-utf8",
            Self::NoText { .. } => "ingest.no-text",
            Self::Unsupported { .. } => "ingest.unsupported",
            Self::Limit { .. } => "ingest.limit",
            Self::Stopped => "ingest.stopped",
        }
    }
}
