//! RFC 7541: what HPACK does on a connection.

use super::capture::*;
use isthmus_proto::http1::Span;
use isthmus_proto::http2::hpack::{Decoder, Encoder, Indexing, Sink};
use isthmus_proto::http2::{Connection, ErrorCode, Event, Limits, PREFACE, Settings};

#[derive(Default)]
struct List {
    text: Vec<u8>,
    fields: Vec<(String, String)>,
}

impl Sink for List {
    fn text(&mut self) -> &mut Vec<u8> {
        &mut self.text
    }

    fn wants(&mut self, _: usize) -> bool {
        true
    }

    fn field(&mut self, name: Span, value: Span, _: bool) {
        let text = |span: Span| String::from_utf8(span.of(&self.text).to_vec()).unwrap();
        self.fields.push((text(name), text(value)));
    }
}

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text.bytes().filter(u8::is_ascii_hexdigit).collect();
    let pairs = digits.chunks(2);
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    pairs.map(byte).collect()
}

fn decoded(decoder: &mut Decoder, block: &str) -> Vec<(String, String)> {
    let mut list = List::default();
    decoder.decode(&hex(block), &mut list).unwrap();
    list.fields
}

fn lines(text: &str) -> Vec<(String, String)> {
    let line = |line: &str| {
        let (name, value) = line.trim().rsplit_once(" = ").unwrap();
        (name.to_owned(), value.to_owned())
    };
    text.trim().lines().map(line).collect()
}

#[test]
fn rfc_7541_c_3_and_c_4_requests_are_decoded_with_and_without_huffman() {
    let wanted = [
        ":method = GET\n:scheme = http\n:path = /\n:authority = www.example.com",
        ":method = GET\n:scheme = http\n:path = /\n:authority = www.example.com\ncache-control = no-cache",
        ":method = GET\n:scheme = https\n:path = /index.html\n:authority = www.example.com\ncustom-key = custom-value",
    ];
    let plain = [
        "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
        "8286 84be 5808 6e6f 2d63 6163 6865",
        "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
    ];
    let coded = [
        "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
        "8286 84be 5886 a8eb 1064 9cbf",
        "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
    ];
    for blocks in [plain, coded] {
        let mut decoder = Decoder::new(4096);
        for (block, wanted) in blocks.iter().zip(wanted) {
            assert_eq!(decoded(&mut decoder, block), lines(wanted));
        }
    }
}

#[test]
fn rfc_7541_c_6_responses_are_decoded_while_a_small_table_evicts() {
    let mut decoder = Decoder::new(256);
    let blocks = [
        "4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3",
        "4883 640e ffc1 c0bf",
        "88c1 6196 d07a be94 1054 d444 a820 0595 040b 8166 e084 a62d 1bff c05a 839b d9ab 77ad 94e7 821d d7f2 e6c7 b335 dfdf cd5b 3960 d5af 2708 7f36 72c1 ab27 0fb5 291f 9587 3160 65c0 03ed 4ee5 b106 3d50 07",
    ];
    let first = lines(
        ":status = 302\ncache-control = private\ndate = Mon, 21 Oct 2013 20:13:21 GMT\nlocation = https://www.example.com",
    );
    assert_eq!(decoded(&mut decoder, blocks[0]), first);
    let second = [&[(":status".to_owned(), "307".to_owned())], &first[1..]].concat();
    assert_eq!(decoded(&mut decoder, blocks[1]), second);
    let third = decoded(&mut decoder, blocks[2]);
    assert_eq!(third[0].1, "200");
    assert_eq!(third[2].1, "Mon, 21 Oct 2013 20:13:22 GMT");
    assert_eq!(
        third[5].1,
        "foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1"
    );
}

