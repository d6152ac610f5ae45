//! UTF-8 text: line ends become `\n`, form feeds are pages, everything else stays as it is.

use crate::{
    Error, Ingested, Limits, MediaType,
    assemble::{Assembly, Paper},
};

/// Reads `bytes` as UTF-8.
pub(crate) fn ingest(bytes: &[u8], limits: &Limits) -> Result<Ingested, Error> {
    let text =
        std::str::from_utf8(bytes).map_err(|error| Error::InvalidUtf8 { offset: error.valid_up_to() })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim().is_empty() {
        return Err(Error::Empty);
    }
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut assembly = Assembly::new(MediaType::PlainText, limits);
    if !text.contains('\u{c}') {
        assembly.push_str(&text)?;
        return Ok(assembly.finish());
    }
    for page in text.split_inclusive('\u{c}') {
        assembly.begin_page(Paper::NONE)?;
        assembly.push_str(page)?;
        assembly.end_page();
    }
    Ok(assembly.finish())
}

#[cfg(test)]
mod tests {
    use super::ingest;
    use crate::Limits;

    #[test]
    fn line_ends_become_newlines_and_a_byte_order_mark_goes() {
        let ingested =
            ingest("\u{feff}Temp 38.9 °C\r\nPulse 88\rend".as_bytes(), &Limits::default()).unwrap();
        assert_eq!(ingested.text.text, "Temp 38.9 °C\nPulse 88\nend");
        assert_eq!(ingested.text.page_of(3), None);
        assert!(ingested.geometry.pages.is_empty());
    }

    #[test]
    fn form_feeds_are_pages() {
        let ingested = ingest("é one\n\u{c}two".as_bytes(), &Limits::default()).unwrap();
        let pages = &ingested.text.pages;
        assert_eq!(pages.len(), 2);
        assert_eq!((pages[0].start, pages[0].end, pages[0].byte_start, pages[0].byte_end), (0, 7, 0, 8));
        assert_eq!((pages[1].start, pages[1].end, pages[1].byte_start, pages[1].byte_end), (7, 10, 8, 11));
        assert_eq!(ingested.text.page_of(0), Some(1));
        assert_eq!(ingested.text.page_of(8), Some(2));
        assert_eq!(ingested.text.page_of(11), None);
    }

    #[test]
    fn bytes_that_are_not_utf8_are_named_by_their_offset() {
        let error = ingest(b"Creatinine 1.2\xB5mol", &Limits::default()).unwrap_err();
        assert_eq!(error.code(), "ingest.invalid-utf8");
        assert_eq!(error.to_string(), "byte 14 is not UTF-8: convert the text and submit it again");
    }

    #[test]
    fn white_space_alone_is_an_empty_document() {
        assert_eq!(
            ingest("\u{feff} \r\n\t".as_bytes(), &Limits::default()).unwrap_err().code(),
            "ingest.empty"
        );
    }
}
