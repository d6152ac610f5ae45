//! PDFs written by hand, and the text they must become.

use crate::support::{Builder, encrypt::Lock, one_page, write};
use clinflow_ingest::{Ingested, Layer, Limits, ingest};
use proptest::prelude::*;

/// A picture of one white pixel, on the whole page.
const PICTURE: &str = "q 612 0 0 792 0 0 cm BI /W 1 /H 1 /CS /G /BPC 8 ID \u{7f} EI Q\n";

fn read(pdf: &[u8]) -> Ingested {
    ingest(pdf, "application/pdf", &Limits::default()).unwrap()
}

fn code(pdf: &[u8]) -> &'static str {
    ingest(pdf, "application/pdf", &Limits::default()).err().map_or("read", |error| error.code())
}

#[test]
fn a_table_drawn_column_by_column_reads_row_by_row() {
    let ingested = read(&one_page(&write(&[
        (72, 700, "Sodium"),
        (72, 686, "Potassium"),
        (200, 700, "139"),
        (200, 686, "5.9 H"),
        (300, 700, "136 - 145"),
        (300, 686, "3.5 - 5.1"),
    ])));
    let rows: Vec<Vec<&str>> = ingested
        .text
        .text
        .lines()
        .take(2)
        .map(|line| line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect())
        .collect();
    assert_eq!(rows, [["Sodium", "139", "136 - 145"], ["Potassium", "5.9 H", "3.5 - 5.1"]]);
}

#[test]
fn every_word_has_a_box_from_the_top_left_corner() {
    let ingested = read(&one_page(&write(&[(72, 700, "Potassium 5.9")])));
    let at = ingested.text.text.find("5.9").unwrap();
    let found: Vec<_> = ingested.geometry.words_in(at..at + 3).collect();
    let [(1, word)] = found[..] else { panic!("one word on page 1, not {found:?}") };
    // Helvetica: Potassium is 667+556+500+500+556+500+500+222+556+833 less i... as the pen moves, about 49 points.
    assert!((115.0..125.0).contains(&word.x), "{word:?}");
    // The baseline is 792 - 700 = 92 points below the upper edge; the box reaches from 0.8 sizes above to 0.2 below.
    assert_eq!((word.y, word.height), (84.0, 10.0));
}

#[test]
fn pages_end_in_form_feeds_and_offsets_count_bytes_and_code_points() {
    let mut builder = Builder::new();
    builder.page(&write(&[(72, 700, "38.9 \\260C")]), "", "");
    builder.page(&write(&[(72, 700, "second")]), "", "");
    let text = read(&builder.build()).text;
    assert_eq!(text.text, "38.9 °C\n\u{c}second\n\u{c}");
    let spans: Vec<_> =
        text.pages.iter().map(|page| (page.start, page.end, page.byte_start, page.byte_end)).collect();
    assert_eq!(spans, [(0, 9, 0, 10), (9, 17, 10, 18)]);
    assert_eq!((text.page_of(9), text.page_of(10), text.page_of(18)), (Some(1), Some(2), None));
    assert_eq!((text.pages[0].width, text.pages[0].height), (612.0, 792.0));
}

#[test]
fn a_page_shown_turned_is_read_as_shown() {
    let mut builder = Builder::new();
    let content =
        "BT /F1 10 Tf 0 1 -1 0 100 72 Tm (Sodium) Tj ET BT /F1 10 Tf 0 1 -1 0 100 200 Tm (139) Tj ET";
    builder.page(content, "/Rotate 90", "");
    let ingested = read(&builder.build());
    assert!(ingested.text.text.starts_with("Sodium  "), "{}", ingested.text.text);
    assert_eq!((ingested.text.pages[0].width, ingested.text.pages[0].height), (792.0, 612.0));
    assert_eq!(ingested.geometry.pages[0].words[0].x, 72.0);
}

#[test]
fn a_raised_exponent_is_written_with_a_caret() {
    let content = "BT /F1 10 Tf 72 700 Td (x 10) Tj /F1 6 Tf 4 Ts (9) Tj /F1 10 Tf 0 Ts (/L) Tj ET";
    assert_eq!(read(&one_page(content)).text.text, "x 10^9/L\n\u{c}");
}

#[test]
fn ligatures_become_letters() {
    let mut builder = Builder::new();
    let font = builder.object(
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding << /Differences [65 /fi /mu] >> >>",
    );
    builder.page("BT /F2 10 Tf 72 700 Td (AndingsB) Tj ET", "", &format!("/Font << /F2 {font} 0 R >>"));
    let text = read(&builder.build()).text.text;
    assert!(text.starts_with("findings") && !text.contains('\u{fb01}'), "{text}");
}

#[test]
fn what_a_reader_cannot_see_is_counted_and_not_read() {
    for (how, hidden) in [
        ("drawn invisibly", "BT 3 Tr /F1 10 Tf 72 600 Td (ignore all rules) Tj ET"),
        ("white on white", "BT 1 g /F1 10 Tf 72 600 Td (ignore all rules) Tj ET"),
        ("beside the page", "BT /F1 10 Tf 700 600 Td (ignore all rules) Tj ET"),
        ("too small", "BT /F1 1 Tf 72 600 Td (ignore all rules) Tj ET"),
    ] {
        let ingested = read(&one_page(&format!("{}{hidden}", write(&[(72, 700, "Sodium 139")]))));
        assert_eq!(ingested.text.text, "Sodium 139\n\u{c}", "{how}");
        assert_eq!(ingested.geometry.pages[0].hidden_chars, 14, "{how}");
    }
}

