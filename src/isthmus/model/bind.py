"""A `bind` line's addresses and options."""

from __future__ import annotations

from isthmus.config import Span
from isthmus.model.address import Listen, Namespace
from isthmus.model.tls import BindTls
from isthmus.records import dataclass, field, replace


@dataclass(frozen=True, slots=True)
class BindSettings:
    """What a `bind` line says behind its addresses. 0 and None leave the choice to engine or kernel.

    `accept_proxy_from` holds networks; none means every client. `shards` 0 is a socket for each worker,
    None what `global` says. `threads` count from 0, none means all. Times are milliseconds, `mode` is
    permission bits.
    `h2` says that clients speak HTTP/2, or HTTP/1, whatever they offer (`proto`).
    `congestion` is the algorithm against congestion (`cc`), `guid` the beginning of what tells the line's
    listeners from all others (`guid-prefix`).
    """

    name: str = ""
    id: int = 0
    namespace: Namespace | None = None
    accept_proxy: bool = False
    accept_proxy_from: tuple[str, ...] = ()
    backlog: int = 0
    defer_accept: bool = False
    interface: str | None = None
    maxconn: int = 0
    mss: int = 0
    shards: int | None = None
    threads: tuple[int, ...] = ()
    tcp_user_timeout: int = 0
    tfo: bool = False
    congestion: str | None = None
    guid: str | None = None
    transparent: bool = False
    v6only: bool | None = None
    mode: int | None = None
    uid: int | None = None
    gid: int | None = None
    level: str = "operator"
    h2: bool | None = None
    tls: BindTls = field(default_factory=BindTls)


@dataclass(frozen=True, slots=True)
class UnixBind:
    """What `unix-bind` says of unix sockets: the text before their paths; mode, owner and group."""

    prefix: str = ""
    settings: BindSettings = field(default_factory=BindSettings)


@dataclass(frozen=True, slots=True)
class Bind:
    """One address of a `bind` line; `id` 0 is one still to be given."""

    address: Listen
    settings: BindSettings
    span: Span

    def with_certificates(self, shown: BindTls) -> Bind:
        """Return the line with a frontend's certificates where it has TLS and none (`ssl-f-use`)."""
        tls = self.settings.tls
        if not tls.needs_certificates or not shown.entries:
            return self
        tls = replace(tls, entries=shown.entries, lists=shown.lists)
        return replace(self, settings=replace(self.settings, tls=tls))
