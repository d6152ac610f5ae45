//! Streams written in letters: hexadecimal and base 85, as ISO 32000-1 sections 7.4.2 and 7.4.3 tell them.

/// The bytes that `data` says in hexadecimal, up to `>` or the first byte that says nothing.
pub(super) fn hexadecimal(data: &[u8]) -> impl Iterator<Item = u8> {
    let mut digits = data
        .iter()
        .filter(|byte| !byte.is_ascii_whitespace())
        .map_while(|byte| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .fuse();
    std::iter::from_fn(move || {
        let high = digits.next()?;
        Some(high << 4 | digits.next().unwrap_or(0))
    })
}

/// The bytes that `data` says in base 85, up to `~>` or the first byte that says nothing.
pub(super) fn base85(data: &[u8]) -> impl Iterator<Item = u8> {
    /// The letter that ends a group and stands for four zero bytes.
    const ZEROS: u8 = b'z';
    let mut letters = data
        .iter()
        .copied()
        .filter(|byte| !byte.is_ascii_whitespace())
        .take_while(|byte| matches!(byte, b'!'..=b'u' | &ZEROS));
    std::iter::from_fn(move || {
        let mut group = [b'u'; 5];
        let mut length = 0;
        while length < 5 {
            match letters.next() {
                Some(ZEROS) if length == 0 => return Some(([0; 4], 4)),
                Some(letter) => group[length] = letter,
                None if length < 2 => return None,
                None => break,
            }
            length += 1;
        }
        // A group that says more than 32 bits says nothing that matters here.
        let value = group.iter().fold(0u32, |value, letter| {
            value.wrapping_mul(85).wrapping_add(u32::from(letter.saturating_sub(b'!')))
        });
        Some((value.to_be_bytes(), length - 1))
    })
    .flat_map(|(bytes, length)| bytes.into_iter().take(length))
}

#[cfg(test)]
mod tests {
    use super::{base85, hexadecimal};

    #[test]
    fn hexadecimal_may_have_white_space_and_an_odd_end() {
        assert_eq!(hexadecimal(b"48 65\n6C6c 6F7>41").collect::<Vec<_>>(), b"Hellop");
    }

    #[test]
    fn base85_has_groups_of_five_and_a_shorter_last_one() {
        assert_eq!(base85(b"87cUR\nD]i,\"Ebo80~>").collect::<Vec<_>>(), b"Hello World!");
        assert_eq!(base85(b"z87cURDZ~>").collect::<Vec<_>>(), b"\0\0\0\0Hello");
    }
}
