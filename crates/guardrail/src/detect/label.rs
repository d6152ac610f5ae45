//! Identifiers that are known by the label before them: any number may be an account's or a patient's.

use std::sync::LazyLock;

use regex::Regex;

use super::{Found, Identifier, Wanted, check};
use crate::policy::PiiType;

/// What may stand between a label and its value: "no.", "number", "is", ":", "#".
const JOINT: &str = r"(?:[ \t]?(?:(?:no|nr|number|num|id|code|card|identifier|ref)\b\.?|#)){0,2}[ \t]*(?:[:=]|is\b|was\b|of\b)?[ \t]*[#(]?[ \t]*";

/// A value with a digit in it, perhaps after letters and hyphens.
const CODE: &str = r"((?:[A-Za-z]{1,8}[-/]?){0,3}[0-9][A-Za-z0-9]{0,20}(?:[-/][A-Za-z0-9]{1,16}){0,5})\b";

/// What must be true of a value beyond its pattern.
type Holds = fn(&str) -> bool;

struct Labelled {
    identifier: Identifier,
    pattern: Regex,
    holds: Holds,
}

static LABELLED: LazyLock<Vec<Labelled>> = LazyLock::new(|| {
    use Identifier::{AccountNumber, HealthPlanNumber, MedicalRecordNumber, Pii, UniqueIdentifier};
    let always: Holds = |_| true;
    let long: Holds = |text| text.len() > 3;
    let code = |labels: &str| format!(r"(?i)\b(?:{labels}){JOINT}{CODE}");
    let is = |labels: &str, value: &str| format!(r"(?i)\b(?:{labels})\b[ \t]*(?:[:=]|\bis\b)[ \t]*({value})");
    let labelled: Vec<(Identifier, String, Holds)> = vec![
        (Pii(PiiType::AwsSecretKey), r"(?i)\bsecret[ _]?(?:access[ _]?)?key\W{1,5}([a-z0-9/+=]{40})".to_owned(), always),
        (Pii(PiiType::Password), is("password|passwd|passphrase|pwd", r"\S{4,64}"), always),
        (Pii(PiiType::Username), is("user ?name|user id|login", r"\S{2,64}"), always),
        (Pii(PiiType::Pin), r"\bPIN\b(?: code| number)?[ \t]*(?:[:=#]|is)?[ \t]*([0-9]{4,8})\b".to_owned(), always),
        (
            Pii(PiiType::CardCvv),
            r"(?i)\b(?:cvv2?|cvc2?|card verification|security code)\b(?: (?:code|number))?[ \t]*(?:[:=#]|is)?[ \t]*([0-9]{3,4})\b".to_owned(),
            always,
        ),
        (
            Pii(PiiType::CardExpiry),
            r"(?i)\b(?:expir\w{1,6}|exp\.?|valid (?:thru|until))(?: date)?[ \t]*[:=]?[ \t]*(?:on )?((?:0[1-9]|1[0-2]) ?[/-] ?(?:20)?[0-9]{2})\b".to_owned(),
            always,
        ),
        (Pii(PiiType::DriverId), code(r"driver'?s?'?(?: driving)? licen[cs]e|driving licen[cs]e"), long),
        (
            Pii(PiiType::LicensePlate),
            r"(?i)\b(?:licen[cs]e plates?|number plate|plate (?:no|number)|vehicle registration)\b[ \t]*(?:no\.?|number)?[ \t]*(?:[:#]|is)?[ \t]*([A-Z]{0,3}[ -]?[A-Z0-9]{1,4}[ -]?[A-Z0-9]{2,5})\b".to_owned(),
            |text| text.bytes().any(|byte| byte.is_ascii_digit()),
        ),
        (
            Pii(PiiType::SwiftCode),
            r"\b(?i:swift|bic)(?i:[ /-]?(?:bic|code))?[ \t]*(?:[:=#]|is)?[ \t]*([A-Z]{6}[A-Z0-9]{2}(?:[A-Z0-9]{3})?)\b".to_owned(),
            always,
        ),
        (
            Pii(PiiType::UkTaxpayerReference),
            r"(?i)\b(?:utr|unique tax(?:payer)? reference)\b[ \t]*(?:no\.?|number)?[ \t]*(?:[:=#]|is)?[ \t]*([0-9]{5} ?[0-9]{5})\b".to_owned(),
            always,
        ),
        (
            Pii(PiiType::CaHealthNumber),
            r"(?i)\b(?:ohip|ramq|phn|health card|health service number)\b[ \t]*(?:no\.?|number)?[ \t]*(?:[:=#]|is)?[ \t]*((?:[A-Z]{4} ?)?[0-9]{4}[ -]?[0-9]{3}[ -]?[0-9]{1,3}(?:[ -]?[A-Z]{2})?)\b".to_owned(),
            always,
        ),
        (
            Pii(PiiType::UsBankAccountNumber),
            format!(r"(?i)\b(?:(?:bank|checking|savings) account|account number|acct){JOINT}([0-9][0-9-]{{6,16}}[0-9])\b"),
            always,
        ),
        (
            Pii(PiiType::UsBankRoutingNumber),
            format!(r"(?i)\b(?:routing|aba){JOINT}([0-9]{{9}})\b"),
            |text| check::routing(&check::digits(text)),
        ),
        (Pii(PiiType::UsPassportNumber), format!(r"(?i)\bpassport{JOINT}([A-Z]?[0-9]{{8,9}})\b"), always),
        (
            // A label says so even where the number was never issued.
            Pii(PiiType::UsSocialSecurityNumber),
            r"(?i)\b(?:ssn|social security(?: (?:no|number|#))?|soc\.? sec\.?)\b\.?[ \t]*(?:no\.?|number|#)?[ \t]*(?:[:=#]|is|of)?[ \t]*([0-9]{3}[- ]?[0-9]{2}[- ]?[0-9]{4})\b".to_owned(),
            always,
        ),
        (
            MedicalRecordNumber,
            code(r"mrn|m\.r\.n\.|med(?:ical)?\.? rec(?:ord)?s?|medical (?:id|number)|chart|hospital (?:no\.?|number|id)|health record|patient(?:'s)? (?:id|no\.?|number|identifier)|pt\.? (?:id|no\.?)|record (?:no\.?|number|id)|file (?:no\.?|number)|emr|ehr"),
            long,
        ),
        (
            HealthPlanNumber,
            code(r"(?:health )?(?:insurance|plan|coverage|policy)(?: (?:policy|plan|member|beneficiary|id|group))?|(?:member|beneficiary|subscriber|group)(?:ship)?(?: id)?|medicare|medicaid|hicn|mbi|hpbn|health plan(?: beneficiary)?|payer id"),
            long,
        ),
        (AccountNumber, code("account|acct|acc|billing|invoice"), long),
        (
            UniqueIdentifier,
            code(r"(?:unique|study|trial|subject|participant|patient|randomi[sz]ation|screening|case|device|serial|accession|specimen|sample|certificate|licen[cs]e|employee|visit|encounter|record|reference|tracking|identification|lot|model|provider|npi|dea|badge|student|national|citizen|user|ref)(?: (?:id|identifier|no\.?|number|nr\.?|code|#))|uid|id no\.?|id number|identifier|serial no\.?|npi|udi|dea|imei"),
            long,
        ),
        (UniqueIdentifier, format!(r"\bID\b{JOINT}{CODE}"), long),
        (UniqueIdentifier, r"(?i)\b(?:subject|participant)s? ([0-9]{2,6}-[0-9]{2,6}(?:-[0-9]{1,6})?)\b".to_owned(), always),
    ];
    labelled
        .into_iter()
        .map(|(identifier, pattern, holds)| Labelled {
            identifier,
            pattern: Regex::new(&pattern).expect("a constant pattern, compiled by every test"),
            holds,
        })
        .collect()
});

pub(super) fn find(text: &str, wanted: &Wanted, found: &mut Vec<Found>) {
    for labelled in LABELLED.iter().filter(|labelled| wanted.has(labelled.identifier)) {
        for captures in labelled.pattern.captures_iter(text) {
            let Some(value) = captures.get(1) else { continue };
            let end = value.start() + value.as_str().trim_end_matches(['.', ',', ';', ')']).len();
            // A mask of an earlier round is no value.
            if end > value.start()
                && !value.as_str().starts_with('{')
                && (labelled.holds)(&text[value.start()..end])
            {
                found.push(Found { identifier: labelled.identifier, range: value.start()..end });
            }
        }
    }
}
