//! Where the words of a text stand on its pages, so that a reviewer can be shown the place a value comes from.

use std::ops::Range;

use serde::{Deserialize, Serialize};

/// Where the words of a text stand. Empty for formats without paper.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Geometry {
    /// Schema of this object: [`Geometry::SCHEMA`].
    pub schema: String,
    /// The pages, in order.
    pub pages: Vec<PageGeometry>,
}

/// The words of one page, and what about it needs a person's eye.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PageGeometry {
    /// 1-based.
    pub number: u32,
    /// Where the text of this page comes from.
    pub layer: Layer,
    /// The words, in the order of the text.
    pub words: Vec<WordBox>,
    /// Characters a reader of the page cannot see, which are not in the text: drawn invisibly, outside the page,
    /// smaller than 2 points, or white on white. More than none on a [`Layer::Visible`] page may be an attempt
    /// to speak to the machine past the person.
    pub hidden_chars: u32,
    /// Glyphs whose character the font does not tell; they are `U+FFFD` in the text.
    pub unmapped_chars: u32,
    /// The page has content that cannot be unpacked: what is in the text is not all there was.
    pub unreadable: bool,
    /// Images shown. A page with images and without words is a scan.
    pub images: u32,
}

/// Where the text of a page comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layer {
    /// What a reader of the page sees.
    Visible,
    /// The invisible text that a scanner's software laid under the picture of the page. Its quality is unknown.
    Recognised,
    /// There is no text on this page: it is blank, a picture, or unreadable.
    None,
}

/// One word and the box around it, in points from the top left corner of the page as shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WordBox {
    /// First byte of the word in the text.
    pub byte_start: usize,
    /// One past its last byte.
    pub byte_end: usize,
    /// Left edge.
    pub x: f32,
    /// Upper edge.
    pub y: f32,
    /// To the right.
    pub width: f32,
    /// Downwards.
    pub height: f32,
}

impl Geometry {
    /// The schema name written into every geometry.
    pub const SCHEMA: &'static str = "clinflow.geometry/1";

    /// The words that share a byte with `bytes`, each with the number of its page.
    pub fn words_in(&self, bytes: Range<usize>) -> impl Iterator<Item = (u32, &WordBox)> {
        self.pages.iter().flat_map(move |page| {
            let first = page.words.partition_point(|word| word.byte_end <= bytes.start);
            let end = bytes.end;
            page.words[first..]
                .iter()
                .take_while(move |word| word.byte_start < end)
                .map(|word| (page.number, word))
        })
    }
}
