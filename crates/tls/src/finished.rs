//! The first Finished message of a handshake of TLS 1.2, which names a connection (`tls-unique`, RFC 5929
//! section 3). rustls does not show it, but computes it with the PRF of the suite, which is ours to give.

use std::sync::LazyLock;

use rustls::crypto::aws_lc_rs::ALL_CIPHER_SUITES;
use rustls::crypto::tls12::Prf;
use rustls::crypto::{ActiveKeyExchange, CipherSuiteCommon};
use rustls::{Error, SupportedCipherSuite, Tls12CipherSuite};

use crate::watch::tell_finished;

/// What a client's and a server's message is computed under (RFC 5246 section 7.4.9).
const LABELS: [&[u8]; 2] = [b"client finished", b"server finished"];

/// The suites of TLS 1.2 that tell what they compute.
static TELLING: LazyLock<Vec<Tls12CipherSuite>> = LazyLock::new(|| {
    let all = ALL_CIPHER_SUITES.iter();
    all.filter_map(|suite| match suite {
        SupportedCipherSuite::Tls12(suite) => Some(telling(suite)),
        SupportedCipherSuite::Tls13(_) => None,
    })
    .collect()
});

fn telling(suite: &Tls12CipherSuite) -> Tls12CipherSuite {
    Tls12CipherSuite {
        common: CipherSuiteCommon {
            suite: suite.common.suite,
            hash_provider: suite.common.hash_provider,
            confidentiality_limit: suite.common.confidentiality_limit,
        },
        // One for each suite, as long as the process runs: rustls wants suites to last.
        prf_provider: Box::leak(Box::new(Telling(suite.prf_provider))),
        kx: suite.kx,
        sign: suite.sign,
        aead_alg: suite.aead_alg,
    }
}

/// The suite that tells what it computes; of TLS 1.3, where `tls-unique` is not defined (RFC 9266), the same.
pub(crate) fn told(suite: SupportedCipherSuite) -> SupportedCipherSuite {
    let known = TELLING
        .iter()
        .find(|each| each.common.suite == suite.suite());
    known.map_or(suite, SupportedCipherSuite::Tls12)
}

/// A PRF that tells the channel which receives just now of Finished messages.
struct Telling(&'static dyn Prf);

impl Prf for Telling {
    fn for_key_exchange(
        &self,
        output: &mut [u8; 48],
        kx: Box<dyn ActiveKeyExchange>,
        peer_pub_key: &[u8],
        label: &[u8],
        seed: &[u8],
    ) -> Result<(), Error> {
        self.0
            .for_key_exchange(output, kx, peer_pub_key, label, seed)
    }

    fn for_secret(&self, output: &mut [u8], secret: &[u8], label: &[u8], seed: &[u8]) {
        self.0.for_secret(output, secret, label, seed);
        if LABELS.contains(&label) {
            tell_finished(output);
        }
    }

    fn fips(&self) -> bool {
        self.0.fips()
    }
}
