"""Where log lines go and what stands in them."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from isthmus.plan.document.expression import Expression


class Literal(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="literal"):
    """Text as it stands (a byte string)."""

    text: str


class Alias(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="alias"):
    """An alias of the manual's section 8.2.6, for instance `ci`, with its flags (`Q`, `E`, `X`, `M`)."""

    name: str
    flags: str = ""


class FormatExpression(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="expression"):
    """`%[...]` with its flags; nothing, or `-`, is written when there is no sample."""

    expression: Expression
    flags: str = ""


class Encoding(StrEnum):
    """How values are written where a log format asks for it."""

    JSON = "json"
    CBOR = "cbor"


class ItemType(StrEnum):
    """The type that an encoded value is made to have; OWN leaves it as it is."""

    OWN = "own"
    STR = "str"
    SINT = "sint"
    BOOL = "bool"


class Encoded(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="encoded"):
    """The value of one alias or expression alone, encoded."""

    encoding: Encoding
    type: ItemType
    item: Alias | FormatExpression


class Field(Struct, frozen=True, forbid_unknown_fields=True):
    """A named item of a format that is one object or map; the name is a byte string."""

    name: str
    type: ItemType
    item: Alias | FormatExpression


class Record(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="record"):
    """The named items of a whole format as one object or map; `binary` is `+bin`."""

    encoding: Encoding
    binary: bool
    fields: tuple[Field, ...]


FormatItem = Literal | Alias | FormatExpression | Encoded | Record
"""One piece of a log format."""


class LogWhen(StrEnum):
    """When the line of a session is written; in HTTP mode CONNECT is when the answer's head is there."""

    ACCEPT = "accept"
    CONNECT = "connect"
    END = "end"


class LogStep(StrEnum):
    """A moment of a session at which a line may be written (`log-steps`)."""

    ACCEPT = "accept"
    REQUEST = "request"
    CONNECT = "connect"
    RESPONSE = "response"
    CLOSE = "close"


class LogUdp(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="udp"):
    """Datagrams over UDP; `namespace` is an index into the plan's, None the default namespace."""

    ip: str
    port: int
    namespace: int | None = None


class LogUnix(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="unix"):
    """Datagrams to a unix socket."""

    path: str


class LogFd(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="fd"):
    """Lines to an open descriptor (`stdout` 1, `stderr` 2, `fd@N`)."""

    fd: int


LogAddress = LogUdp | LogUnix | LogFd
"""Where log lines are sent."""


class LogFormat(StrEnum):
    """The framing of a log line."""

    RFC3164 = "rfc3164"
    LOCAL = "local"
    RFC5424 = "rfc5424"
    PRIORITY = "priority"
    SHORT = "short"
    TIMED = "timed"
    ISO = "iso"
    RAW = "raw"


class LogSampling(Struct, frozen=True, forbid_unknown_fields=True):
    """`sample <ranges>:<size>`: of every `size` lines, those in the ranges (counted from 1) are sent."""

    ranges: tuple[tuple[int, int], ...]
    size: int


class LogTarget(Struct, frozen=True, forbid_unknown_fields=True):
    """One `log` line. Facility 0..=23; levels 0 (emerg) to 7 (debug); `max_len` in bytes."""

    address: LogAddress
    format: LogFormat
    facility: int
    level: int
    min_level: int
    max_len: int
    sampling: LogSampling | None = None


class LogPolicy(Struct, frozen=True, forbid_unknown_fields=True):
    """What a proxy logs and where. `tag` is a byte string; see the Rust twin for each field."""

    targets: tuple[LogTarget, ...] = ()
    tag: str = "haproxy"
    format: tuple[FormatItem, ...] = ()
    when: LogWhen = LogWhen.ACCEPT
    error_format: tuple[FormatItem, ...] | None = None
    structured_data: tuple[FormatItem, ...] = ()
    unique_id: tuple[FormatItem, ...] = ()
    dontlognull: bool = False
    dontlog_normal: bool = False
    separate_errors: bool = False
    steps: tuple[LogStep, ...] = ()
