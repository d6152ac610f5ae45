//! Identifiers that are known by their form: addresses of mail and networks, numbers with checksums, telephones, ages.

use std::{net::Ipv6Addr, ops::Range, sync::LazyLock};

use regex::Regex;

use super::{Found, Identifier, Wanted, check};
use crate::policy::PiiType;

/// What must be true of a match beyond its pattern.
type Holds = fn(&str) -> bool;

/// A form, and what must be true of a match beyond it.
struct Form {
    identifier: PiiType,
    pattern: Regex,
    holds: Holds,
}

/// Every form. Where a pattern has a group, the group is the identifier.
static FORMS: LazyLock<Vec<Form>> = LazyLock::new(|| {
    let always: Holds = |_| true;
    let forms: [(PiiType, &str, Holds); 17] = [
        (
            PiiType::Email,
            r#"[^\s@<>()",;:\[\]{}]{1,64}@(?:[^\s@<>()",;:\[\]{}./]{1,63}\.){1,6}[a-zA-Z]{2,24}"#,
            always,
        ),
        (PiiType::Url, r#"(?i)\b(?:https?|ftp)://[^\s<>"{}|\\^`]+"#, always),
        (
            PiiType::Url,
            r#"(?i)\b(?:www\.)(?:[a-z0-9-]{1,63}\.){1,6}[a-z]{2,24}(?:/[^\s<>"{}|\\^`]*)?"#,
            always,
        ),
        (
            PiiType::Url,
            r#"(?i)\b(?:[a-z0-9-]{1,63}\.){1,6}(?:com|org|net|edu|gov|info|biz|io|health|co\.uk|org\.uk|ac\.uk|de|fr|eu|ch|jp|ru|cn|it|es|nl|se|pl|br|ca|us|be|at|hu|cz|dk|fi|no)\b(?:/[^\s<>"{}|\\^`]*)?"#,
            domain,
        ),
        (
            PiiType::IpAddress,
            r"\b(?:(?:25[0-5]|2[0-4][0-9]|1?[0-9]{1,2})\.){3}(?:25[0-5]|2[0-4][0-9]|1?[0-9]{1,2})\b",
            network,
        ),
        (PiiType::IpAddress, r"(?i)(?:[0-9a-f]{1,4}:|::)(?:[0-9a-f]{0,4}:){1,7}[0-9a-f]{0,4}", |text| {
            text.parse::<Ipv6Addr>().is_ok() && text.bytes().filter(u8::is_ascii_hexdigit).count() > 3
        }),
        (PiiType::MacAddress, r"(?i)\b(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}\b", always),
        (PiiType::UsSocialSecurityNumber, r"\b[0-9]{3}([- ])?[0-9]{2}[- ][0-9]{4}\b", |text| {
            text.len() == 11 && check::ssn(&check::digits(text))
        }),
        (PiiType::UsTaxpayerNumber, r"\b9[0-9]{2}[- ][0-9]{2}[- ][0-9]{4}\b", |text| {
            check::itin(&check::digits(text))
        }),
        (PiiType::CardNumber, r"\b[1-6][0-9]{2,5}(?:[ -]?[0-9]{2,6}){1,5}\b", |text| {
            check::card(&check::digits(text))
        }),
        (
            PiiType::Iban,
            r"(?i)\b[a-z]{2}[0-9]{2}(?:[ -]?[a-z0-9]{4}){2,7}(?:[ -]?[a-z0-9]{1,3})?\b",
            check::iban,
        ),
        (
            PiiType::UkNhsNumber,
            r"(?i)\b(?:nhs)\b[a-z .:#]{0,16}([0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{4})\b",
            |text| check::nhs(&check::digits(text)),
        ),
        (PiiType::UkNhsNumber, r"\b[0-9]{3} [0-9]{3} [0-9]{4}\b", |text| check::nhs(&check::digits(text))),
        (
            PiiType::UkNationalInsuranceNumber,
            r"\b[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D]\b",
            check::nino,
        ),
        (PiiType::CaSocialInsuranceNumber, r"\b[0-9]{3}[- ][0-9]{3}[- ][0-9]{3}\b", |text| {
            check::luhn(&check::digits(text))
        }),
        (PiiType::VehicleIdentificationNumber, r"\b[A-HJ-NPR-Z0-9]{17}\b", check::vin),
        (PiiType::AwsAccessKey, r"\b(?:AKIA|ASIA|AROA|AIDA|AGPA|ANPA|ANVA)[A-Z0-9]{16}\b", always),
    ];
    let form = |(identifier, pattern, holds)| Form {
        identifier,
        pattern: Regex::new(pattern).expect("a constant pattern, compiled by every test"),
        holds,
    };
    forms.into_iter().map(form).collect()
});

/// Telephones: with a country, in the North American form, with an extension, or any digits after a label.
static PHONES: LazyLock<[Regex; 4]> = LazyLock::new(|| {
    [
        r"(?:\+|\b00[1-9])[0-9]{1,3}(?:[ .\x{2011}-]?\(?[0-9]{1,5}\)?){1,6}(?:(?i) ?(?:x|ext\.?) ?[0-9]{1,6})?",
        r"(?:\b1[ .-])?(?:\([0-9]{3}\) ?|\b[0-9]{3}[ .-])[0-9]{3}[ .-][0-9]{4}(?:(?i) ?(?:x|ext\.?) ?[0-9]{1,6})?\b",
        r"(?i)\b(?:tel|telephone|phone|ph|mobile|cell|fax|contact|call|whatsapp|pager|reach(?:ed)?(?: \w{2,4})? (?:at|on)|hotline)\b\.?(?: ?(?:no|number|nr|#)\b\.?)?(?: (?:me|us|him|her|them))?(?: is| at| on)?[ \t]*[:=#]?[ \t\n]{0,3}(\+?\(?[0-9][0-9 ().\x{2f}-]{4,20}[0-9])\b(?: ?(?:x|ext\.?) ?[0-9]{1,6}\b)?",
        r"\b0[1-9](?:[ .-][0-9]{2}){4}\b|\b0[0-9]{2,4}[ /-][0-9]{3,4}[ -]?[0-9]{3,5}\b|\(0[0-9]{1,4}\) ?[0-9]{3,4}[ -]?[0-9]{3,5}\b",
    ]
    .map(|pattern| Regex::new(pattern).expect("a constant pattern, compiled by every test"))
});

/// Ages, with the number by itself as the first group.
static AGE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?i)\b([0-9]{1,3})[ -]?(?:years?|yrs?|months?|weeks?|days?)?[ -]?(?:old\b|y/?o\b|y\.o\.)|",
        r"\b(?:aged?|turned|age:)[ :]{1,3}(?:of |is )?([0-9]{1,3})\b|\b([0-9]{1,3}) years of age\b"
    ))
    .expect("a constant pattern, compiled by every test")
});

