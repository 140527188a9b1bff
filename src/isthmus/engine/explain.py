"""A connection as somebody describes it, what is asked about it, and the answers.

These types mirror crates/plan/src/explain.rs. What a description leaves open is None, with words beside
it that say what would tell (`..._needs`).
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from isthmus.plan.document import Condition, Expression, FormatItem


class DescribedEnd(Struct, frozen=True, forbid_unknown_fields=True):
    """An end of a connection. A unix socket has neither address nor port, and needs nothing."""

    ip: str | None = None
    port: int | None = None
    ip_needs: str = ""
    port_needs: str = ""


class Nothing(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="nothing"):
    """The rules look before anything was received, or in HTTP mode, at the request."""


class Unknown(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="unknown"):
    """Something is received that the description does not tell."""

    needs: str


class Hello(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="hello"):
    """A ClientHello is received; `alpn` is None where the protocols are not known."""

    sni: str | None
    alpn: tuple[str, ...] | None


class Request(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="request"):
    """The request's head is received."""


class Bytes(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="bytes"):
    """These bytes (a byte string) are received, and whatever follows them."""

    bytes: str


Carried = Nothing | Unknown | Hello | Request | Bytes
"""What rules find in the buffer."""


class DescribedTls(Struct, frozen=True, forbid_unknown_fields=True):
    """TLS that ended at the bind. `protocol` is empty for none, None where it is not known."""

    sni: str | None
    protocol: str | None
    asks_certificate: bool


class DescribedRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """A request, as far as it is described.

    `absent` are fields that it does not have, `changed` those that a rule changed, and which rule; `*`
    stands for all.
    """

    method: str | None = None
    target: str | None = None
    version: int | None = None
    scheme: str = "http"
    fields: tuple[tuple[str, str], ...] = ()
    absent: tuple[str, ...] = ()
    changed: tuple[tuple[str, str], ...] = ()
    method_needs: str = ""
    target_needs: str = ""


class BoolSample(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="bool"):
    """A truth value."""

    value: bool


class IntSample(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="int"):
    """An integer."""

    value: int


class IpSample(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="ip"):
    """An address."""

    value: str


class StrSample(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="str"):
    """Text, as a byte string."""

    value: str


class BinSample(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="bin"):
    """Bytes, as a byte string."""

    value: str


Sample = BoolSample | IntSample | IpSample | StrSample | BinSample
"""The value of a sample."""


class KnownVariable(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="known"):
    """A rule set the variable to this."""

    value: Sample


class UnknownVariable(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="unknown"):
    """A rule may have set the variable, or to something that is not known."""

    needs: str


Variable = KnownVariable | UnknownVariable
"""What is known of a variable that rules set."""


class Described(Struct, frozen=True, forbid_unknown_fields=True):
    """A connection at one point of its way."""

    frontend: int
    bind: int
    src: DescribedEnd
    dst: DescribedEnd
    backend: int | None = None
    namespace: str | None = None
    proxied: bool = False
    carried: Carried = Nothing()
    tls: DescribedTls | None = None
    request: DescribedRequest | None = None
    variables: tuple[tuple[str, Variable], ...] = ()


class AskCondition(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="condition"):
    """Whether a condition holds."""

    connection: Described
    condition: Condition


class AskFormat(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="format"):
    """What a format writes."""

    connection: Described
    format: tuple[FormatItem, ...]


class AskExpression(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="expression"):
    """What an expression gives."""

    connection: Described
    expression: Expression


class AskCertificate(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="certificate"):
    """Which certificate of a bind a client is shown."""

    frontend: int
    bind: int
    sni: str | None


Question = AskCondition | AskFormat | AskExpression | AskCertificate
"""What is asked about a described connection."""


class Found(StrEnum):
    """How a certificate is found."""

    NAMED = "named"
    DEFAULT = "default"
    MADE = "made"
    REFUSED = "refused"


class Explained(Struct, frozen=True, forbid_unknown_fields=True):
    """An answer.

    `holds` of a condition, `text` of a format and `value` of an expression are None where they are not
    known; `needs` then tells what is missing. An expression without `needs` may have no value.
    """

    holds: bool | None
    acls: tuple[tuple[str, bool | None], ...]
    needs: tuple[str, ...]
    value: Sample | None
    text: str | None
    certificates: tuple[str, ...]
    found: Found | None
