//! Checksums and reserved ranges of identifying numbers.

/// The digits of a text, as numbers.
pub(super) fn digits(text: &str) -> Vec<u32> {
    text.chars().filter_map(|character| character.to_digit(10)).collect()
}

/// The checksum of payment cards and Canadian social insurance numbers.
pub(super) fn luhn(digits: &[u32]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(at, digit)| if at.is_multiple_of(2) { *digit } else { digit * 2 / 10 + digit * 2 % 10 })
        .sum();
    sum.is_multiple_of(10) && digits.iter().any(|digit| *digit != 0)
}

/// A payment card: 12 to 19 digits with a scheme's first digit and a valid checksum.
pub(super) fn card(digits: &[u32]) -> bool {
    (12..=19).contains(&digits.len())
        && (matches!(digits[0], 2..=6) || digits.starts_with(&[1, 8, 0, 0]))
        && luhn(digits)
}

/// ISO 13616: the first four characters go to the end, letters become 10 to 35, and the whole is 1 modulo 97.
pub(super) fn iban(text: &str) -> bool {
    let plain: String = text.chars().filter(char::is_ascii_alphanumeric).collect();
    if !(15..=34).contains(&plain.len()) {
        return false;
    }
    let (head, tail) = plain.split_at(4);
    let value = tail.chars().chain(head.chars()).filter_map(|character| character.to_digit(36));
    value.fold(0, |rest, digit| (if digit < 10 { rest * 10 } else { rest * 100 } + digit) % 97) == 1
}

/// The NHS number: weights 10 to 2, modulo 11.
pub(super) fn nhs(digits: &[u32]) -> bool {
    if digits.len() != 10 || digits.iter().all(|digit| *digit == digits[0]) {
        return false;
    }
    let sum: u32 = digits[..9].iter().zip((2..=10).rev()).map(|(digit, weight)| digit * weight).sum();
    (11 - sum % 11) % 11 == digits[9]
}

/// An issued US social security number: area 001 to 899 without 666, group and serial not zero.
pub(super) fn ssn(digits: &[u32]) -> bool {
    digits.len() == 9
        && !matches!(number(&digits[..3]), 0 | 666 | 900..)
        && number(&digits[3..5]) != 0
        && number(&digits[5..]) != 0
}

/// A US taxpayer number: area 900 to 999 and one of the groups the IRS uses.
pub(super) fn itin(digits: &[u32]) -> bool {
    digits.len() == 9
        && digits[0] == 9
        && matches!(number(&digits[3..5]), 50..=65 | 70..=88 | 90..=92 | 94..=99)
}

/// A US routing number: weights 3, 7, 1, modulo 10.
pub(super) fn routing(digits: &[u32]) -> bool {
    let sum: u32 =
        digits.iter().zip([3, 7, 1].into_iter().cycle()).map(|(digit, weight)| digit * weight).sum();
    digits.len() == 9 && sum != 0 && sum.is_multiple_of(10)
}

/// A British national insurance number's prefix: some letters and pairs are never issued.
pub(super) fn nino(text: &str) -> bool {
    let prefix = text.get(..2).unwrap_or_default().to_ascii_uppercase();
    !matches!(prefix.as_str(), "BG" | "GB" | "KN" | "NK" | "NT" | "TN" | "ZZ")
}

/// ISO 3779: transliterated, weighted, modulo 11, against the ninth character.
pub(super) fn vin(text: &str) -> bool {
    const WEIGHTS: [u32; 17] = [8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2];
    let value = |character: char| match character {
        '0'..='9' => character.to_digit(10),
        'A'..='H' => Some(character as u32 - 'A' as u32 + 1),
        'J'..='N' => Some(character as u32 - 'J' as u32 + 1),
        'P' => Some(7),
        'R' => Some(9),
        'S'..='Z' => Some(character as u32 - 'S' as u32 + 2),
        _ => None,
    };
    let Some(values) = text.chars().map(value).collect::<Option<Vec<_>>>() else { return false };
    if values.len() != 17 {
        return false;
    }
    let sum: u32 = values.iter().zip(WEIGHTS).map(|(value, weight)| value * weight).sum();
    let expected = if sum % 11 == 10 { Some('X') } else { char::from_digit(sum % 11, 10) };
    text.chars().nth(8) == expected
}

fn number(digits: &[u32]) -> u32 {
    digits.iter().fold(0, |number, digit| number * 10 + digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_take_right_numbers_and_no_others() {
        assert!(card(&digits("4111 1111 1111 1111")));
        assert!(!card(&digits("4111 1111 1111 1112")));
        assert!(iban("GB82 WEST 1234 5698 7654 32"));
        assert!(!iban("GB82 WEST 1234 5698 7654 33"));
        assert!(nhs(&digits("943 476 5919")));
        assert!(!nhs(&digits("943 476 5918")));
        assert!(luhn(&digits("046 454 286")));
        assert!(routing(&digits("021000021")));
        assert!(!routing(&digits("021000022")));
        assert!(vin("1M8GDM9AXKP042788"));
        assert!(!vin("1M8GDM9AXKP042789"));
        assert!(nino("AB123456C"));
        assert!(!nino("BG123456C"));
    }

    #[test]
    fn ranges_that_are_never_issued_are_no_social_security_numbers() {
        assert!(ssn(&digits("457-55-5462")));
        for never in ["000-12-3456", "666-12-3456", "900-12-3456", "457-00-5462", "457-55-0000"] {
            assert!(!ssn(&digits(never)), "{never}");
        }
        assert!(itin(&digits("912-70-1234")));
        assert!(!itin(&digits("912-69-1234")));
    }
}
