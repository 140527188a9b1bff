//! crypt(3) with yescrypt (`$y$`), which Debian's mkpasswd makes: it takes memory on purpose.

use yescrypt::{Params, yescrypt};

/// Bytes of memory that comparing one password may take: four times what mkpasswd asks for. A worker
/// compares one at a time, and others wait for it.
const MOST_MEMORY: u64 = 64 << 20;
/// Lanes that take turns over the memory; mkpasswd asks for one.
const MOST_LANES: u32 = 16;
/// How much memory is worked through in a microsecond.
const BYTES_PER_MICROSECOND: u64 = 400;
/// Bytes of a hash.
const LENGTH: usize = 32;

/// A hash, and what it was made with.
pub(crate) struct Yescrypt {
    params: Params,
    salt: Box<[u8]>,
    hash: [u8; LENGTH],
}

impl std::fmt::Debug for Yescrypt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Yescrypt")
    }
}

impl Yescrypt {
    /// Reads what stands behind `$y$`; `None` for what is none, or takes too much memory.
    pub(super) fn read(text: &str) -> Option<Self> {
        let mut parts = text.split('$');
        let (params, salt, hash) = (parts.next()?, parts.next()?, parts.next()?);
        let params: Params = params.parse().ok()?;
        let found = Self {
            params,
            salt: decoded(salt)?.into(),
            hash: decoded(hash)?.try_into().ok()?,
        };
        let bounded = found.memory()? <= MOST_MEMORY && params.p() <= MOST_LANES;
        (parts.next().is_none() && bounded).then_some(found)
    }

    /// Bytes that comparing takes: `N` blocks of 128 times `r` bytes, beside a block for each lane.
    fn memory(&self) -> Option<u64> {
        let block = u64::from(self.params.r()).checked_mul(128)?;
        block.checked_mul(self.params.n())
    }

    /// Microseconds that comparing takes or so.
    pub(super) fn effort(&self) -> u64 {
        let memory = self.memory().unwrap_or(u64::MAX);
        memory.saturating_mul(self.params.p().into()) / BYTES_PER_MICROSECOND
    }

    pub(super) fn is(&self, text: &[u8]) -> bool {
        let mut made = [0; LENGTH];
        let done = yescrypt(text, &self.salt, &self.params, &mut made);
        done.is_ok() && super::same(&self.hash, &made)
    }
}

/// Bytes out of digits of six bits, the lowest first.
fn decoded(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() * 3 / 4);
    for group in text.as_bytes().chunks(4) {
        let bits = group
            .iter()
            .zip(0_u32..)
            .try_fold(0_u32, |bits, (digit, at)| {
                Some(bits | super::value(*digit)? << (6 * at))
            })?;
        out.extend(bits.to_le_bytes().iter().take(group.len() * 3 / 4));
    }
    Some(out)
}
