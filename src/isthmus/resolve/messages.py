"""Questions to name servers and what their answers say; the format is dnspython's business (RFC 1035)."""

from __future__ import annotations

from enum import Enum

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdatatype

from isthmus.model.resolvers import Family
from isthmus.records import dataclass

_LOWEST, _HIGHEST = "!", "~"
"""The printable characters of ASCII: what else a client sends is no name."""


class Kind(Enum):
    """The type of records that are asked for."""

    A = "A"
    AAAA = "AAAA"
    SRV = "SRV"

    @classmethod
    def of(cls, family: Family) -> Kind:
        """Return the type of the addresses of a family."""
        return cls.A if family is Family.IPV4 else cls.AAAA


class Status(Enum):
    """What became of a question, in the words of `hold` where it has one."""

    VALID = "valid"
    NX = "nx"
    REFUSED = "refused"
    TIMEOUT = "timeout"
    OTHER = "other"
    EMPTY = "empty"
    TRUNCATED = "truncated"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A status, and the records of an answer that is valid, in its order."""

    status: Status
    records: tuple[dns.rdata.Rdata, ...] = ()

    @property
    def addresses(self) -> tuple[str, ...]:
        """The addresses among the records."""
        return tuple(each.to_text() for each in self.records if each.rdtype in _ADDRESSES)


_ADDRESSES = (dns.rdatatype.A, dns.rdatatype.AAAA)

TIMEOUT = Outcome(Status.TIMEOUT)
"""Nobody answered in time."""


def parse_name(text: str) -> dns.name.Name | None:
    """Return the name that a text is, as it stands there, or None if it is none that can be asked for."""
    if not all(_LOWEST <= each <= _HIGHEST for each in text):
        return None
    labels = text.removesuffix(".").encode("ascii").split(b".")
    if not all(labels):
        return None
    try:
        return dns.name.Name([*labels, b""])
    except dns.exception.DNSException:
        return None


def question(name: dns.name.Name, kind: Kind, payload: int) -> dns.message.QueryMessage:
    """Return a question with a number that nobody can guess."""
    return dns.message.make_query(name, kind.value, use_edns=0, payload=payload)


def read(asked: dns.message.QueryMessage, wire: bytes) -> Outcome | None:
    """Return what an answer says; None where it is none to this question."""
    try:
        said = dns.message.from_wire(wire)
        if not isinstance(said, dns.message.QueryMessage) or not asked.is_response(said):
            return None
        return _outcome(said)
    except (dns.exception.DNSException, ValueError):
        return None


def _outcome(said: dns.message.QueryMessage) -> Outcome:
    code = said.rcode()
    if said.flags & dns.flags.TC:
        return Outcome(Status.TRUNCATED)
    if code == dns.rcode.NXDOMAIN:
        return Outcome(Status.NX)
    if code == dns.rcode.REFUSED:
        return Outcome(Status.REFUSED)
    if code != dns.rcode.NOERROR:
        return Outcome(Status.OTHER)
    found = said.resolve_chaining().answer
    return Outcome(Status.VALID, tuple(found)) if found else Outcome(Status.EMPTY)
