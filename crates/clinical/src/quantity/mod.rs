//! Numbers, amounts with units, doses, schedules and durations, in UCUM and CDISC terms.

mod duration;
mod find;
mod number;
mod schedule;
mod unit;

pub use duration::{Duration, duration};
pub use number::{Number, Operator, parse_number};
pub use schedule::{frequency, route};
pub use unit::{Class, Unit, ucum, unit};

pub(crate) use find::find;

/// A number or a range of numbers, with its unit where one follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quantity {
    /// The number; of a range, its lower end.
    pub low: Number,
    /// The upper end of a range: "5-10 mg".
    pub high: Option<Number>,
    /// The unit in UCUM.
    pub unit: Option<Unit>,
}

impl Quantity {
    /// The normal form: operator, number or range, UCUM unit: `<0.5 mg/dL`, `5-10 mg`, `142`.
    pub fn normal(&self) -> String {
        let mut text = self.low.to_string();
        if let Some(high) = &self.high {
            text.push('-');
            text.push_str(&high.to_string());
        }
        if let Some(unit) = self.unit {
            text.push(' ');
            text.push_str(unit.ucum);
        }
        text
    }
}

/// Reads a whole value as a number with an optional unit: `150 mg`, `4.5g`, `<0.5 mg/dL`, `5-10 mg/kg`, `38.9 °C`.
/// `None` when there is no number at the start, or what follows it is no known unit.
pub fn parse_quantity(text: &str) -> Option<Quantity> {
    let text = text.trim();
    let (low, mut end) = number::at(text)?;
    let mut high = None;
    if low.operator.is_none()
        && let Some((upper, length)) = number::range_end(&text[end..])
    {
        high = Some(upper);
        end += length;
    }
    let rest = text[end..].trim_start_matches([' ', '\u{a0}', '-']).trim_end();
    if rest.is_empty() {
        return Some(Quantity { low, high, unit: None });
    }
    Some(Quantity { low, high, unit: Some(unit(rest)?) })
}

#[cfg(test)]
mod tests {
    use super::{parse_quantity, ucum};

    #[test]
    fn amounts_have_one_normal_form() {
        for (written, normal) in [
            ("150 mg", "150 mg"),
            ("4.5g", "4.5 g"),
            ("<0.5 mg/dL", "<0.5 mg/dL"),
            ("\u{2265} 1,500 K/uL", ">=1500 10*3/uL"),
            ("5-10 mg/kg", "5-10 mg/kg"),
            ("0.5 mg/kg/day", "0.5 mg/kg/d"),
            ("38.9 °C", "38.9 Cel"),
            ("101.3 F", "101.3 [degF]"),
            ("0.3 x10^9/L", "0.3 10*9/L"),
            ("2 puffs", "2 {puff}"),
            ("142", "142"),
        ] {
            assert_eq!(
                parse_quantity(written).map(|quantity| quantity.normal()).as_deref(),
                Some(normal),
                "{written}"
            );
        }
        assert_eq!(parse_quantity("150 florins"), None);
        assert_eq!(parse_quantity("mg"), None);
    }

    #[test]
    fn misread_units_are_no_units() {
        assert_eq!(ucum("1073/uL"), None);
    }
}
