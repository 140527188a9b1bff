//! What a ClientHello said, as far as somebody may ask for it once it is over.

use isthmus_proto::tls::{ClientHello, extension};

/// `ec_point_formats` (RFC 8422, 5.1.2).
const POINT_FORMATS: u16 = 11;
/// `supported_versions` (RFC 8446, 4.2.1).
const VERSIONS: u16 = 43;

/// A ClientHello, remembered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Greeting {
    /// The name in SNI.
    pub server_name: Option<Box<[u8]>>,
    /// The version that it gives itself: major times 256 and minor.
    pub version: u16,
    /// The client's 32 random bytes.
    pub random: Box<[u8]>,
    /// Its lists; `None` where they are not captured (`tune.ssl.capture-buffer-size`).
    pub lists: Option<Box<Lists>>,
}

/// The lists of a ClientHello, as many bytes of each as may be captured.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lists {
    /// Cipher suites, two bytes each.
    pub ciphers: Vec<u8>,
    /// xxHash64 of all the cipher suites, captured or not.
    pub ciphers_hash: u64,
    /// Types of the extensions in their order, two bytes each.
    pub extensions: Vec<u8>,
    /// Groups, two bytes each.
    pub groups: Vec<u8>,
    /// Point formats, a byte each.
    pub point_formats: Vec<u8>,
    /// Versions, two bytes each.
    pub versions: Vec<u8>,
    /// Signature schemes, two bytes each.
    pub schemes: Vec<u8>,
}

impl Greeting {
    /// Remembers a ClientHello, with at most `capture` bytes of its lists.
    #[must_use]
    pub fn of(hello: &ClientHello<'_>, capture: usize) -> Self {
        Self {
            server_name: hello.server_name().map(Into::into),
            version: u16::from_be_bytes([hello.version.0, hello.version.1]),
            random: hello.random.into(),
            lists: (capture > 0).then(|| Box::new(Lists::of(hello, capture))),
        }
    }
}

impl Lists {
    fn of(hello: &ClientHello<'_>, capture: usize) -> Self {
        let mut room = capture;
        let mut kept = |list: &[u8]| {
            let list = list.get(..room).unwrap_or(list);
            room -= list.len();
            list.to_vec()
        };
        let types: Vec<u8> = hello
            .extensions
            .iter()
            .flat_map(|all| all.iter())
            .flat_map(|(kind, _)| kind.to_be_bytes())
            .collect();
        let short = |kind| hello.short_list(kind).unwrap_or_default();
        let numbers = |kind| hello.numbers(kind).unwrap_or_default();
        Self {
            ciphers: kept(hello.cipher_suites),
            ciphers_hash: xxhash_rust::xxh64::xxh64(hello.cipher_suites, 0),
            extensions: kept(&types),
            groups: kept(numbers(extension::SUPPORTED_GROUPS)),
            point_formats: kept(short(POINT_FORMATS)),
            versions: kept(short(VERSIONS)),
            schemes: kept(numbers(extension::SIGNATURE_ALGORITHMS)),
        }
    }
}

/// A list of numbers without those that stand for nothing (GREASE, RFC 8701): both bytes alike,
/// ending in the digit A.
#[must_use]
pub(crate) fn without_grease(list: &[u8]) -> Vec<u8> {
    let kept = |pair: &&[u8]| !matches!(pair, [high, low] if high == low && low & 0x0f == 0x0a);
    list.chunks(2).filter(kept).flatten().copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A ClientHello with one suite, a name, groups with GREASE among them, and formats.
    fn body() -> Vec<u8> {
        let mut body = vec![3, 3];
        body.extend([7; 32]);
        body.extend([0, 0, 4, 0x0a, 0x0a, 0x13, 0x01, 1, 0]);
        let extensions: &[&[u8]] = &[
            &[0, 0, 0, 8, 0, 6, 0, 0, 3, b'a', b'.', b'b'],
            &[0, 10, 0, 6, 0, 4, 0x1a, 0x1a, 0, 29],
            &[0, 11, 0, 2, 1, 0],
            &[0, 43, 0, 3, 2, 3, 4],
        ];
        let all = extensions.concat();
        body.extend(u16::try_from(all.len()).unwrap().to_be_bytes());
        body.extend(all);
        body
    }

    #[test]
    fn the_lists_of_a_hello_are_kept_up_to_the_capture_size() {
        let body = body();
        let hello = ClientHello::read(&body).unwrap();
        let whole = Greeting::of(&hello, 100);
        assert_eq!(whole.server_name.as_deref(), Some(&b"a.b"[..]));
        assert_eq!((whole.version, &*whole.random), (0x0303, &[7; 32][..]));
        let lists = whole.lists.unwrap();
        assert_eq!(lists.ciphers, [0x0a, 0x0a, 0x13, 0x01]);
        assert_eq!(lists.extensions, [0, 0, 0, 10, 0, 11, 0, 43]);
        assert_eq!(lists.groups, [0x1a, 0x1a, 0, 29]);
        assert_eq!(
            (&lists.point_formats[..], &lists.versions[..]),
            (&[0][..], &[3, 4][..])
        );
        let cut = Greeting::of(&hello, 6).lists.unwrap();
        assert_eq!(
            (cut.ciphers.len(), cut.extensions.len(), cut.groups.len()),
            (4, 2, 0)
        );
        assert_eq!(cut.ciphers_hash, lists.ciphers_hash);
        assert_eq!(Greeting::of(&hello, 0).lists, None);
    }

    #[test]
    fn grease_is_taken_out_and_nothing_else() {
        assert_eq!(
            without_grease(&[0x1a, 0x1a, 0x1a, 0x0a, 0x0a, 0x0b, 0xfa, 0xfa]),
            [0x1a, 0x0a, 0x0a, 0x0b]
        );
    }
}
