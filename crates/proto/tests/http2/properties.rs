//! What holds for all fields, all bytes and all ways to cut them.

use super::capture::*;
use isthmus_proto::http1::Span;
use isthmus_proto::http2::hpack::{
    Decoder, Encoder, Indexing, Sink, huffman_decode, huffman_encode, huffman_length,
};
use isthmus_proto::http2::{Connection, Fault, Limits, PREFACE, RequestLine, Settings};
use proptest::collection::vec;
use proptest::prelude::*;

#[derive(Default)]
struct List {
    text: Vec<u8>,
    fields: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Sink for List {
    fn text(&mut self) -> &mut Vec<u8> {
        &mut self.text
    }

    fn wants(&mut self, _: usize) -> bool {
        true
    }

    fn field(&mut self, name: Span, value: Span, _: bool) {
        let text = |span: Span| span.of(&self.text).to_vec();
        self.fields.push((text(name), text(value)));
    }
}

type Field = (Vec<u8>, Vec<u8>, Indexing);

/// Fields that repeat, as those of a connection's messages do.
fn fields() -> impl Strategy<Value = Vec<Field>> {
    let name = prop_oneof![
        Just(b"accept".to_vec()),
        Just(b"cookie".to_vec()),
        Just(b":path".to_vec()),
        Just(b"x-same".to_vec()),
        "[a-z-]{1,12}".prop_map(String::into_bytes),
        vec(any::<u8>(), 0..40),
    ];
    let value = prop_oneof![
        Just(b"same".to_vec()),
        Just(b"".to_vec()),
        "[ -~]{0,60}".prop_map(String::into_bytes),
        vec(any::<u8>(), 0..200),
    ];
    let how = prop_oneof![
        4 => Just(Indexing::Add),
        1 => Just(Indexing::Without),
        1 => Just(Indexing::Never),
    ];
    vec((name, value, how), 0..20)
}

/// A frame of any kind that is often right.
fn any_frame() -> impl Strategy<Value = Vec<u8>> {
    let stream = prop_oneof![4 => 0_u32..8, 1 => any::<u32>()];
    let payload = prop_oneof![
        3 => Just(block(GET)),
        1 => Just(block(POST)),
        1 => Just(block(&[POST, &[("content-length", "10")]].concat())),
        1 => Just(block(&[(":status", "200")])),
        1 => Just(block(&[("x", "y")])),
        1 => Just([&[0, 0, 0, 3, 7][..], &block(GET)].concat()),
        1 => Just(vec![0, 0, 1, 0]),
        1 => Just(setting(4, 100)),
        1 => Just(vec![1; 8]),
        2 => vec(any::<u8>(), 0..40),
        1 => vec(Just(2_u8), 0..300),
    ];
    let flags = prop_oneof![
        2 => Just(END_HEADERS),
        3 => Just(END_HEADERS | END_STREAM),
        2 => Just(0),
        1 => any::<u8>(),
    ];
    let right = (stream, payload, flags, 0_u8..11)
        .prop_map(|(stream, payload, flags, kind)| frame(kind, flags, stream, &payload));
    prop_oneof![
        8 => right,
        2 => (0_u32..4).prop_map(|n| get(2 * n + 1)),
        2 => (0_u32..4).prop_map(|n| post(2 * n + 1)),
        1 => vec(any::<u8>(), 0..30),
    ]
}

/// Runs a connection over bytes cut as `sizes` say; what was seen, data put together.
fn run(client: bool, bytes: &[u8], sizes: &[usize]) -> (Vec<Seen>, Option<Fault>, Vec<Frame>) {
    let ours = Settings {
        initial_window: 500,
        ..Settings::default()
    };
    let mut end = match client {
        false => End::of(Connection::server(ours, Limits::default())),
        true => End::of(Connection::client(ours, Limits::default())),
    };
    match client {
        false => assert_eq!(end.feed(PREFACE), []),
        true => end.conn.sent(PREFACE.len()),
    }
    end.feed(&settings(&[]));
    let line = RequestLine {
        method: b"GET",
        scheme: b"http",
        authority: b"a",
        path: b"/",
        protocol: None,
        secret_path: false,
    };
    while client && end.conn.open_streams() < 3 {
        end.conn.send_request(&line, true, |_| {}).unwrap();
    }
    let (mut rest, mut sizes) = (bytes, sizes.iter().cycle());
    let (mut events, mut sent, mut fault) = (Vec::new(), Vec::new(), None);
    while !rest.is_empty() && fault.is_none() {
        let (piece, behind) = rest.split_at((*sizes.next().unwrap()).min(rest.len()));
        rest = behind;
        let (seen, ended) = end.try_feed(piece);
        fault = ended;
        for event in seen {
            match (events.last_mut(), event) {
                (Some(Seen::Data(a, data, end @ false)), Seen::Data(b, more, last)) if *a == b => {
                    data.extend(more);
                    *end = last;
                }
                (_, event) => events.push(event),
            }
        }
        sent.extend(end.sent());
    }
    (events, fault, sent)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(if cfg!(debug_assertions) { 300 } else { 3000 }))]

    #[test]
    fn huffman_gives_back_what_it_took(plain in vec(any::<u8>(), 0..300)) {
        let (mut coded, mut back) = (Vec::new(), Vec::new());
        huffman_encode(&plain, &mut coded);
        prop_assert_eq!(coded.len(), huffman_length(&plain));
        prop_assert_eq!(huffman_decode(&coded, &mut back), Ok(()));
        prop_assert_eq!(back, plain);
    }

    #[test]
    fn huffman_takes_only_what_it_would_give(coded in vec(any::<u8>(), 0..60)) {
        let (mut plain, mut again) = (Vec::new(), Vec::new());
        if huffman_decode(&coded, &mut plain).is_ok() {
            huffman_encode(&plain, &mut again);
            prop_assert_eq!(again, coded);
        }
    }

    #[test]
    fn fields_survive_tables_of_any_size(
        ceiling in 0_u32..5000,
        blocks in vec((fields(), prop::option::of(0_u32..5000)), 1..12),
    ) {
        let mut encoder = Encoder::new(ceiling);
        let mut decoder = Decoder::new(4096);
        for (fields, limit) in blocks {
            if let Some(limit) = limit {
                decoder.set_limit(limit);
                encoder.set_limit(limit);
            }
            let mut out = Vec::new();
            encoder.begin(&mut out);
            for (name, value, how) in &fields {
                encoder.field(name, value, *how, &mut out);
            }
            let mut list = List::default();
            prop_assert_eq!(decoder.decode(&out, &mut list), Ok(()));
            let wanted: Vec<_> = fields.into_iter().map(|(name, value, _)| (name, value)).collect();
            prop_assert_eq!(list.fields, wanted);
        }
    }

    #[test]
    fn any_block_is_decoded_or_refused(blocks in vec(vec(any::<u8>(), 0..80), 1..6)) {
        let mut decoder = Decoder::new(4096);
        for block in blocks {
            if decoder.decode(&block, &mut List::default()).is_err() {
                break;
            }
        }
    }

    #[test]
    fn frames_mean_the_same_however_they_are_cut(
        client in any::<bool>(),
        frames in vec(any_frame(), 0..30),
        sizes in vec(1_usize..40, 1..20),
    ) {
        let bytes = frames.concat();
        let whole = run(client, &bytes, &[usize::MAX]);
        prop_assert_eq!(&run(client, &bytes, &[1]), &whole);
        prop_assert_eq!(&run(client, &bytes, &sizes), &whole);
    }
}
