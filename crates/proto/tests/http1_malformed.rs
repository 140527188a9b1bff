//! Every message of data/http1_malformed.txt, judged as its row says, and never more leniently
//! than HAProxy judged it.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test"
)]

use isthmus_proto::http::Body;
use isthmus_proto::http1::{
    Chunks, Error, Exchange, Progress, RequestHead, ResponseHead, Rules, Trailers,
};

const TABLE: &str = include_str!("data/http1_malformed.txt");
/// Statuses that HAProxy makes itself: what it refuses, and what it waits for in vain.
const REFUSALS: &[&str] = &["400", "408", "413", "422", "502", "504", "h2", "close"];

struct Row<'a> {
    line: usize,
    kind: &'a str,
    haproxy: &'a str,
    ours: &'a str,
    name: &'a str,
    reason: &'a str,
    bytes: Vec<u8>,
}

fn rows() -> Vec<Row<'static>> {
    let mut rows = Vec::new();
    for (index, line) in TABLE.lines().enumerate() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let columns: Vec<&str> = line.splitn(6, " | ").collect();
        rows.push(Row {
            line: index + 1,
            kind: columns[0],
            haproxy: columns[1].strip_prefix("haproxy=").unwrap(),
            ours: columns[2].strip_prefix("ours=").unwrap(),
            name: columns[3],
            reason: columns[4].trim(),
            bytes: unescape(columns[5]),
        });
    }
    rows
}

/// `\r \n \t \\ \xNN`, and `\{text*times}`.
fn unescape(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if first != '\\' {
            out.push(first as u8);
            rest = &rest[1..];
            continue;
        }
        let (byte, len) = match &rest[1..2] {
            "r" => (b'\r', 2),
            "n" => (b'\n', 2),
            "t" => (b'\t', 2),
            "\\" => (b'\\', 2),
            "x" => (u8::from_str_radix(&rest[2..4], 16).unwrap(), 4),
            "{" => {
                let end = rest.find('}').unwrap();
                let (piece, times) = rest[2..end].rsplit_once('*').unwrap();
                out.extend(unescape(piece).repeat(times.parse().unwrap()));
                rest = &rest[end + 1..];
                continue;
            }
            other => panic!("unknown escape {other} in {text}"),
        };
        out.push(byte);
        rest = &rest[len..];
    }
    out
}

/// How much of `bytes` the body takes: nothing if it is not whole.
fn body_len(body: Body, bytes: &mut [u8], rules: &Rules) -> Result<Option<usize>, Error> {
    match body {
        Body::None | Body::Tunnel => Ok(Some(0)),
        Body::UntilClose => Ok(Some(bytes.len())),
        Body::Length(length) => Ok((bytes.len() as u64 >= length).then_some(length as usize)),
        Body::Chunked => chunks_len(bytes, rules),
    }
}

fn chunks_len(bytes: &mut [u8], rules: &Rules) -> Result<Option<usize>, Error> {
    let mut chunks = Chunks::new(rules);
    let mut at = 0;
    loop {
        let piece = chunks.decode(&bytes[at..])?;
        at += piece.used;
        if piece.last {
            break;
        }
        if at == bytes.len() {
            return Ok(None);
        }
    }
    let mut trailers = Trailers::default();
    match trailers.read(&mut bytes[at..], rules, chunks.overhead_left())? {
        Progress::Complete(len) => Ok(Some(at + len)),
        Progress::Incomplete => Ok(None),
    }
}

/// The verdict on the first message of `bytes`, and where the next begins.
fn request(bytes: &mut [u8], rules: &Rules) -> Result<Option<usize>, Error> {
    let mut head = RequestHead::default();
    let Progress::Complete(len) = head.read(bytes, rules)? else {
        return Ok(None);
    };
    Ok(body_len(head.body(), &mut bytes[len..], rules)?.map(|body| len + body))
}

fn response(bytes: &mut [u8], rules: &Rules) -> Result<Option<usize>, Error> {
    let mut head = ResponseHead::default();
    let Progress::Complete(len) = head.read(bytes, rules)? else {
        return Ok(None);
    };
    let body = head.body(Exchange::default())?;
    let Some(body) = body_len(body, &mut bytes[len..], rules)? else {
        return Ok(None);
    };
    // What stands behind a response that ends the exchange is not read at all.
    Ok(Some(if head.is_interim() {
        len + body
    } else {
        bytes.len()
    }))
}

fn verdict(row: &Row<'_>) -> String {
    let rules = Rules {
        accept_unsafe: row.kind.ends_with("-unsafe"),
        ..Rules::default()
    };
    let mut bytes = row.bytes.clone();
    let mut verdicts = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let result = match row.kind.starts_with("req") {
            true => request(&mut bytes[at..], &rules),
            false => response(&mut bytes[at..], &rules),
        };
        match result {
            Ok(Some(len)) => {
                verdicts.push("ok");
                at += len;
            }
            Ok(None) => {
                verdicts.push("more");
                break;
            }
            Err(error) => {
                verdicts.push(error.kind.code());
                break;
            }
        }
    }
    verdicts.join(",")
}

fn accepted_by_haproxy(row: &Row<'_>) -> usize {
    row.haproxy
        .split(',')
        .filter(|status| !REFUSALS.contains(status))
        .count()
}

fn accepted_by_us(row: &Row<'_>) -> usize {
    row.ours
        .split(',')
        .filter(|verdict| *verdict == "ok")
        .count()
}

#[test]
fn each_message_gets_the_verdict_of_its_row() {
    let mut wrong = Vec::new();
    for row in rows() {
        let got = verdict(&row);
        if got != row.ours {
            wrong.push(format!(
                "{}: {}: {} but {got}",
                row.line, row.name, row.ours
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_verdict_is_more_lenient_than_haproxys() {
    for row in rows() {
        let (us, haproxy) = (accepted_by_us(&row), accepted_by_haproxy(&row));
        assert!(us <= haproxy, "{}: {}", row.line, row.name);
    }
}

#[test]
fn a_stricter_verdict_has_a_reason() {
    for row in rows() {
        let stricter = accepted_by_us(&row) < accepted_by_haproxy(&row);
        assert_eq!(
            stricter,
            !row.reason.is_empty(),
            "{}: {}",
            row.line,
            row.name
        );
    }
}

#[test]
fn there_are_enough_rows() {
    let refused = |row: &&Row<'_>| row.ours != "ok" && row.ours != "ok,ok";
    assert!(rows().iter().filter(refused).count() >= 200);
}

/// The head's verdict must not depend on how it arrives, nor on what has not arrived yet.
#[test]
fn a_message_in_single_bytes_gets_the_same_verdict() {
    for row in rows().iter().filter(|row| row.kind == "req") {
        let rules = Rules::default();
        let mut whole = row.bytes.clone();
        let mut at_once = RequestHead::default();
        let at_once = at_once.read(&mut whole, &rules);
        let mut bytes = row.bytes.clone();
        let mut head = RequestHead::default();
        let mut result = Ok(Progress::Incomplete);
        for end in 1..=bytes.len() {
            result = head.read(&mut bytes[..end], &rules);
            if result != Ok(Progress::Incomplete) {
                break;
            }
        }
        assert_eq!(result, at_once, "{}: {}", row.line, row.name);
    }
}
