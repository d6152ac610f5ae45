//! How much work and room one document may ask for.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

/// How much work and room one document may ask for. `Default` is for documents from strangers.
///
/// Real protocols of 73 to 87 pages stay below a fifth of each.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of the document as submitted.
    pub max_bytes: usize,
    /// Pages.
    pub max_pages: usize,
    /// Words on one page.
    pub max_page_words: usize,
    /// UTF-8 bytes of text.
    pub max_text_bytes: usize,
    /// Bytes one compressed stream of a PDF may grow to.
    pub max_stream_bytes: usize,
    /// Bytes all compressed streams of a PDF together may grow to.
    pub max_inflated_bytes: usize,
    /// Glyphs, paths and images a PDF may draw, over all pages. A page of a protocol draws about 3,000, so that
    /// five million leave room for 500 pages three times as dense.
    pub max_operations: usize,
    /// Forms a PDF may call (and clip paths it may set, which look the same to us), over all pages. Protocols call
    /// 0 to 14 a page; ten forms that each call the next ten times are a thousand million calls in 3 kB.
    pub max_forms: usize,
    /// Bytes to unpack for all calls of forms together, when each is counted as the largest of the file.
    pub max_form_bytes: usize,
    /// Ends the work early.
    pub stop: Stop,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_bytes: 25 << 20,
            max_pages: 500,
            max_page_words: 20_000,
            max_text_bytes: 2 << 20,
            max_stream_bytes: 64 << 20,
            max_inflated_bytes: 512 << 20,
            max_operations: 5_000_000,
            max_forms: 50_000,
            max_form_bytes: 4 << 30,
            stop: Stop::default(),
        }
    }
}

/// A flag by which a caller ends work that takes too long; clones share it.
///
/// Time is the caller's: it waits for as long as it likes, raises the flag, and the work ends with
/// [`Error::Stopped`](crate::Error::Stopped) at the next thing drawn. Before the first page is drawn a PDF is opened, and
/// repaired if it is broken; the flag is not looked at meanwhile.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Asks the work to end. Cannot be taken back.
    pub fn raise(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// True once somebody asked the work to end.
    pub fn is_raised(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
