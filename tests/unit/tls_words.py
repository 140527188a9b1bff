"""What tests about TLS need: files that look like certificates, for the machine on paper."""

from __future__ import annotations

from base64 import b64encode

_CERTIFICATE = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
_KEY = b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"
_CRL = b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n"

TLS_FILES = {
    "site.pem": _CERTIFICATE + _KEY,
    "ca.pem": _CERTIFICATE,
    "crl.pem": _CRL,
    "chains/a.pem": _CERTIFICATE,
    "tickets": (b64encode(bytes(80)) + b"\n") * 3,
    "list.txt": b"# names\n\nsite.pem [alpn h2] *.example.org !a.example.org\nsite.pem\n",
}
"""Files by name; nothing about them is X.509."""
