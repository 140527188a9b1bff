"""The OCSP responses of certificates with `ocsp-update`: when each is asked for, and put in force.

Requests run on threads of their own; everything else here is on the control loop.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from contextlib import suppress

from isthmus.acme.background import in_background
from isthmus.certificates.changing import used_certificates
from isthmus.certificates.shelf import ChangeError
from isthmus.certificates.store import CertificateStore
from isthmus.model.configuration import Configuration
from isthmus.model.tls import Certificate, OcspUpdate
from isthmus.records import dataclass, field, replace

FIRST_PAUSE = 60.0
"""Seconds after the first failure; they double with each that follows, up to `maxdelay`."""
_DOUBLINGS = 20
"""Failures after which a pause grows no more."""
Told = Callable[[str, bool], None]
"""Is told what happened, and whether something is wrong."""


@dataclass(slots=True)
class Updated:
    """What is known of one certificate's response; `due` and `last` are in seconds since 1970."""

    name: str
    identity: str = ""
    due: float = 0
    last: float | None = None
    successes: int = 0
    failures: int = 0
    in_a_row: int = 0
    outcome: str = "unknown"
    wanted: asyncio.Event = field(default_factory=asyncio.Event)


class Updater:
    """Keeps OCSP responses fresh."""

    def __init__(self, store: CertificateStore, told: Told) -> None:
        self._store = store
        self._told = told
        self.updated: dict[str, Updated] = {}

    async def run(self) -> None:
        """Ask until cancelled. Certificates that come later with the option are looked for now and then."""
        async with asyncio.TaskGroup() as group:
            while True:
                for name in wanted(self._store.running.built.configuration):
                    if name not in self.updated:
                        # Not all at once: one responder may stand behind many.
                        due = time.time() + random.uniform(0, 0.1 * len(self.updated))
                        self.updated[name] = Updated(name, due=due)
                        group.create_task(self._keep(self.updated[name]), name=f"ocsp {name}")
                self._notice_replaced()
                await asyncio.sleep(1)

    def _notice_replaced(self) -> None:
        """Ask at once for certificates that have lost their response, since another one is in their place."""
        known = self._store.certificates.all()
        for kept in self.updated.values():
            held = known.get(kept.name)
            if held is not None and held.ocsp is None and kept.last is not None and not kept.in_a_row:
                kept.last = None
                kept.wanted.set()

    @property
    def _said(self) -> OcspUpdate:
        return self._store.running.built.configuration.global_.tls.ocsp

    async def _keep(self, kept: Updated) -> None:
        while True:
            left = kept.due - time.time()
            if left > 0:
                with suppress(TimeoutError):
                    async with asyncio.timeout(left):
                        await kept.wanted.wait()
            kept.wanted.clear()
            if kept.name not in wanted(self._store.running.built.configuration):
                del self.updated[kept.name]
                return
            await self.update(kept)

    async def update(self, kept: Updated) -> None:
        """Ask for one response and put it in force."""
        try:
            until = await self._ask(kept)
        except Exception as error:
            # Most are ResponseError and ChangeError; none may end the requests for other certificates.
            pause = min(FIRST_PAUSE * 2 ** min(kept.in_a_row, _DOUBLINGS), float(self._said.most))
            kept.failures += 1
            kept.in_a_row += 1
            kept.outcome = str(error)
            kept.due = time.time() + pause
            self._told(
                f"ocsp-update: certificate `{kept.name}`: {error}; the next try is in {pause:.0f} s", True
            )
        else:
            kept.successes += 1
            kept.in_a_row = 0
            kept.outcome = "Update successful"
            kept.last = time.time()
            kept.due = self._next(until)
            self._told(f"ocsp-update: certificate `{kept.name}` has a new response", False)

    def _next(self, until: float | None) -> float:
        """Return when a response is asked for again: before it ends, and within the delays of `global`."""
        now, said = time.time(), self._said
        if until is None:
            return now + said.most
        return now + max(said.least, min(said.most, (until - now) / 2))

    async def _ask(self, kept: Updated) -> float | None:
        from isthmus.ocsp.asking import ask
        from isthmus.ocsp.responses import subject

        held = self._held(kept.name)
        about = subject(held)
        kept.identity = about.identity()
        place, request = about.responder, about.request()
        response = await in_background(lambda: ask(place, request))
        verdict = about.believe(response)
        current = self._held(kept.name)
        if current.chain != held.chain:
            raise ChangeError("the certificate was replaced meanwhile")
        self._store.certificates.put(replace(current, ocsp=response))
        return verdict.until

    def _held(self, name: str) -> Certificate:
        held = self._store.certificates.all().get(name)
        if held is None:
            raise ChangeError("it is not there any more")
        return held


def wanted(said: Configuration) -> set[str]:
    """Return the certificates whose responses are asked for."""
    ocsp = said.global_.tls.ocsp
    if ocsp.disabled:
        return set()
    on: set[str] = set()
    off: set[str] = set()
    others: set[str] = set()
    for each in used_certificates(said):
        (others if each.ocsp_update is None else on if each.ocsp_update else off).add(each.name)
    return on | (others - off if ocsp.on else set())