#[test]
fn rfc_7541_c_2_literals_of_all_kinds_are_decoded() {
    let mut decoder = Decoder::new(4096);
    let custom = "400a 6375 7374 6f6d 2d6b 6579 0d63 7573 746f 6d2d 6865 6164 6572";
    assert_eq!(
        decoded(&mut decoder, custom),
        lines("custom-key = custom-header")
    );
    let path = "040c 2f73 616d 706c 652f 7061 7468";
    assert_eq!(decoded(&mut decoder, path), lines(":path = /sample/path"));
    let never = "1008 7061 7373 776f 7264 0673 6563 7265 74";
    assert_eq!(decoded(&mut decoder, never), lines("password = secret"));
    assert_eq!(
        decoded(&mut decoder, "be"),
        lines("custom-key = custom-header")
    );
}

#[test]
fn blocks_that_cannot_be_decoded_end_the_connection() {
    let table = [
        ("rfc 7541 2.3.3: an index behind both tables", "be"),
        ("rfc 7541 2.3.3: a name behind both tables", "7f 00 01 61"),
        ("rfc 7541 4.2: a size update behind a field", "82 20"),
        ("rfc 7541 5.1: an integer that ends early", "ff"),
        (
            "rfc 7541 5.1: an integer that overflows",
            "ff ff ff ff ff ff 7f",
        ),
        ("rfc 7541 5.2: a string that ends early", "40 05 61"),
        (
            "rfc 7541 5.2: padding of a byte",
            "00 85 f2b24a84ff 84 49509fff",
        ),
        (
            "rfc 7541 5.2: padding of zeros",
            "00 85 f2b24a84ff 83 495090",
        ),
        ("rfc 7541 5.2: eos", "00 85 f2b24a84ff 87 4951fffffffa7f"),
        ("rfc 7541 6.1: index zero", "80"),
        ("rfc 7541 6.3: a table larger than allowed", "3f e2 1f"),
    ];
    for (rule, block) in table {
        let bytes = frame(HEADERS, END_HEADERS | END_STREAM, 1, &hex(block));
        let mut end = End::server();
        let (_, fault) = end.try_feed(&bytes);
        let code = fault.map(|fault| fault.error_code());
        assert_eq!(code, Some(ErrorCode::COMPRESSION_ERROR), "{rule}");
    }
}

#[test]
fn rfc_9113_4_3_1_a_smaller_table_must_be_confirmed_by_the_next_block() {
    let ours = Settings {
        header_table_size: 100,
        ..Settings::default()
    };
    End::server_with(ours, Limits::default()).ends_with(&get(1), ErrorCode::COMPRESSION_ERROR);
    let confirmed = [hex("3f 45"), block(GET)].concat();
    let mut end = End::server_with(ours, Limits::default());
    end.feed(&frame(HEADERS, END_HEADERS, 1, &confirmed));
    end.feed(&get(3));
    let larger = [hex("3f 46"), block(GET)].concat();
    end.ends_with(
        &frame(HEADERS, END_HEADERS, 5, &larger),
        ErrorCode::COMPRESSION_ERROR,
    );
    // Before it is acknowledged, the default holds.
    let mut conn = Connection::server(ours, Limits::default());
    let bytes = [&PREFACE[..], &settings(&[]), &get(1)].concat();
    let used = conn.receive(&bytes).unwrap().used;
    assert!(conn.receive(&bytes[used..]).unwrap().event.is_some());
}

#[test]
fn the_table_stays_in_step_when_a_head_is_refused() {
    let mut encoder = Encoder::new(4096);
    let mut bytes = Vec::new();
    let fields: [&[(&str, &str)]; 3] = [
        &[("x-one", "first")],
        &[("x-one", "first"), ("x-two", "second"), ("Bad", "name")],
        &[("x-two", "second"), ("x-one", "first")],
    ];
    for (fields, stream) in fields.iter().zip([1, 3, 5]) {
        let mut out = Vec::new();
        for (name, value) in GET.iter().chain(*fields) {
            encoder.field(name.as_bytes(), value.as_bytes(), Indexing::Add, &mut out);
        }
        bytes.extend(frame(HEADERS, END_HEADERS | END_STREAM, stream, &out));
    }
    let mut end = End::server();
    let events = end.feed(&bytes);
    assert!(matches!(events[1], Seen::Failed(3, _)), "{events:?}");
    let Seen::Head(5, _, _, text) = &events[2] else {
        panic!("{events:?}");
    };
    assert!(text.ends_with("x-two: second\nx-one: first"), "{text}");
}

