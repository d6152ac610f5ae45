//! Finding what identifies people: by form and checksum, by label, and names and places by the words around them.
//!
//! All of it is deterministic, and linear in the text: the patterns have no unbounded repetition that could be tried
//! again from every character. What little else looks like is found wherever it stands; what many things look like is
//! found beside a label; names and places are found by titles, labels, roles and lists, which is most and not all.

mod address;
mod check;
mod form;
mod label;
mod name;
mod people;
mod place;
mod token;
mod when;

use std::ops::Range;

use crate::policy::PiiType;

/// What kind of identifier something is: the types of Bedrock, and those of HIPAA's Safe Harbor list beyond them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Identifier {
    /// A type that a policy can name.
    Pii(PiiType),
    /// A date of an event, of birth or of death; not a year by itself.
    Date,
    /// A place smaller than a state, or an institution.
    Location,
    /// A medical record number.
    MedicalRecordNumber,
    /// A number of a health plan.
    HealthPlanNumber,
    /// A number of an account that is not a bank's.
    AccountNumber,
    /// Any other number that is one person's: of a study subject, a device, a certificate, a case.
    UniqueIdentifier,
}

impl Identifier {
    /// The spelling in masks and in answers of `clinflow redact`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pii(kind) => kind.as_str(),
            Self::Date => "DATE",
            Self::Location => "LOCATION",
            Self::MedicalRecordNumber => "MEDICAL_RECORD_NUMBER",
            Self::HealthPlanNumber => "HEALTH_PLAN_NUMBER",
            Self::AccountNumber => "ACCOUNT_NUMBER",
            Self::UniqueIdentifier => "UNIQUE_IDENTIFIER",
        }
    }
}

/// Something that identifies, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What it is.
    pub identifier: Identifier,
    /// Its bytes in the text.
    pub range: Range<usize>,
}

/// Which identifiers are looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// These types of a policy.
    Types(Vec<PiiType>),
    /// Everything that HIPAA's Safe Harbor removes. Ages stay, unless above 89.
    SafeHarbor,
}

impl Wanted {
    fn has(&self, identifier: Identifier) -> bool {
        match (self, identifier) {
            (Self::Types(types), Identifier::Pii(kind)) => types.contains(&kind),
            (Self::Types(_), _) => false,
            (Self::SafeHarbor, _) => true,
        }
    }
}

/// Finds what is wanted in a visible text. Ranges may overlap, and stand in no order.
pub(crate) fn find(text: &str, wanted: &Wanted) -> Vec<Found> {
    let mut found = Vec::new();
    form::find(text, wanted, &mut found);
    label::find(text, wanted, &mut found);
    if wanted.has(Identifier::Pii(PiiType::Address)) {
        address::find(text, &mut found);
    }
    let names = wanted.has(Identifier::Pii(PiiType::Name));
    let places = wanted.has(Identifier::Location);
    if names || places {
        let tokens = token::Tokens::new(text);
        if names {
            name::find(&tokens, *wanted == Wanted::SafeHarbor, &mut found);
        }
        if places {
            place::find(&tokens, &mut found);
        }
    }
    if wanted.has(Identifier::Date) {
        when::find(text, &mut found);
    }
    found.retain(|one| wanted.has(one.identifier));
    found
}

/// The dates of a text that are finer than a year.
pub(crate) fn dates(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    when::find(text, &mut found);
    found.into_iter().map(|one| one.range).collect()
}

#[cfg(test)]
mod tests;
