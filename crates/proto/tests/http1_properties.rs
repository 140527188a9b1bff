//! What holds for all HTTP/1 messages and for all bytes.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use std::num::NonZeroU64;
use std::time::Instant;

use isthmus_proto::http::FieldName;
use isthmus_proto::http1::{
    CHUNK_END, ChunkHead, Chunks, Error, Forward, LAST_CHUNK, Progress, RequestHead, ResponseHead,
    Rewrite, Rules, Trailers, View,
};
use proptest::collection::vec;
use proptest::prelude::*;

fn rules(accept_unsafe: bool) -> Rules {
    Rules {
        head: 4096,
        accept_unsafe,
        ..Rules::default()
    }
}

/// Heads that are whole and often right: parts of heads, some of them wrong, in any order.
fn heads() -> impl Strategy<Value = Vec<u8>> {
    let starts = prop_oneof![
        Just("GET / HTTP/1.1\r\n"),
        Just("POST /a?b=c HTTP/1.0\r\n"),
        Just("CONNECT h:443 HTTP/1.1\r\n"),
        Just("GET http://h/a HTTP/1.1\r\n"),
        Just("OPTIONS * HTTP/1.1\r\n"),
        Just("GET /\r\n"),
        Just("\r\nGET /\u{e9} HTTP/1.12\r\n"),
        Just("HTTP/1.1 200 OK\r\n"),
        Just("HTTP/1.0 304\r\n"),
    ];
    let lines = prop_oneof![
        8 => "[A-Za-z-]{1,9}: ?[ -~\t]{0,20}\r\n",
        2 => Just("Host: h\r\n".to_owned()),
        2 => Just("Connection: x, Upgrade\r\n".to_owned()),
        2 => Just("Upgrade: h2c, y\r\n".to_owned()),
        2 => Just("Content-Length: 5\r\n".to_owned()),
        2 => Just("Transfer-Encoding: chunked\r\n".to_owned()),
        1 => "[ -~\r\n\u{0}\u{7f}]{0,9}",
        1 => "[A-Z]{250,300}: a\r\n",
    ];
    (starts, vec(lines, 0..8), "(\r\n){0,2}[a-z\r\n]{0,9}")
        .prop_map(|(start, lines, rest)| [start, &lines.concat(), &rest].concat().into_bytes())
}

fn messy() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        3 => heads(),
        1 => vec(any::<u8>(), 0..200),
        1 => (heads(), any::<prop::sample::Index>(), any::<u8>()).prop_map(|(mut head, at, byte)| {
            let at = at.index(head.len());
            head[at] = byte;
            head
        }),
    ]
}

fn chunked() -> impl Strategy<Value = Vec<u8>> {
    let chunk = prop_oneof![
        6 => vec(any::<u8>(), 1..40).prop_map(|data| {
            let head = ChunkHead::new(NonZeroU64::new(data.len() as u64).unwrap());
            [head.as_ref(), &data, CHUNK_END].concat()
        }),
        1 => "[0-9a-fA-F]{0,18}[ ;a\"\\\\\r]{0,4}\r\n".prop_map(String::into_bytes),
        1 => vec(any::<u8>(), 0..9),
    ];
    (vec(chunk, 0..6), prop::bool::weighted(0.8)).prop_map(|(chunks, end)| {
        [chunks.concat(), LAST_CHUNK[..5 * usize::from(end)].to_vec()].concat()
    })
}

/// Cuts of `len` bytes into pieces: the pieces' ends.
fn ends(len: usize, cuts: &[prop::sample::Index]) -> Vec<usize> {
    let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(len + 1)).collect();
    ends.push(len);
    ends.sort_unstable();
    ends
}

/// What reading in pieces comes to, and the bytes as reading leaves them.
fn in_pieces(
    bytes: &[u8],
    ends: &[usize],
    mut read: impl FnMut(&mut [u8]) -> Result<Progress, Error>,
) -> (Result<Progress, Error>, Vec<u8>) {
    let mut bytes = bytes.to_vec();
    let mut result = Ok(Progress::Incomplete);
    for end in ends {
        result = read(&mut bytes[..*end]);
        if result != Ok(Progress::Incomplete) {
            break;
        }
    }
    (result, bytes)
}

