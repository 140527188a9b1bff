"""What a proxy is told and may inherit from `defaults`. Times are milliseconds, None where none is set."""

from __future__ import annotations

from isthmus.records import dataclass


@dataclass(frozen=True, slots=True)
class Timeouts:
    """The `timeout` lines."""

    client: int | None = None
    client_fin: int | None = None
    client_hs: int | None = None
    connect: int | None = None
    server: int | None = None
    server_fin: int | None = None
    queue: int | None = None
    tunnel: int | None = None
    check: int | None = None
    http_request: int | None = None
    http_keep_alive: int | None = None
    tarpit: int | None = None


@dataclass(frozen=True, slots=True)
class KeepAlive:
    """TCP keep-alive on one side; None leaves count, idle and interval (seconds) to the kernel."""

    enabled: bool = False
    count: int | None = None
    idle: int | None = None
    interval: int | None = None


@dataclass(frozen=True, slots=True)
class Options:
    """The `option` lines that are switches. `redispatch`: 0 off, N every N retries, -1 on the last."""

    nolinger: bool = False
    independent_streams: bool = False
    splice_auto: bool = False
    splice_request: bool = False
    splice_response: bool = False
    abortonclose: bool = False
    allbackups: bool = False
    transparent: bool = False
    socket_stats: bool = False
    dontlognull: bool = False
    dontlog_normal: bool = False
    logasap: bool = False
    log_separate_errors: bool = False
    log_health_checks: bool = False
    netns_unlisted_ignore: bool = False
    redispatch: int = 0


@dataclass(frozen=True, slots=True)
class VariableLimits:
    """Bytes of variables at most (`tune.vars.*-max-size`); 0 is none. Coarse scopes include finer ones."""

    global_: int = 0
    proc: int = 0
    sess: int = 0
    txn: int = 0
    reqres: int = 0
