//! What the compressed streams of a PDF grow to, found out before anything is kept: 2 kB can become 1 GiB.

use std::io::Read;

use flate2::read::{DeflateDecoder, ZlibDecoder};

use super::armour;
use crate::{Error, Limits};

/// How many times a stream may be compressed over. Once is common, twice is legal, more is an attack.
const MAX_LAYERS: usize = 3;

/// How many streams are looked at. A page has about three; each costs a little even where it holds nothing.
const MAX_STREAMS: usize = 100_000;

/// What was found out about the streams of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Grown {
    /// The bytes of all streams together.
    total: usize,
    /// The bytes of the largest form, which is unpacked each time it is called.
    pub(super) largest_form: usize,
}

/// Checks each stream of `pdf` against the limits, without building anything from it.
///
/// Streams are found by their keyword in the raw bytes, because the engine unpacks some of them already to find its
/// way in the file. Seen are deflate streams, also nested and in ASCII armour. Not seen are LZW, run lengths, and the
/// streams of encrypted files.
pub(super) fn check(pdf: &[u8], limits: &Limits) -> Result<Grown, Error> {
    let mut grown = Grown::default();
    for (count, stream) in streams(pdf).enumerate() {
        if count == MAX_STREAMS {
            return Err(Error::Limit { what: "streams", limit: MAX_STREAMS });
        }
        if limits.stop.is_raised() {
            return Err(Error::Stopped);
        }
        let bytes = size(stream.data, limits)?;
        grown.total += bytes;
        if grown.total > limits.max_inflated_bytes {
            return Err(Error::Limit {
                what: "bytes in compressed streams",
                limit: limits.max_inflated_bytes,
            });
        }
        if bytes > grown.largest_form && stream.is_form() {
            grown.largest_form = bytes;
        }
    }
    Ok(grown)
}

/// A stream in the file.
struct Stream<'a> {
    /// What stands before it: at the end, its dictionary.
    before: &'a [u8],
    /// From its first byte to the end of the file: a stream knows itself where it ends.
    data: &'a [u8],
}

impl Stream<'_> {
    fn is_form(&self) -> bool {
        /// Longer than any form's dictionary with its resources written out.
        const DICTIONARY: usize = 4096;
        let near = &self.before[self.before.len().saturating_sub(DICTIONARY)..];
        let own = near.windows(3).rposition(|window| window == b"obj").map_or(near, |at| &near[at..]);
        own.windows(5).any(|window| window == b"/Form")
    }
}

fn streams(pdf: &[u8]) -> impl Iterator<Item = Stream<'_>> {
    const KEYWORD: &[u8] = b"stream";
    let mut from = 0;
    std::iter::from_fn(move || {
        let at = from + pdf[from..].windows(KEYWORD.len()).position(|window| window == KEYWORD)?;
        from = at + KEYWORD.len();
        Some(Stream { before: &pdf[..at], data: pdf[from..].trim_ascii_start() })
    })
    .filter(|stream| !stream.before.ends_with(b"end") && !stream.data.is_empty())
}

/// How many bytes the stream at the beginning of `data` grows to, counting the innermost of nested ones.
fn size(data: &[u8], limits: &Limits) -> Result<usize, Error> {
    if begins_zlib(armour::base85(data)) {
        return inflated(&armour::base85(data).collect::<Vec<_>>(), limits);
    }
    if begins_zlib(armour::hexadecimal(data)) {
        return inflated(&armour::hexadecimal(data).collect::<Vec<_>>(), limits);
    }
    inflated(data, limits)
}

fn inflated(data: &[u8], limits: &Limits) -> Result<usize, Error> {
    let mut largest = 0;
    for layers in 1..=MAX_LAYERS {
        let (bytes, head) = measure(unpack(data, layers), limits.max_stream_bytes);
        if bytes > limits.max_stream_bytes {
            return Err(Error::Limit {
                what: "bytes in a compressed stream",
                limit: limits.max_stream_bytes,
            });
        }
        largest = largest.max(bytes);
        if !is_zlib(head) {
            break;
        }
    }
    Ok(largest)
}

fn unpack(data: &[u8], layers: usize) -> Box<dyn Read + '_> {
    let outer: Box<dyn Read + '_> = if begins_zlib(data.iter().copied()) {
        Box::new(ZlibDecoder::new(data))
    } else {
        Box::new(DeflateDecoder::new(data))
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

fn begins_zlib(mut bytes: impl Iterator<Item = u8>) -> bool {
    matches!((bytes.next(), bytes.next()), (Some(first), Some(second)) if is_zlib([first, second]))
}

/// True for the two bytes every zlib stream begins with (RFC 1950, section 2.2): method 8, and a multiple of 31.
const fn is_zlib(head: [u8; 2]) -> bool {
    head[0] & 0x0f == 8 && u16::from_be_bytes(head).is_multiple_of(31)
}
