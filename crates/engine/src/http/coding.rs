//! Content codings: which of them a client takes (RFC 9110, 12.5.3). Touches no socket; `compress` asks here.

use isthmus_proto::http::elements;

/// An algorithm of `compression algo`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Gzip,
    /// With the wrapper of zlib, as RFC 9110 says.
    Deflate,
    /// Without it, as some clients want it.
    RawDeflate,
    /// Nothing is changed.
    Identity,
}

impl Algorithm {
    /// The algorithm of that name in the configuration.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "gzip" => Self::Gzip,
            "deflate" => Self::Deflate,
            "raw-deflate" => Self::RawDeflate,
            "identity" => Self::Identity,
            _ => return None,
        })
    }

    /// Its name in the configuration.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::RawDeflate => "raw-deflate",
            other => other.token(),
        }
    }

    /// Its token in Accept-Encoding and Content-Encoding.
    pub(crate) fn token(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Deflate | Self::RawDeflate => "deflate",
            Self::Identity => "identity",
        }
    }
}

/// What a client thinks of a coding: its name and its weight in thousandths.
struct Preference<'a> {
    name: &'a [u8],
    weight: u16,
}

impl<'a> Preference<'a> {
    fn read(element: &'a [u8]) -> Self {
        let mut parts = element.split(|byte| *byte == b';').map(<[u8]>::trim_ascii);
        let name = parts.next().unwrap_or_default();
        let weight = parts
            .find_map(|part| {
                let equals = part.iter().position(|byte| *byte == b'=')?;
                let (name, value) = part.split_at_checked(equals)?;
                let value = value.get(1..)?.trim_ascii_start();
                name.trim_ascii_end()
                    .eq_ignore_ascii_case(b"q")
                    .then(|| weight(value))
            })
            .unwrap_or(1000);
        Self { name, weight }
    }

    fn is(&self, algorithm: Algorithm) -> bool {
        self.name.eq_ignore_ascii_case(algorithm.token().as_bytes())
    }
}

/// Thousandths; digits behind the third are not looked at, and what is no weight counts as 1.
fn weight(text: &[u8]) -> u16 {
    let (whole, fraction) = match text.iter().position(|byte| *byte == b'.') {
        Some(dot) => (
            text.get(..dot).unwrap_or_default(),
            text.get(dot + 1..).unwrap_or_default(),
        ),
        None => (text, &[][..]),
    };
    if !(whole == b"0" || whole.is_empty() && !fraction.is_empty()) {
        return 1000;
    }
    [100, 10, 1]
        .iter()
        .zip(fraction)
        .map(|(unit, digit)| unit * u16::from(digit.saturating_sub(b'0').min(9)))
        .sum()
}

/// The algorithm that suits a client best, `fields` being its Accept-Encoding. Among equals the
/// client's first one counts; `*` stands for the last one configured, as in HAProxy. What is
/// refused by name is not meant by `*` either.
pub(crate) fn negotiate<'a>(
    algorithms: &[Algorithm],
    fields: impl Iterator<Item = &'a [u8]> + Clone,
) -> Option<Algorithm> {
    let preferences = || fields.clone().flat_map(elements).map(Preference::read);
    // One walk for all that is refused: a list of thousands must not be walked once for each.
    let mut usable: Vec<Algorithm> = algorithms.iter().rev().copied().collect();
    for preference in preferences().filter(|each| each.weight == 0) {
        usable.retain(|algorithm| !preference.is(*algorithm));
    }
    let mut best = None;
    let mut best_weight = 0;
    for preference in preferences() {
        if preference.weight <= best_weight {
            continue;
        }
        let any = preference.name == b"*";
        let found = usable.iter().find(|each| any || preference.is(**each));
        if let Some(algorithm) = found {
            best = Some(*algorithm);
            best_weight = preference.weight;
        }
    }
    best.filter(|algorithm| *algorithm != Algorithm::Identity)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: &[Algorithm] = &[Algorithm::Gzip, Algorithm::Deflate];

    #[test]
    fn the_client_weighs_the_codings() {
        let gzip = Some(Algorithm::Gzip);
        let deflate = Some(Algorithm::Deflate);
        let cases: &[(&[u8], Option<Algorithm>)] = &[
            (b"gzip", gzip),
            (b"GZIP", gzip),
            (b"gzip, deflate", gzip),
            (b"deflate, gzip", deflate),
            (b"gzip;q=0.5, deflate", deflate),
            (b"deflate;q=0.9,gzip;q=0.9", deflate),
            (b"gzip;q=.5,deflate;q=0.4", gzip),
            (b"gzip ; q=1", gzip),
            (b"gzip;level=1;q=0", None),
            (b"gzip;q=abc", gzip),
            (b"gzip;q=0.0001", None),
            (b"gzip;q=0", None),
            (b"gzip;Q=0", None),
            (b"*", deflate),
            (b"*;q=0", None),
            (b"gzip;q=0, *", deflate),
            (b"deflate;q=0, *", gzip),
            (b"br, x-gzip, identity", None),
            (b"", None),
            (b";;;,,q=,;q", None),
        ];
        for (accepted, expected) in cases {
            let found = negotiate(BOTH, std::iter::once(*accepted));
            assert_eq!(found, *expected, "{}", String::from_utf8_lossy(accepted));
        }
    }

    #[test]
    fn identity_that_is_preferred_leaves_the_body_alone() {
        let algorithms = [Algorithm::Identity, Algorithm::Gzip];
        let fields = [&b"identity"[..], b"gzip;q=0.5"];
        assert_eq!(negotiate(&algorithms, fields.into_iter()), None);
    }
}
