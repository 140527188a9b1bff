"""Chains that complete certificates (`issuers-chain-path`), and roots that are kept back.

Of X.509 only names and key identifiers are read; what cannot be read fits nothing. Whether a certificate
can be used at all is told by the engine's `crates/tls`.
"""

from __future__ import annotations

import binascii
from collections.abc import Iterable, Iterator
from functools import lru_cache
from posixpath import join

from isthmus.keywords.tls_pem import blocks
from isthmus.keywords.world import World
from isthmus.model.tls import IssuerChain
from isthmus.records import dataclass

_SEQUENCE, _OID, _OCTETS, _BOOLEAN = 0x30, 0x06, 0x04, 0x01
_VERSION, _EXTENSIONS, _KEY_ID = 0xA0, 0xA3, 0x80
_SUBJECT_KEY, _AUTHORITY_KEY = b"\x55\x1d\x0e", b"\x55\x1d\x23"
_BEFORE_ISSUER = 2
"""Fields before a certificate's issuer, the version aside: serial number and algorithm (RFC 5280, 4.1)."""


@dataclass(frozen=True, slots=True)
class _Names:
    """What tells whose certificate this is and who issued it; a key's identifier may be missing."""

    issuer: bytes
    subject: bytes
    authority_key: bytes = b""
    subject_key: bytes = b""

    def issued(self, other: _Names) -> bool:
        """Whether it is the certificate of another one's issuer."""
        keys = self.subject_key, other.authority_key
        return self.subject == other.issuer and (b"" in keys or keys[0] == keys[1])

    @property
    def is_its_own(self) -> bool:
        """Whether it names itself as its issuer."""
        return self.issuer == self.subject


def chains_in(folder: str, world: World) -> tuple[tuple[IssuerChain, ...], tuple[str, ...]]:
    """Return the chains of a folder's files, and the files that hold none. Raises OSError for no folder."""
    names = world.list_folder(folder)
    if names is None:
        raise NotADirectoryError(folder)
    found: list[IssuerChain] = []
    without: list[str] = []
    for name in names:
        path = join(folder, name)
        if name.startswith(".") or world.list_folder(path) is not None:
            continue
        try:
            certificates = blocks(world.read_bytes(path)).certificates
        except OSError:
            certificates = ()
        if not certificates or _names(certificates[0]) is None:
            without.append(path)
        else:
            found.append(IssuerChain(path, certificates))
    return tuple(found), tuple(without)


def completed(certificates: tuple[bytes, ...], chains: Iterable[IssuerChain]) -> tuple[bytes, ...]:
    """Return a certificate that has no chain with the one that begins with its issuer."""
    own = _names(certificates[0]) if len(certificates) == 1 else None
    if own is None:
        return certificates
    for chain in chains:
        first = _names(chain.certificates[0])
        if first is not None and first.issued(own):
            return (*certificates, *chain.certificates)
    return certificates


def without_root(certificates: tuple[bytes, ...]) -> tuple[tuple[bytes, ...], bytes | None]:
    """Return a chain without the authority at its end that is its own issuer, and that authority."""
    last = _names(certificates[-1]) if len(certificates) > 1 else None
    if last is None or not last.is_its_own:
        return certificates, None
    return certificates[:-1], certificates[-1]


# Each certificate that lacks a chain is compared with the first one of every chain.
@lru_cache(maxsize=4096)
def _names(pem: bytes) -> _Names | None:
    body = b"".join(line for line in pem.splitlines() if not line.startswith(b"--"))
    try:
        whole = _inside(binascii.a2b_base64(body), _SEQUENCE)
        fields = [each for each in _values(_inside(whole, _SEQUENCE)) if each[0] != _VERSION]
        issuer, _, subject = fields[_BEFORE_ISSUER : _BEFORE_ISSUER + 3]
        keys = dict(_keys(fields))
    except (ValueError, IndexError):
        return None
    return _Names(issuer[1], subject[1], keys.get(_AUTHORITY_KEY, b""), keys.get(_SUBJECT_KEY, b""))


def _keys(fields: list[tuple[int, bytes]]) -> Iterator[tuple[bytes, bytes]]:
    """Give the identifiers of keys among the extensions, by the extension."""
    for _, extensions in (each for each in fields if each[0] == _EXTENSIONS):
        for _, extension in _values(_inside(extensions, _SEQUENCE)):
            parts = {tag: content for tag, content in _values(extension) if tag != _BOOLEAN}
            kind, value = parts.get(_OID, b""), parts.get(_OCTETS, b"")
            if kind == _SUBJECT_KEY:
                yield kind, _inside(value, _OCTETS)
            elif kind == _AUTHORITY_KEY:
                yield kind, dict(_values(_inside(value, _SEQUENCE))).get(_KEY_ID, b"")


def _inside(data: bytes, tag: int) -> bytes:
    found, content = next(_values(data), (0, b""))
    if found != tag:
        raise ValueError(tag)
    return content


def _values(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Give the values of some DER (X.690), each with its tag. Raises ValueError or IndexError."""
    while data:
        tag, length, start = data[0], data[1], 2
        if length & 0x80:
            start += length & 0x7F
            length = int.from_bytes(data[2:start], "big")
        if start + length > len(data):
            raise ValueError(length)
        yield tag, data[start : start + length]
        data = data[start + length :]
