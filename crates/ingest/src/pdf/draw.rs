//! What a page draws, noted down: its glyphs, and whether a reader could see them.

use std::panic::resume_unwind;

use hayro_interpret::{
    BlendMode, ClipPath, Device, DrawMode, DrawProps, Image, ImageDrawProps, Paint, SoftMask,
    font::{Glyph as EngineGlyph, GlyphRun},
    hayro_cmap::BfString,
    kurbo::{Affine, BezPath, Point, Rect, Vec2},
};

use crate::{Error, Limits, assemble::Paper, layout::Glyph};

/// Text smaller than this many points cannot be read by a person.
const LEGIBLE: f32 = 2.0;

/// The units of the engine's glyph space per font size.
const UNITS_PER_EM: f64 = 1000.0;

/// The width of a glyph whose font does not tell it, in those units: that of a common letter.
const COMMON_WIDTH: f32 = 500.0;

/// Why drawing was refused: thrown through the engine and caught where it was started.
pub(super) struct Refusal(pub(super) Error);

/// What is left of what a document may draw.
pub(super) struct Fuel<'a> {
    limits: &'a Limits,
    operations: usize,
    forms: usize,
    /// How many forms there were to begin with.
    max_forms: usize,
}

impl<'a> Fuel<'a> {
    /// A form is unpacked each time it is called. Which one is called is not told, so each counts as the largest.
    pub(super) fn new(limits: &'a Limits, largest_form: usize) -> Self {
        let max_forms = limits.max_forms.min(limits.max_form_bytes / largest_form.max(1));
        Self { limits, operations: limits.max_operations, forms: max_forms, max_forms }
    }

    fn burn_operations(&mut self, operations: usize) {
        let left = self.operations.checked_sub(operations);
        self.operations = self.left(left, "drawing operations", self.limits.max_operations);
    }

    fn burn_form(&mut self) {
        let left = self.forms.checked_sub(1);
        self.forms = self.left(left, "forms", self.max_forms);
        self.burn_operations(1);
    }

    /// What is left; unwinds out of the engine when nothing is, or when the caller wants an end.
    fn left(&self, left: Option<usize>, what: &'static str, limit: usize) -> usize {
        let error = match left {
            Some(_) if self.limits.stop.is_raised() => Error::Stopped,
            Some(left) => return left,
            None => Error::Limit { what, limit },
        };
        resume_unwind(Box::new(Refusal(error)))
    }
}

/// What one page drew, in drawing order.
#[derive(Default)]
pub(super) struct Drawn {
    /// Glyphs that a reader sees.
    pub(super) visible: Vec<Glyph>,
    /// Glyphs that a reader does not see.
    pub(super) hidden: Vec<Glyph>,
    /// How many images were shown.
    pub(super) images: u32,
}

/// The device the engine draws a page on.
pub(super) struct Pen<'f, 'l> {
    paper: Paper,
    fuel: &'f mut Fuel<'l>,
    drawn: Drawn,
    /// Where something darker than paper lies, on which white text can be read.
    dark: Vec<Rect>,
}

impl<'f, 'l> Pen<'f, 'l> {
    pub(super) const fn new(paper: Paper, fuel: &'f mut Fuel<'l>) -> Self {
        let drawn = Drawn { visible: Vec::new(), hidden: Vec::new(), images: 0 };
        Self { paper, fuel, drawn, dark: Vec::new() }
    }

    pub(super) fn finish(self) -> Drawn {
        self.drawn
    }

    fn note(&mut self, glyph: Glyph, drawn_invisibly: bool, white: bool) {
        let middle =
            Point::new(f64::from(glyph.x + 0.5 * glyph.width), f64::from(glyph.y - 0.3 * glyph.size));
        let hidden = drawn_invisibly
            || glyph.size < LEGIBLE
            || !self.paper.holds(glyph.x, glyph.y)
            || (white && !self.dark.iter().any(|area| area.contains(middle)));
        if hidden { self.drawn.hidden.push(glyph) } else { self.drawn.visible.push(glyph) }
    }

