//! The ClientHello of SSL 2, in which old clients said that they know a later version
//! (RFC 5246, E.2).

/// The version in a ClientHello at the start of a stream; `None` while it is not whole or where it
/// is none.
#[must_use]
pub fn ssl2_version(stream: &[u8]) -> Option<(u8, u8)> {
    let ([high, low], rest) = stream.split_first_chunk::<2>()?;
    let length = usize::from(high & 0x7f) << 8 | usize::from(*low);
    let (message, _) = rest.split_at_checked(length).filter(|_| high & 0x80 != 0)?;
    let ([kind, major, minor], rest) = message.split_first_chunk::<3>()?;
    let (lengths, rest) = rest.split_first_chunk::<6>()?;
    let [ciphers, session, challenge] = [0, 2, 4].map(|at| {
        let bytes = lengths.get(at..at + 2).unwrap_or_default();
        bytes
            .iter()
            .fold(0, |length, byte| length << 8 | usize::from(*byte))
    });
    let version = matches!((major, minor), (0, 2) | (3, _));
    let sizes = ciphers % 3 == 0 && ciphers > 0 && (16..=32).contains(&challenge);
    let all = ciphers + session + challenge == rest.len();
    (*kind == 1 && version && sizes && all).then_some((*major, *minor))
}
