//! Money for people: nano-dollars as integers, and as dollars without rounding.

use clinflow_core::Step;
use serde::{Deserialize, Serialize};

/// An amount, said twice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cost {
    /// In nano-dollars.
    pub nano_usd: u64,
    /// In dollars, with all nine decimals.
    pub usd: String,
}

/// Nano-dollars in a dollar.
const NANO: u64 = 1_000_000_000;

impl Cost {
    /// An amount of nano-dollars.
    pub fn of(nano_usd: u64) -> Self {
        Self { nano_usd, usd: format!("{}.{:09}", nano_usd / NANO, nano_usd % NANO) }
    }

    /// What `steps` cost together; the greatest amount there is when the sum does not fit.
    pub fn of_steps(steps: &[Step]) -> Self {
        Self::of(steps.iter().fold(0, |sum: u64, step| sum.saturating_add(step.cost_nano_usd)))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Cost;

    #[test]
    fn dollars_keep_every_nano_dollar() {
        assert_eq!(Cost::of(0).usd, "0.000000000");
        assert_eq!(Cost::of(1).usd, "0.000000001");
        assert_eq!(Cost::of(12_340_000_000).usd, "12.340000000");
    }

    proptest! {
        #[test]
        fn the_dollars_read_back_as_the_same_nano_dollars(nano in any::<u64>()) {
            let usd = Cost::of(nano).usd;
            prop_assert_eq!(usd.replace('.', "").parse::<u64>().unwrap(), nano);
        }
    }
}
