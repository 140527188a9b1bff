"""Why an expectation failed: a table of small questions to the kernel, the nearest cause first."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from isthmus.network.expecting import facts, sockets
from isthmus.network.expecting.denial import Flow, denial
from isthmus.network.expecting.facts import RouteFact, SpaceFacts
from isthmus.network.expecting.nearness import Wires
from isthmus.network.expecting.sockets import SocketFact
from isthmus.network.expecting.survey import AbsentError, Aim, Place, Survey
from isthmus.network.expecting.switching import obstacle
from isthmus.records import dataclass

_LOOKED_INTO = 16
"""Namespaces with one and the same address that are asked why it does not answer, the nearest ones: tenants
may overlap by the hundred, and each question costs the kernel's answer."""

_RESOLUTION = {4: "ARP", 6: "neighbour discovery"}


@dataclass(frozen=True, slots=True)
class Situation:
    """An attempt that failed. `protocol` is icmp, tcp or udp."""

    survey: Survey
    source: str
    aim: Aim
    protocol: str
    port: int = 0

    @property
    def own(self) -> SpaceFacts:
        """Facts of the source."""
        return self.survey.facts(self.source)

    @property
    def route(self) -> RouteFact:
        """The way that the source's kernel chooses."""
        return facts.route(self.survey.space(self.source), self.aim.address)

    @property
    def far(self) -> Iterator[SpaceFacts]:
        """Facts of the namespaces that have the address, the nearest of them, the source apart."""
        return (self.survey.facts(owner) for owner in self.owners if owner != self.source)

    @property
    def owners(self) -> tuple[str, ...]:
        """The namespaces that have the address, the nearest of them."""
        return self.nearest(self.aim.owners)

    @property
    def wires(self) -> Wires:
        """What is joined to what in the network."""
        return self.survey.once("wires", lambda: Wires(self.survey.network))

    def nearest(self, namespaces: tuple[str, ...]) -> tuple[str, ...]:
        """Return the nearest of some namespaces, as many as are looked into."""
        return self.wires.nearest_first(self.source, namespaces)[:_LOOKED_INTO]

    @property
    def to_itself(self) -> bool:
        """Whether the source asks for an address of its own."""
        return self.source in self.aim.owners


def diagnose(situation: Situation) -> str:
    """Return the first cause that is found."""
    for question in _QUESTIONS:
        # What went away meanwhile cannot be asked; the next question may still tell.
        with contextlib.suppress(OSError, AbsentError):
            answer = question(situation)
            if answer is not None:
                return answer
    return f"nothing that could be in the way is seen from {situation.source}"


def _loopback_down(at: Situation) -> str | None:
    lo = at.own.link("lo")
    if not at.to_itself or lo is None or lo.up:
        return None
    return f"lo is down in {at.source}: a namespace reaches even its own addresses only through lo"


def _link_down(at: Situation) -> str | None:
    """Look at the interface of the source whose network the address lies in."""
    for each in at.own.addresses:
        link = at.own.link(each.interface)
        if at.aim.address in each.address.network and link is not None and not link.loopback:
            if not link.up:
                return f"{link.name} is down in {at.source}"
            if each.duplicate:
                return f"{each.address.ip} on {link.name} in {at.source} is a duplicate: somebody else has it"
            if not link.carrier:
                return f"{link.name} has no carrier in {at.source}: its other end is down"
    return None


def _no_link(at: Situation) -> str | None:
    links = [link for link in at.own.links if not link.loopback]
    if at.to_itself or any(link.up for link in links):
        return None
    if not links:
        return f"{at.source} has no interface but lo"
    return f"every interface of {at.source} is down: {', '.join(link.name for link in links)}"


def _no_address(at: Situation) -> str | None:
    version = at.aim.address.version
    if at.to_itself or any(each.address.version == version for each in at.own.reachable):
        return None
    return f"{at.source} has no IPv{version} address"


def _no_route(at: Situation) -> str | None:
    refusal = at.route.refusal
    return f"{at.source} has no route to {at.aim.address} ({refusal})" if refusal else None


def _far_link_down(at: Situation) -> str | None:
    for far in at.far:
        held = far.carrying(at.aim.address)
        link = far.link(held.interface) if held else None
        if held is None or link is None:
            continue
        if held.duplicate:
            return f"{held.address.ip} on {link.name} in {far.name} is a duplicate: somebody else has it"
        if not link.up:
            return f"{link.name}, which has {at.aim.address}, is down in {far.name}"
        if not link.carrier:
            lost = f"{link.name}, which has {at.aim.address}, has no carrier in {far.name}"
            return f"{lost}: its other end is down"
    return None


def _bridge_in_the_way(at: Situation) -> str | None:
    def ends() -> Iterator[tuple[str, str]]:
        if not at.route.local:
            yield at.source, at.route.device
        for far in at.far:
            held = far.carrying(at.aim.address)
            if held is not None:
                yield far.name, held.interface

    return obstacle(at.survey, at.wires, ends())


def _flow(at: Situation) -> Flow:
    return Flow(at.route.source, at.aim.address, at.protocol, at.port)


