//! Units as printed, in UCUM: the aliases of `lexicon/units.tsv` and what divides into them.
//!
//! UCUM alone would read half of what laboratories print wrongly: `C` is coulomb to it, `F` farad, `K/uL` kelvin
//! per microlitre, `1073/uL` (a misread 10^3/uL) a count. Therefore a spelling is a unit only if it is in the
//! table, or a quotient of spellings in the table.

use std::{collections::HashMap, sync::LazyLock};

use crate::lexicon::rows;

/// What a unit measures, as far as it tells a dose from a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// An amount of drug: mg, mL, IU, tablets, mg/kg.
    Dose,
    /// An amount per volume, as results have it: mg/dL, 10*9/L.
    Concentration,
    /// A stretch of time: h, d, a.
    Time,
    /// Anything else: `kg`, `cm`, `mm[Hg]`, `Cel`, `%`, `{beats}/min`.
    Measure,
}

/// A unit of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Unit {
    /// Its UCUM spelling, case-sensitive.
    pub ucum: &'static str,
    /// What it measures.
    pub class: Class,
}

/// The UCUM spelling of a unit as printed: `K/µL` is `10*3/uL`, `mcg` is `ug`, `F` is `[degF]`, `mg/kg/day` is
/// `mg/kg/d`. `None` when the spelling is not known; a person or the analyte's own table must say then.
pub fn ucum(written: &str) -> Option<&'static str> {
    unit(written).map(|unit| unit.ucum)
}

/// The unit a spelling stands for; see [`ucum`].
pub fn unit(written: &str) -> Option<Unit> {
    Table::shipped().get(&tidy(written))
}

/// The unit at the start of `text` and the byte it ends before: the longest spelling that ends where a word ends.
pub(crate) fn at(text: &str) -> Option<(Unit, usize)> {
    let mut window = text.len().min(LONGEST);
    while !text.is_char_boundary(window) {
        window -= 1;
    }
    // Numbers are many and units few: nothing is looked up where no unit begins or past where one can end.
    if !text.starts_with(|c: char| c.is_alphanumeric() || "%/#{[°º×".contains(c)) {
        return None;
    }
    let line = text[..window].find(['\n', ',', ';', ')']).unwrap_or(window);
    let ends_word = |end: &usize| {
        let joined = |c: char| c.is_alphanumeric() || c == '/' || c == '%' || c == '^';
        let last = text[..*end].chars().next_back();
        !(last.is_some_and(char::is_whitespace)
            || (last.is_some_and(char::is_alphanumeric) && text[*end..].chars().next().is_some_and(joined)))
    };
    let ends: Vec<_> =
        text[..line].char_indices().map(|(at, c)| at + c.len_utf8()).filter(ends_word).collect();
    ends.into_iter()
        .rev()
        .filter(|end| !WORDS.contains(&&text[..*end]))
        .find_map(|end| unit(&text[..end]).map(|unit| (unit, end)))
}

/// Units that are words of English: "1 in 4", "4 a day". They count in a cell of a form, not in running text.
const WORDS: &[&str] = &["a", "in"];

/// No spelling in the table is longer, quotients included.
const LONGEST: usize = 26;

struct Table {
    spellings: HashMap<String, Unit>,
}

/// What may stand below the line: per mass, area, volume or time.
const BELOW: &[&str] = &["kg", "g", "m2", "L", "dL", "mL", "h", "d", "min", "wk", "mo", "{tablet}"];

impl Table {
    fn shipped() -> &'static Self {
        static SHIPPED: LazyLock<Table> = LazyLock::new(|| {
            Table::compile().expect("the table is a constant, and `the_shipped_units_compile` compiles it")
        });
        &SHIPPED
    }

    fn compile() -> Result<Self, crate::lexicon::Error> {
        let rows = rows("units.tsv", include_str!("../../lexicon/units.tsv"), 3)?;
        let mut spellings: HashMap<String, Unit> = HashMap::new();
        for row in &rows {
            let class = match row.cells[1] {
                "dose" => Class::Dose,
                "concentration" => Class::Concentration,
                "time" => Class::Time,
                _ => Class::Measure,
            };
            let unit = Unit { ucum: row.cells[0], class };
            for spelling in std::iter::once(row.cells[0]).chain(row.list(2)) {
                let other = spellings.insert(tidy(spelling), unit);
                if other.is_some_and(|other| other != unit) {
                    return Err(row.error("has a spelling that another unit has"));
                }
            }
        }
        // UCUM spellings of quotients live as long as the table, so that a unit stays a plain value.
        let simple: Vec<Unit> = rows.iter().filter_map(|row| spellings.get(row.cells[0]).copied()).collect();
        for above in simple.iter().filter(|unit| !unit.ucum.contains('/')) {
            for below in BELOW {
                let quotient = format!("{}/{below}", above.ucum);
                let class = quotient_class(above.class, below);
                intern(&mut spellings, quotient.clone(), class);
                for time in ["h", "d", "min"] {
                    if matches!(*below, "kg" | "m2") {
                        intern(&mut spellings, format!("{quotient}/{time}"), class);
                    }
                }
            }
        }
        Ok(Self { spellings })
    }

    /// Looks up a tidy spelling, whole or as a quotient.
    fn get(&self, tidy: &str) -> Option<Unit> {
        if let Some(unit) = self.spellings.get(tidy) {
            return Some(*unit);
        }
        let mut parts = tidy.split('/');
        let mut whole = self.spellings.get(parts.next()?.trim())?.ucum.to_owned();
        for part in parts {
            whole.push('/');
            whole.push_str(self.spellings.get(part.trim())?.ucum);
        }
        self.spellings.get(&whole).copied()
    }
}

