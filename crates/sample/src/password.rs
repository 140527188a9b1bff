//! Passwords as crypt(3) keeps them: yescrypt (`$y$`), SHA-256 and SHA-512 (`$5$`, `$6$`), bcrypt
//! (`$2b$` and its kin), MD5 (`$1$`) and DES.

mod des;
mod yescrypt;

use isthmus_plan::Password as Kept;
use md5::{Digest, Md5};
use sha_crypt::{Sha256Params, Sha512Params, sha256_crypt_b64, sha512_crypt_b64};

/// A password that can be compared.
#[derive(Debug)]
pub(crate) enum Password {
    Plain(Box<[u8]>),
    Md5 {
        salt: Box<[u8]>,
        digest: Box<str>,
    },
    Sha256 {
        rounds: usize,
        salt: Box<[u8]>,
        digest: Box<str>,
    },
    Sha512 {
        rounds: usize,
        salt: Box<[u8]>,
        digest: Box<str>,
    },
    Bcrypt(Box<str>),
    Des {
        salt: u16,
        digest: Box<str>,
    },
    Yescrypt(yescrypt::Yescrypt),
}

/// The rounds of SHA-crypt where none are written, and those that may be asked for
/// (Drepper, "Unix crypt using SHA-256 and SHA-512", steps 1 and 2).
const ROUNDS: usize = 5000;
const LEAST_ROUNDS: usize = 1000;
const MOST_ROUNDS: usize = 999_999_999;

impl Password {
    /// Reads what a userlist says.
    ///
    /// # Errors
    /// The hash is of no kind that is known here, or malformed.
    pub(crate) fn read(kept: &Kept) -> Result<Self, &'static str> {
        match kept {
            Kept::Plain { text } => Ok(Self::Plain(text.as_bytes().into())),
            Kept::Hashed { hash } => {
                let text = std::str::from_utf8(hash.as_bytes()).ok();
                text.and_then(Self::hashed)
                    .ok_or("the password is not hashed as crypt(3) does with yescrypt, SHA-256, SHA-512, bcrypt, MD5 or DES, or takes too much memory")
            }
        }
    }

    fn hashed(text: &str) -> Option<Self> {
        let Some(behind) = text.strip_prefix('$') else {
            return Self::des(text);
        };
        if let Some(behind) = behind.strip_prefix("y$") {
            return yescrypt::Yescrypt::read(behind).map(Self::Yescrypt);
        }
        let mut parts = behind.split('$');
        let id = parts.next()?;
        if matches!(id, "2a" | "2b" | "2x" | "2y") {
            // Only a well-formed hash is compared at all, and comparing is how to know.
            let known = text.len() == 60 && bcrypt_cost(parts.next()?);
            return known.then(|| Self::Bcrypt(text.into()));
        }
        let (mut rounds, mut salt) = (ROUNDS, parts.next()?);
        if let (Some(number), true) = (salt.strip_prefix("rounds="), id != "1") {
            rounds = number
                .parse::<usize>()
                .ok()?
                .clamp(LEAST_ROUNDS, MOST_ROUNDS);
            salt = parts.next()?;
        }
        let most = if id == "1" { 8 } else { 16 };
        let salt: Box<[u8]> = salt.as_bytes().iter().take(most).copied().collect();
        let digest: Box<str> = parts.next()?.into();
        match (id, digest.len(), parts.next()) {
            ("1", 22, None) => Some(Self::Md5 { salt, digest }),
            ("5", 43, None) => Some(Self::Sha256 {
                rounds,
                salt,
                digest,
            }),
            ("6", 86, None) => Some(Self::Sha512 {
                rounds,
                salt,
                digest,
            }),
            _ => None,
        }
    }

    /// Two digits of salt, and eleven of the hash.
    fn des(text: &str) -> Option<Self> {
        let (salt, digest) = text.split_at_checked(2)?;
        let [low, high] = <[u8; 2]>::try_from(salt.as_bytes()).ok()?;
        let salt = value(low)? | value(high)? << 6;
        let known = digest.len() == 11 && digest.bytes().all(|digit| value(digit).is_some());
        Some(Self::Des {
            salt: u16::try_from(salt).ok().filter(|_| known)?,
            digest: digest.into(),
        })
    }

    /// Microseconds that comparing takes or so, on a processor of these years. What takes none is not
    /// worth remembering.
    pub(crate) fn effort(&self) -> u64 {
        match self {
            Self::Plain(_) => 0,
            Self::Md5 { .. } | Self::Des { .. } => 300,
            Self::Sha256 { rounds, .. } | Self::Sha512 { rounds, .. } => *rounds as u64,
            Self::Bcrypt(hash) => {
                let cost = hash.get(4..6).and_then(|cost| cost.parse::<u32>().ok());
                1_u64
                    .checked_shl(cost.unwrap_or(31))
                    .unwrap_or(u64::MAX)
                    .saturating_mul(60)
            }
            Self::Yescrypt(hash) => hash.effort(),
        }
    }

    /// Whether a text is the password.
    pub(crate) fn is(&self, text: &[u8]) -> bool {
        match self {
            Self::Plain(kept) => same(kept, text),
            Self::Md5 { salt, digest } => same(digest.as_bytes(), &md5_crypt(text, salt)),
            Self::Sha256 {
                rounds,
                salt,
                digest,
            } => {
                let params = Sha256Params::new(*rounds).ok();
                let made = params.and_then(|params| sha256_crypt_b64(text, salt, &params).ok());
                made.is_some_and(|made| same(digest.as_bytes(), made.as_bytes()))
            }
            Self::Sha512 {
                rounds,
                salt,
                digest,
            } => {
                let params = Sha512Params::new(*rounds).ok();
                let made = params.and_then(|params| sha512_crypt_b64(text, salt, &params).ok());
                made.is_some_and(|made| same(digest.as_bytes(), made.as_bytes()))
            }
            Self::Bcrypt(hash) => bcrypt::verify(text, hash).unwrap_or(false),
            Self::Des { salt, digest } => same(digest.as_bytes(), &des::crypt(text, *salt)),
            Self::Yescrypt(hash) => hash.is(text),
        }
    }
}