def _denied_on_the_way_out(at: Situation) -> str | None:
    namespace = at.survey.namespaces.get(at.source)
    return denial(namespace, "output", _flow(at)) if namespace else None


def _neighbour_silent(at: Situation) -> str | None:
    way = at.route
    asked = way.via or at.aim.address
    if way.local or not facts.unanswered(at.survey.space(at.source), asked, way.device):
        return None
    how = _RESOLUTION[asked.version]
    who = f"the gateway {asked}" if way.via else str(asked)
    return f"{who} does not answer {how} on {way.device} in {at.source}: nobody on that link has the address"


def _gateway_keeps_it(at: Situation) -> str | None:
    way = at.route
    for gateway in at.nearest(at.survey.owners(way.via)) if way.via else ():
        if gateway in at.aim.owners:
            continue
        version = at.aim.address.version
        if not facts.forwards(at.survey.space(gateway), version):
            setting = "net.ipv4.ip_forward" if version == 4 else "net.ipv6.conf.all.forwarding"
            return f"{gateway}, the gateway {way.via}, does not forward ({setting} is 0)"
        namespace = at.survey.namespaces.get(gateway)
        refused = denial(namespace, "forward", _flow(at)) if namespace else None
        if refused:
            return refused
        refusal = facts.route(at.survey.space(gateway), at.aim.address).refusal
        if refusal:
            return f"{gateway}, the gateway {way.via}, has no route to {at.aim.address} ({refusal})"
    return None


def _denied_on_the_way_in(at: Situation) -> str | None:
    if at.to_itself:
        return None
    for owner in at.owners:
        namespace = at.survey.namespaces.get(owner)
        refused = denial(namespace, "input", _flow(at)) if namespace else None
        if refused:
            return refused
    return None


def _no_way_back(at: Situation) -> str | None:
    source = at.route.source
    translated = any(each.nat and each.nat.masquerades for each in at.survey.namespaces.values())
    if source is None or translated:
        return None
    for far in at.far:
        refusal = facts.route(at.survey.space(far.name), source).refusal
        if refusal:
            return f"{far.name} has no route back to {source} ({refusal})"
    return None


def _nobody_has_it(at: Situation) -> str | None:
    if at.aim.owners or at.aim.address.is_global:
        return None
    return f"no namespace of the network has {at.aim.address}; it is asked for through {at.route.device}"


def _nothing_listens(at: Situation) -> str | None:
    """Look for who listens at the far end, and where instead."""
    if at.protocol == "icmp":
        return None
    places = at.survey.places(at.aim, at.protocol, at.port)
    near = at.nearest(tuple(place.namespace for place in places))
    for place in sorted(places, key=lambda place: _order(near, place.namespace))[:_LOOKED_INTO]:
        listening = services(at.survey, place, at.protocol)
        if not any(each.local == place.address or each.local.is_unspecified for each in listening):
            return absence(place, at.protocol, listening)
    return None


def _order(near: tuple[str, ...], namespace: str) -> int:
    return near.index(namespace) if namespace in near else len(near)


def services(survey: Survey, place: Place, protocol: str) -> tuple[SocketFact, ...]:
    """Return what listens on a place's port, on whatever address, our own listeners apart."""
    ours = survey.listeners.inodes
    table = survey.tables.known(survey.space(place.namespace), protocol)
    listening = (each for each in table if each.listens and each.port == place.port)
    return tuple(each for each in listening if each.inode not in ours)


def absence(place: Place, protocol: str, instead: tuple[SocketFact, ...]) -> str:
    """Say that nothing listens at a place, and what listens on other addresses of its namespace."""
    told = f"nothing listens on {place.address} port {place.port}/{protocol} in {place.namespace}"
    names = (f"{sockets.holder(each.inode) or 'a process'} listens on {each.local}" for each in instead)
    return "; ".join([told, *names])


_QUESTIONS: tuple[Callable[[Situation], str | None], ...] = (
    _loopback_down,
    _link_down,
    _no_link,
    _far_link_down,
    _no_address,
    _no_route,
    _denied_on_the_way_out,
    _bridge_in_the_way,
    _neighbour_silent,
    _gateway_keeps_it,
    _denied_on_the_way_in,
    _no_way_back,
    _nothing_listens,
    _nobody_has_it,
)


def way_taken(situation: Situation) -> str:
    """Say how something got through that should not."""
    way = situation.route
    if situation.to_itself:
        return f"{situation.aim.address} is {situation.source}'s own address"
    gateway = f" by the gateway {way.via}" if way.via else ""
    return f"{situation.source} has a way to {situation.aim.address}: through {way.device}{gateway}"


def shaping(situation: Situation) -> str:
    """Say what in the network's file slows links of the two ends."""
    ends = {situation.source, *situation.aim.owners}
    told: list[str] = []
    for link in situation.survey.network.links:
        peer = getattr(link.kind, "peer", None)
        for end in (link.end, *([peer] if peer else [])):
            if end.namespace in ends and end.shaping is not None:
                told.append(f"{end.namespace}/{end.name}")
    return f"the file shapes {', '.join(told)}" if told else "no shaping in the file accounts for it"
