//! Bodies being compressed: deflate (RFC 1951) inside what gzip (RFC 1952) or zlib (RFC 1950) puts around it. The
//! wrappers are written here, so that the level can change in the middle of a body. Touches no socket.

use flate2::{Compress, Compression, Crc, FlushCompress};

use super::coding::Algorithm;
use super::restraint::Place;

/// Room that a coder is given at a time, bytes.
const ROOM: usize = 16 * 1024;
/// The window of deflate, as a power of two: the largest, which every decoder takes.
const WINDOW: u8 = 15;
/// Deflate, no flags, no time, an unknown system.
const GZIP_HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
/// Deflate with that window, at a fast level.
const ZLIB_HEADER: [u8; 2] = [0x78, 0x01];

/// A body being compressed.
#[derive(Debug)]
pub(crate) struct Coder {
    state: Compress,
    wrapper: Wrapper,
    begun: bool,
    /// Its level now, and the one that it goes back to.
    level: u32,
    usual: u32,
    /// Its place among those that are limited.
    pub(super) place: Option<Place>,
}

/// What stands around the deflated bytes, with the sum of the data so far.
#[derive(Debug)]
enum Wrapper {
    Gzip(Crc),
    Zlib(Adler),
    None,
}

/// Adler-32 (RFC 1950, 8.2).
#[derive(Debug)]
struct Adler {
    one: u32,
    two: u32,
}

impl Adler {
    /// How many bytes may be summed before a sum of 32 bits has to be reduced.
    const RUN: usize = 5552;
    const BASE: u32 = 65521;

    fn update(&mut self, data: &[u8]) {
        for run in data.chunks(Self::RUN) {
            for byte in run {
                self.one += u32::from(*byte);
                self.two += self.one;
            }
            self.one %= Self::BASE;
            self.two %= Self::BASE;
        }
    }
}

impl Wrapper {
    fn begin(&self, out: &mut Vec<u8>) {
        match self {
            Self::Gzip(_) => out.extend_from_slice(&GZIP_HEADER),
            Self::Zlib(_) => out.extend_from_slice(&ZLIB_HEADER),
            Self::None => {}
        }
    }

    fn sum(&mut self, data: &[u8]) {
        match self {
            Self::Gzip(crc) => crc.update(data),
            Self::Zlib(adler) => adler.update(data),
            Self::None => {}
        }
    }

    fn end(&self, out: &mut Vec<u8>) {
        match self {
            Self::Gzip(crc) => {
                out.extend_from_slice(&crc.sum().to_le_bytes());
                out.extend_from_slice(&crc.amount().to_le_bytes());
            }
            Self::Zlib(adler) => {
                out.extend_from_slice(&(adler.two << 16 | adler.one).to_be_bytes());
            }
            Self::None => {}
        }
    }
}

impl Coder {
    /// A coder of a level from 1 to 9; `None` for what changes nothing.
    pub(crate) fn new(algorithm: Algorithm, level: u32) -> Option<Self> {
        let wrapper = match algorithm {
            Algorithm::Gzip => Wrapper::Gzip(Crc::new()),
            Algorithm::Deflate => Wrapper::Zlib(Adler { one: 1, two: 0 }),
            Algorithm::RawDeflate => Wrapper::None,
            Algorithm::Identity => return None,
        };
        let usual = level.clamp(1, 9);
        Some(Self {
            state: Compress::new_with_window_bits(Compression::new(usual), false, WINDOW),
            wrapper,
            begun: false,
            level: usual,
            usual,
            place: None,
        })
    }

    /// Compresses less by a level, down to nothing at all, while a limit is reached, and more by one while none is.
    pub(crate) fn strain(&mut self, strained: bool) {
        let level = match strained {
            true => self.level.saturating_sub(1),
            false => self.usual.min(self.level + 1),
        };
        if level == self.level {
            return;
        }
        // A level can change where deflate begins anew. Between two calls of `put` all blocks are written whole.
        self.state.reset();
        if self.state.set_level(Compression::new(level)).is_ok() {
            self.level = level;
        }
    }

    /// Codes data and appends what comes of all data so far, so that nothing is held back from
    /// the client. `last` says that none follows.
    pub(crate) fn put(&mut self, data: &[u8], last: bool, out: &mut Vec<u8>) {
        if data.is_empty() && !last {
            return;
        }
        if !std::mem::replace(&mut self.begun, true) {
            self.wrapper.begin(out);
        }
        self.wrapper.sum(data);
        self.deflate(data, last, out);
        if last {
            self.wrapper.end(out);
        }
    }

    fn deflate(&mut self, mut data: &[u8], last: bool, out: &mut Vec<u8>) {
        let how = match last {
            true => FlushCompress::Finish,
            false => FlushCompress::Sync,
        };
        loop {
            out.reserve(ROOM);
            let (before, room) = (self.state.total_in(), out.capacity() - out.len());
            let filled = out.len();
            let Ok(status) = self.state.compress_vec(data, out, how) else {
                return;
            };
            let used = usize::try_from(self.state.total_in() - before).unwrap_or(data.len());
            data = data.get(used..).unwrap_or_default();
            let full = out.len() - filled == room;
            if used == 0 && out.len() == filled {
                return;
            }
            if status == flate2::Status::StreamEnd || (data.is_empty() && !full && !last) {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_coder_under_strain_compresses_less_and_recovers() {
        use flate2::{Decompress, FlushDecompress};
        let data = b"abcdefgh\n".repeat(2_000);
        let mut coder = Coder::new(Algorithm::Gzip, 2).unwrap();
        let mut decoder = Decompress::new_gzip(WINDOW);
        let mut sizes = Vec::new();
        for strained in [false, true, true, true, false, false] {
            coder.strain(strained);
            let (mut out, mut back) = (Vec::new(), Vec::with_capacity(data.len() + 1));
            coder.put(&data, false, &mut out);
            decoder
                .decompress_vec(&out, &mut back, FlushDecompress::Sync)
                .unwrap();
            assert!(back == data, "{sizes:?}");
            sizes.push((coder.level, out.len() > data.len()));
        }
        let expected = [(2, false), (1, false), (0, true), (0, true), (1, false)];
        assert_eq!(sizes, [&expected[..], &[(2, false)]].concat());
    }

    #[test]
    fn every_coder_gives_back_what_it_was_given_and_holds_nothing_back() {
        use flate2::{Decompress, FlushDecompress};
        let data: Vec<u8> = (0..200_000_u32)
            .map(|n| (n.wrapping_mul(n) % 251) as u8)
            .collect();
        for (algorithm, mut decoder) in [
            (Algorithm::Gzip, Decompress::new_gzip(WINDOW)),
            (Algorithm::Deflate, Decompress::new(true)),
            (Algorithm::RawDeflate, Decompress::new(false)),
        ] {
            let mut coder = Coder::new(algorithm, 1).unwrap();
            let mut out = Vec::new();
            let mut back = Vec::with_capacity(data.len() + 1);
            for piece in data.chunks(70_001) {
                out.clear();
                coder.put(piece, false, &mut out);
                let before = back.len();
                decoder
                    .decompress_vec(&out, &mut back, FlushDecompress::Sync)
                    .unwrap();
                assert_eq!(back.len() - before, piece.len(), "{algorithm:?} held back");
            }
            out.clear();
            coder.put(&[], true, &mut out);
            let end = decoder.decompress_vec(&out, &mut back, FlushDecompress::Finish);
            assert_eq!(end.unwrap(), flate2::Status::StreamEnd, "{algorithm:?}");
            assert!(back == data, "{algorithm:?}");
        }
    }
}