/// Whether a bcrypt cost is one that ends within a lifetime.
fn bcrypt_cost(text: &str) -> bool {
    text.parse::<u32>()
        .is_ok_and(|cost| (4..=31).contains(&cost))
}

/// Compares without telling by the time how much is the same.
fn same(one: &[u8], other: &[u8]) -> bool {
    let differing = one.iter().zip(other).fold(0, |sum, (a, b)| sum | (a ^ b));
    one.len() == other.len() && std::hint::black_box(differing) == 0
}

/// crypt(3) with MD5, as FreeBSD introduced it: 1000 rounds over password, salt and digest.
fn md5_crypt(password: &[u8], salt: &[u8]) -> Vec<u8> {
    let mut inner = Md5::new();
    for part in [password, salt, password] {
        inner.update(part);
    }
    let inner = inner.finalize();
    let mut outer = Md5::new();
    for part in [password, b"$1$", salt] {
        outer.update(part);
    }
    for chunk in password.chunks(16) {
        outer.update(inner.get(..chunk.len()).unwrap_or_default());
    }
    let mut length = password.len();
    while length > 0 {
        let first = password.get(..1).unwrap_or_default();
        outer.update(if length & 1 == 1 { b"\0" } else { first });
        length >>= 1;
    }
    let mut digest = outer.finalize();
    for round in 0..1000 {
        let mut next = Md5::new();
        let (first, last): (&[u8], &[u8]) = if round % 2 == 1 {
            (password, &digest)
        } else {
            (&digest, password)
        };
        next.update(first);
        if round % 3 != 0 {
            next.update(salt);
        }
        if round % 7 != 0 {
            next.update(password);
        }
        next.update(last);
        digest = next.finalize();
    }
    md5_digits(&digest)
}

/// The order in which the digest's bytes are written, four digits for three bytes.
const ORDER: [[usize; 3]; 5] = [[0, 6, 12], [1, 7, 13], [2, 8, 14], [3, 9, 15], [4, 10, 5]];
/// The digits of crypt(3), six bits each.
const DIGITS: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A digit of crypt(3).
fn digit(value: u32) -> u8 {
    let digit = DIGITS.get((value & 63) as usize);
    digit.copied().unwrap_or(b'.')
}