    /// Notes an area as dark when text fits on it: rules and borders are areas too.
    fn note_dark(&mut self, area: Rect) {
        /// Later areas of a page that draws more than this many are not looked at: charts, not table headers.
        const ENOUGH: usize = 2_000;
        let fits_text = area.width().min(area.height()) > f64::from(LEGIBLE);
        if fits_text && self.dark.len() < ENOUGH {
            self.dark.push(area);
        }
    }

    fn fill(&mut self, area: Rect, props: &DrawProps<'_>, mode: &DrawMode) {
        self.fuel.burn_operations(1);
        let fills = matches!(mode, DrawMode::Fill(_) | DrawMode::FillAndStroke(..));
        if fills && !is_white(&props.paint) && !is_transparent(&props.paint) {
            self.note_dark(props.transform.transform_rect_bbox(area));
        }
    }
}

impl<'a> Device<'a> for Pen<'_, '_> {
    fn draw_glyph_run(&mut self, run: &GlyphRun<'_, 'a>, props: DrawProps<'a>, mode: &DrawMode) {
        self.fuel.burn_operations(run.glyphs().len());
        let invisible = matches!(mode, DrawMode::Invisible) || is_transparent(&props.paint);
        let white = is_white(&props.paint);
        let placed: Vec<Affine> =
            run.glyphs().iter().map(|glyph| props.transform * glyph.transform()).collect();
        for (index, (glyph, at)) in run.glyphs().iter().zip(&placed).enumerate() {
            let next = placed.get(index + 1).map(|next| *next * Point::ORIGIN);
            let Some(stroke) = Stroke::of(glyph, *at, next) else { continue };
            for glyph in stroke.glyphs(&characters(glyph)) {
                self.note(glyph, invisible, white);
            }
        }
    }

    fn draw_path(&mut self, path: &BezPath, props: DrawProps<'a>, mode: &DrawMode) {
        self.fill(path.control_box(), &props, mode);
    }

    fn draw_rect(&mut self, rect: &Rect, props: DrawProps<'a>, mode: &DrawMode) {
        self.fill(*rect, &props, mode);
    }

    fn draw_image(&mut self, _image: Image<'a, '_>, props: ImageDrawProps<'a>) {
        self.fuel.burn_operations(1);
        self.drawn.images = self.drawn.images.saturating_add(1);
        // An image fills the unit square, whatever its pixels: it may be dark, and white text on it may be seen.
        self.note_dark(props.transform.transform_rect_bbox(Rect::new(0.0, 0.0, 1.0, 1.0)));
    }

    /// Each call of a form begins with one of these.
    fn push_clip_path(&mut self, _path: &ClipPath) {
        self.fuel.burn_form();
    }

    fn push_clip_rect(&mut self, _rect: &Rect) {
        self.fuel.burn_operations(1);
    }

    fn push_transparency_group(&mut self, _opacity: f32, _mask: Option<SoftMask<'a>>, _blend: BlendMode) {
        self.fuel.burn_operations(1);
    }

    fn pop_clip(&mut self) {}

    fn pop_transparency_group(&mut self) {}
}

/// The stroke of the pen for one glyph, on paper.
struct Stroke {
    start: Point,
    advance: Vec2,
    size: f32,
    angle: i16,
}

