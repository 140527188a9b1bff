"""What Python asks of a running engine besides a new plan.

Names are used, not indexes, since a command may cross a new plan on its way. These types mirror
crates/plan/src/command.rs one for one; tests/golden holds documents that both sides read.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


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


class Log(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="log"):
    """Writes a line to the log targets of a proxy; None: to every distinct target of the plan.

    The level is a syslog severity, 0..=7.
    """

    proxy: str | None
    level: int
    message: str


Command = SetServerAdmin | SetServerHealth | SetServerWeight | Log
"""A request to a running engine."""
