"""The servers of the plan: addresses found, tracking resolved."""

from __future__ import annotations

from collections.abc import Iterable

from isthmus.config import Diagnostics
from isthmus.keywords.codes import TRACKING, UNKNOWN_BACKEND, UNKNOWN_SERVER, UNRESOLVED, UNRESOLVED_DOWN
from isthmus.keywords.values import suggest
from isthmus.keywords.world import World
from isthmus.model.address import HostName, Ip, Remote
from isthmus.model.proxy import Proxy
from isthmus.model.server import InitAddress, ProxyHeader, Server, ServerSettings
from isthmus.plan import document
from isthmus.plan.addresses import listen_address, server_namespace, server_port, source_address
from isthmus.plan.expressions import Names
from isthmus.plan.http import http_server
from isthmus.plan.logs import format_items
from isthmus.plan.names import Namespaces, Numbers, Proxies, origin
from isthmus.plan.tls import Tls

_SSL_PARTS = ("cert-cn", "ssl-cipher", "cert-sig", "cert-key")


def host_names(proxies: Iterable[Proxy]) -> dict[tuple[str, str], str]:
    """Return the host names that servers' lines give instead of addresses, by backend and server."""
    return {
        (proxy.name, server.name): server.address.host.name
        for proxy in proxies
        for server in proxy.servers
        if isinstance(server.address, Remote) and isinstance(server.address.host, HostName)
    }


def servers(
    proxy: Proxy, names: Names, namespaces: Namespaces, world: World, diagnostics: Diagnostics, tls: Tls
) -> tuple[document.Server, ...]:
    """Return a backend's servers, each with its number."""
    numbers = Numbers(server.settings.id for server in proxy.servers)
    maker = ServerMaker(names, namespaces, world, diagnostics, tls)
    return tuple(maker.make(server, proxy, numbers.number(server.settings.id)) for server in proxy.servers)


class ServerMaker:
    """Puts servers into the plan's terms. Each host name is looked up once."""

    def __init__(
        self,
        names: Names,
        namespaces: Namespaces,
        world: World,
        diagnostics: Diagnostics,
        tls: Tls | None = None,
    ) -> None:
        self._tls = tls
        self._names = names
        self._namespaces = namespaces
        self._world = world
        self._diagnostics = diagnostics
        self._found: dict[HostName, Ip | None] = {}

    def make(self, server: Server, proxy: Proxy, number: int) -> document.Server:
        """Return a server of a backend. What is wrong goes to the diagnostics."""
        said = server.settings
        tls = None if self._tls is None else self._tls.server(server, proxy, self._names)
        return document.Server(
            name=server.name,
            id=number,
            origin=origin(server.span),
            address=_address(server, proxy, self._found, self._world, self._diagnostics),
            namespace=server_namespace(said.namespace, self._namespaces),
            weight=said.weight,
            maxconn=_maxconn(said),
            minconn=_minconn(said),
            maxqueue=said.maxqueue,
            backup=said.backup,
            disabled=said.disabled,
            slowstart=said.slowstart,
            track=_tracked(server, proxy, self._names.proxies, self._diagnostics),
            checked=said.check.enabled or said.track is not None,
            starts_down=_starts_down(server, proxy, self._names.proxies),
            proxy_header=_proxy_header(said.proxy_header, self._names),
            source=source_address(said.source, self._names),
            tcp_user_timeout=said.tcp_user_timeout,
            tfo=said.tfo,
            congestion=said.congestion,
            non_stick=said.non_stick,
            http=http_server(said.http, () if tls is None else tls.alpn),
            shut_on_down=said.shut_on_down,
            shut_backups_on_up=said.shut_backups_on_up,
            tls=tls,
            check_tls=None if self._tls is None else self._tls.check(server, proxy, self._names),
        )


def _maxconn(settings: ServerSettings) -> int:
    """Return the limit: as in HAProxy, a `minconn` above it, or without one, is the limit."""
    return max(settings.maxconn, settings.minconn)


def _minconn(settings: ServerSettings) -> int:
    return settings.minconn if settings.minconn < settings.maxconn else 0


