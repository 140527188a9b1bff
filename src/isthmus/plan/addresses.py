"""Addresses of the model in the plan's terms."""

from __future__ import annotations

from isthmus.model.address import (
    Abstract,
    ClientNamespace,
    Descriptor,
    Inet,
    Listen,
    Namespace,
    Port,
    SocketPair,
    Unix,
)
from isthmus.model.expression import Expression
from isthmus.model.server import ForeignAddress, Source, UseSource
from isthmus.plan import document
from isthmus.plan.expressions import Names
from isthmus.plan.names import Namespaces


def listen_address(address: Listen) -> document.Address:
    """Return an address to listen on, or a local one to connect to."""
    match address:
        case Inet(ip, port):
            return document.Inet(str(ip), port)
        case Unix(path):
            return document.Unix(path)
        case Abstract(name, zero_terminated):
            return document.Abstract(name, zero_terminated)
        case Descriptor(fd):
            return document.Fd(fd)
        case SocketPair(fd):
            return document.Sockpair(fd)


def server_port(port: Port) -> document.ServerPort:
    """Return a server's port."""
    return document.ClientPort(port.number) if port.relative else document.FixedPort(port.number)


def server_namespace(
    namespace: Namespace | ClientNamespace | None, namespaces: Namespaces
) -> document.ServerNamespace:
    """Return in which namespace a server is connected to."""
    match namespace:
        case None:
            return document.DefaultNamespace()
        case ClientNamespace():
            return document.ClientNamespace()
        case Namespace():
            return document.FixedNamespace(namespaces.index(namespace))


def source_address(source: Source | None, names: Names) -> document.SourceAddress | None:
    """Return the local address of server connections."""
    if source is None:
        return None
    usesrc: document.ClientSource | None = None
    match source.usesrc:
        case UseSource.CLIENT:
            usesrc = document.SourceClient()
        case UseSource.CLIENT_IP:
            usesrc = document.SourceClientIp()
        case ForeignAddress(ip, port):
            usesrc = document.SourceFixed(str(ip), port)
        case Expression() as expression:
            usesrc = document.SourceExpression(names.expression(expression))
    local = "0.0.0.0" if source.ip is None else str(source.ip)
    return document.SourceAddress(local, source.ports, source.interface, usesrc)
