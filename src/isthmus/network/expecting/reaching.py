"""`red can reach blue:5432/tcp`, `red cannot reach 10.0.0.1:53/udp`, `red reaches 10.0.0.1:80 as 10.0.0.7`.

Where something listens at the target, it is asked; where nothing does, a listener of our own stands
in, so that what is judged is the network: a refusal for want of a listener proves no firewall.
"""

from __future__ import annotations

from collections.abc import Sequence

from isthmus.network.expecting import connection, facts, throughput
from isthmus.network.expecting.connection import Contact
from isthmus.network.expecting.diagnosis import absence, services, shaping
from isthmus.network.expecting.judging import OWN_LISTENER, Case, attempt_can, judge_cannot, too_slow
from isthmus.network.expecting.listener import Listener
from isthmus.network.expecting.survey import Aim, Place
from isthmus.network.expecting.verdict import Verdict, duration_words, error_words, rate_words
from isthmus.network.model import Bound, Reach, ReachAs
from isthmus.records import replace

_TRIPS = 4

_HEADERS = 0.9
"""The share of a promised rate that must arrive as payload; the rest is for headers (4.4 % with TCP and
an MTU of 1500) and for the shortness of the measurement."""


def judge(case: Case, meaning: Reach, bound: Bound) -> Verdict:
    """Connect, or send a datagram, and judge what comes of it."""
    aims = case.survey.aims(meaning.source, meaning.target)

    def attempt(aim: Aim, patience: float) -> Contact:
        return _contact(case, meaning, aim, patience)

    if not meaning.possible:
        return judge_cannot(case, aims, attempt)
    outcome = attempt_can(case, _where_served(case, meaning, aims), attempt)
    if isinstance(outcome, Verdict):
        return outcome
    aim, contact = outcome
    missing = _missing_service(case, meaning, contact.place) if contact.listener and contact.place else None
    if missing is not None:
        return case.verdict(False, "connection refused: only a listener of our own would answer", missing)
    seconds = min([contact.seconds or 0.0, *_more_trips(case, meaning, aim, bound)])
    verdict = case.verdict(True, _observed(aim, contact, seconds))
    if contact.unproved and bound != Bound():
        return case.verdict(False, verdict.observed, "nothing answers, so nothing can be measured")
    slow = too_slow(case, aim, bound, seconds)
    return slow or (_measure(case, meaning, outcome, bound.throughput) if bound.throughput else verdict)


def _contact(case: Case, meaning: Reach | ReachAs, aim: Aim, patience: float) -> Contact:
    to = (case.survey, meaning.source, aim, meaning.port, patience)
    if meaning.protocol == "tcp":
        # Where an address was asked for, any answer counts: who gave it is of interest to `as` alone.
        contact = connection.tcp(*to, find=aim.named or isinstance(meaning, ReachAs))
    else:
        contact = connection.udp(*to)
    if contact.unproved and _may_have_arrived(case, meaning, aim):
        return replace(contact, seconds=patience)
    if contact.arrived is False and _intercepted(case, meaning):
        return Contact(contact.seconds, seen=contact.seen)
    return contact


def _may_have_arrived(case: Case, meaning: Reach | ReachAs, aim: Aim) -> bool:
    """Give the benefit of the doubt to `can reach` alone: silence is what `cannot reach` asks for."""
    if not getattr(meaning, "possible", True):
        return False
    space = case.survey.space(meaning.source)
    way = facts.route(space, aim.address)
    return not way.refusal and not facts.unanswered(space, way.via or aim.address, way.device)


def _intercepted(case: Case, meaning: Reach | ReachAs) -> bool:
    """Say whether the file lets something in between answer: then it need not be the target that does."""
    ports = [each.ports for space in case.survey.network.namespaces for each in space.interceptions]
    wanted = meaning.protocol, meaning.port
    return any(wanted[0] == each.protocol and each.first <= wanted[1] <= each.last for each in ports)


def _observed(aim: Aim, contact: Contact, seconds: float) -> str:
    if contact.unproved:
        return f"sent to {aim.address} and not refused (what listens there need not answer)"
    if contact.arrived and contact.listener is None and contact.seen is None:
        return f"arrives at {aim.address} in {duration_words(seconds)}"
    return f"{aim.address} answers in {duration_words(seconds)}{OWN_LISTENER if contact.listener else ''}"


