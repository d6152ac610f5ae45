//! Postal addresses: a house number with a street, a post box, a postcode with its town, and whatever a label announces.

use std::sync::LazyLock;

use regex::Regex;

use super::{Found, Identifier};
use crate::policy::PiiType;

static FORMS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    const WORD: &str = r"\p{Lu}[^\s,;:0-9(){}]{0,24}";
    const STREET: &str = "(?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Way|Place|Pl|Terrace|Ter|Square|Sq|Parkway|Pkwy|Highway|Hwy|Circle|Cir|Close|Crescent|Cres|Row|Walk|Gardens|Grove|Mews|Quay|Alley|Trail|Trl|Loop|Plaza|Point|Ridge|Hill|Green|Park|Broadway|Fords|Isle|Junction|Knoll|Manor|Meadow|Mill|Oval|Path|Pike|Pine|Ranch|Run|Shore|Spring|Station|Summit|Throughway|Track|Turnpike|Union|Valley|Via|View|Village|Ville|Vista|Wall|Well)";
    const UNIT: &str = r"(?:[,\n]{0,2} {0,2}(?:Apt|Apartment|Suite|Ste|Unit|Floor|Fl|Flat|Room|Rm|PO Box)\.? ?#?[A-Za-z0-9-]{1,6})";
    const POSTCODE: &str = r"(?:[A-Z]{1,2}[0-9][A-Z0-9]? ?[0-9][A-Z]{2}|[A-Z][0-9][A-Z] ?[0-9][A-Z][0-9]|(?:[A-Z]{1,2}[ -])?[0-9]{4,6}(?:-[0-9]{3,4})?)";
    // Town, state, country and postcode, a few lines or commas of them.
    let tail = format!(
        r"{UNIT}?(?:[,\n][ ,\n]{{0,3}}(?:{POSTCODE} ?)?(?:{WORD}(?:[ -]{WORD}){{0,3}})?(?:,? {POSTCODE}\b)?){{0,5}}(?: {POSTCODE}\b)?"
    );
    [
        format!(r"\b(?:[0-9]{{1,6}} )?[0-9]{{1,6}}[A-Za-z]?(?:[-/][0-9]{{1,4}})?,? (?:[NSEW]{{1,2}}\.? )?(?:[0-9]{{1,4}} )?(?:{WORD} |[0-9]{{1,3}}(?:st|nd|rd|th) ){{1,4}}{STREET}\b\.?{tail}"),
        format!(r"\b(?:[0-9]{{1,6}},? )?(?:Rue|Via|Viale|Calle|Avenida|Av\.|Rua|Plaza|Place|Piazza|Boulevard|Strada|Ulica|ul\.|Avenue|Paseo|Camino|Largo|Praça) (?:d[aeiou]s? |de la |del |du )?{WORD}(?: (?:d[aeiou]s? )?{WORD}){{0,3}},? [0-9]{{1,5}}\b{tail}"),
        format!(r"\b(?:[0-9]{{1,6}} )?[0-9]{{1,6}},? (?:[Rr]ue|[Bb]oulevard|[Aa]venue|[Qq]uai) (?:d[eu]s? |de la |de l')?{WORD}(?: {WORD}){{0,3}}{tail}"),
        format!(r"\b(?:[0-9]{{1,6}} )?\p{{Lu}}[^\s,;:0-9(){{}}]{{1,24}}?(?:straße|strasse|str\.|weg|gasse|platz|allee|laan|straat|gracht|gatan|vägen|katu|gade|vej|veien|gata)(?: [0-9]{{1,5}}[a-z]?)?\b{tail}"),
        format!(r"\b[0-9]{{1,6}} \p{{Lu}}[^\s,;:0-9(){{}}A-Z]{{3,24}}(?: {WORD}){{0,3}} [0-9]{{1,5}}{UNIT}?\n{tail}"),
        format!(r"\b[0-9]{{1,6}} {WORD}(?: {WORD}){{0,4}}{UNIT}{tail}"),
        format!(r"(?i:\bP\.? ?O\.? Box) [0-9]{{1,7}}\b{tail}"),
        format!(r"\b{WORD}(?: {WORD}){{0,2}},? (?:A[AEKLPRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|P[AR]|RI|S[CD]|T[NX]|UT|V[AT]|W[AIVY]) [0-9]{{5}}(?:-[0-9]{{4}})?\b"),
        r"\b[A-Z]{1,2}[0-9][A-Z0-9]? [0-9][A-Z]{2}\b".to_owned(),
        r"(?i)\b(?:zip|zip ?code|postcode|postal code)\b[ \t]*(?:is|:)?[ \t]*[0-9]{4,6}(?:-[0-9]{4})?\b".to_owned(),
        r"(?i)\b(?:(?:home|postal|mailing|street|residential) )?address(?: is)?[ \t]*:[ \t]*[^\n{}@]{4,120}".to_owned(),
    ]
    .iter()
    .map(|pattern| Regex::new(pattern).expect("a constant pattern, compiled by every test"))
    .collect()
});

pub(super) fn find(text: &str, found: &mut Vec<Found>) {
    let dates = super::dates(text);
    for (at, form) in FORMS.iter().enumerate() {
        for hit in form.find_iter(text) {
            let mut range = hit.range();
            // The label itself stays.
            if at >= FORMS.len() - 2
                && let Some(value) =
                    hit.as_str().find([':', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9'])
            {
                range.start += value;
                let rest = &text[range.clone()];
                range.start += rest.len() - rest.trim_start_matches([':', ' ', '\t']).len();
            }
            let trimmed = text[range.clone()].trim_end_matches([' ', '\n', ',', '.', '\r']);
            range.end = range.start + trimmed.len();
            // "9 February 2026" has the form of a street between two numbers.
            let is_date = dates.iter().any(|date| date.start <= range.start && range.start < date.end);
            if !range.is_empty() && !is_date {
                found.push(Found { identifier: Identifier::Pii(PiiType::Address), range });
            }
        }
    }
}