pub(super) fn find(text: &str, wanted: &Wanted, found: &mut Vec<Found>) {
    let mut add = |identifier: PiiType, range: Range<usize>| {
        found.push(Found { identifier: Identifier::Pii(identifier), range });
    };
    for form in FORMS.iter().filter(|form| wanted.has(Identifier::Pii(form.identifier))) {
        for captures in form.pattern.captures_iter(text) {
            let group = captures.iter().skip(1).flatten().find(|group| group.len() > 1);
            // Group 0 is the whole match and always there.
            let Some(hit) = group.or_else(|| captures.get(0)) else { continue };
            let end = hit.start() + hit.as_str().trim_end_matches(['.', ',', ';', ')', ']', '\'', ':']).len();
            if (form.holds)(&text[hit.start()..end]) && stands_alone(text, &(hit.start()..end)) {
                add(form.identifier, hit.start()..end);
            }
        }
    }
    if wanted.has(Identifier::Pii(PiiType::Phone)) {
        for (at, pattern) in PHONES.iter().enumerate() {
            for captures in pattern.captures_iter(text) {
                let Some(hit) = captures.get(1).or_else(|| captures.get(0)) else { continue };
                let end = hit.start() + hit.as_str().trim_end_matches([' ', '(', '-', '.', '/']).len();
                let count = check::digits(&text[hit.start()..end]).len();
                let least = match at {
                    0 if text[hit.start()..].starts_with('0') => 11,
                    2 => 6,
                    _ => 8,
                };
                if (least..=21).contains(&count) && stands_alone(text, &(hit.start()..end)) {
                    add(PiiType::Phone, hit.start()..end);
                }
            }
        }
    }
    if wanted.has(Identifier::Pii(PiiType::Age)) {
        for captures in AGE.captures_iter(text) {
            let Some(number) = captures.iter().skip(1).flatten().next() else { continue };
            let above_89 = number.as_str().parse::<u32>().is_ok_and(|age| age > 89);
            if *wanted != Wanted::SafeHarbor || above_89 {
                add(PiiType::Age, number.range());
            }
        }
    }
}

/// Whether four numbers are an address: "14.3.3.1" is the number of a section.
fn network(text: &str) -> bool {
    text.split('.').filter_map(|part| part.parse::<u8>().ok()).any(|part| part == 0 || part > 20)
}

/// Whether a domain by itself is one: not a number, and not the end of an address of mail, which is found as such.
fn domain(text: &str) -> bool {
    text.split('.').next().is_some_and(|first| first.bytes().any(|byte| byte.is_ascii_alphabetic()))
}

/// Whether no letter, digit or decimal point joins the range to its neighbours.
fn stands_alone(text: &str, range: &Range<usize>) -> bool {
    let mut before = text[..range.start].chars().rev();
    let first = before.next();
    let joined_before = first.is_some_and(|character| {
        character.is_alphanumeric()
            || character == '@'
            || (matches!(character, '.' | ',') && before.next().is_some_and(|digit| digit.is_ascii_digit()))
    });
    let mut after = text[range.end..].chars();
    let next = after.next();
    let joined_after = next.is_some_and(|character| {
        character.is_alphanumeric()
            || (matches!(character, '.' | ',' | '-')
                && after.next().is_some_and(|digit| digit.is_ascii_digit()))
    });
    !joined_before && !joined_after
}
