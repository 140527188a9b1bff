"""Where binds and servers are: their addresses in words, and which bind a server line leads to."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address

from isthmus.plan import document

Place = tuple[int, int]
"""A bind, by the indexes of its frontend and of itself."""


def binds(plan: document.Plan) -> Iterator[tuple[Place, document.Frontend, document.Bind]]:
    """Give every bind of the frontends that are not disabled."""
    for at, frontend in enumerate(plan.frontends):
        if not frontend.disabled:
            for index, bind in enumerate(frontend.binds):
                yield (at, index), frontend, bind


def address(of: document.Address | document.ServerAddress) -> str:
    """Write an address as the configuration does."""
    match of:
        case document.Inet(ip, port):
            return _joined(ip, str(port))
        case document.Unix(path):
            return path
        case document.Abstract(name, zero_terminated):
            return f"{'abnsz' if zero_terminated else 'abns'}@{name}"
        case document.Fd(fd):
            return f"fd@{fd}"
        case document.Sockpair(fd):
            return f"sockpair@{fd}"
        case document.ServerLocal(local):
            return address(local)
        case document.ServerInet(ip, port):
            return _joined(ip or "*", _port(port))
        case document.ServerUnresolved(name, port):
            return _joined(name, _port(port))
    raise TypeError(f"no address: {of!r}")


def _port(port: document.ServerPort) -> str:
    return str(port.port) if isinstance(port, document.FixedPort) else f"{port.offset:+d}"


def _joined(host: str, port: str) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def behind(
    plan: document.Plan, server: document.Server, client_port: int | None, client_namespace: int | None
) -> Place | None:
    """Return the bind that a server line leads to; None where it leads out of this configuration.

    Of an address that is not loopback only a bind on that very address counts: who else listens there,
    the configuration does not tell.
    """
    for place, _, bind in binds(plan):
        match server.address:
            case document.ServerLocal(local) if local == bind.address:
                return place
            case document.ServerInet(str(ip), port) if isinstance(bind.address, document.Inet):
                number = port.port if isinstance(port, document.FixedPort) else _shifted(client_port, port)
                same_namespace = _namespace(server, client_namespace) == bind.namespace
                if number == bind.address.port and same_namespace and _meets(bind.address.ip, ip):
                    return place
    return None


def _shifted(client_port: int | None, port: document.ClientPort) -> int | None:
    return None if client_port is None else (client_port + port.offset) % 65536


def _namespace(server: document.Server, client: int | None) -> int | None:
    match server.namespace:
        case document.FixedNamespace(index):
            return index
        case document.ClientNamespace():
            return client
    return None


def _meets(bound: str, wanted: str) -> bool:
    if bound == wanted:
        return True
    listens, goes = ip_address(bound), ip_address(wanted)
    # Everything of 127.0.0.0/8 is this machine, so a socket on every address has it.
    covers = listens.is_unspecified and (listens.version == goes.version or listens.version == 6)
    return covers and goes.is_loopback