/// What a digit of crypt(3) stands for.
fn value(digit: u8) -> Option<u32> {
    let at = DIGITS.iter().position(|known| *known == digit)?;
    u32::try_from(at).ok()
}

fn md5_digits(digest: &[u8]) -> Vec<u8> {
    let byte = |at: usize| u32::from(digest.get(at).copied().unwrap_or(0));
    let mut out = Vec::with_capacity(22);
    let mut write = |mut value: u32, digits: usize| {
        for _ in 0..digits {
            out.push(digit(value));
            value >>= 6;
        }
    };
    for [high, middle, low] in ORDER {
        write(byte(high) << 16 | byte(middle) << 8 | byte(low), 4);
    }
    write(byte(11), 2);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made with `openssl passwd` and crypt(3) of Python and Perl.
    const KNOWN: [(&str, &str); 13] = [
        (
            "hunter2",
            "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$PmNgGTLMFjJn.URBv11CpTEm5RwlKtPjRtztKe6.b33",
        ),
        (
            "hunter2",
            "$y$jD5.7$LdJMENpBABJJ3hIHjB1Bi.$CKqD6ucol.rOh6dDWHqMkAd35IlBEcha6iKZxYZFOL5",
        ),
        ("hunter2", "ab0ozUNIgzCZ."),
        ("", "zz6dpSdr.LHZw"),
        ("longer than eight", "./yPRzyX/WeSM"),
        ("longer t", "./yPRzyX/WeSM"),
        (
            "hunter2",
            "$5$salt$HcpxOfa925mFNRuYAscuC4oWpw6c8l.YtrFMtUG7fp9",
        ),
        (
            "hunter2",
            "$6$abcdefgh$M/eYsB4rVXAm3ZNc88J.UD9rCKAT6FB1rahiwJCHtEndQNORCub5qhjxn50qbqVVthkM.9HpEwtf0t.iV9uH0/",
        ),
        (
            "hunter2",
            "$6$rounds=1200$saltsaltsaltsalt$9I6t.bfxXS5LWOOa.Hc3Wh2fZFI3ypwxLsbM4vB0/uU7.st8r7MZFLDiL0LGwB1Bu79.uWCm4aFmucPOWbXGb/",
        ),
        ("hunter2", "$1$abc$9dV135Rc3U8Xbm2DxadgF0"),
        ("", "$1$longsalt$b2KSRdRihJHL/.jbLkHyJ0"),
        (
            "averyveryverylongpasswordindeed",
            "$1$x$VciRaCzBotEwnwC5EItV1/",
        ),
        (
            "hunter2",
            "$2b$04$abcdefghijklmnopqrstuuV3duMsC0HpUex6N9qapiuOHHWkwRXVm",
        ),
    ];

    fn read(hash: &str) -> Option<Password> {
        Password::hashed(hash)
    }

    #[test]
    fn a_password_is_known_by_its_hash_and_another_is_not() {
        for (password, hash) in KNOWN {
            let kept = read(hash).unwrap_or_else(|| panic!("{hash}"));
            assert!(kept.is(password.as_bytes()), "{hash}");
            assert!(!kept.is(b"hunter3"), "{hash}");
            assert!(!kept.is(b"hunter22"), "{hash}");
        }
    }

    #[test]
    fn what_is_no_known_hash_is_refused() {
        for hash in [
            "",
            "x",
            "$",
            "$9$a$b",
            "$y$j9T$a$b",
            "$y$j9T$F5Jx5fExrKuPp53xLKQ..1",
            "$y$jCT$F5Jx5fExrKuPp53xLKQ..1$PmNgGTLMFjJn.URBv11CpTEm5RwlKtPjRtztKe6.b33",
            "$y$jzzzzzz$F5Jx5fExrKuPp53xLKQ..1$PmNgGTLMFjJn.URBv11CpTEm5RwlKtPjRtztKe6.b33",
            "$y$!$F5Jx5fExrKuPp53xLKQ..1$PmNgGTLMFjJn.URBv11CpTEm5RwlKtPjRtztKe6.b33",
            "$5$salt$short",
            "$2b$99$x",
            "rl.3StKT.4T8",
            "rl.3StKT.4T8Mx",
            "rl.3StKT.4T8!",
        ] {
            assert!(read(hash).is_none(), "{hash}");
        }
    }
}
