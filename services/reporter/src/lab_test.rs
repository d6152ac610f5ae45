//! The CDISC names of laboratory tests (code list C65047), for the names that laboratories print.
//!
//! `lab_tests.tsv` has them: a code, the name, what its unit must be, and the spellings. It tells apart what the unit
//! check of the validator may take together: adjusted calcium is no calcium here. To teach it a test, add a line.

use std::{collections::HashMap, sync::LazyLock};

use clinflow_workflow::fold;

/// A test as CDISC knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LabTest {
    /// LBTESTCD.
    pub(crate) code: &'static str,
    /// LBTEST.
    pub(crate) name: &'static str,
}

/// What the unit says about a test whose name does not: neutrophils are counted, or a share of all white cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Measured {
    Anyhow,
    Count,
    Share,
}

const TABLE: &str = include_str!("lab_tests.tsv");

/// Spellings, folded, with the tests they may be.
static TESTS: LazyLock<HashMap<String, Vec<(Measured, LabTest)>>> = LazyLock::new(|| {
    let mut tests: HashMap<String, Vec<(Measured, LabTest)>> = HashMap::new();
    for line in TABLE.lines().skip(1) {
        let mut cells = line.split('\t');
        let mut cell = || cells.next().unwrap_or_default();
        let (code, name, measured, spellings) = (cell(), cell(), cell(), cell());
        let measured = match measured {
            "count" => Measured::Count,
            "share" => Measured::Share,
            _ => Measured::Anyhow,
        };
        for spelling in spellings.split('|') {
            tests.entry(fold(spelling)).or_default().push((measured, LabTest { code, name }));
        }
    }
    tests
});

/// The test that `printed` names, when its results have this UCUM unit. A name in two languages, `Kalium / Potassium`,
/// is known when both, or the one that is known, mean the same.
pub(crate) fn find(printed: &str, ucum: Option<&str>) -> Option<LabTest> {
    exactly(printed, ucum).or_else(|| {
        let mut known = printed.split(" / ").filter_map(|part| exactly(part, ucum));
        let first = known.next()?;
        known.all(|other| other == first).then_some(first)
    })
}

fn exactly(name: &str, ucum: Option<&str>) -> Option<LabTest> {
    let fits = |measured: Measured| match measured {
        Measured::Anyhow => true,
        Measured::Count => ucum.is_some_and(|unit| unit != "%"),
        Measured::Share => ucum == Some("%"),
    };
    let known = TESTS.get(&fold(name))?;
    known.iter().find(|(measured, _)| fits(*measured)).map(|(_, test)| *test)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{TABLE, TESTS, find};

    fn code(printed: &str, ucum: &str) -> Option<&'static str> {
        find(printed, Some(ucum).filter(|unit| !unit.is_empty())).map(|test| test.code)
    }

    #[test]
    fn a_printed_name_leads_to_its_test() {
        assert_eq!(code("ALT (SGPT)", "U/L"), Some("ALT"));
        assert_eq!(code("White cells", "10*9/L"), Some("WBC"));
        assert_eq!(code("Adj. calcium", "mmol/L"), Some("CACR"));
        assert_eq!(code("INR", ""), Some("INR"));
        assert_eq!(code("Quick", "%"), None);
    }

    #[test]
    fn the_unit_tells_a_count_from_a_share() {
        assert_eq!(code("Neutrophils", "10*3/uL"), Some("NEUT"));
        assert_eq!(code("Neutrophils", "%"), Some("NEUTLE"));
        assert_eq!(code("Neutrophils", ""), None);
        assert_eq!(code("Hematocrit", "%"), Some("HCT"));
    }

    #[test]
    fn a_name_in_two_languages_is_known_unless_the_two_differ() {
        assert_eq!(code("Kalium / Potassium", "mmol/L"), Some("K"));
        assert_eq!(code("Eisen / Iron", "umol/L"), Some("IRON"));
        assert_eq!(code("Sodium / Potassium", "mmol/L"), None);
    }

    #[test]
    fn the_table_says_each_thing_once() {
        let mut codes = BTreeSet::new();
        for line in TABLE.lines().skip(1) {
            let cells: Vec<_> = line.split('\t').collect();
            assert_eq!(cells.len(), 4, "{line}");
            assert!(codes.insert(cells[0]) && cells[0].len() <= 8 && cells[1].len() <= 40, "{line}");
            assert!(["", "count", "share"].contains(&cells[2]), "{line}");
        }
        for (spelling, tests) in TESTS.iter() {
            let mut kinds: Vec<_> = tests.iter().map(|(measured, _)| *measured as u8).collect();
            kinds.sort_unstable();
            kinds.dedup();
            assert_eq!(kinds.len(), tests.len(), "`{spelling}` is two tests");
            assert!(
                tests.len() == 1 || kinds == [1, 2],
                "`{spelling}` is one test however measured, and another"
            );
        }
    }
}
