"""Rules: an action and the condition under which it is taken."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from isthmus.plan.document.expression import Condition, Expression
from isthmus.plan.document.log import FormatItem


class Accept(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="accept"):
    """Stops the evaluation of the set: the connection passes."""


class Reject(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="reject"):
    """Closes the connection."""


class SilentDrop(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="silent_drop"):
    """Drops the connection without telling the client; `rst-ttl` resets with that hop limit instead."""

    rst_ttl: int | None = None


class SwitchMode(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="switch_mode"):
    """The connection becomes HTTP: HTTP/2 or not, or what the client speaks where `h2` is None."""

    h2: bool | None = None


class ExpectProxy(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="expect_proxy"):
    """The connection must begin with a PROXY header (`expect-proxy layer4`)."""


class SetVar(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="set_var"):
    """Sets a variable from an expression, where its conditions (`ifexists`, ...) hold."""

    name: str
    expression: Expression
    conditions: tuple[str, ...] = ()


class SetVarFmt(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="set_var_fmt"):
    """Sets a variable from a log format, where its conditions (`ifexists`, ...) hold."""

    name: str
    format: tuple[FormatItem, ...]
    conditions: tuple[str, ...] = ()


class UnsetVar(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="unset_var"):
    """Forgets a variable."""

    name: str


class SetSrc(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="set_src"):
    """Replaces the client's address for all that follows."""

    expression: Expression


class SetSrcPort(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="set_src_port"):
    """Replaces the client's port."""

    expression: Expression


class SetDst(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="set_dst"):
    """Replaces the destination address."""

    expression: Expression


class SetDstPort(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="set_dst_port"):
    """Replaces the destination port."""

    expression: Expression


class Capture(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="capture"):
    """Keeps at most `len` bytes of a sample for the log, in one of the frontend's capture slots."""

    expression: Expression
    len: int
    slot: int


class SetLogLevel(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="set_log_level"):
    """Changes the syslog severity of the session's line; None is `silent`."""

    level: int | None


class LogOrigin(StrEnum):
    """Whose rule wrote a line (`do-log`)."""

    TCP_REQ_CONN = "tcp-req-conn"
    TCP_REQ_SESS = "tcp-req-sess"
    TCP_REQ_CONT = "tcp-req-cont"
    HTTP_REQ = "http-req"
    HTTP_RES = "http-res"
    HTTP_AFTER_RES = "http-after-res"


class DoLog(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="do_log"):
    """Writes a line to the log (`do-log`)."""

    log_origin: LogOrigin


class SetMark(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="set_mark"):
    """Sets the netfilter mark of packets to the client (`set-fc-mark`) or the server (`set-bc-mark`)."""

    server: bool
    value: Expression


class SetTos(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="set_tos"):
    """Sets the DS field, the whole byte, of packets to the client (`set-fc-tos`) or the server."""

    server: bool
    value: Expression


class SetRetries(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="set_retries"):
    """Replaces `retries` for this stream, by 0 to 100."""

    value: Expression


class Family(StrEnum):
    """A family of IP addresses."""

    IPV4 = "ipv4"
    IPV6 = "ipv6"


class DoResolve(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="do_resolve"):
    """Asks for a name's address, waits at most `patience` milliseconds and stores it in a variable."""

    name: str
    resolvers: str
    prefer: Family
    patience: int
    expression: Expression


class Track(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="track"):
    """Tracks the entry of a key in a table, unless the counter tracks one already (`track-sc0`)."""

    counter: int
    expression: Expression
    table: int


class OwnGpc(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="own"):
    """`gpc0` or `gpc1`, or an element of the array where that is stored instead."""

    index: int


class GpcElement(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="element"):
    """An element of the array `gpc`."""

    index: int


GpcName = OwnGpc | GpcElement
"""A general purpose counter."""


class AddGpc(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="add_gpc"):
    """Adds to a general purpose counter of a tracked entry (`sc-inc-gpc`, `sc-add-gpc`)."""

    gpc: GpcName
    counter: int
    amount: Expression


class SetGpt(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="set_gpt"):
    """Sets a tag of a tracked entry; without an index `gpt0`, or the first of the array."""

    index: int | None
    counter: int
    value: Expression


Action = (
    Accept
    | Reject
    | SilentDrop
    | SwitchMode
    | ExpectProxy
    | SetVar
    | SetVarFmt
    | UnsetVar
    | SetSrc
    | SetSrcPort
    | SetDst
    | SetDstPort
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


class Rule(Struct, frozen=True, forbid_unknown_fields=True):
    """One line of a rule set; `origin` is its `file:line`."""

    action: Action
    condition: Condition | None
    origin: str


class FixedBackend(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="fixed"):
    """A backend, by its index in the plan."""

    backend: int


class DynamicBackend(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="dynamic"):
    """A backend whose name a log format gives; an unknown one falls through to the default backend."""

    format: tuple[FormatItem, ...]


BackendTarget = FixedBackend | DynamicBackend
"""The backend that a `use_backend` line chooses."""


class BackendChoice(Struct, frozen=True, forbid_unknown_fields=True):
    """One `use_backend` line."""

    target: BackendTarget
    condition: Condition | None
    origin: str = ""


class FixedServer(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="fixed"):
    """A server, by its index in its backend."""

    server: int


class DynamicServer(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="dynamic"):
    """A server whose name a log format gives; an unknown one falls through to balancing."""

    format: tuple[FormatItem, ...]


ServerTarget = FixedServer | DynamicServer
"""The server that a `use-server` line chooses."""


class ServerChoice(Struct, frozen=True, forbid_unknown_fields=True):
    """One `use-server` line."""

    target: ServerTarget
    condition: Condition | None
    origin: str = ""