fn intern(spellings: &mut HashMap<String, Unit>, ucum: String, class: Class) {
    spellings.entry(ucum).or_insert_with_key(|ucum| {
        // Leaked once per process and quotient: the table is compiled once and never dropped.
        Unit { ucum: Box::leak(ucum.clone().into_boxed_str()), class }
    });
}

/// A dose stays one per body weight, surface or time; per volume it is a concentration.
fn quotient_class(above: Class, below: &str) -> Class {
    match (above, below) {
        (Class::Dose, "kg" | "m2" | "h" | "d" | "min" | "wk" | "mo" | "{tablet}") => Class::Dose,
        (_, "L" | "dL" | "mL" | "g") => Class::Concentration,
        _ => Class::Measure,
    }
}

/// A spelling with one form for each typographic variant: Greek mu as micro sign, no doubled blanks, none around
/// a division; "per" as division.
fn tidy(written: &str) -> String {
    let words: Vec<_> = written.split_whitespace().collect();
    let joined = words.join(" ").replace('\u{3bc}', "\u{b5}").replace(['\u{2215}', '\u{2044}'], "/");
    joined.replace(" /", "/").replace("/ ", "/").replace(" per ", "/")
}

#[cfg(test)]
mod tests {
    use super::{Class, Table, at, ucum, unit};

    #[test]
    fn the_shipped_units_compile() {
        assert!(Table::compile().is_ok());
    }

    #[test]
    fn the_spellings_laboratories_print_become_ucum() {
        for (written, expected) in [
            ("x10^9/L", "10*9/L"),
            ("K/\u{b5}L", "10*3/uL"),
            ("K/\u{3bc}L", "10*3/uL"),
            ("K/uL", "10*3/uL"),
            ("M/uL", "10*6/uL"),
            ("cells/mm3", "{cells}/mm3"),
            ("mcg", "ug"),
            ("\u{3bc}g", "ug"),
            ("mcL", "uL"),
            ("\u{b5}mol/L", "umol/L"),
            ("mEq/L", "meq/L"),
            ("IU/L", "[IU]/L"),
            ("mIU/mL", "m[IU]/mL"),
            ("gm/dL", "g/dL"),
            ("mg/DL", "mg/dL"),
            ("sec", "s"),
            ("msec", "ms"),
            ("bpm", "{beats}/min"),
            ("mmHg", "mm[Hg]"),
            ("\u{b0}C", "Cel"),
            ("C", "Cel"),
            ("F", "[degF]"),
            ("lb", "[lb_av]"),
            ("in", "[in_i]"),
            ("ml/min/1.73m2", "mL/min/{1.73_m2}"),
            ("tabs", "{tablet}"),
            ("puffs", "{puff}"),
            ("cc", "mL"),
            ("yr", "a"),
            ("hr", "h"),
            ("k/cumm", "10*3/uL"),
            ("UNITS/L", "U/L"),
            ("million/mm3", "10*6/uL"),
            ("thou/mm3", "10*3/uL"),
            ("mcU/mL", "uU/mL"),
            ("m[IU]/L", "m[IU]/L"),
            ("mg/kg/day", "mg/kg/d"),
            ("mg / m2", "mg/m2"),
            ("units per hour", "U/h"),
            ("mM", "mmol/L"),
            ("mg%", "mg/dL"),
        ] {
            assert_eq!(ucum(written), Some(expected), "{written}");
        }
    }

    #[test]
    fn what_is_not_in_the_table_is_no_unit_even_if_ucum_would_take_it() {
        for written in ["1073/uL", "1043/uL", "", "K", "mg/florin", "k"] {
            assert_eq!(ucum(written), None, "{written}");
        }
    }

    #[test]
    fn a_dose_per_weight_is_a_dose_and_per_volume_a_concentration() {
        assert_eq!(unit("mg/kg").unwrap().class, Class::Dose);
        assert_eq!(unit("mg/m2").unwrap().class, Class::Dose);
        assert_eq!(unit("mg/dL").unwrap().class, Class::Concentration);
        assert_eq!(unit("10^3/uL").unwrap().class, Class::Concentration);
    }

    #[test]
    fn the_longest_unit_that_ends_a_word_is_taken_from_running_text() {
        let taken = |text| at(text).map(|(unit, end)| (unit.ucum, end));
        assert_eq!(taken("mg/kg daily"), Some(("mg/kg", 5)));
        assert_eq!(taken("mg, then"), Some(("mg", 2)));
        assert_eq!(taken("mL/min/1.73 m2."), Some(("mL/min/{1.73_m2}", 14)));
        assert_eq!(taken("migraines"), None);
        assert_eq!(taken("in 4 patients"), None);
        assert_eq!(taken("a day"), None);
    }
}
