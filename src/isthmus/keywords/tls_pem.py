"""PEM files (RFC 7468): their blocks, and which of them are certificates and keys.

What a certificate says is read by the engine's `crates/tls`; here is only what can be told without X.509.
"""

from __future__ import annotations

import binascii
import re

from isthmus.records import dataclass

_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----", re.DOTALL)
_CERTIFICATES = (b"CERTIFICATE", b"X509 CERTIFICATE", b"TRUSTED CERTIFICATE")
_KEYS = (b"PRIVATE KEY", b"RSA PRIVATE KEY", b"EC PRIVATE KEY")
_REVOCATIONS = (b"X509 CRL",)


@dataclass(frozen=True, slots=True)
class Blocks:
    """What a PEM file holds: certificates in order and the first private key, each as PEM.

    `encrypted` says that there is a key with a passphrase, `dh` that there are DH parameters, `broken` that a
    block is no base64.
    """

    certificates: tuple[bytes, ...] = ()
    key: bytes | None = None
    revocations: tuple[bytes, ...] = ()
    encrypted: bool = False
    dh: bool = False
    broken: bool = False


def blocks(text: bytes) -> Blocks:
    """Return what a PEM file holds; text between blocks does not matter."""
    certificates: list[bytes] = []
    revocations: list[bytes] = []
    key: bytes | None = None
    encrypted = dh = broken = False
    for match in _BLOCK.finditer(text):
        label, body = match[1], match[2]
        if b"ENCRYPTED" in label or b"ENCRYPTED" in body:
            encrypted = True
        elif label == b"DH PARAMETERS":
            dh = True
        elif not _is_base64(body):
            broken = True
        elif label in _CERTIFICATES:
            certificates.append(_written(b"CERTIFICATE", body))
        elif label in _REVOCATIONS:
            revocations.append(_written(label, body))
        elif label in _KEYS and key is None:
            key = _written(label, body)
    return Blocks(tuple(certificates), key, tuple(revocations), encrypted, dh, broken)


def _is_base64(body: bytes) -> bool:
    try:
        return bool(binascii.a2b_base64(b"".join(body.split()), strict_mode=True))
    except binascii.Error:
        return False


def _written(label: bytes, body: bytes) -> bytes:
    """Return a block as RFC 7468 writes it, whatever white space the file has."""
    data = b"".join(body.split())
    lines = b"\n".join(data[at : at + 64] for at in range(0, len(data), 64))
    return b"-----BEGIN %s-----\n%s\n-----END %s-----\n" % (label, lines, label)
