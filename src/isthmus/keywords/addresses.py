"""Addresses of bind and server lines: from what the text says to what the model holds."""

from __future__ import annotations

from collections.abc import Iterator

from isthmus.config import Word
from isthmus.config.values import (
    BIND,
    HOST,
    SERVER,
    AbstractAddress,
    Address,
    FdAddress,
    InetAddress,
    PortRange,
    PortShift,
    SockpairAddress,
    Transport,
    UnixAddress,
    parse_address,
    parse_addresses,
)
from isthmus.keywords.codes import BAD_ADDRESS, NOT_IMPLEMENTED
from isthmus.keywords.row import RefusedError
from isthmus.keywords.values import parsed
from isthmus.keywords.world import World
from isthmus.model.address import (
    Abstract,
    Descriptor,
    HostName,
    Inet,
    Ip,
    Listen,
    Port,
    Remote,
    ServerAddress,
    SocketPair,
    Unix,
)


def listen_addresses(word: Word, world: World) -> tuple[Listen, ...]:
    """Return every address of a bind line's first word; port ranges become one address a port."""
    found = parsed(word, lambda text: parse_addresses(text, BIND))
    return tuple(each for address in found for each in _listen(address, word, world))


def _listen(address: Address, word: Word, world: World) -> Iterator[Listen]:
    if isinstance(address, InetAddress):
        _only_streams(address.transport, word)
        host = address.host
        ip = look_up(host, address.version, word, world) if isinstance(host, str) else host
        assert isinstance(address.ports, PortRange)
        for port in range(address.ports.first, address.ports.last + 1):
            yield Inet(ip, port)
    else:
        if isinstance(address, FdAddress | SockpairAddress) and not world.is_socket(address.fd):
            raise RefusedError(
                BAD_ADDRESS,
                f"descriptor {address.fd} is not an open socket",
                word.span,
                hint="whoever starts the program has to open it and pass it on",
            )
        yield _local(address, word)


def server_address(word: Word) -> ServerAddress:
    """Return a server's address; an unspecified IP address is `*`, the client's destination."""
    address = parsed(word, lambda text: parse_address(text, SERVER))
    if not isinstance(address, InetAddress):
        return _local(address, word)
    _only_streams(address.transport, word)
    ports = address.ports
    if isinstance(ports, PortRange):
        port = Port(ports.first)
    else:
        port = Port(ports.by if isinstance(ports, PortShift) else 0, relative=True)
    host: Ip | HostName | None = (
        HostName(address.host, address.version) if isinstance(address.host, str) else address.host
    )
    return Remote(None if address.is_any else host, port)


def ip_address(word: Word, world: World) -> Ip:
    """Return a lone IP address, looking it up where it is a name."""
    address = parsed(word, lambda text: parse_address(text, HOST))
    assert isinstance(address, InetAddress)
    host = address.host
    return look_up(host, address.version, word, world) if isinstance(host, str) else host


def look_up(name: str, version: int | None, word: Word, world: World) -> Ip:
    """Return the address of a host name; refuses the line where there is none."""
    ip = world.resolve(name, version)
    if ip is None:
        raise RefusedError(BAD_ADDRESS, f"the host name `{name}` does not resolve", word.span)
    return ip


def _only_streams(transport: Transport, word: Word) -> None:
    if transport is not Transport.STREAM:
        raise RefusedError(
            NOT_IMPLEMENTED,
            f"{transport.value} addresses are known to HAProxy, and not implemented yet",
            word.span,
        )


def _local(address: Address, word: Word) -> Unix | Abstract | Descriptor | SocketPair:
    match address:
        case UnixAddress():
            return Unix(address.path)
        case AbstractAddress():
            return Abstract(address.name, not address.padded)
        case FdAddress():
            return Descriptor(address.fd)
        case SockpairAddress():
            return SocketPair(address.fd)
    raise RefusedError(
        NOT_IMPLEMENTED, f"`{word.text}` is known to HAProxy, and not implemented yet", word.span
    )