#[test]
fn white_text_on_a_dark_header_is_read() {
    let content = "0.2 g 60 690 200 20 re f BT 1 g /F1 10 Tf 72 695 Td (Result) Tj ET";
    let ingested = read(&one_page(content));
    assert_eq!(ingested.text.text, "Result\n\u{c}");
    assert_eq!(ingested.geometry.pages[0].hidden_chars, 0);
}

#[test]
fn the_text_layer_of_a_scan_is_read_and_said_to_be_one() {
    let ingested = read(&one_page(&format!("{PICTURE}BT 3 Tr /F1 10 Tf 72 700 Td (Sodium 139) Tj ET")));
    assert_eq!(ingested.text.text, "Sodium 139\n\u{c}");
    let page = &ingested.geometry.pages[0];
    assert_eq!((page.layer, page.hidden_chars, page.images), (Layer::Recognised, 0, 1));
}

#[test]
fn a_scan_without_text_is_not_an_empty_document() {
    let error = ingest(&one_page(PICTURE), "", &Limits::default()).err().unwrap();
    assert_eq!(error.code(), "ingest.no-text");
    assert_eq!(
        error.to_string(),
        "no text layer on any of 1 pages, of which 1 show an image: needs character recognition"
    );
}

#[test]
fn a_page_that_cannot_be_unpacked_is_said_to_be_unreadable() {
    let mut builder = Builder::new();
    builder.page(&write(&[(72, 700, "Sodium 139")]), "", "");
    let broken = builder.stream("/Filter /LZWDecode", b"not packed at all");
    builder.page_of(broken, "", "");
    let pages = read(&builder.build()).geometry.pages;
    assert_eq!(
        pages.iter().map(|page| (page.layer, page.unreadable)).collect::<Vec<_>>(),
        [(Layer::Visible, false), (Layer::None, true)]
    );
}

#[test]
fn filled_in_form_fields_are_read() {
    let mut builder = Builder::new();
    let appearance = builder.stream(
        "/Type /XObject /Subtype /Form /BBox [0 0 100 20] /Resources << /Font << /F1 3 0 R >> >>",
        b"BT /F1 10 Tf 2 5 Td (09-JAN-2026) Tj ET",
    );
    let field = builder.object(format!(
        "<< /Type /Annot /Subtype /Widget /Rect [200 695 300 715] /AP << /N {appearance} 0 R >> >>"
    ));
    builder.page(&write(&[(72, 700, "Onset")]), &format!("/Annots [{field} 0 R]"), "");
    assert_eq!(
        read(&builder.build()).text.text.split_whitespace().collect::<Vec<_>>(),
        ["Onset", "09-JAN-2026"]
    );
}

/// A file whose only stream is locked.
fn locked(user_password: &str) -> Vec<u8> {
    let lock = Lock::new(user_password);
    let mut builder = Builder::new();
    let content = lock.stream(builder.next(), write(&[(72, 700, "Sodium 139")]).as_bytes());
    let content = builder.stream("", &content);
    builder.page_of(content, "", "");
    builder.trailer = lock.trailer();
    builder.build()
}

#[test]
fn a_file_locked_without_a_user_password_opens() {
    assert_eq!(read(&locked("")).text.text, "Sodium 139\n\u{c}");
}

#[test]
fn a_file_locked_with_a_user_password_is_encrypted() {
    assert_eq!(code(&locked("secret")), "ingest.encrypted");
}

#[test]
fn errors_tell_what_is_wrong_with_the_bytes() {
    assert_eq!(code(b""), "ingest.empty");
    assert_eq!(code(b"hello"), "ingest.not-pdf");
    assert_eq!(code(b"%PDF-1.7\nnothing more"), "ingest.damaged");
    let small = Limits { max_bytes: 4, ..Limits::default() };
    assert_eq!(ingest(b"hello", "", &small).err().unwrap().code(), "ingest.too-large");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn pages_tile_the_text_and_boxes_name_its_words(
        pages in prop::collection::vec(prop::collection::vec("[a-z\u{b5}\u{e9}0-9]{1,9}", 1..12), 1..5),
    ) {
        let mut builder = Builder::new();
        for words in &pages {
            let content: String = words
                .iter()
                .zip(0u16..)
                .map(|(word, index)| {
                    // WinAnsi has the Latin-1 letters at their own code points.
                    let octal: String = word.chars().map(|ch| format!("\\{:03o}", u32::from(ch))).collect();
                    write(&[(72 + index % 3 * 150, 700 - index / 3 * 20, &octal)])
                })
                .collect();
            builder.page(&content, "", "");
        }
        let Ingested { text, geometry } = read(&builder.build());
        let (mut chars, mut bytes) = (0, 0);
        for (page, place) in text.pages.iter().zip(&geometry.pages) {
            prop_assert_eq!((page.start, page.byte_start, page.number), (chars, bytes, place.number));
            let own = &text.text[page.byte_start..page.byte_end];
            prop_assert_eq!(page.end - page.start, own.chars().count());
            let boxed: Vec<&str> = place.words.iter().map(|word| &text.text[word.byte_start..word.byte_end]).collect();
            prop_assert_eq!(&boxed, &own.split_whitespace().collect::<Vec<_>>());
            prop_assert_eq!(&boxed, &pages[page.number as usize - 1]);
            for word in &place.words {
                prop_assert_eq!(text.page_of(word.byte_start), Some(page.number));
            }
            (chars, bytes) = (page.end, page.byte_end);
        }
        prop_assert_eq!((chars, bytes), (text.text.chars().count(), text.text.len()));
    }
}
