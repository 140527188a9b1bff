"""Logs: where lines go and what stands in them (manual 4.2 `log`, 8.2)."""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum, StrEnum
from ipaddress import IPv4Address, IPv6Address

from isthmus.config import Span
from isthmus.model.expression import Expression
from isthmus.records import dataclass


class LogWhen(IntEnum):
    """When everything in a log format is known; the later of two is the greater one.

    In HTTP mode, CONNECT is when the head of the answer is there, and END the end of the exchange.
    """

    ACCEPT = 0
    CONNECT = 1
    END = 2


class LogStep(StrEnum):
    """A moment of a session at which a line may be written (`log-steps`)."""

    ACCEPT = "accept"
    REQUEST = "request"
    CONNECT = "connect"
    RESPONSE = "response"
    CLOSE = "close"


@dataclass(frozen=True, slots=True)
class Literal:
    """Text as it stands."""

    text: str


@dataclass(frozen=True, slots=True)
class Alias:
    """An alias of manual 8.2.6 without its percent sign; `flags` holds those that are on, sorted."""

    name: str
    flags: str = ""


@dataclass(frozen=True, slots=True)
class Sample:
    """`%[...]`; `flags` holds those that are on, sorted."""

    expression: Expression
    flags: str = ""


class Encoding(StrEnum):
    """How values are written where a format asks for it (`+json`, `+cbor`)."""

    JSON = "json"
    CBOR = "cbor"


class ItemType(StrEnum):
    """The type of `%(name:type)` that an encoded value is made to have; OWN leaves it as it is."""

    OWN = "own"
    STR = "str"
    SINT = "sint"
    BOOL = "bool"


@dataclass(frozen=True, slots=True)
class Encoded:
    """`%{+json}[...]`: the value of one item alone, encoded."""

    encoding: Encoding
    type: ItemType
    item: Alias | Sample


@dataclass(frozen=True, slots=True)
class Field:
    """A named item of a format that is one object."""

    name: str
    type: ItemType
    item: Alias | Sample


@dataclass(frozen=True, slots=True)
class Record:
    """`%{+json}o`: the named items of a whole format as one JSON object or CBOR map; `binary` is `+bin`."""

    encoding: Encoding
    binary: bool
    fields: tuple[Field, ...]


FormatItem = Literal | Alias | Sample | Encoded | Record
"""One piece of a format."""


@dataclass(frozen=True, slots=True)
class Format:
    """A log format and the earliest moment at which all that it asks for is known."""

    items: tuple[FormatItem, ...]
    when: LogWhen
    span: Span | None = None

    def values(self) -> Iterator[Alias | Sample]:
        """Give the aliases and expressions, those inside of encoded items too."""
        for item in self.items:
            match item:
                case Alias() | Sample():
                    yield item
                case Encoded():
                    yield item.item
                case Record():
                    yield from (each.item for each in item.fields)
                case Literal():
                    pass


class Framing(StrEnum):
    """What stands before the message of a log line (`format`)."""

    RFC3164 = "rfc3164"
    LOCAL = "local"
    RFC5424 = "rfc5424"
    PRIORITY = "priority"
    SHORT = "short"
    TIMED = "timed"
    ISO = "iso"
    RAW = "raw"


@dataclass(frozen=True, slots=True)
class UdpLog:
    """Datagrams to a host; `namespace` None is the namespace in which the process runs."""

    host: IPv4Address | IPv6Address | str
    port: int
    namespace: str | None
    span: Span


@dataclass(frozen=True, slots=True)
class UnixLog:
    """Datagrams to a unix socket."""

    path: str


@dataclass(frozen=True, slots=True)
class FdLog:
    """Lines to an open descriptor (`stdout` is 1, `stderr` 2)."""

    fd: int


LogAddress = UdpLog | UnixLog | FdLog
"""Where log lines are sent."""


@dataclass(frozen=True, slots=True)
class LogSampling:
    """Of every `size` lines, those in `ranges` (first and last, counted from 1) are sent."""

    ranges: tuple[tuple[int, int], ...]
    size: int


@dataclass(frozen=True, slots=True)
class LogTarget:
    """One `log` line.

    `framing` None leaves the choice to `log-send-hostname`; `facility` is 0..=23; lines less important than
    `level` (0 emerg to 7 debug) are dropped, more important ones than `min_level` are sent at that level;
    `max_length` is in bytes.
    """

    address: LogAddress
    facility: int
    framing: Framing | None = None
    level: int = 7
    min_level: int = 0
    max_length: int = 1024
    sampling: LogSampling | None = None


@dataclass(frozen=True, slots=True)
class LogGlobal:
    """`log global`: the targets of the global section."""


@dataclass(frozen=True, slots=True)
class NoLog:
    """`no log`: forgets the targets that the defaults gave."""


LogLine = LogTarget | LogGlobal | NoLog
"""What one `log` line says."""