/// Where the last chunk ended, or what was wrong where.
type BodyEnd = Result<Option<usize>, (usize, Error)>;

/// All data of a body that comes in pieces, and where it ends or what is wrong.
fn body_in_pieces(bytes: &[u8], ends: &[usize]) -> (Vec<u8>, BodyEnd) {
    let mut chunks = Chunks::new(&Rules::default());
    let mut data = Vec::new();
    let mut at = 0;
    for end in ends {
        while at < *end {
            let piece = match chunks.decode(&bytes[at..*end]) {
                Ok(piece) => piece,
                Err(error) => {
                    return (
                        data,
                        Err((at + error.at as usize, Error { at: 0, ..error })),
                    );
                }
            };
            data.extend_from_slice(&bytes[at..*end][piece.data]);
            at += piece.used;
            if piece.last {
                return (data, Ok(Some(at)));
            }
        }
    }
    (data, Ok(None))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn a_head_reads_the_same_however_it_is_cut(
        bytes in messy(),
        cuts in vec(any::<prop::sample::Index>(), 0..12),
        accept_unsafe: bool,
    ) {
        let rules = rules(accept_unsafe);
        let whole = [bytes.len()];
        let ends = ends(bytes.len(), &cuts);
        let (mut one, mut two) = (RequestHead::default(), RequestHead::default());
        let at_once = in_pieces(&bytes, &whole, |buf| one.read(buf, &rules));
        let cut = in_pieces(&bytes, &ends, |buf| two.read(buf, &rules));
        prop_assert_eq!(&at_once, &cut);
        if matches!(at_once.0, Ok(Progress::Complete(_))) {
            prop_assert_eq!(one.fields(), two.fields());
            prop_assert_eq!(one.body(), two.body());
        }
        let (mut one, mut two) = (ResponseHead::default(), ResponseHead::default());
        let at_once = in_pieces(&bytes, &whole, |buf| one.read(buf, &rules));
        let cut = in_pieces(&bytes, &ends, |buf| two.read(buf, &rules));
        prop_assert_eq!(&at_once, &cut);
        if matches!(at_once.0, Ok(Progress::Complete(_))) {
            prop_assert_eq!(one.fields(), two.fields());
        }
    }

    #[test]
    fn a_head_that_is_written_reads_as_the_same(mut bytes in heads(), accept_unsafe: bool) {
        let rules = rules(accept_unsafe);
        let mut head = RequestHead::default();
        if let Ok(Progress::Complete(_)) = head.read(&mut bytes, &rules) {
            let rewrite = Rewrite::default();
            let view = View::request(&head, &bytes, &rewrite);
            let mut out = Vec::new();
            view.write(None, &mut out);
            let mut again = RequestHead::default();
            // Sent as HTTP/1.1, an older request may lack its Host, and nothing else.
            let lenient = Rules { accept_unsafe: true, ..rules };
            let progress = again.read(&mut out, &lenient);
            prop_assert_eq!(progress, Ok(Progress::Complete(out.len())));
            let texts = |head: &RequestHead, buf: &[u8]| {
                let fields = head.fields().as_slice().iter();
                let fields = fields.map(|f| (f.name.of(buf).to_vec(), f.value.of(buf).to_vec()));
                let target = head.target_span().of(buf).to_vec();
                (head.method(), target, fields.collect::<Vec<_>>(), head.body())
            };
            prop_assert_eq!(texts(&head, &bytes), texts(&again, &out));
            let mut twice = Vec::new();
            View::request(&again, &out, &rewrite).write(None, &mut twice);
            prop_assert_eq!(out, twice);
        }
    }

    #[test]
    fn a_forwarded_head_frames_the_same_body_and_hides_no_hop(mut bytes in heads(), accept_unsafe: bool) {
        let rules = rules(accept_unsafe);
        let mut head = RequestHead::default();
        if let Ok(Progress::Complete(_)) = head.read(&mut bytes, &rules) {
            let mut rewrite = Rewrite::default();
            let how = Forward { protected: &[], chunks: true };
            head.forward(&bytes, how, &mut rewrite);
            let mut out = Vec::new();
            View::request(&head, &bytes, &rewrite).write(None, &mut out);
            let mut again = RequestHead::default();
            // What was repaired needs no leniency about framing any more: no field twice.
            let progress = again.read(&mut out, &Rules { accept_unsafe: true, ..rules });
            prop_assert_eq!(progress, Ok(Progress::Complete(out.len())));
            prop_assert_eq!((head.body(), head.asks_upgrade()), (again.body(), again.asks_upgrade()));
            let count = |name| again.fields().as_slice().iter().filter(|f| f.known == name).count();
            prop_assert_eq!(count(FieldName::Connection), usize::from(head.asks_upgrade()));
            prop_assert!(count(FieldName::ContentLength) + count(FieldName::TransferEncoding) <= 1);
            let h2c = |protocol: &[u8]| protocol.eq_ignore_ascii_case(b"h2c");
            prop_assert!(!again.upgrade_protocols(&out).any(h2c));
        }
    }

    #[test]
    fn a_body_reads_the_same_however_it_is_cut(
        bytes in chunked(),
        cuts in vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let at_once = body_in_pieces(&bytes, &[bytes.len()]);
        prop_assert_eq!(at_once, body_in_pieces(&bytes, &ends(bytes.len(), &cuts)));
    }

    #[test]
    fn chunks_that_are_written_give_their_data_back(pieces in vec(vec(any::<u8>(), 1..99), 0..9)) {
        let mut body = Vec::new();
        for piece in &pieces {
            body.extend_from_slice(ChunkHead::new(NonZeroU64::new(piece.len() as u64).unwrap()).as_ref());
            body.extend_from_slice(piece);
            body.extend_from_slice(CHUNK_END);
        }
        body.extend_from_slice(LAST_CHUNK);
        let end = body.len() - 2;
        prop_assert_eq!(body_in_pieces(&body, &[body.len()]), (pieces.concat(), Ok(Some(end))));
    }

    #[test]
    fn trailers_read_the_same_however_they_are_cut(
        lines in vec("[A-Za-z-]{1,9}:[ -~]{0,9}\r\n|[ -~\r\n]{0,5}", 0..5),
        cuts in vec(any::<prop::sample::Index>(), 0..6),
        overhead in 0..99_u32,
    ) {
        let bytes = [&lines.concat(), "\r\n"].concat().into_bytes();
        let rules = Rules::default();
        let (mut one, mut two) = (Trailers::default(), Trailers::default());
        let at_once = in_pieces(&bytes, &[bytes.len()], |buf| one.read(buf, &rules, overhead));
        let ends = ends(bytes.len(), &cuts);
        let cut = in_pieces(&bytes, &ends, |buf| two.read(buf, &rules, overhead));
        prop_assert_eq!(at_once, cut);
    }
}

/// A head of a megabyte in single bytes: a reader that began anew with each would take hours.
#[test]
fn single_bytes_cost_linear_time() {
    let rules = Rules {
        head: 1 << 21,
        fields: 1 << 20,
        ..Rules::default()
    };
    for line in ["x: y\r\n", "x:", "x", "GET"] {
        let start = Instant::now();
        let mut bytes = b"GET /".to_vec();
        match line {
            "GET" => bytes.resize(1 << 20, b'a'),
            "x:" => {
                bytes.extend_from_slice(b" HTTP/1.1\r\nx:");
                bytes.resize(1 << 20, b' ');
            }
            "x" => {
                bytes.extend_from_slice(b" HTTP/1.1\r\nx: ");
                bytes.resize(1 << 20, b'a');
            }
            line => {
                bytes.extend_from_slice(b" HTTP/1.1\r\n");
                bytes.extend(line.bytes().cycle().take(6 * 170_000));
            }
        }
        let mut head = RequestHead::default();
        for end in 1..=bytes.len() {
            assert_eq!(
                head.read(&mut bytes[..end], &rules),
                Ok(Progress::Incomplete)
            );
        }
        assert!(start.elapsed().as_secs() < 60, "{line}");
    }
}
