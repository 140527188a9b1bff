"""What Python asks of a running engine besides a new plan.

Names are used, not indexes, since a command may cross a new plan on its way. These types mirror
crates/plan/src/command.rs one for one; tests/golden holds documents that both sides read.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from isthmus.plan.document import Assigned


class AdminState(StrEnum):
    """An operator's decision about a server.

    `ready` takes traffic when healthy, `drain` takes no new sessions but persistent ones, `maint`
    takes no traffic and is not checked.
    """

    READY = "ready"
    DRAIN = "drain"
    MAINT = "maint"


class SetServerAdmin(
    Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="set_server_admin"
):
    """An operator's decision about a server (`set server B/S state`)."""

    backend: str
    server: str
    state: AdminState


class SetServerHealth(
    Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="set_server_health"
):
    """A health check's decision about a server, and why, for statistics and the log."""

    backend: str
    server: str
    up: bool
    reason: str


class SetServerWeight(
    Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="set_server_weight"
):
    """`set server B/S weight`; the weight is 0..=256."""

    backend: str
    server: str
    weight: int


class SetVariable(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="set_variable"):
    """`set var NAME VALUE`; the name has its scope, `proc`."""

    name: str
    value: Assigned


class ShutdownSession(
    Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="shutdown_session"
):
    """`shutdown session`: ends the session of this number."""

    id: int


class ShutdownServerSessions(
    Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="shutdown_server_sessions"
):
    """`shutdown sessions server B/S`: ends all sessions of a server."""

    backend: str
    server: str


class SetServerMaxconn(
    Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="set_server_maxconn"
):
    """`set maxconn server B/S`; 0 is unlimited."""

    backend: str
    server: str
    maxconn: int


class SetFrontendMaxconn(
    Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="set_frontend_maxconn"
):
    """`set maxconn frontend F`; 0 is unlimited."""

    frontend: str
    maxconn: int


class SetMaxconn(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="set_maxconn"):
    """`set maxconn global`: at most what the configuration says, which 0 restores."""

    maxconn: int


class FrontendState(StrEnum):
    """An operator's decision about a frontend: its ports are open, released for now, or for good."""

    OPEN = "open"
    PAUSED = "paused"
    SHUT = "shut"


class SetFrontendState(
    Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="set_frontend_state"
):
    """`enable`, `disable`, `shutdown frontend F`; its sessions go on."""

    frontend: str
    state: FrontendState


class RateLimit(StrEnum):
    """What the process as a whole may do so often in a second."""

    CONNECTIONS = "connections"
    SESSIONS = "sessions"
    HTTP_COMPRESSION = "http-compression"
    TLS_CONNECTIONS = "ssl-sessions"


class SetRateLimit(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="set_rate_limit"):
    """`set rate-limit connections|sessions|http-compression|ssl-sessions global`; 0 is unlimited."""

    what: RateLimit
    limit: int


class Log(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="log"):
    """Writes a line to the log targets of a proxy; None: to every distinct target of the plan.

    The level is a syslog severity, 0..=7.
    """

    proxy: str | None
    level: int
    message: str


Command = (
    SetServerAdmin
    | SetServerHealth
    | SetServerWeight
    | SetVariable
    | ShutdownSession
    | ShutdownServerSessions
    | SetServerMaxconn
    | SetFrontendMaxconn
    | SetMaxconn
    | SetFrontendState
    | SetRateLimit
    | Log
)
"""A request to a running engine."""
