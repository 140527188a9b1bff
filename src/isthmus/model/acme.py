"""What section `acme` says of an authority that issues certificates, and what is asked of it."""

from __future__ import annotations

from isthmus.config import Span
from isthmus.records import dataclass, field


@dataclass(frozen=True, slots=True)
class Binding:
    """The account elsewhere that ours belongs to (RFC 8555 section 7.3.4).

    Two files: its name there, and the key that was given for it, in base64url; and how that key signs.
    """

    key_id: str
    mac_key: str
    algorithm: str = "HS256"


@dataclass(frozen=True, slots=True)
class Authority:
    """A section `acme`: where the authority is asked, how it is convinced, what keys are made.

    `map` names the list that HTTP-01 is answered from; it is None for TLS-ALPN-01. `bits` are for RSA,
    `curve` is for ECDSA. `profile` is what kind of certificate is asked for, where the authority has several.
    """

    name: str
    directory: str
    account_key: str
    contact: str | None = None
    challenge: str = "HTTP-01"
    key_type: str = "ECDSA"
    bits: int = 2048
    curve: str = "P-384"
    map: str | None = None
    reuse_key: bool = False
    binding: Binding | None = None
    profile: str | None = None
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Ordered:
    """What a `load` line asks for: the section by its name, and the names for which the certificate is.

    An `interim` certificate was made here, to be shown until the first one is issued.
    """

    section: str
    domains: tuple[str, ...]
    span: Span | None = field(default=None, compare=False)
    interim: bool = False
