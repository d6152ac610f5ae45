//! The kinds of fact the annotator knows, in the spellings of the `clinflow annotate` contract.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

macro_rules! labels {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// What a mention is. Serialises as its contract spelling, `lab_value`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum Label {
            $($(#[$doc])* #[serde(rename = $name)] $variant,)*
        }

        impl Label {
            /// Every label, in the order of the contract.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The contract's spelling.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }
        }
    };
}

labels! {
    /// A medicine, vaccine or investigational product.
    Drug = "drug",
    /// An amount of a drug to take: "150 mg", "0.5 mg/kg", "2 puffs".
    Dose = "dose",
    /// A way into the body: "PO", "intravenous".
    Route = "route",
    /// How often: "BID", "every 8 hours".
    Frequency = "frequency",
    /// How long: "for 5 days".
    Duration = "duration",
    /// A disease, syndrome or injury.
    Condition = "condition",
    /// What a patient feels or an examiner sees.
    Symptom = "symptom",
    /// A condition or symptom the text attributes to a drug.
    AdverseEvent = "adverse_event",
    /// Something done to a patient, other than giving a drug or a laboratory test.
    Procedure = "procedure",
    /// An analyte, measurement or vital sign.
    LabTest = "lab_test",
    /// A result of one: "0.3", "<6".
    LabValue = "lab_value",
    /// The unit of a result.
    Unit = "unit",
    /// The patient's age.
    Age = "age",
    /// The patient's sex.
    Sex = "sex",
    /// Intensity or CTCAE grade of an event.
    Severity = "severity",
    /// A calendar date, study day or cycle day.
    Date = "date",
    /// How an event ended.
    Outcome = "outcome",
    /// Whether a drug is held to have caused an event.
    Causality = "causality",
    /// What was done with the drug.
    ActionTaken = "action_taken",
    /// A regulatory criterion of seriousness.
    Seriousness = "seriousness",
    /// A body part or organ.
    Anatomy = "anatomy",
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that is no label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unknown label: use one of the labels of `clinflow annotate`")]
pub struct Unknown;

impl FromStr for Label {
    type Err = Unknown;

    fn from_str(text: &str) -> Result<Self, Unknown> {
        Self::ALL.iter().copied().find(|label| label.as_str() == text).ok_or(Unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::Label;

    #[test]
    fn every_label_reads_back_from_its_spelling_and_serialises_as_it() {
        assert_eq!(Label::ALL.len(), 21);
        for label in Label::ALL {
            assert_eq!(label.as_str().parse::<Label>().unwrap(), *label);
            assert_eq!(serde_json::to_string(label).unwrap(), format!("\"{label}\""));
        }
    }
}
