//! The algorithms of RFC 7518, sections 4.1 and 5.1, and which of them a configuration allows
//! (`jwt.decrypt_alg_list`, `jwt.decrypt_enc_list`).

/// How RSA pads what it encrypts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Padding {
    /// OAEP with SHA-1 (RFC 8017, 7.1).
    OaepSha1,
    /// OAEP with SHA-256.
    OaepSha256,
    /// PKCS #1 version 1.5 (RFC 8017, 7.2).
    Pkcs1,
}

/// How the content's key comes to who may read it; numbers are bits of keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Management {
    /// `dir`: it is the key that both know.
    Direct,
    /// `A128KW` and its kin: wrapped (RFC 3394).
    Wrap(usize),
    /// `A128GCMKW` and its kin: encrypted with GCM.
    GcmWrap(usize),
    /// `ECDH-ES`: it is what both sides come to.
    Agree,
    /// `ECDH-ES+A128KW` and its kin: wrapped with what both sides come to.
    AgreeWrap(usize),
    /// `RSA-OAEP` and its kin: encrypted to a public key.
    Rsa(Padding),
}

/// The algorithms by name, in the order of their bits in [`Allowed`].
const MANAGEMENTS: [(&str, Management); 14] = [
    ("dir", Management::Direct),
    ("A128KW", Management::Wrap(128)),
    ("A192KW", Management::Wrap(192)),
    ("A256KW", Management::Wrap(256)),
    ("A128GCMKW", Management::GcmWrap(128)),
    ("A192GCMKW", Management::GcmWrap(192)),
    ("A256GCMKW", Management::GcmWrap(256)),
    ("ECDH-ES", Management::Agree),
    ("ECDH-ES+A128KW", Management::AgreeWrap(128)),
    ("ECDH-ES+A192KW", Management::AgreeWrap(192)),
    ("ECDH-ES+A256KW", Management::AgreeWrap(256)),
    ("RSA-OAEP", Management::Rsa(Padding::OaepSha1)),
    ("RSA-OAEP-256", Management::Rsa(Padding::OaepSha256)),
    ("RSA1_5", Management::Rsa(Padding::Pkcs1)),
];

/// How the content is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encryption {
    /// `A128CBC-HS256` and its kin: the bits of AES.
    CbcHmac(usize),
    /// `A128GCM` and its kin: the bits of AES.
    Gcm(usize),
}

/// The algorithms by name, in the order of their bits in [`Allowed`].
const ENCRYPTIONS: [(&str, Encryption); 6] = [
    ("A128CBC-HS256", Encryption::CbcHmac(128)),
    ("A192CBC-HS384", Encryption::CbcHmac(192)),
    ("A256CBC-HS512", Encryption::CbcHmac(256)),
    ("A128GCM", Encryption::Gcm(128)),
    ("A192GCM", Encryption::Gcm(192)),
    ("A256GCM", Encryption::Gcm(256)),
];

impl Management {
    pub(super) fn named(name: &str) -> Option<Self> {
        let found = MANAGEMENTS.iter().find(|(known, _)| *known == name);
        found.map(|(_, management)| *management)
    }
}

impl Encryption {
    pub(super) fn named(name: &str) -> Option<Self> {
        let found = ENCRYPTIONS.iter().find(|(known, _)| *known == name);
        found.map(|(_, encryption)| *encryption)
    }

    /// Bytes of the content's key: CBC needs as many again to authenticate (RFC 7518, 5.2.2.1).
    pub(super) const fn key_length(self) -> usize {
        match self {
            Self::CbcHmac(bits) => bits / 4,
            Self::Gcm(bits) => bits / 8,
        }
    }
}

/// The algorithms that tokens may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowed {
    managements: u32,
    encryptions: u32,
}

impl Default for Allowed {
    /// All but `RSA1_5`, as RFC 8725, 3.2 has it.
    fn default() -> Self {
        let rsa1_5 = MANAGEMENTS.iter().position(|(name, _)| *name == "RSA1_5");
        Self {
            managements: all(&MANAGEMENTS) & !rsa1_5.map_or(0, bit),
            encryptions: all(&ENCRYPTIONS),
        }
    }
}

impl Allowed {
    /// Those of the lists of a configuration; an empty list leaves what is allowed by default.
    ///
    /// # Errors
    /// A name that is none of the algorithms'.
    pub fn of(managements: &[String], encryptions: &[String]) -> Result<Self, String> {
        let usual = Self::default();
        Ok(Self {
            managements: listed(managements, &MANAGEMENTS, usual.managements)?,
            encryptions: listed(encryptions, &ENCRYPTIONS, usual.encryptions)?,
        })
    }

    pub(super) fn management(self, wanted: Management) -> bool {
        let at = MANAGEMENTS.iter().position(|(_, known)| *known == wanted);
        at.is_some_and(|at| self.managements & bit(at) != 0)
    }

    pub(super) fn encryption(self, wanted: Encryption) -> bool {
        let at = ENCRYPTIONS.iter().position(|(_, known)| *known == wanted);
        at.is_some_and(|at| self.encryptions & bit(at) != 0)
    }
}

const fn bit(at: usize) -> u32 {
    1 << at
}

fn all<T>(known: &[(&str, T)]) -> u32 {
    (0..known.len()).map(bit).sum()
}

fn listed<T>(names: &[String], known: &[(&str, T)], usual: u32) -> Result<u32, String> {
    if names.is_empty() {
        return Ok(usual);
    }
    let find = |wanted: &str| {
        let at = known.iter().position(|(name, _)| *name == wanted);
        at.map(bit)
            .ok_or_else(|| format!("unknown algorithm `{wanted}`"))
    };
    names.iter().try_fold(0, |allowed, name| {
        Ok(match (name.as_str(), name.strip_prefix('!')) {
            (_, Some(taken)) => allowed & !find(taken)?,
            ("ALL", _) => allowed | all(known),
            (name, _) => allowed | find(name)?,
        })
    })
}