def _address(
    server: Server,
    proxy: Proxy,
    found: dict[HostName, Ip | None],
    world: World,
    diagnostics: Diagnostics,
) -> document.ServerAddress:
    address = server.address
    if not isinstance(address, Remote):
        return document.ServerLocal(listen_address(address))
    port = server_port(address.port)
    if not isinstance(address.host, HostName):
        return document.ServerInet(None if address.host is None else str(address.host), port)
    host = address.host
    for method in server.settings.init_addr:
        if method is InitAddress.LIBC:
            if host not in found:
                found[host] = world.resolve(host.name, host.family)
            ip = found[host]
            if ip is not None:
                return document.ServerInet(str(ip), port)
        elif method is InitAddress.NONE:
            if InitAddress.LIBC in server.settings.init_addr:
                message = (
                    f"server `{proxy.name}/{server.name}`: `{host.name}` does not resolve, it starts down"
                )
                diagnostics.warning(UNRESOLVED_DOWN, message, server.address_span)
            return document.ServerUnresolved(host.name, port)
        elif method is not InitAddress.LAST:
            return document.ServerInet(str(method), port)
    diagnostics.alert(
        UNRESOLVED,
        f"server `{proxy.name}/{server.name}`: the host name `{host.name}` does not resolve",
        server.address_span,
        hint="`init-addr libc,none` starts without the address",
    )
    return document.ServerUnresolved(host.name, port)


def _tracked(
    server: Server, proxy: Proxy, proxies: Proxies, diagnostics: Diagnostics
) -> tuple[int, int] | None:
    """Return the server that is tracked, after making sure that the chain ends at one that is checked."""
    if server.settings.track is None:
        return None
    if server.settings.check.enabled:
        message = f"server `{proxy.name}/{server.name}` cannot be checked and track another at the same time"
        diagnostics.alert(TRACKING, message, server.settings.track[2])
        return None
    found = _find(server, proxy, proxies, diagnostics)
    if found is not None:
        _follow(server, proxy, found, proxies, diagnostics)
    return found


def _find(
    server: Server, proxy: Proxy, proxies: Proxies, diagnostics: Diagnostics | None
) -> tuple[int, int] | None:
    assert server.settings.track is not None
    backend, name, span = server.settings.track
    backend = backend or proxy.name
    at = proxies.backend(backend)
    if at is None:
        if diagnostics is not None:
            near = suggest(backend, (each.name for each in proxies.backends))
            diagnostics.alert(UNKNOWN_BACKEND, f"there is no backend `{backend}` to track", span, hint=near)
        return None
    index = proxies.server(at, name)
    if index is None and diagnostics is not None:
        near = suggest(name, (each.name for each in proxies.backends[at].servers))
        diagnostics.alert(UNKNOWN_SERVER, f"there is no server `{backend}/{name}` to track", span, hint=near)
    return None if index is None else (at, index)


def _follow(
    server: Server, proxy: Proxy, first: tuple[int, int], proxies: Proxies, diagnostics: Diagnostics
) -> None:
    """Collect an error where a chain of tracked servers does not end at one that is checked."""
    assert server.settings.track is not None
    span = server.settings.track[2]
    own = proxies.backend(proxy.name)
    seen: set[tuple[int, int]] = set()
    at: tuple[int, int] | None = first
    while at is not None:
        backend = proxies.backends[at[0]]
        tracked = backend.servers[at[1]]
        if (at[0] == own and tracked.name == server.name) or at in seen:
            message = f"the servers that `{proxy.name}/{server.name}` tracks form a loop"
            diagnostics.alert(TRACKING, message, span)
            return
        seen.add(at)
        if tracked.settings.track is None:
            if not tracked.settings.check.enabled:
                message = f"server `{backend.name}/{tracked.name}` cannot be tracked: it is not checked"
                diagnostics.alert(TRACKING, message, span, hint="write `check` on its line")
            return
        at = _find(tracked, backend, proxies, None)


def _starts_down(server: Server, proxy: Proxy, proxies: Proxies) -> bool:
    """Whether a server is down until a check says otherwise: its own, or the one it tracks in the end."""
    seen: set[tuple[int, int]] = set()
    while server.settings.track is not None:
        at = _find(server, proxy, proxies, None)
        if at is None or at in seen:
            return False
        seen.add(at)
        proxy = proxies.backends[at[0]]
        server = proxy.servers[at[1]]
    return server.settings.check.enabled and server.settings.check.initial.is_down


def _proxy_header(header: ProxyHeader, names: Names) -> document.ProxyHeader | None:
    if not (header.v1 or header.v2):
        return None
    return document.ProxyHeader(
        version=2 if header.v2 else 1,
        crc32c="crc32c" in header.options,
        unique_id="unique-id" in header.options,
        authority="authority" in header.options,
        ssl=header.ssl,
        ssl_parts=tuple(part for part in _SSL_PARTS if part in header.options),
        tlvs=tuple(document.ProxyTlv(each.type, format_items(each.format, names)) for each in header.tlvs),
    )
