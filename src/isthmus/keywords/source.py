"""`source` of proxies and servers: from where connections to servers come."""

from __future__ import annotations

from isthmus.config import Word
from isthmus.config.values import SOURCE, InetAddress, PortRange, parse_address
from isthmus.keywords.addresses import look_up
from isthmus.keywords.codes import BAD_ADDRESS
from isthmus.keywords.expressions import parse_expression
from isthmus.keywords.row import Reading, RefusedError, Words
from isthmus.keywords.values import parsed
from isthmus.keywords.vocabulary import Place
from isthmus.model.address import Ip
from isthmus.model.expression import Expression
from isthmus.model.server import ForeignAddress, Source, UseSource
from isthmus.records import replace


def source(words: Words, reading: Reading, *, ranges: bool) -> Source:
    """Take `<addr>[:<port>[-<port>]] [usesrc <what>] [interface <device>]`; a server may have a range."""
    word = words.take("an address")
    ip, ports = _address(word, reading, ranges=ranges)
    interface: str | None = None
    usesrc: UseSource | ForeignAddress | Expression | None = None
    while words.peek in ("usesrc", "interface"):
        if words.take("").text == "interface":
            interface = words.take("a device").text
        else:
            usesrc = _usesrc(words.take("an address, client, clientip or hdr_ip(<name>)"), reading)
    return Source(None if ip.is_unspecified else ip, ports, interface, usesrc, word.span)


def _usesrc(word: Word, reading: Reading) -> UseSource | ForeignAddress | Expression:
    if word.text in ("client", "clientip"):
        return UseSource(word.text)
    if word.text.startswith("hdr_ip"):
        found = parse_expression(word, Place.SERVER_CHOICE, reading.context(http=True))
        if found is None:
            raise RefusedError(BAD_ADDRESS, f"`{word.text}` names no header", word.span)
        return found
    ip, ports = _address(word, reading, ranges=False)
    return ForeignAddress(ip, ports[0])


def _address(word: Word, reading: Reading, *, ranges: bool) -> tuple[Ip, tuple[int, int]]:
    rules = SOURCE if not ranges else _WITH_RANGE
    address = parsed(word, lambda text: parse_address(text, rules))
    if not isinstance(address, InetAddress):
        raise RefusedError(BAD_ADDRESS, f"`{word.text}` is not an IP address", word.span)
    host = address.host
    ip = look_up(host, address.version, word, reading.world) if isinstance(host, str) else host
    ports = address.ports
    return ip, (ports.first, ports.last) if isinstance(ports, PortRange) else (0, 0)


_WITH_RANGE = replace(SOURCE, ranges=True)
