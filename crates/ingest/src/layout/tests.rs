//! Synthetic pages of glyphs, and the lines they must become.

use proptest::prelude::*;

use super::{Glyph, Line, layout};

/// The glyphs of `text` on a typewriter of 10 points: each is 5 wide, a space is drawn as a gap only.
fn typed(text: &str, x: f32, y: f32) -> Vec<Glyph> {
    sized(text, x, y, 10.0)
}

fn sized(text: &str, x: f32, y: f32, size: f32) -> Vec<Glyph> {
    let width = 0.5 * size;
    let places = (0u8..).map(|index| x + f32::from(index) * width);
    text.chars()
        .zip(places)
        .filter(|(ch, _)| *ch != ' ')
        .map(|(ch, x)| Glyph { ch, x, y, width, size, angle: 0 })
        .collect()
}

fn texts(lines: &[Line]) -> Vec<&str> {
    lines.iter().map(|line| line.text.as_str()).collect()
}

fn laid_out(parts: &[Vec<Glyph>]) -> Vec<String> {
    layout(&parts.concat()).into_iter().map(|line| line.text).collect()
}

/// The columns of a line.
fn cells(line: &str) -> Vec<&str> {
    line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect()
}

#[test]
fn words_of_a_sentence_stand_one_space_apart() {
    assert_eq!(laid_out(&[typed("no adverse event", 72.0, 100.0)]), ["no adverse event"]);
}

#[test]
fn a_table_drawn_column_by_column_reads_row_by_row() {
    let lines = laid_out(&[
        typed("Sodium", 72.0, 100.0),
        typed("Potassium", 72.0, 112.0),
        typed("139", 172.0, 100.0),
        typed("5.9", 172.0, 112.0),
        typed("mmol/L", 222.0, 100.0),
        typed("mmol/L", 222.0, 112.0),
    ]);
    assert_eq!(lines, ["Sodium              139       mmol/L", "Potassium           5.9       mmol/L"]);
}

#[test]
fn columns_stay_two_spaces_apart_where_narrow_letters_leave_no_room() {
    // Fifteen letters of 2.5 points: on the page they end 8 points before the column, in the text far behind it.
    let narrow = |text: &str, x: f32| {
        let places = (0u8..).map(move |index| x + 2.5 * f32::from(index));
        let glyph = |(ch, x)| Glyph { ch, x, y: 100.0, width: 2.5, size: 10.0, angle: 0 };
        text.chars().zip(places).map(glyph).collect::<Vec<_>>()
    };
    let lines =
        laid_out(&[narrow("illi-filli-till", 72.0), typed("0.41", 117.5, 100.0), typed("L/L", 150.0, 100.0)]);
    assert_eq!(lines, ["illi-filli-till  0.41  L/L"]);
}

#[test]
fn two_columns_of_prose_stay_side_by_side() {
    let lines = laid_out(&[
        typed("The event", 72.0, 100.0),
        typed("resolved.", 72.0, 112.0),
        typed("She went", 300.0, 100.0),
        typed("home.", 300.0, 112.0),
    ]);
    assert_eq!(lines[0].find("She"), lines[1].find("home"));
    assert!(lines[0].starts_with("The event  ") && lines[1].starts_with("resolved.  "));
}

#[test]
fn a_raised_small_exponent_is_written_with_a_caret() {
    let lines = laid_out(&[
        typed("WBC", 72.0, 100.0),
        typed("11.2", 150.0, 100.0),
        typed("10", 200.0, 100.0),
        sized("9", 210.5, 95.5, 6.0),
        typed("/L", 214.0, 100.0),
    ]);
    assert_eq!(lines, ["WBC             11.2      10^9/L"]);
}

#[test]
fn an_exponent_raised_without_being_made_smaller_is_one_too() {
    assert_eq!(laid_out(&[typed("10", 72.0, 100.0), typed("9", 82.5, 97.0)]), ["10^9"]);
}

#[test]
fn a_negative_exponent_drawn_digit_by_digit_has_one_caret() {
    let lines =
        laid_out(&[typed("10", 72.0, 100.0), sized("-", 82.0, 95.0, 6.0), sized("12", 85.0, 95.0, 6.0)]);
    assert_eq!(lines, ["10^-12"]);
}

#[test]
fn a_footnote_marker_never_changes_a_value_or_a_word() {
    let lines = laid_out(&[
        typed("7.2", 72.0, 100.0),
        sized("1", 87.0, 95.5, 6.0),
        typed("scan", 150.0, 100.0),
        sized("e", 170.0, 95.5, 6.0),
    ]);
    assert_eq!(cells(&lines[0]), ["7.2^1", "scan e"]);
}

#[test]
fn powers_of_units_and_subscripts_are_part_of_the_word() {
    let lines = laid_out(&[
        typed("kg/m", 72.0, 100.0),
        sized("2", 92.0, 95.5, 6.0),
        typed("CO", 150.0, 100.0),
        sized("2", 160.0, 102.0, 6.0),
    ]);
    assert_eq!(cells(&lines[0]), ["kg/m2", "CO2"]);
}

