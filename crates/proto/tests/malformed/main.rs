//! Every way in which a sender can break the PROXY protocol, what is answered, and at which byte
//! the answer comes; and beside them the oddities that must be accepted.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::too_many_lines,
    reason = "tables of a test"
)]

mod binary;
mod lines;
mod tlvs;

use isthmus_proto::proxy::{Decoded, Error, Header, SIGNATURE, decode};

/// 10.1.1.1:1111 to 127.0.0.1:9000.
pub(crate) const TCP4: [u8; 12] = [10, 1, 1, 1, 127, 0, 0, 1, 0x04, 0x57, 0x23, 0x28];

pub(crate) fn v2(command: u8, family: u8, body: &[&[u8]]) -> Vec<u8> {
    let body = body.concat();
    let len = u16::try_from(body.len()).unwrap().to_be_bytes();
    [&SIGNATURE[..], &[command, family], &len, &body].concat()
}

pub(crate) fn tlv(kind: u8, value: &[u8]) -> Vec<u8> {
    let [hi, lo] = u16::try_from(value.len()).unwrap().to_be_bytes();
    [&[kind, hi, lo], value].concat()
}

pub(crate) fn tcp4(tlvs: &[u8]) -> Vec<u8> {
    v2(0x21, 0x11, &[&TCP4, tlvs])
}

pub(crate) fn whole(wire: &[u8]) -> Header<'_> {
    match decode(wire) {
        Ok(Decoded::Header(header)) => header,
        other => panic!("{other:?} for {}", String::from_utf8_lossy(wire)),
    }
}

/// The fewest bytes of `wire` that are refused, and how.
pub(crate) fn first_refusal(wire: &[u8]) -> (usize, Error) {
    let refusal = |len| decode(&wire[..len]).err().map(|error| (len, error));
    (0..=wire.len()).find_map(refusal).unwrap()
}
