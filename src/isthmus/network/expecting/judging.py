"""From attempts to a verdict: what holds for pings and connections alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from isthmus.network.expecting.connection import Contact
from isthmus.network.expecting.diagnosis import Situation, diagnose, shaping, way_taken
from isthmus.network.expecting.survey import Aim, Survey
from isthmus.network.expecting.verdict import Verdict, duration_words
from isthmus.network.model import Bound, Expectation, Ping, Reach, ReachAs, Target
from isthmus.records import dataclass

HOPE = 3.0
"""Seconds that something which should work may take: neighbours are resolved, a lost packet is sent again."""

DOUBT = 1.3
"""Seconds of silence that prove that nothing gets through: long enough for TCP to send its SYN twice."""

OWN_LISTENER = " (nothing listens; tested with a listener of our own)"

Meaning = Ping | Reach | ReachAs
Attempt = Callable[[Aim, float], Contact]


@dataclass(frozen=True, slots=True)
class Case:
    """One expectation under examination."""

    survey: Survey
    expectation: Expectation
    meaning: Meaning

    def verdict(self, ok: bool, observed: str, why: str = "") -> Verdict:
        """Make the verdict on this expectation."""
        return Verdict(self.expectation, ok, observed, why)

    def situation(self, aim: Aim) -> Situation:
        """Describe an attempt to the diagnosis."""
        if isinstance(self.meaning, Ping):
            return Situation(self.survey, self.meaning.source, aim, "icmp")
        return Situation(self.survey, self.meaning.source, aim, self.meaning.protocol, self.meaning.port)

    @property
    def target(self) -> str:
        """The target as written."""
        return words_for(self.meaning.target)

    def no_aim(self) -> str:
        """Say why a target has no address to try."""
        target = self.survey.facts(self.target)
        if not target.reachable:
            return f"{self.target} has no address"
        return f"every address of {self.target} is one of {self.meaning.source}'s own too"


def words_for(target: Target) -> str:
    """Return a target's name or address."""
    return target.name if target.name is not None else str(target.address)


def first_of_each_version(aims: Sequence[Aim]) -> list[Aim]:
    """Return the best address of IPv4 and the best of IPv6."""
    best: dict[int, Aim] = {}
    for aim in aims:
        best.setdefault(aim.address.version, aim)
    return list(best.values())


def got_through(contact: Contact, aim: Aim) -> bool:
    """Say whether an attempt ended where it should; where the target is an address, any answer counts."""
    return contact.seconds is not None and not (aim.named and contact.arrived is False)


def attempt_can(case: Case, aims: Sequence[Aim], attempt: Attempt) -> tuple[Aim, Contact] | Verdict:
    """Try addresses until one gets through; return it with what came of it, or the failure."""
    failed: list[tuple[Aim, Contact]] = []
    for aim in first_of_each_version(aims):
        contact = attempt(aim, HOPE)
        if got_through(contact, aim):
            return aim, contact
        failed.append((aim, contact))
    if not failed:
        return case.verdict(False, case.no_aim(), case.no_aim())
    aim, contact = failed[0]
    observed = "; ".join(told(case, each, contact) for each, contact in failed)
    if contact.seconds is not None:
        return case.verdict(False, observed, f"another namespace on that network has {aim.address} too")
    return case.verdict(False, observed, diagnose(case.situation(aim)))


def told(case: Case, aim: Aim, contact: Contact) -> str:
    """Say what came of an attempt that did not get through."""
    if contact.seconds is not None:
        return f"{aim.address} answered, but it is not {case.target}"
    return contact.error if not aim.named else f"{contact.error} ({aim.address})"


def judge_cannot(case: Case, aims: Sequence[Aim], attempt: Attempt, note: str = "") -> Verdict:
    """Hold an expectation to be true where no address of the target lets anything through."""
    if not aims:
        return case.verdict(True, case.no_aim())
    with ThreadPoolExecutor(len(aims)) as pool:
        contacts = list(pool.map(lambda aim: attempt(aim, DOUBT), aims))
    for aim, contact in zip(aims, contacts, strict=True):
        if got_through(contact, aim):
            taken = duration_words(contact.seconds or 0.0)
            observed = f"{aim.address} answers in {taken}{OWN_LISTENER if contact.listener else ''}"
            return case.verdict(False, observed, way_taken(case.situation(aim)))
    told_of = list(dict.fromkeys(told(case, *each) for each in zip(aims, contacts, strict=True)))
    return case.verdict(True, "; ".join(told_of) + note)


def too_slow(case: Case, aim: Aim, bound: Bound, seconds: float) -> Verdict | None:
    """Hold the best round trip against the bound, where there is one."""
    if bound.latency is None or seconds <= bound.latency:
        return None
    observed = f"best round trip {duration_words(seconds)}, over {duration_words(bound.latency)}"
    return case.verdict(False, observed, shaping(case.situation(aim)))
