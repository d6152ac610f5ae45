//! What the compressed streams of a PDF grow to, found out before anything is kept: 2 kB can become 1 GiB.

use std::io::Read;

use flate2::read::{DeflateDecoder, ZlibDecoder};

use crate::{Error, Limits};

/// How many times a stream may be compressed over. Once is common, twice is legal, more is an attack.
const MAX_LAYERS: usize = 3;

/// Checks each stream of `pdf` against the limits, without building anything from it.
///
/// Streams are found by their keyword in the raw bytes, because the engine unpacks some of them already to find its
/// way in the file. Seen are deflate streams, also nested. Not seen are LZW, run lengths, streams in ASCII armour and
/// streams of encrypted files.
pub(super) fn check(pdf: &[u8], limits: &Limits) -> Result<(), Error> {
    let mut total = 0;
    for data in streams(pdf) {
        total += grown(data, limits)?;
        if total > limits.max_inflated_bytes {
            return Err(Error::Limit { what: "bytes in compressed streams", limit: limits.max_inflated_bytes });
        }
        if limits.stop.is_raised() {
            return Err(Error::Stopped);
        }
    }
    Ok(())
}

/// The bytes from the beginning of each stream to the end of the file: a stream knows itself where it ends.
fn streams(pdf: &[u8]) -> impl Iterator<Item = &[u8]> {
    const KEYWORD: &[u8] = b"stream";
    let mut rest = pdf;
    std::iter::from_fn(move || {
        let at = rest.windows(KEYWORD.len()).position(|window| window == KEYWORD)?;
        let is_end = rest[..at].ends_with(b"end");
        rest = &rest[at + KEYWORD.len()..];
        Some(if is_end { &[][..] } else { rest.trim_ascii_start() })
    })
    .filter(|data| !data.is_empty())
}

/// How many bytes the deflate stream at the beginning of `data` grows to, counting the innermost of nested ones.
fn grown(data: &[u8], limits: &Limits) -> Result<usize, Error> {
    let mut grown = 0;
    for layers in 1..=MAX_LAYERS {
        let (bytes, head) = measure(unpack(data, layers), limits.max_stream_bytes);
        if bytes > limits.max_stream_bytes {
            return Err(Error::Limit { what: "bytes in a compressed stream", limit: limits.max_stream_bytes });
        }
        grown = grown.max(bytes);
        if !is_zlib(head) {
            break;
        }
    }
    Ok(grown)
}

fn unpack(data: &[u8], layers: usize) -> Box<dyn Read + '_> {
    let outer: Box<dyn Read + '_> = match data {
        [first, second, ..] if is_zlib([*first, *second]) => Box::new(ZlibDecoder::new(data)),
        _ => Box::new(DeflateDecoder::new(data)),
    };
    (1..layers).fold(outer, |inner, _| Box::new(ZlibDecoder::new(inner)))
}

/// How many bytes `from` yields before it ends, breaks or exceeds `enough`, and the first two of them.
fn measure(mut from: Box<dyn Read + '_>, enough: usize) -> (usize, [u8; 2]) {
    let mut buffer = [0; 16 << 10];
    let (mut bytes, mut head) = (0, [0; 2]);
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        if bytes == 0 {
            head = [buffer[0], buffer[1]];
        }
        bytes += read;
        if bytes > enough {
            break;
        }
    }
    (bytes, head)
}

/// True for the two bytes every zlib stream begins with (RFC 1950, section 2.2): method 8, and a multiple of 31.
const fn is_zlib(head: [u8; 2]) -> bool {
    head[0] & 0x0f == 8 && u16::from_be_bytes(head).is_multiple_of(31)
}
