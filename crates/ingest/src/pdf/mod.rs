//! PDF: the engine draws each page, we note where it puts its glyphs, and the layout makes lines of them.

mod armour;
mod draw;
mod inflate;

use std::panic::{AssertUnwindSafe, catch_unwind};

use hayro_interpret::{
    Context, InterpreterCache, InterpreterSettings,
    hayro_syntax::{DecryptionError, LoadPdfError, Pdf, object::dict::keys::CONTENTS},
    interpret_page,
    kurbo::{Affine, Rect},
};

use self::draw::{Drawn, Fuel, Pen, Refusal};
use crate::{
    Error, Geometry, Ingested, Layer, Limits, MediaType, PageGeometry,
    assemble::{Assembly, Paper},
    layout,
};

/// Reads a PDF. An empty user password is tried, as every reader does.
pub(crate) fn ingest(bytes: &[u8], limits: &Limits) -> Result<Ingested, Error> {
    let grown = inflate::check(bytes, limits)?;
    contained(|| read(bytes, Fuel::new(limits, grown.largest_form), limits))
}

/// Runs the engine so that neither its panics nor our refusals, which leave it as unwinding, go further.
///
/// The engine's callbacks cannot return an error, so a refusal unwinds out of them by [`std::panic::resume_unwind`],
/// which runs no panic hook; a profile with `panic = "abort"` would end the process instead. Nothing the engine was working on is used afterwards, so no broken state is seen.
fn contained<T>(work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|payload| match payload.downcast::<Refusal>() {
        Ok(refusal) => Err(refusal.0),
        Err(_) => Err(Error::Damaged { what: "the engine gave up on it" }),
    })
}

fn read(bytes: &[u8], mut fuel: Fuel<'_>, limits: &Limits) -> Result<Ingested, Error> {
    let pdf = Pdf::new(bytes.to_vec()).map_err(|error| match error {
        LoadPdfError::Decryption(
            DecryptionError::PasswordProtected | DecryptionError::UnsupportedAlgorithm,
        ) => Error::Encrypted,
        LoadPdfError::Decryption(DecryptionError::MissingIDEntry | DecryptionError::InvalidEncryption) => {
            Error::Damaged { what: "its encryption cannot be read" }
        }
        LoadPdfError::Invalid => Error::Damaged { what: "it has no readable structure" },
    })?;
    if pdf.pages().is_empty() {
        return Err(Error::Damaged { what: "it has no pages" });
    }
    if pdf.pages().len() > limits.max_pages {
        return Err(Error::Limit { what: "pages", limit: limits.max_pages });
    }
    let cache = InterpreterCache::new();
    let settings = InterpreterSettings::default();
    let mut assembly = Assembly::new(MediaType::Pdf, limits);
    for page in pdf.pages().iter() {
        let (width, height) = page.render_dimensions();
        let paper = Paper { width, height };
        let mut pen = Pen::new(paper, &mut fuel);
        let to_paper = Affine::new(page.initial_transform(true).as_coeffs());
        let view = Rect::new(0.0, 0.0, f64::from(width), f64::from(height));
        let mut context = Context::new(to_paper, view, &cache, pdf.xref(), settings.clone());
        interpret_page(page, &mut context, &mut pen);
        let drawn = pen.finish();
        let unreadable = page.raw().contains_key(CONTENTS) && page.page_stream().is_none();
        write_page(&mut assembly, paper, drawn, unreadable, limits)?;
    }
    let ingested = assembly.finish();
    if ingested.geometry.pages.iter().all(|page| page.layer == Layer::None) {
        return Err(no_text(&ingested.geometry));
    }
    Ok(ingested)
}

/// Lays out what was drawn on one page and appends it.
fn write_page(
    assembly: &mut Assembly<'_>,
    paper: Paper,
    drawn: Drawn,
    unreadable: bool,
    limits: &Limits,
) -> Result<(), Error> {
    let number = assembly.begin_page(paper)?;
    let hidden_chars = drawn.hidden.iter().filter(|glyph| !glyph.ch.is_whitespace()).count();
    let visible = drawn.visible.iter().any(|glyph| !glyph.ch.is_whitespace());
    // A scanner's software lays what it recognised under the picture of the page, invisibly.
    let (layer, glyphs, hidden_chars) = match (visible, hidden_chars > 0 && drawn.images > 0) {
        (true, _) => (Layer::Visible, drawn.visible, hidden_chars),
        (false, true) => (Layer::Recognised, drawn.hidden, 0),
        (false, false) => (Layer::None, Vec::new(), hidden_chars),
    };
    // Before any work is done on them. No language's words are this long on average.
    const LETTERS: usize = 25;
    if glyphs.len() / LETTERS > limits.max_page_words {
        return Err(Error::Limit { what: "words on a page", limit: limits.max_page_words });
    }
    let unmapped_chars = glyphs.iter().filter(|glyph| glyph.ch == char::REPLACEMENT_CHARACTER).count();
    let mut words = Vec::new();
    for line in layout::layout(&glyphs) {
        words.extend(assembly.push_line(&line)?);
        if words.len() > limits.max_page_words {
            return Err(Error::Limit { what: "words on a page", limit: limits.max_page_words });
        }
    }
    assembly.push_str("\u{c}")?;
    assembly.end_page();
    assembly.push_geometry(PageGeometry {
        number,
        layer,
        words,
        hidden_chars: count(hidden_chars),
        unmapped_chars: count(unmapped_chars),
        unreadable,
        images: drawn.images,
    });
    Ok(())
}

fn no_text(geometry: &Geometry) -> Error {
    let scanned = geometry.pages.iter().filter(|page| page.images > 0).count();
    Error::NoText { pages: geometry.pages.len(), scanned }
}

fn count(chars: usize) -> u32 {
    u32::try_from(chars).unwrap_or(u32::MAX)
}
