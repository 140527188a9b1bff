//! Chunked bodies and trailers, read and written.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use std::num::NonZeroU64;

use isthmus_proto::http1::{
    ChunkHead, Chunks, Error, ErrorKind, LAST_CHUNK_BEFORE_TRAILERS, Progress, Rules, Trailers,
    is_forbidden_trailer,
};

/// The data of a body in pieces of `step` bytes, and how many bytes were used of it.
fn decode(body: &[u8], step: usize) -> Result<(Vec<u8>, usize, bool), Error> {
    let mut chunks = Chunks::new(&Rules::default());
    let mut data = Vec::new();
    let mut at = 0;
    let mut end = 0;
    while at < body.len() {
        end = body.len().min(end + step);
        while at < end {
            let piece = chunks.decode(&body[at..end])?;
            data.extend_from_slice(&body[at..end][piece.data]);
            at += piece.used;
            if piece.last {
                return Ok((data, at, true));
            }
        }
    }
    Ok((data, at, false))
}

#[test]
fn data_comes_without_its_framing_however_it_is_cut() {
    let body =
        b"4;a=b\r\nWiki\r\n5 \r\npedia\r\nE;q=\"x\\\"y;\"\r\n in\r\n\r\nchunks.\r\n0;z\r\nrest";
    for step in 1..body.len() {
        let (data, used, last) = decode(body, step).unwrap();
        assert_eq!(data, b"Wikipedia in\r\n\r\nchunks.");
        assert_eq!((used, last), (body.len() - 4, true));
    }
}

#[test]
fn sizes_stop_short_of_what_overflows() {
    for (size, fits) in [
        ("7ffffffffffffff", true),
        ("7fffffffffffffff", true),
        ("8000000000000000", false),
        ("ffffffffffffffff", false),
        ("0000000000000005", true),
        ("00000000000000005", false),
    ] {
        let result = Chunks::new(&Rules::default()).decode(format!("{size}\r\n").as_bytes());
        assert_eq!(result.is_ok(), fits, "{size}");
        if let Err(error) = result {
            assert_eq!(error.kind, ErrorKind::HugeChunk);
        }
    }
}

#[test]
fn data_moved_by_others_is_counted() {
    let mut chunks = Chunks::new(&Rules::default());
    let piece = chunks.decode(b"10\r\nabc").unwrap();
    assert_eq!((piece.used, chunks.left()), (7, 13));
    chunks.skip(13);
    assert_eq!(chunks.left(), 0);
    assert!(chunks.decode(b"\r\n0\r\n").unwrap().last);
}

#[test]
fn extensions_of_all_chunks_share_one_limit() {
    let rules = Rules {
        overhead: 5,
        ..Rules::default()
    };
    let mut chunks = Chunks::new(&rules);
    chunks.decode(b"1;ab\r\n").unwrap();
    assert_eq!(chunks.overhead_left(), 2);
    assert_eq!(chunks.decode(b"x").unwrap().data, 0..1);
    let error = chunks.decode(b"\r\n1;ab\r\n").unwrap_err();
    assert_eq!((error.kind, error.at), (ErrorKind::Overhead, 5));
    let mut trailers = Trailers::default();
    let error = trailers
        .read(&mut b"X: a\r\n\r\n".to_vec(), &rules, 5)
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Overhead);
    trailers.clear();
    let whole = trailers.read(&mut b"X: a\r\n\r\n".to_vec(), &rules, 6);
    assert_eq!(whole, Ok(Progress::Complete(8)));
}

#[test]
fn a_chunk_head_is_the_size_in_hexadecimal() {
    for size in [1, 9, 10, 15, 16, 255, 4096, 0xdead_beef, u64::MAX] {
        let head = ChunkHead::new(NonZeroU64::new(size).unwrap());
        assert_eq!(head.as_ref(), format!("{size:x}\r\n").as_bytes());
    }
}

/// The trailers that are sent on for these.
fn forwarded(text: &str) -> String {
    let mut buf = text.as_bytes().to_vec();
    let mut trailers = Trailers::default();
    let progress = trailers.read(&mut buf, &Rules::default(), 9999);
    assert_eq!(progress, Ok(Progress::Complete(buf.len())));
    let mut out = LAST_CHUNK_BEFORE_TRAILERS.to_vec();
    trailers.write(&buf, &mut |piece| out.extend_from_slice(piece));
    String::from_utf8(out).unwrap()
}

#[test]
fn trailers_go_on_without_what_only_a_head_may_say() {
    for (text, sent) in [
        ("\r\n", "0\r\n\r\n"),
        ("X: a\r\nY: b\r\n\r\n", "0\r\nx: a\r\ny: b\r\n\r\n"),
        ("Content-Length: 5\r\n\r\n", "0\r\n\r\n"),
        (
            "X: a\r\nHost: b\r\nY: c\r\n\r\n",
            "0\r\nx: a\r\ny: c\r\n\r\n",
        ),
        ("Host: a\r\nX: b\r\n\r\n", "0\r\nx: b\r\n\r\n"),
        ("X: a\r\nCookie: b\r\n\r\n", "0\r\nx: a\r\n\r\n"),
    ] {
        assert_eq!(forwarded(text), sent);
    }
}

#[test]
fn what_frames_routes_or_authenticates_is_no_trailer() {
    for name in [
        "transfer-encoding",
        "content-length",
        "content-type",
        "content-md5",
        "host",
        "cookie",
        "set-cookie",
        "authorization",
        "proxy-authorization",
        "x-forwarded-for",
        "forwarded",
        "connection",
        "te",
        "trailer",
        "upgrade",
        "if-match",
        "range",
        "expect",
        "x_forwarded_for",
        "content_length",
        "cache-control",
        "www-authenticate",
    ] {
        assert!(is_forbidden_trailer(name.as_bytes()), "{name}");
    }
    for name in [
        "x",
        "grpc-status",
        "grpc-message",
        "etag",
        "server-timing",
        "digest",
        "contents",
    ] {
        assert!(!is_forbidden_trailer(name.as_bytes()), "{name}");
    }
}
