"""Revocation lists without extensions: of version 1 or 2, wrongly signed, of other days."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from .tls_chains import DAY, LONG, NOW, Issued

_SEQUENCE, _INTEGER, _BITS, _UTC_TIME = 0x30, 0x02, 0x03, 0x17
# ecdsa-with-SHA256.
_ALGORITHM = bytes.fromhex("300a06082a8648ce3d040302")
_VERSION_2 = b"\x02\x01\x01"


def _value(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    if len(content) < 128:
        return bytes([tag, len(content)]) + content
    digits = len(content).to_bytes(4, "big").lstrip(b"\0")
    return bytes([tag, 0x80 | len(digits)]) + digits + content


def _time(moment: datetime) -> bytes:
    return _value(_UTC_TIME, moment.strftime("%y%m%d%H%M%SZ").encode())


@dataclass(frozen=True)
class Plain:
    """A list without extensions: `days` from now from and to which it holds, `None` for no end."""

    of: Issued
    version: int = 1
    days: tuple[int, int | None] = LONG
    # Who signs in the issuer's place.
    signer: Issued | None = None
    # Whether what the issuer has revoked is on it.
    full: bool = True

    @property
    def pem(self) -> str:
        """The list as text."""
        first, last = self.days
        dates = [_time(NOW + first * DAY)] + ([] if last is None else [_time(NOW + last * DAY)])
        serials = self.of.revoked if self.full else []
        entries = [
            _value(
                _SEQUENCE,
                _value(_INTEGER, serial.to_bytes(serial.bit_length() // 8 + 1, "big")),
                _time(NOW - 2 * DAY),
            )
            for serial in serials
        ]
        body = _value(
            _SEQUENCE,
            _VERSION_2 if self.version == 2 else b"",
            _ALGORITHM,
            self.of.certificate.subject.public_bytes(),
            *dates,
            _value(_SEQUENCE, *entries) if entries else b"",
        )
        signature = (self.signer or self.of).key.sign(body, ec.ECDSA(hashes.SHA256()))
        made = _value(_SEQUENCE, body, _ALGORITHM, _value(_BITS, b"\0", signature))
        text = base64.encodebytes(made).decode()
        return f"-----BEGIN X509 CRL-----\n{text}-----END X509 CRL-----\n"
