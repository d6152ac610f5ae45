//! The oldest encryption of PDF (revision 2, 40 bits), as ISO 32000-1 section 7.6 tells it, to write locked files with.

/// What passwords are filled up with to 32 bytes.
const PADDING: [u8; 32] = [
    0x28, 0xBF, 0x4E, 0x5E, 0x4E, 0x75, 0x8A, 0x41, 0x64, 0x00, 0x4E, 0x56, 0xFF, 0xFA, 0x01, 0x08, 0x2E,
    0x2E, 0x00, 0xB6, 0xD0, 0x68, 0x3E, 0x80, 0x2F, 0x0C, 0xA9, 0xFE, 0x64, 0x53, 0x69, 0x7A,
];

/// The owner's key: any 32 bytes, as the owner's password is never asked for.
const OWNER: [u8; 32] = [0x5A; 32];

/// The file's identity, which the key depends on.
const ID: [u8; 16] = [0x17; 16];

/// May print, may not change: -44 as bytes.
const PERMISSIONS: i32 = -44;

/// A lock with a user password.
pub(crate) struct Lock {
    key: [u8; 5],
}

impl Lock {
    pub(crate) fn new(user_password: &str) -> Self {
        let padded: Vec<u8> = user_password.bytes().chain(PADDING).take(32).collect();
        let hash = md5(&[&padded, &OWNER[..], &PERMISSIONS.to_le_bytes(), &ID].concat());
        Self { key: std::array::from_fn(|index| hash[index]) }
    }

    /// The data of the stream with this object number, locked.
    pub(crate) fn stream(&self, number: usize, data: &[u8]) -> Vec<u8> {
        let number = u32::try_from(number).unwrap().to_le_bytes();
        let hash = md5(&[&self.key[..], &number[..3], &[0, 0]].concat());
        rc4(&hash[..10], data)
    }

    /// The trailer's entries.
    pub(crate) fn trailer(&self) -> String {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02X}")).collect::<String>();
        let (owner, user, id) = (hex(&OWNER), hex(&rc4(&self.key, &PADDING)), hex(&ID));
        format!(
            "/ID [<{id}> <{id}>] /Encrypt << /Filter /Standard /V 1 /R 2 /O <{owner}> /U <{user}> /P {PERMISSIONS} >>"
        )
    }
}

fn rc4(key: &[u8], data: &[u8]) -> Vec<u8> {
    let mut state: [u8; 256] = std::array::from_fn(|index| u8::try_from(index).unwrap());
    let mut swap_with = 0u8;
    for index in 0..256 {
        swap_with = swap_with.wrapping_add(state[index]).wrapping_add(key[index % key.len()]);
        state.swap(index, usize::from(swap_with));
    }
    let (mut a, mut b) = (0u8, 0u8);
    data.iter()
        .map(|byte| {
            a = a.wrapping_add(1);
            b = b.wrapping_add(state[usize::from(a)]);
            state.swap(usize::from(a), usize::from(b));
            byte ^ state[usize::from(state[usize::from(a)].wrapping_add(state[usize::from(b)]))]
        })
        .collect()
}

/// RFC 1321.
fn md5(data: &[u8]) -> [u8; 16] {
    const TURNS: [[u32; 4]; 4] = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]];
    let mut message = data.to_vec();
    message.push(0x80);
    message.resize(message.len().next_multiple_of(64) + if message.len() % 64 > 56 { 64 } else { 0 } - 8, 0);
    message.extend_from_slice(&(8 * data.len() as u64).to_le_bytes());

    let mut state = [0x6745_2301u32, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];
    for block in message.chunks_exact(64) {
        let words: Vec<u32> =
            block.chunks_exact(4).map(|word| u32::from_le_bytes(word.try_into().unwrap())).collect();
        let [mut a, mut b, mut c, mut d] = state;
        for step in 0..64 {
            let (mixed, word) = match step / 16 {
                0 => ((b & c) | (!b & d), step),
                1 => ((d & b) | (!d & c), (5 * step + 1) % 16),
                2 => (b ^ c ^ d, (3 * step + 5) % 16),
                _ => (c ^ (b | !d), (7 * step) % 16),
            };
            #[expect(clippy::cast_possible_truncation, reason = "RFC 1321 takes the whole part")]
            let sine = ((step as f64 + 1.0).sin().abs() * 4_294_967_296.0) as u32;
            let sum = a.wrapping_add(mixed).wrapping_add(sine).wrapping_add(words[word]);
            (a, d, c, b) = (d, c, b, b.wrapping_add(sum.rotate_left(TURNS[step / 16][step % 4])));
        }
        for (total, part) in state.iter_mut().zip([a, b, c, d]) {
            *total = total.wrapping_add(part);
        }
    }
    let mut out = [0; 16];
    for (bytes, word) in out.chunks_exact_mut(4).zip(state) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    out
}
