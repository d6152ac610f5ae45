//! The text of a document, and which stretch of it stands on which page.

use serde::{Deserialize, Serialize};

/// The text of a document. What is written to the object store, and what every span points into.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Text {
    /// Schema of this object: [`Text::SCHEMA`].
    pub schema: String,
    /// What the document was: `application/pdf`.
    pub media_type: String,
    /// The text. Lines end in `\n`, pages in `\f`; columns are kept apart by two spaces or more.
    pub text: String,
    /// The pages, in order and without gaps; empty when the document has none.
    pub pages: Vec<Page>,
}

/// One page, as a half-open stretch of [`Text::text`]. The `\f` that ends a page belongs to it, so that pages tile
/// the text and every byte has a page.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Page {
    /// 1-based.
    pub number: u32,
    /// First code point.
    pub start: usize,
    /// One past the last code point.
    pub end: usize,
    /// First byte.
    pub byte_start: usize,
    /// One past the last byte.
    pub byte_end: usize,
    /// In points (1/72 inch), as shown, after rotation; 0 where the format has no paper.
    pub width: f32,
    /// In points (1/72 inch), as shown, after rotation; 0 where the format has no paper.
    pub height: f32,
}

impl Text {
    /// The schema name written into every text.
    pub const SCHEMA: &'static str = "clinflow.text/1";

    /// The number of the page that `byte` of the text stands on; `None` when the document has no pages or the text
    /// ends before.
    pub fn page_of(&self, byte: usize) -> Option<u32> {
        let after = self.pages.partition_point(|page| page.byte_start <= byte);
        let page = self.pages.get(after.checked_sub(1)?)?;
        (byte < page.byte_end).then_some(page.number)
    }
}

/// Shows sizes only: the text is PHI.
impl std::fmt::Debug for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Text({}, {} bytes, {} pages)", self.media_type, self.text.len(), self.pages.len())
    }
}

#[cfg(test)]
mod tests {
    use super::{Page, Text};

    #[test]
    fn debug_shows_sizes_and_not_the_text() {
        let page =
            Page { number: 1, start: 0, end: 3, byte_start: 0, byte_end: 4, width: 612.0, height: 792.0 };
        let text = Text {
            schema: Text::SCHEMA.to_owned(),
            media_type: "application/pdf".to_owned(),
            text: "Zoë".to_owned(),
            pages: vec![page],
        };
        assert_eq!(format!("{text:?}"), "Text(application/pdf, 4 bytes, 1 pages)");
        let json = serde_json::to_string(&text).unwrap();
        assert_eq!(
            json,
            r#"{"schema":"clinflow.text/1","media_type":"application/pdf","text":"Zoë","pages":[{"number":1,"start":0,"end":3,"byte_start":0,"byte_end":4,"width":612.0,"height":792.0}]}"#
        );
        assert_eq!(serde_json::from_str::<Text>(&json).unwrap(), text);
    }
}
