"""Rules: an action and the condition under which it is taken (`tcp-request`, `use_backend`, `use-server`)."""

from __future__ import annotations

from enum import StrEnum

from isthmus.config import Span
from isthmus.model.expression import Acl, Condition, Expression, ProxyArg
from isthmus.model.log import Format
from isthmus.model.resolvers import Family
from isthmus.model.table import StickRule
from isthmus.records import dataclass


@dataclass(frozen=True, slots=True)
class Accept:
    """Ends the evaluation of the set: the connection passes."""


@dataclass(frozen=True, slots=True)
class Reject:
    """Closes the connection."""


@dataclass(frozen=True, slots=True)
class SilentDrop:
    """Drops the connection without telling the client.

    `rst_ttl` sends a reset with this hop limit, so that it reaches the firewall but not the client.
    """

    rst_ttl: int | None = None


@dataclass(frozen=True, slots=True)
class SwitchMode:
    """Ends the set: the connection becomes HTTP. `proto` is `h1`, `h2`, or None: what the client speaks."""

    proto: str | None = None


@dataclass(frozen=True, slots=True)
class ExpectProxy:
    """The connection must begin with a PROXY header (`expect-proxy layer4`)."""


@dataclass(frozen=True, slots=True)
class SetVar:
    """Sets a variable from an expression or a format, where all `conditions` (`ifexists` ...) hold."""

    name: str
    value: Expression | Format
    conditions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UnsetVar:
    """Forgets a variable."""

    name: str


@dataclass(frozen=True, slots=True)
class SetAddress:
    """Replaces an address or a port of the client connection for all that follows.

    `what` is `set-src`, `set-src-port`, `set-dst` or `set-dst-port`.
    """

    what: str
    value: Expression


@dataclass(frozen=True, slots=True)
class Capture:
    """Keeps at most `length` bytes of a sample for the log, in a slot of the frontend."""

    value: Expression
    length: int
    slot: int


@dataclass(frozen=True, slots=True)
class SetLogLevel:
    """Changes the level of the session's log line, 0 emerg to 7 debug; None logs nothing at all."""

    level: int | None


class LogOrigin(StrEnum):
    """Whose rule wrote a line, as `%OG` tells it."""

    TCP_REQ_CONN = "tcp-req-conn"
    TCP_REQ_SESS = "tcp-req-sess"
    TCP_REQ_CONT = "tcp-req-cont"
    HTTP_REQ = "http-req"
    HTTP_RES = "http-res"
    HTTP_AFTER_RES = "http-after-res"


@dataclass(frozen=True, slots=True)
class DoLog:
    """Writes a line to the log. Where it stands, its action's reader leaves to its set's."""

    origin: LogOrigin = LogOrigin.HTTP_REQ


@dataclass(frozen=True, slots=True)
class SetMark:
    """Sets the netfilter mark of packets to the client, or to the server."""

    value: Expression
    server: bool = False


@dataclass(frozen=True, slots=True)
class SetTos:
    """Sets the DS field (the whole byte) of packets to the client, or to the server."""

    value: Expression
    server: bool = False


@dataclass(frozen=True, slots=True)
class SetRetries:
    """Replaces `retries` for this stream, by 0 to 100."""

    value: Expression


@dataclass(frozen=True, slots=True)
class DoResolve:
    """Asks a section `resolvers` for a name's address, waits, and stores it in a variable."""

    name: str
    resolvers: str
    prefer: Family
    value: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class Track:
    """Tracks the entry of a key, unless the counter tracks one already (`track-sc0`, `track-sc1` ...)."""

    counter: int
    key: Expression
    table: ProxyArg
    span: Span


@dataclass(frozen=True, slots=True)
class AddGpc:
    """Adds to a general purpose counter of a tracked entry (`sc-inc-gpc`, `sc-add-gpc` ...).

    `element` says whether an element of the array `gpc` is meant, and not `gpc0` or `gpc1`.
    """

    index: int
    element: bool
    counter: int
    amount: Expression
    span: Span


@dataclass(frozen=True, slots=True)
class SetGpt:
    """Sets a tag of a tracked entry; without an index it is `gpt0` (`sc-set-gpt`, `sc-set-gpt0`)."""

    index: int | None
    counter: int
    value: Expression
    span: Span


Action = (
    Accept
    | Reject
    | SilentDrop
    | SwitchMode
    | ExpectProxy
    | SetVar
    | UnsetVar
    | SetAddress
    | Capture
    | SetLogLevel
    | DoLog
    | SetMark
    | SetTos
    | SetRetries
    | DoResolve
    | Track
    | AddGpc
    | SetGpt
)
"""What a rule does."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of a rule set. `span` is the whole line's; no condition means always."""

    action: Action
    condition: Condition | None
    span: Span


@dataclass(frozen=True, slots=True)
class BackendChoice:
    """One `use_backend` line. `target` is a backend's name, or a format that gives one."""

    target: str | Format
    condition: Condition | None
    span: Span


@dataclass(frozen=True, slots=True)
class ServerChoice:
    """One `use-server` line. `target` is a server's name, or a format that gives one."""

    target: str | Format
    condition: Condition | None
    span: Span


@dataclass(frozen=True, slots=True)
class RuleSets:
    """All rules of a proxy, each set in the order of the configuration.

    `inspect_delay` is in milliseconds, 0 if the proxy does not wait for contents. `acls` are all declared
    ones, whether a rule uses them or not. `slots` are the lengths of the capture slots
    of a frontend's requests.
    """

    connection: tuple[Rule, ...] = ()
    session: tuple[Rule, ...] = ()
    content: tuple[Rule, ...] = ()
    backends: tuple[BackendChoice, ...] = ()
    servers: tuple[ServerChoice, ...] = ()
    inspect_delay: int = 0
    sticks: tuple[StickRule, ...] = ()
    acls: tuple[Acl, ...] = ()
    slots: tuple[int, ...] = ()
