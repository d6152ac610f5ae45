//! Files made to do harm: each is refused by name, within the limits, without panic, hang or abort.

use std::io::Write;

use crate::support::{Builder, one_page, write};
use clinflow_ingest::{Limits, ingest};
use flate2::{Compression, write::ZlibEncoder};

fn code(pdf: &[u8], limits: &Limits) -> &'static str {
    ingest(pdf, "application/pdf", limits).err().map_or("read", |error| error.code())
}

fn deflate(data: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

/// A page whose content is the given compressed bytes.
fn compressed(filter: &str, content: &[u8]) -> Vec<u8> {
    let mut builder = Builder::new();
    let content = builder.stream(filter, content);
    builder.page_of(content, "", "");
    builder.build()
}

#[test]
fn forms_that_call_ten_forms_nine_times_over_are_stopped() {
    let mut builder = Builder::new();
    let form = "/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << ";
    let mut inner = builder.stream(&format!("{form} /Font << /F1 3 0 R >> >>"), b"BT /F1 9 Tf (ha) Tj ET");
    for _ in 0..9 {
        inner = builder
            .stream(&format!("{form} /XObject << /X {inner} 0 R >> >>"), "/X Do ".repeat(10).as_bytes());
    }
    builder.page("/X Do", "", &format!("/XObject << /X {inner} 0 R >>"));
    assert_eq!(code(&builder.build(), &Limits { max_forms: 5_000, ..Limits::default() }), "ingest.limit");
}

#[test]
fn a_large_form_is_called_less_often_than_a_small_one() {
    let limits = Limits { max_form_bytes: 1 << 20, ..Limits::default() };
    let calling = |spaces: usize| {
        let mut builder = Builder::new();
        let form = "/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Filter /FlateDecode";
        let form = builder.stream(form, &deflate(&vec![b' '; spaces]));
        let content = format!("{} {}", write(&[(72, 700, "text")]), "/X Do ".repeat(20));
        builder.page(&content, "", &format!("/XObject << /X {form} 0 R >>"));
        builder.build()
    };
    assert_eq!(code(&calling(1 << 10), &limits), "read");
    assert_eq!(code(&calling(1 << 17), &limits), "ingest.limit");
}

#[test]
fn a_form_that_calls_itself_ends() {
    let mut builder = Builder::new();
    let own = builder.next();
    let form =
        format!("/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X {own} 0 R >> >>");
    builder.stream(&form, b"/X Do /X Do");
    builder.page(
        &format!("{} /X Do", write(&[(72, 700, "text")])),
        "",
        &format!("/XObject << /X {own} 0 R >>"),
    );
    let code = code(&builder.build(), &Limits::default());
    assert!(["read", "ingest.limit"].contains(&code), "{code}");
}

#[test]
fn a_stream_that_grows_beyond_its_limit_is_refused() {
    let limits = Limits { max_stream_bytes: 1 << 20, ..Limits::default() };
    let bomb = deflate(&vec![b' '; 2 << 20]);
    assert_eq!(code(&compressed("/Filter /FlateDecode", &bomb), &limits), "ingest.limit");
    let armoured: String = bomb.iter().map(|byte| format!("{byte:02X}")).collect();
    let filter = "/Filter [/ASCIIHexDecode /FlateDecode]";
    assert_eq!(code(&compressed(filter, armoured.as_bytes()), &limits), "ingest.limit");
    let twice = deflate(&bomb);
    assert_eq!(code(&compressed("/Filter [/FlateDecode /FlateDecode]", &twice), &limits), "ingest.limit");
}

#[test]
fn streams_that_together_grow_beyond_their_limit_are_refused() {
    let limits = Limits { max_stream_bytes: 1 << 20, max_inflated_bytes: 3 << 20, ..Limits::default() };
    let mut builder = Builder::new();
    for _ in 0..4 {
        builder.stream("/Filter /FlateDecode", &deflate(&vec![0; 1 << 20]));
    }
    builder.page(&write(&[(72, 700, "text")]), "", "");
    assert_eq!(code(&builder.build(), &limits), "ingest.limit");
}

#[test]
fn a_compressed_page_within_the_limits_is_read() {
    let page = deflate(write(&[(72, 700, "Sodium 139")]).as_bytes());
    assert_eq!(code(&compressed("/Filter /FlateDecode", &page), &Limits::default()), "read");
}

#[test]
fn too_many_pages_words_or_bytes_of_text_are_refused() {
    let mut builder = Builder::new();
    for _ in 0..3 {
        builder.page(&write(&[(72, 700, "Sodium 139 mmol")]), "", "");
    }
    let pdf = builder.build();
    let default = Limits::default;
    assert_eq!(code(&pdf, &Limits { max_pages: 2, ..default() }), "ingest.limit");
    assert_eq!(code(&pdf, &Limits { max_page_words: 2, ..default() }), "ingest.limit");
    assert_eq!(code(&pdf, &Limits { max_text_bytes: 40, ..default() }), "ingest.limit");
    assert_eq!(code(&pdf, &Limits { max_operations: 30, ..default() }), "ingest.limit");
    assert_eq!(code(&pdf, &default()), "read");
}

#[test]
fn raising_stop_ends_the_work() {
    let limits = Limits::default();
    let caller = limits.stop.clone();
    caller.raise();
    assert_eq!(code(&one_page(&write(&[(72, 700, "text")])), &limits), "ingest.stopped");
}

#[test]
fn a_hundred_thousand_empty_streams_are_too_many() {
    let pdf = [b"%PDF-1.7\n".to_vec(), b"stream ".repeat(100_002)].concat();
    assert_eq!(code(&pdf, &Limits::default()), "ingest.limit");
}

#[test]
fn two_hundred_thousand_nested_arrays_end() {
    let nested = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    let mut builder = Builder::new();
    builder.page(&format!("{nested} TJ {}", write(&[(72, 700, "text")])), &format!("/Deep {nested}"), "");
    let code = code(&builder.build(), &Limits::default());
    assert!(["read", "ingest.no-text", "ingest.damaged"].contains(&code), "{code}");
}

#[test]
fn a_page_tree_that_contains_itself_ends() {
    let mut builder = Builder::new();
    builder.object("<< /Type /Pages /Count 1 /Kids [2 0 R] >>");
    let mut pdf = builder.build();
    let at = pdf.windows(8).position(|window| window == b"/Kids []").unwrap();
    pdf.splice(at..at + 8, *b"/Kids [4 0 R]");
    assert_eq!(code(&pdf, &Limits::default()), "ingest.damaged");
}

/// A file with a table, a form, a compressed page and a font with a map to Unicode.
fn rich() -> Vec<u8> {
    let mut builder = Builder::new();
    let map =
        b"/CIDInit /ProcSet findresource begin begincmap 1 begincodespacerange <00> <FF> endcodespacerange \
        1 beginbfrange <41> <5A> <0061> endbfrange endcmap end";
    let map = builder.stream("", map);
    let font = builder
        .object(format!("<< /Type /Font /Subtype /Type1 /BaseFont /Times-Roman /ToUnicode {map} 0 R >>"));
    let form = builder.stream(
        "/Type /XObject /Subtype /Form /BBox [0 0 200 20] /Matrix [1 0 0 1 72 600] /Resources << /Font << /F1 3 0 R >> >>",
        write(&[(0, 5, "inside a form")]).as_bytes(),
    );
    let content = deflate(write(&[(72, 500, "compressed"), (200, 500, "5.9")]).as_bytes());
    let content = builder.stream("/Filter /FlateDecode", &content);
    builder.page(&write(&[(72, 700, "Sodium"), (200, 700, "139")]), "", "");
    builder.page(
        "/X Do BT /F2 12 Tf 72 650 Td [(MAPPED) -200 (TEXT)] TJ ET",
        "",
        &format!("/Font << /F2 {font} 0 R /F1 3 0 R >> /XObject << /X {form} 0 R >>"),
    );
    builder.page_of(content, "", "");
    builder.build()
}

#[test]
fn the_file_that_is_damaged_below_is_whole() {
    let text = ingest(&rich(), "", &Limits::default()).unwrap().text.text;
    assert_eq!(text.split_whitespace().filter(|word| !word.is_empty()).count(), 9, "{text}");
}

#[test]
fn a_file_cut_off_anywhere_is_read_or_refused() {
    let pdf = rich();
    for end in 0..pdf.len() {
        known(code(&pdf[..end], &Limits::default()), end);
    }
}

#[test]
fn a_file_with_any_byte_changed_is_read_or_refused() {
    let mut pdf = rich();
    for at in 0..pdf.len() {
        for flip in [1 << (at % 8), 0xFF] {
            pdf[at] ^= flip;
            known(code(&pdf, &Limits::default()), at);
            pdf[at] ^= flip;
        }
    }
}

fn known(code: &str, at: usize) {
    let known = [
        "read",
        "ingest.empty",
        "ingest.not-pdf",
        "ingest.damaged",
        "ingest.no-text",
        "ingest.encrypted",
        "ingest.limit",
    ];
    assert!(known.contains(&code), "`{code}` for damage at byte {at}");
}
