//! Prints what the annotator sees in a text file: one mention per line, with its place, label, context and links.

use std::io::Write as _;

fn main() -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    for path in std::env::args().skip(1) {
        let text = std::fs::read_to_string(&path)?;
        let annotation = clinflow_clinical::annotate(&text);
        for (number, entity) in annotation.entities.iter().enumerate() {
            let section = entity.section.map(|section| annotation.sections[section].kind);
            writeln!(
                out,
                "{number:3} {:<13} {:?} normal={:?} preferred={:?} {:?} {section:?} links={:?}",
                entity.label.as_str(),
                entity.span.of(&text).unwrap_or_default(),
                entity.normalized.as_deref().unwrap_or("-"),
                entity.preferred.as_deref().unwrap_or("-"),
                Flags(&entity.assertion),
                entity.links,
            )?;
        }
    }
    Ok(())
}

/// The properties that are set.
struct Flags<'a>(&'a clinflow_core::field::Assertion);

impl std::fmt::Debug for Flags<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let assertion = self.0;
        let flags = [
            (assertion.negated, "negated"),
            (assertion.historical, "historical"),
            (assertion.hypothetical, "hypothetical"),
            (assertion.uncertain, "uncertain"),
            (assertion.experiencer != clinflow_core::field::Experiencer::Patient, "not-patient"),
        ];
        f.debug_list().entries(flags.iter().filter(|(set, _)| *set).map(|(_, name)| name)).finish()
    }
}