impl Stroke {
    /// `None` for a glyph that stands nowhere: hostile transforms lead to infinity.
    fn of(glyph: &EngineGlyph<'_>, at: Affine, next: Option<Point>) -> Option<Self> {
        let start = at * Point::ORIGIN;
        let along = at * Point::new(1.0, 0.0) - start;
        let up = at * Point::new(0.0, 1.0) - start;
        let width = match glyph {
            EngineGlyph::Outline(glyph) => glyph.advance_width(),
            EngineGlyph::Type3(glyph) => glyph.advance_width(),
        };
        let width = f64::from(width.unwrap_or(COMMON_WIDTH));
        let direction = along.normalize();
        let mut advance = width * along.length();
        // A face that stands in for a missing one is squeezed to fit, which the width does not know of. Up to its
        // natural width, what lies before the next glyph belongs to this one and is no gap.
        let to_next = next.map_or(0.0, |next| (next - start).dot(direction));
        if (advance..=width * up.length()).contains(&to_next) {
            advance = to_next;
        }
        let size = up.length() * UNITS_PER_EM;
        let here = [start.x, start.y, advance, size, direction.x, direction.y];
        /// Beyond the largest page a PDF can have (14,400 units), with room for user units.
        const FAR: f64 = 1e6;
        if here.iter().any(|value| !value.is_finite() || value.abs() > FAR) || size <= 0.0 {
            return None;
        }
        #[expect(
            clippy::cast_possible_truncation,
            reason = "finite, within -180..=180, and within 1e6 points"
        )]
        let (angle, size) = (direction.y.atan2(direction.x).to_degrees().round() as i16, size as f32);
        // -180 and 180 are one direction.
        let angle = if angle == -180 { 180 } else { angle };
        Some(Self { start, advance: direction * advance, size, angle })
    }

    /// The stroke shared out evenly among `characters`: a ligature is one glyph and several letters.
    fn glyphs(&self, characters: &[char]) -> impl Iterator<Item = Glyph> {
        #[expect(clippy::cast_precision_loss, reason = "a glyph has few characters")]
        let share = 1.0 / characters.len().max(1) as f64;
        #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "within 1e6 points")]
        characters.iter().enumerate().map(move |(index, ch)| {
            let start = self.start + self.advance * share * index as f64;
            Glyph {
                ch: *ch,
                x: start.x as f32,
                y: start.y as f32,
                width: (self.advance.hypot() * share) as f32,
                size: self.size,
                angle: self.angle,
            }
        })
    }
}

/// The characters a glyph stands for: those the font tells, with ligatures taken apart and controls made spaces.
fn characters(glyph: &EngineGlyph<'_>) -> Vec<char> {
    match glyph.as_unicode() {
        Some(BfString::Char(ch)) => letters(ch).collect(),
        Some(BfString::String(text)) => text.chars().flat_map(letters).collect(),
        None => vec![char::REPLACEMENT_CHARACTER],
    }
}

/// A character as text has it: `ﬁ` is a glyph and not a letter, and would hide "findings" from every pattern.
fn letters(ch: char) -> impl Iterator<Item = char> {
    let letters: &[char] = match ch {
        '\u{fb00}' => &['f', 'f'],
        '\u{fb01}' => &['f', 'i'],
        '\u{fb02}' => &['f', 'l'],
        '\u{fb03}' => &['f', 'f', 'i'],
        '\u{fb04}' => &['f', 'f', 'l'],
        '\u{fb05}' | '\u{fb06}' => &['s', 't'],
        // Marks without width that would sit invisibly inside words.
        '\u{200b}' | '\u{2060}' | '\u{feff}' => &[],
        _ if ch.is_control() => &[' '],
        _ => return Either::One(std::iter::once(ch)),
    };
    Either::Many(letters.iter().copied())
}

/// One iterator or another.
enum Either<A, B> {
    One(A),
    Many(B),
}

impl<T, A: Iterator<Item = T>, B: Iterator<Item = T>> Iterator for Either<A, B> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        match self {
            Self::One(one) => one.next(),
            Self::Many(many) => many.next(),
        }
    }
}

/// True for paint as white as paper. Patterns are taken for dark.
fn is_white(paint: &Paint<'_>) -> bool {
    matches!(paint, Paint::Color(color) if color.to_rgba().components()[..3].iter().all(|part| *part > 0.97))
}

fn is_transparent(paint: &Paint<'_>) -> bool {
    matches!(paint, Paint::Color(color) if color.to_rgba().components()[3] < 0.02)
}