def _where_served(case: Case, meaning: Reach, aims: Sequence[Aim]) -> Sequence[Aim]:
    """Put the addresses first that a service listens on by name."""
    if meaning.target.name is None:
        return aims
    listening: set[object] = set()
    for aim in aims:
        for place in case.survey.places(aim, meaning.protocol, meaning.port):
            listening |= {each.local for each in services(case.survey, place, meaning.protocol)}
    return sorted(aims, key=lambda aim: aim.address not in listening)


def _missing_service(case: Case, meaning: Reach, place: Place) -> str | None:
    """Say what should have listened where only our own listener does, or listens on a wrong address."""
    instead = services(case.survey, place, meaning.protocol)
    for service in case.survey.network.services:
        ready = service.readiness.tcp if service.readiness else None
        there = service.namespace == place.namespace and meaning.protocol == "tcp"
        if there and ready is not None and ready[1] == place.port:
            return f"{absence(place, 'tcp', instead)}; service {service.name} should"
    return absence(place, meaning.protocol, instead) if instead else None


def _more_trips(case: Case, meaning: Reach, aim: Aim, bound: Bound) -> list[float]:
    if bound.latency is None:
        return []
    contacts = (_contact(case, meaning, aim, bound.latency + 1.0) for _ in range(_TRIPS))
    return [each.seconds for each in contacts if each.seconds is not None]


def _measure(case: Case, meaning: Reach, outcome: tuple[Aim, Contact], promised: float) -> Verdict:
    """Send to a sink and hold what arrives against the promised bits per second."""
    aim, contact = outcome
    sink = contact.listener
    port, note = meaning.port, ""
    if sink is None and aim.owners:
        # What listens there is somebody's service: it is not to be flooded.
        opened = case.survey.listeners.at(case.survey.space(aim.owners[0]), meaning.protocol, aim.address, 0)
        if isinstance(opened, Listener):
            sink, port = opened, opened.port
            note = f" (measured on port {port}: {meaning.port} belongs to a service)"
    if sink is None:
        reason = f"no namespace of the network has {aim.address}, so that nothing can be measured there"
        return case.verdict(False, "throughput not measured", reason)
    space = case.survey.space(meaning.source)
    enough = promised * _HEADERS
    try:
        rate = throughput.best(
            lambda: throughput.measure(space, meaning.protocol, aim.address, port, sink), enough
        )
    except OSError as error:
        own = facts.route(space, aim.address).source
        if port == meaning.port or meaning.protocol != "tcp" or own is None:
            return case.verdict(False, f"throughput not measured{note}", error_words(error))
        # On this port alone, perhaps: a firewall lets through what is served.
        spaces, to = (space, case.survey.space(aim.owners[0])), (aim.address, meaning.port)
        note = f" (measured past the service on port {meaning.port})"
        try:
            rate = throughput.best(lambda: throughput.measure_past(spaces, own, to), enough)
        except OSError as second:
            return case.verdict(False, f"throughput not measured{note}", error_words(second))
    ok = rate >= enough
    observed = f"{rate_words(rate)}{'' if ok else f', under {rate_words(promised)}'}{note}"
    return case.verdict(ok, observed, "" if ok else shaping(case.situation(aim)))


def judge_as(case: Case, meaning: ReachAs) -> Verdict:
    """Connect, and hold the address that the far end sees against the expected one."""
    aims = case.survey.aims(meaning.source, meaning.target)
    outcome = attempt_can(case, aims, lambda aim, patience: _contact(case, meaning, aim, patience))
    if isinstance(outcome, Verdict):
        return outcome
    aim, contact = outcome
    if contact.seen is None:
        reason = f"no namespace of the network that has {aim.address} shows the connection"
        return case.verdict(False, "connected, but what the far end sees is not known", reason)
    observed = f"seen as {contact.seen}{OWN_LISTENER if contact.listener else ''}"
    if contact.seen == meaning.seen:
        return case.verdict(True, observed)
    return case.verdict(False, observed, _why_seen_so(case, contact))


def _why_seen_so(case: Case, contact: Contact) -> str:
    assert contact.seen is not None
    if case.survey.facts(case.meaning.source).carrying(contact.seen) is not None:
        return f"{contact.seen} is {case.meaning.source}'s own address: nothing translates it on the way"
    owners = ", ".join(case.survey.owners(contact.seen)) or "no namespace of the network"
    return f"{contact.seen} belongs to {owners}: the connection is translated there"