#[test]
fn rfc_7541_7_1_3_secrets_are_never_put_into_a_table() {
    let mut end = End::server();
    for id in [1, 3] {
        end.feed(&get(id));
        end.conn
            .send_response(id, 200, true, |out| {
                out.field(b"set-cookie", b"sid=12345678901234567890");
                out.field(b"x-same", b"same");
            })
            .unwrap();
    }
    let sent = end.sent();
    for frame in &sent {
        // 0x10 with the name's static index 55 behind it.
        assert_eq!(frame.payload[1..3], [0x1f, 55 - 15]);
    }
    assert!(sent[1].payload.len() < sent[0].payload.len());
    assert_eq!(sent[1].payload.last(), Some(&0xbe));
}

#[test]
fn rfc_7541_6_2_3_a_field_that_its_sender_calls_secret_is_told_and_sent_as_one() {
    let mut end = End::of(Connection::server(Settings::default(), Limits::default()));
    end.feed(&[&PREFACE[..], &settings(&[])].concat());
    let secret = [block(GET), hex("10 01 78 01 79 00 01 78 01 7a")].concat();
    let bytes = frame(HEADERS, END_HEADERS, 1, &secret);
    let received = end.conn.receive(&bytes).unwrap();
    let Some(Event::Head { head, .. }) = received.event else {
        panic!("no head");
    };
    let never: Vec<bool> = head
        .fields()
        .iter()
        .map(|field| field.never_indexed)
        .collect();
    assert_eq!(never, [true, false]);
    end.sent();
    end.conn
        .send_response(1, 200, true, |out| out.secret(b"x", b"y"))
        .unwrap();
    assert_eq!(end.sent()[0].payload, hex("88 10 01 78 01 79"));
}

#[test]
fn rfc_7541_7_1_3_one_crumb_that_is_a_secret_makes_the_cookie_one() {
    // `cookie: a=0123456789012345678` in the open, `cookie: b=c` never to be indexed, `x: y` so too.
    let cookie = "60 15 61 3d 30 31 32 33 34 35 36 37 38 39 30 31 32 33 34 35 36 37 38";
    let fields = [
        block(GET),
        hex(cookie),
        hex("1f 11 03 62 3d 63 10 01 78 01 79"),
    ]
    .concat();
    let mut end = End::of(Connection::server(Settings::default(), Limits::default()));
    end.feed(&[&PREFACE[..], &settings(&[])].concat());
    let bytes = frame(HEADERS, END_HEADERS, 1, &fields);
    let Some(Event::Head { head, .. }) = end.conn.receive(&bytes).unwrap().event else {
        panic!("no head");
    };
    assert!(head.has_secrets());
    let secrets: Vec<&[u8]> = head.secrets().collect();
    assert_eq!(secrets, [&b"cookie"[..], b"x"]);
}

#[test]
fn a_head_larger_than_a_frame_goes_on_in_continuation() {
    let mut end = End::server();
    end.feed(&get(1));
    let value = [b'~'; 40_000];
    end.conn
        .send_response(1, 200, true, |out| out.field(b"x-long", &value))
        .unwrap();
    let sent = end.sent();
    let frames: Vec<_> = sent.iter().map(|f| (f.kind, f.flags)).collect();
    assert_eq!(
        frames,
        [
            (HEADERS, END_STREAM),
            (CONTINUATION, 0),
            (CONTINUATION, END_HEADERS)
        ]
    );
    let block: Vec<u8> = sent.iter().flat_map(|f| f.payload.clone()).collect();
    let mut list = List::default();
    Decoder::new(4096).decode(&block, &mut list).unwrap();
    assert_eq!(list.fields[1].1.as_bytes(), value);
}
