"""Sections `resolvers`: the name servers that are asked while the program runs (manual 5.3.2)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from isthmus.config import Section, Word, register
from isthmus.config.values import NAMESERVER, InetAddress, Transport, parse_address
from isthmus.keywords import inventory
from isthmus.keywords.addresses import look_up
from isthmus.keywords.changes import changed
from isthmus.keywords.codes import BAD_ADDRESS, BAD_VALUE, DUPLICATE_NAME, NOT_IMPLEMENTED
from isthmus.keywords.named_section import read_lines, section_name
from isthmus.keywords.names import check_name
from isthmus.keywords.namespaces import namespace
from isthmus.keywords.resolv_conf import PATH, nameservers
from isthmus.keywords.row import Reading, RefusedError, Words, place
from isthmus.keywords.values import choice, integer, parsed, suggest, time
from isthmus.model.address import Namespace
from isthmus.model.resolvers import Carriage, Hold, Nameserver, Resolvers
from isthmus.records import dataclass, field, replace

NO_NAMESERVER = register(
    "W0560",
    "section resolvers without name servers",
    """Nobody can be asked, so no name has an address. `nameserver` names one, `parse-resolv-conf` takes those
    of the machine.""",
    "nameserver dns1 10.0.0.1:53",
)
NO_RESOLV_CONF = register(
    "W0561",
    "no name servers in /etc/resolv.conf",
    """`parse-resolv-conf` takes the name servers of that file, which cannot be read or has none.""",
)

DEFAULT = "default"
"""The section that is made of /etc/resolv.conf where no section has this name (manual 5.3.2)."""

_HOLDS = ("nx", "refused", "timeout", "other", "valid", "obsolete")
_PAYLOAD = (12, 65535)
_MOST_RETRIES = 1000


@dataclass(slots=True)
class _Draft:
    """A section under construction."""

    said: Resolvers
    named: dict[str, Nameserver] = field(default_factory=dict)


class ResolversSections:
    """The sections read so far."""

    @staticmethod
    def keywords() -> tuple[str, ...]:
        """Return the words that lines of such a section begin with."""
        return tuple(_LINES)

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._found: dict[str, Resolvers] = {}

    @property
    def sections(self) -> tuple[Resolvers, ...]:
        """Every section, in order, and the one that is there by itself."""
        if DEFAULT in self._found:
            return tuple(self._found.values())
        # As HAProxy: where there is no such file, there is no such section, and nothing is said.
        known = nameservers(self._reading.world)
        made = (Resolvers(DEFAULT, known),) if known else ()
        return (*self._found.values(), *made)

    def read(self, section: Section) -> None:
        """Read one section."""
        name = section_name(section)
        check_name(name, "resolvers")
        other = self._found.get(name.text)
        if other is not None:
            where = f" at {place(other.span)}" if other.span else ""
            message = f"there is a section `resolvers {name.text}`{where} already"
            raise RefusedError(DUPLICATE_NAME, message, name.span)
        draft = _Draft(Resolvers(name.text, span=section.header.span))
        # Also one with mistakes is there: a rule that names it is none of them.
        self._found[name.text] = draft.said
        readers = {name: partial(read, self, draft) for name, read in _LINES.items()}
        read_lines(section, readers, self._reading)
        self._found[name.text] = replace(draft.said, nameservers=tuple(draft.named.values()))
        if not draft.named and not self._reading.diagnostics.failed:
            message = f"section `resolvers {name.text}` has no name servers"
            self._reading.diagnostics.warning(NO_NAMESERVER, message, section.header.span)

    def nameserver(self, draft: _Draft, words: Words) -> None:
        """`nameserver <name> <address>:<port> [namespace <name> [optional]]`."""
        name = words.take("a name and an address with a port")
        check_name(name, "nameserver")
        other = draft.named.get(name.text)
        if other is not None and other.span is not None:
            message = f"there is a nameserver `{name.text}` at {place(other.span)} already"
            raise RefusedError(DUPLICATE_NAME, message, name.span)
        word = words.take("an address with a port")
        address = parsed(word, lambda text: parse_address(text, NAMESERVER))
        if not isinstance(address, InetAddress):
            message = "name servers at UNIX sockets are known to HAProxy, and not implemented yet"
            raise RefusedError(NOT_IMPLEMENTED, message, word.span)
        host = address.host
        ip = look_up(host, address.version, word, self._reading.world) if isinstance(host, str) else host
        port = address.port
        if not port:
            message = f"`{word.text}` has no port that can be asked"
            raise RefusedError(BAD_ADDRESS, message, word.span, expected="a port from 1 to 65535")
        carriage = _carriage(word, address.transport)
        inside = self._options(words, carriage)
        draft.named[name.text] = Nameserver(name.text, ip, port, carriage, inside, word.span)

    def _options(self, words: Words, carriage: Carriage) -> Namespace | None:
        """Take the words behind an address: a namespace, which HAProxy takes behind `tcp@` alone."""
        inside: Namespace | None = None
        while words:
            option = words.take("an option")
            if option.text == "namespace":
                inside = namespace(words, self._reading.world)
            elif carriage is Carriage.TCP and option.text in inventory.names("server"):
                message = f"`{option.text}` of a name server is known to HAProxy, and not implemented yet"
                raise RefusedError(NOT_IMPLEMENTED, message, option.span)
            else:
                message = f"unknown keyword `{option.text}` behind the address of a name server"
                near = suggest(option.text, ("namespace",))
                raise RefusedError(BAD_VALUE, message, option.span, hint=near, expected="`namespace`")
        return inside

    def resolv_conf(self, draft: _Draft, words: Words) -> None:
        """`parse-resolv-conf`."""
        words.finish()
        known = nameservers(self._reading.world)
        if not known:
            span = draft.said.span or words.end
            message = f"no name server could be read from {PATH}"
            self._reading.diagnostics.warning(NO_RESOLV_CONF, message, span)
        for each in known:
            draft.named.setdefault(each.name, each)


def _carriage(word: Word, transport: Transport) -> Carriage:
    if transport is Transport.STREAM:
        return Carriage.TCP
    # Whoever writes a prefix means UDP, and nothing else.
    explicit = word.text.startswith(("udp@", "udp4@", "udp6@", "dgram+"))
    return Carriage.UDP if explicit else Carriage.EITHER


def _set(draft: _Draft, **changes: object) -> None:
    draft.said = changed(draft.said, **changes)


def _hold(_sections: ResolversSections, draft: _Draft, words: Words) -> None:
    status = choice(words, _HOLDS, "a status of an answer")
    hold: Hold = changed(draft.said.hold, **{status: time(words)})
    _set(draft, hold=hold)


def _timeout(_sections: ResolversSections, draft: _Draft, words: Words) -> None:
    event = choice(words, ("resolve", "retry"), "an event")
    _set(draft, **{event: time(words)})


_LINES: dict[str, Callable[[ResolversSections, _Draft, Words], None]] = {
    "nameserver": ResolversSections.nameserver,
    "parse-resolv-conf": ResolversSections.resolv_conf,
    "hold": _hold,
    "resolve_retries": lambda _, draft, words: _set(draft, retries=integer(words, 0, _MOST_RETRIES)),
    "timeout": _timeout,
    "accepted_payload_size": lambda _, draft, words: _set(draft, payload=integer(words, *_PAYLOAD)),
}
