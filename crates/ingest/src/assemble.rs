//! Puts pages together into one text, and keeps count of code points, bytes and limits while doing so.

use crate::{
    Error, Geometry, Ingested, Limits, MediaType, Page, PageGeometry, Text, WordBox,
    layout::{Line, Rect},
};

/// The size of a page as shown, in points.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paper {
    pub(crate) width: f32,
    pub(crate) height: f32,
}

impl Paper {
    /// The format has no paper.
    pub(crate) const NONE: Self = Self { width: 0.0, height: 0.0 };

    /// True where a point of the page is `(x, y)`.
    pub(crate) fn holds(&self, x: f32, y: f32) -> bool {
        (0.0..=self.width).contains(&x) && (0.0..=self.height).contains(&y)
    }
}

/// A document under construction.
pub(crate) struct Assembly<'a> {
    limits: &'a Limits,
    text: Text,
    geometry: Geometry,
    /// Code points in the text so far.
    chars: usize,
}

impl<'a> Assembly<'a> {
    pub(crate) fn new(media_type: MediaType, limits: &'a Limits) -> Self {
        Self {
            limits,
            text: Text {
                schema: Text::SCHEMA.to_owned(),
                media_type: media_type.as_str().to_owned(),
                text: String::new(),
                pages: Vec::new(),
            },
            geometry: Geometry { schema: Geometry::SCHEMA.to_owned(), pages: Vec::new() },
            chars: 0,
        }
    }

    /// Begins a page where the text so far ends.
    pub(crate) fn begin_page(&mut self, paper: Paper) -> Result<u32, Error> {
        if self.text.pages.len() >= self.limits.max_pages {
            return Err(Error::Limit { what: "pages", limit: self.limits.max_pages });
        }
        let number = u32::try_from(self.text.pages.len() + 1).unwrap_or(u32::MAX);
        let (start, byte_start) = (self.chars, self.text.text.len());
        self.text.pages.push(Page {
            number,
            start,
            end: start,
            byte_start,
            byte_end: byte_start,
            width: paper.width,
            height: paper.height,
        });
        Ok(number)
    }

    /// Ends the page begun last where the text now ends.
    pub(crate) fn end_page(&mut self) {
        if let Some(page) = self.text.pages.last_mut() {
            page.end = self.chars;
            page.byte_end = self.text.text.len();
        }
    }

    /// Appends text.
    pub(crate) fn push_str(&mut self, text: &str) -> Result<(), Error> {
        if self.text.text.len() + text.len() > self.limits.max_text_bytes {
            return Err(Error::Limit { what: "bytes of text", limit: self.limits.max_text_bytes });
        }
        self.text.text.push_str(text);
        self.chars += text.chars().count();
        Ok(())
    }

    /// Appends a line, and returns the boxes of its words.
    pub(crate) fn push_line(&mut self, line: &Line) -> Result<impl Iterator<Item = WordBox>, Error> {
        let at = self.text.text.len();
        self.push_str(&line.text)?;
        self.push_str("\n")?;
        Ok(line
            .words
            .iter()
            .map(move |word| word_box(at + word.bytes.start..at + word.bytes.end, &word.rect)))
    }

    /// Adds the geometry of a page.
    pub(crate) fn push_geometry(&mut self, page: PageGeometry) {
        self.geometry.pages.push(page);
    }

    pub(crate) fn finish(self) -> Ingested {
        Ingested { text: self.text, geometry: self.geometry }
    }
}

/// A box rounded to a tenth of a point: finer than any eye, and half the size when written.
fn word_box(bytes: std::ops::Range<usize>, rect: &Rect) -> WordBox {
    let tenths = |value: f32| (value * 10.0).round() / 10.0;
    WordBox {
        byte_start: bytes.start,
        byte_end: bytes.end,
        x: tenths(rect.left),
        y: tenths(rect.top),
        width: tenths(rect.right - rect.left),
        height: tenths(rect.bottom - rect.top),
    }
}
