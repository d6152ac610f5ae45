//! Amounts of dollars as they stand in a file, read to their last decimal.

use clinflow_yaml::Item;

/// An amount in a file, times ten to the power of `places`; says what is wrong with it otherwise.
pub(crate) fn read(item: &Item<'_>, places: usize) -> Option<u64> {
    // A double keeps the fifteen digits that an amount has at most, and its shortest text is what was written.
    let text = item.number()?.to_string();
    scaled(&text, places).map_err(|message| item.note(message)).ok()
}

/// `text` times ten to the power of `places`, exactly: `2.20` with 2 places is 220.
fn scaled(text: &str, places: usize) -> Result<u64, String> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) {
        return Err(format!("`{text}` is no amount: write dollars as `12` or `0.035`"));
    }
    if fraction.len() > places {
        return Err(format!("`{text}` has more than {places} decimals"));
    }
    if whole.len() + fraction.len() > 15 {
        return Err(format!("`{text}` has more than 15 digits"));
    }
    format!("{whole}{fraction:0<places$}").parse().map_err(|_| format!("`{text}` is too large"))
}

#[cfg(test)]
mod tests {
    use super::scaled;

    #[test]
    fn an_amount_is_read_to_its_last_decimal() {
        assert_eq!(scaled("2.2", 6), Ok(2_200_000));
        assert_eq!(scaled("0.1375", 6), Ok(137_500));
        assert_eq!(scaled("0.000000001", 9), Ok(1));
        assert_eq!(scaled("12", 9), Ok(12_000_000_000));
    }

    #[test]
    fn what_is_no_amount_is_refused_in_words() {
        for bad in ["", "-1", "1e3", "inf", "NaN", "0.0000000001", "1234567890123456", "99999999999999"] {
            assert!(scaled(bad, 9).is_err(), "{bad}");
        }
    }

    #[test]
    fn every_amount_of_fifteen_digits_survives_being_a_double() {
        for text in
            ["0.1375", "4.125", "9007199.254740", "123456.789012345", "0.000000001", "999999999999999"]
        {
            let double: f64 = text.parse().unwrap();
            let written = text.trim_end_matches('0').trim_end_matches('.');
            assert_eq!(double.to_string(), written, "{text}");
        }
    }
}
