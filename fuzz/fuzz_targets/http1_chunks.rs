//! Any bytes, in any pieces, read as a chunked body with its trailers without a panic and with
//! one verdict; no byte is used twice and none is left out.

#![no_main]

use isthmus_proto::http1::{Chunks, ErrorKind, Rules, Trailers};
use libfuzzer_sys::fuzz_target;

/// The data, and where the last chunk ended or what was wrong where.
fn decode(bytes: &[u8], step: usize) -> (Vec<u8>, Result<Option<usize>, (usize, ErrorKind)>, u32) {
    let mut chunks = Chunks::new(&Rules::default());
    let mut data = Vec::new();
    let (mut at, mut end) = (0, 0);
    while at < bytes.len() {
        end = bytes.len().min(end + step);
        while at < end {
            let piece = match chunks.decode(&bytes[at..end]) {
                Ok(piece) => piece,
                Err(error) => {
                    return (data, Err((at + error.at as usize, error.kind)), 0);
                }
            };
            assert!(piece.used > 0 && piece.data.end <= piece.used);
            data.extend_from_slice(&bytes[at..end][piece.data]);
            at += piece.used;
            if piece.last {
                return (data, Ok(Some(at)), chunks.overhead_left());
            }
        }
    }
    (data, Ok(None), chunks.overhead_left())
}

fuzz_target!(|data: &[u8]| {
    let Some((&choice, bytes)) = data.split_first() else {
        return;
    };
    let at_once = decode(bytes, bytes.len());
    assert_eq!(at_once, decode(bytes, usize::from(choice) + 1));
    if let (_, Ok(Some(end)), overhead) = at_once {
        let mut rest = bytes[end..].to_vec();
        let mut trailers = Trailers::default();
        if trailers
            .read(&mut rest, &Rules::default(), overhead)
            .is_ok()
        {
            let mut sent = 0;
            trailers.write(&rest, &mut |piece| sent += piece.len());
            assert!(sent <= rest.len());
        }
    }
});
