"""Certificates that nobody is to trust, signed by themselves: for the meantime, and to prove names with."""

from __future__ import annotations

import datetime
import hashlib

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

_LONGEST_COMMON_NAME = 64
"""Characters (RFC 5280 appendix A.1)."""
_IDENTIFIER = x509.ObjectIdentifier("1.3.6.1.5.5.7.1.31")
"""The extension `acmeIdentifier` (RFC 8737 section 3)."""


def interim_certificate(domains: tuple[str, ...]) -> tuple[bytes, bytes]:
    """Return a certificate and its key for some names, PEM, to be shown until the first one is issued."""
    return _signed(domains, None)


def proof_certificate(host: str, authorization: str) -> tuple[bytes, bytes]:
    """Return the certificate that proves a name by TLS-ALPN-01, and its key, PEM."""
    digest = hashlib.sha256(authorization.encode()).digest()
    # An OCTET STRING of 32 bytes.
    return _signed((host,), x509.UnrecognizedExtension(_IDENTIFIER, b"\x04\x20" + digest))


def _signed(names: tuple[str, ...], proof: x509.UnrecognizedExtension | None) -> tuple[bytes, bytes]:
    key = ec.generate_private_key(ec.SECP256R1())
    own = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:_LONGEST_COMMON_NAME])])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(own)
        .issuer_name(own)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(each) for each in names]), critical=False)
    )
    if proof is not None:
        made = made.add_extension(proof, critical=True)
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return made.sign(key, SHA256()).public_bytes(Encoding.PEM), secret
