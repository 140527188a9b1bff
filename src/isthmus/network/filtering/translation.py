"""Address translation as nft rules: what leaves under another address, what comes in for somebody else.

A port forward holds for connections from outside and for the namespace's own. Those to 127.0.0.1 and
::1 are left alone: the kernel lets no packet with a loopback address onto a wire.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Network, IPv6Network

from isthmus.network.filtering.expressions import (
    MASQUERADE,
    AnyNetwork,
    Expression,
    Expressions,
    address,
    address_type,
    away_from,
    between,
    destination_ports,
    family,
    family_word,
    links,
    match,
    meta,
)
from isthmus.network.model import Masquerade, Nat, PortForward, Ports

_LOOPBACK: dict[int, AnyNetwork] = {4: IPv4Network("127.0.0.0/8"), 6: IPv6Network("::1/128")}
_NOT_LOOPBACK = meta("oifname", "lo", "!=")
_FORWARDED = match({"ct": {"key": "status"}}, "dnat", "in")


def incoming_rules(nat: Nat) -> list[Expressions]:
    """Return the rules for what comes in."""
    return [rule for forward in nat.forwards for rule in _redirections(forward, _entering(forward))]


def own_rules(nat: Nat) -> list[Expressions]:
    """Return the rules for what the namespace itself sends: nothing of it enters by a link."""
    return [rule for forward in _open_forwards(nat) for rule in _redirections(forward, _own(forward))]


def leaving_rules(nat: Nat, connected: Sequence[AnyNetwork]) -> list[Expressions]:
    """Return the rules for what goes out; `connected` are the prefixes of the namespace's own links."""
    back = [rule for forward in nat.forwards for rule in _hairpins(forward, connected)]
    own = [rule for forward in _open_forwards(nat) for rule in _own_return(forward)]
    return [*back, *own, *(rule for each in nat.masquerades for rule in _masquerades(each))]


def _open_forwards(nat: Nat) -> Iterator[PortForward]:
    return (forward for forward in nat.forwards if forward.incoming is None)


def _entering(forward: PortForward) -> Expressions:
    # An address in a later condition says the family by itself, and nft lists no second word for it.
    version = [family(forward.to.version)] if forward.address is None else []
    return [*links(forward.incoming), *version]


def _own(forward: PortForward) -> Expressions:
    if forward.address is not None:
        return []
    return [address("daddr", _LOOPBACK[forward.to.version], "!=")]


def _redirections(forward: PortForward, first: Expressions) -> Iterator[Expressions]:
    if forward.address is not None:
        here = [address("daddr", forward.address)]
    else:
        here = [address_type("daddr", "local")]
    to: Expression = {"family": family_word(forward.to.version), "addr": str(forward.to)}
    if forward.to_port is not None:
        to["port"] = forward.to_port
    for ports in destination_ports([forward.listen]):
        yield [*first, *here, ports, {"dnat": to}]


def _hairpins(forward: PortForward, connected: Sequence[AnyNetwork]) -> Iterator[Expressions]:
    """Client and target on one wire: the target must answer through us, who know its other address."""
    for network in connected:
        if forward.to in network:
            for ports in destination_ports([_reached(forward)]):
                ends = [address("saddr", network), address("daddr", forward.to)]
                yield [_FORWARDED, *ends, ports, MASQUERADE]


def _own_return(forward: PortForward) -> Iterator[Expressions]:
    """Give our own connection an address that the target can answer: it was made to one of our others."""
    own = [_NOT_LOOPBACK, _FORWARDED, address("daddr", forward.to), address_type("saddr", "local")]
    for ports in destination_ports([_reached(forward)]):
        yield [*own, ports, MASQUERADE]


def _reached(forward: PortForward) -> Ports:
    if forward.to_port is None:
        return forward.listen
    return Ports(forward.listen.protocol, forward.to_port, forward.to_port)


def _masquerades(masquerade: Masquerade) -> Iterator[Expressions]:
    by = links(None, masquerade.out) if masquerade.out is not None else [_NOT_LOOPBACK]
    if masquerade.out is not None or not masquerade.sources:
        for ends in between(masquerade.sources, ()):
            yield [*by, *ends, MASQUERADE]
        return
    # What stays among the sources is left alone: a kernel may pass bridged packets through here.
    for version in (4, 6):
        own = [each for each in masquerade.sources if each.version == version]
        if own:
            for ends in between(own, ()):
                yield [*by, *ends, *away_from(own), MASQUERADE]
