//! The way from a client's certificate to an authority, as OpenSSL goes it: each issuer is looked for by name
//! among the authorities, then among what the client sent. webpki decides who is believed; this is for telling
//! why somebody is not, and who the authority was.

use isthmus_proto::der::{tag, write};
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::CertificateDer;

use crate::certificate::Facts;
use crate::shown::Shown;

/// Certificates in a path, the client's own and the authority's among them: longer ones are not believed.
const LONGEST: usize = 16;
/// Signatures that are verified to find issuers of one path: several authorities may have the same name.
const SIGNATURES: usize = 48;

/// Who is believed, with the name of each.
#[derive(Debug, Default)]
pub(crate) struct Authorities(Vec<(Vec<u8>, CertificateDer<'static>)>);

impl Authorities {
    pub(crate) fn new(all: impl Iterator<Item = CertificateDer<'static>>) -> Self {
        let named = all.filter_map(|each| Some((Facts::read(&each)?.subject, each)));
        Self(named.collect())
    }

    fn named<'a>(&'a self, name: &[u8]) -> impl Iterator<Item = Shown<'a>> {
        let named = self.0.iter().filter(move |(subject, _)| subject == name);
        named.filter_map(|(_, each)| Shown::read(each))
    }
}

/// Whom a line believes, for those who ask which authority it was (`ssl_c_r_dn`).
#[derive(Debug)]
pub struct Trust {
    pub(crate) authorities: Authorities,
    /// What their signatures may be made with.
    pub(crate) known: WebPkiSupportedAlgorithms,
}

impl Trust {
    /// The name, as DER, of the authority that a chain ends with; `None` where it ends with none that is
    /// believed. Verifies the signatures anew: rustls does not tell the path that it found.
    #[must_use]
    pub fn root(&self, chain: &[CertificateDer<'_>]) -> Option<Vec<u8>> {
        let (own, sent) = chain.split_first()?;
        let path = Path::find(own, sent, &self.authorities, &self.known)?;
        let mut pairs = path.steps.iter().zip(path.steps.iter().skip(1));
        let signed = pairs.all(|(step, by)| step.is_signed_by(by, &self.known));
        let root = path
            .steps
            .last()
            .filter(|_| signed && path.end == End::Authority)?;
        Some(write(tag::SEQUENCE, &[&root.facts.subject]))
    }
}

/// How a path ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// With an authority that is believed.
    Authority,
    /// With somebody who signed himself.
    Itself,
    /// With a certificate whose issuer is not known.
    Nowhere,
}

/// A path, from the client's certificate upwards.
#[derive(Debug)]
pub(crate) struct Path<'a> {
    pub(crate) steps: Vec<Shown<'a>>,
    pub(crate) end: End,
}

impl<'a> Path<'a> {
    /// Finds the path of a certificate; `None` where it cannot be read.
    pub(crate) fn find(
        own: &'a [u8],
        sent: &'a [CertificateDer<'_>],
        authorities: &'a Authorities,
        known: &WebPkiSupportedAlgorithms,
    ) -> Option<Self> {
        let mut steps = vec![Shown::read(own)?];
        let sent: Vec<Shown<'a>> = sent.iter().filter_map(|each| Shown::read(each)).collect();
        let mut left = SIGNATURES;
        let mut end = End::Nowhere;
        while let Some(last) = steps.last().filter(|_| steps.len() < LONGEST) {
            let believed = authorities.named(&last.facts.issuer);
            if let Some(found) = issuer(last, believed, known, &mut left) {
                // An authority that the client sent, or that is the client, is there already.
                if found.facts.subject != last.facts.subject || found.facts.key != last.facts.key {
                    steps.push(found);
                }
                end = End::Authority;
                break;
            }
            if last.is_its_own() {
                end = End::Itself;
                break;
            }
            let unused = sent.iter().filter(|each| {
                let same = |step: &Shown<'_>| {
                    step.facts.serial == each.facts.serial && step.facts.key == each.facts.key
                };
                each.facts.subject == last.facts.issuer && !steps.iter().any(same)
            });
            match issuer(last, unused.cloned(), known, &mut left) {
                Some(found) => steps.push(found),
                None => break,
            }
        }
        Some(Self { steps, end })
    }
}

/// Of those with the right name the one whose signature it is, else the first.
fn issuer<'a>(
    of: &Shown<'_>,
    candidates: impl Iterator<Item = Shown<'a>>,
    known: &WebPkiSupportedAlgorithms,
    left: &mut usize,
) -> Option<Shown<'a>> {
    let mut first = None;
    for candidate in candidates.filter(|each| each.facts.subject == of.facts.issuer) {
        if *left == 0 {
            break;
        }
        *left -= 1;
        if of.is_signed_by(&candidate, known) {
            return Some(candidate);
        }
        first.get_or_insert(candidate);
    }
    first
}

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
    use rustls::crypto::aws_lc_rs::default_provider;

    use super::*;

    fn params(name: &str) -> CertificateParams {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params
    }

    /// As many authorities as are wanted, each issued by the next, named by their places or all alike.
    fn tower(height: usize, alike: bool) -> Vec<CertificateDer<'static>> {
        let name = |at: usize| if alike { "x".into() } else { format!("{at}") };
        let mut key = KeyPair::generate().unwrap();
        let mut made = vec![
            params(&name(height))
                .self_signed(&key)
                .unwrap()
                .der()
                .clone(),
        ];
        for at in (0..height).rev() {
            let issuer = Issuer::new(params(&name(at + 1)), key);
            key = KeyPair::generate().unwrap();
            let one = params(&name(at)).signed_by(&key, &issuer).unwrap();
            made.insert(0, one.der().clone());
        }
        made
    }

    #[test]
    fn a_path_ends_at_an_authority_with_itself_or_nowhere() {
        let known = default_provider().signature_verification_algorithms;
        let made = tower(3, false);
        for (sent, believed, end, length) in [
            (1..4, 3..4, End::Authority, 4),
            (1..3, 3..4, End::Authority, 4),
            (1..4, 2..3, End::Authority, 3),
            (1..4, 0..0, End::Itself, 4),
            (1..3, 0..0, End::Nowhere, 3),
            (2..4, 3..4, End::Nowhere, 1),
            (0..0, 0..1, End::Nowhere, 1),
        ] {
            let authorities = Authorities::new(made[believed].iter().cloned());
            let path = Path::find(&made[0], &made[sent.clone()], &authorities, &known).unwrap();
            assert_eq!((path.end, path.steps.len()), (end, length), "{sent:?}");
        }
    }

    #[test]
    fn a_path_has_no_more_than_so_many_steps() {
        let known = default_provider().signature_verification_algorithms;
        for alike in [false, true] {
            let made = tower(20, alike);
            let nobody = Authorities::default();
            let path = Path::find(&made[0], &made[1..], &nobody, &known).unwrap();
            assert!(path.steps.len() <= LONGEST && path.end != End::Authority);
        }
    }
}