#[test]
fn a_small_line_above_is_a_line_and_not_a_superscript() {
    let lines = laid_out(&[sized("1 corrected", 72.0, 90.0, 6.0), typed("7.2", 72.0, 100.0)]);
    assert_eq!(lines, ["1 corrected", "7.2"]);
}

#[test]
fn a_letter_struck_twice_for_boldness_is_read_once() {
    let lines = laid_out(&[typed("FALLS 11", 72.0, 100.0), typed("FALLS 11", 72.3, 100.0)]);
    assert_eq!(lines, ["FALLS 11"]);
}

#[test]
fn letters_spaced_out_for_looks_are_one_word() {
    let spaced = |text: &str, x: f32| {
        let places = (0u8..).map(move |index| x + 8.0 * f32::from(index));
        text.chars().zip(places).flat_map(|(ch, x)| typed(&ch.to_string(), x, 100.0)).collect::<Vec<_>>()
    };
    assert_eq!(laid_out(&[spaced("Page", 72.0)]), ["Page"]);
    assert_eq!(laid_out(&[spaced("1234", 72.0)]), ["1 2 3 4"]);
}

#[test]
fn a_gap_between_paragraphs_is_an_empty_line() {
    let lines = laid_out(&[
        typed("one", 72.0, 100.0),
        typed("two", 72.0, 112.0),
        typed("three", 72.0, 124.0),
        typed("four", 72.0, 160.0),
    ]);
    assert_eq!(lines, ["one", "two", "three", "", "four"]);
}

#[test]
fn a_drawn_space_ends_a_word_however_narrow() {
    let space = Glyph { ch: '\u{a0}', x: 82.0, y: 100.0, width: 0.5, size: 10.0, angle: 0 };
    assert_eq!(laid_out(&[typed("38", 72.0, 100.0), vec![space], typed("C", 82.5, 100.0)]), ["38 C"]);
}

#[test]
fn a_space_drawn_elsewhere_does_not_part_a_word() {
    let elsewhere = Glyph { ch: ' ', x: 300.0, y: 500.0, width: 2.5, size: 10.0, angle: 0 };
    assert_eq!(laid_out(&[typed("38", 72.0, 100.0), vec![elsewhere], typed(".9", 82.0, 100.0)]), ["38.9"]);
}

#[test]
fn text_up_the_margin_comes_after_the_text_and_keeps_its_place() {
    let upward: Vec<Glyph> = (0u8..)
        .zip("DRAFT".chars())
        .map(|(index, ch)| Glyph {
            ch,
            x: 20.0,
            y: 400.0 - 5.0 * f32::from(index),
            width: 5.0,
            size: 10.0,
            angle: -90,
        })
        .collect();
    let lines = layout(&[upward, typed("Sodium 139", 72.0, 390.0), typed("Calcium", 72.0, 402.0)].concat());
    assert_eq!(texts(&lines), ["Sodium 139", "Calcium", "", "DRAFT"]);
    let rect = lines[3].words[0].rect;
    let rounded = [rect.left, rect.top, rect.right, rect.bottom].map(f32::round);
    assert_eq!(rounded, [12.0, 375.0, 22.0, 400.0]);
}

proptest! {
    #[test]
    fn every_word_is_where_its_line_says_and_no_character_is_lost(
        words in prop::collection::vec(("[a-zµ0-9]{1,8}", 0u16..500, 0u16..700), 0..40),
    ) {
        // Places on a grid of lines and cells, so that no two words lie on top of each other.
        let mut taken = std::collections::BTreeSet::new();
        let words: Vec<_> = words
            .into_iter()
            .map(|(text, x, y)| (text, x / 100, y / 20))
            .filter(|(_, x, y)| taken.insert((*x, *y)))
            .collect();
        let glyphs: Vec<Glyph> = words
            .iter()
            .flat_map(|(text, x, y)| typed(text, f32::from(*x) * 100.0, f32::from(*y) * 20.0))
            .collect();
        let lines = layout(&glyphs);
        for line in &lines {
            let found: Vec<&str> = line.words.iter().map(|word| &line.text[word.bytes.clone()]).collect();
            prop_assert_eq!(found, line.text.split_whitespace().collect::<Vec<_>>());
        }
        let mut expected: Vec<&str> = words.iter().map(|(text, ..)| text.as_str()).collect();
        let mut found: Vec<&str> = lines.iter().flat_map(|line| line.text.split_whitespace()).collect();
        expected.sort_unstable();
        found.sort_unstable();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn hostile_glyphs_are_laid_out_without_panic(
        glyphs in prop::collection::vec(
            (any::<char>(), -1e6f32..1e6, -1e6f32..1e6, 0f32..1e6, 0.001f32..1e6, -179i16..=180)
                .prop_map(|(ch, x, y, width, size, angle)| Glyph { ch, x, y, width, size, angle }),
            0..60,
        ),
    ) {
        for line in layout(&glyphs) {
            prop_assert!(line.text.len() < 100_000);
        }
    }
}
