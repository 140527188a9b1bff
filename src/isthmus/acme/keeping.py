"""The certificates that authorities issue: when each is asked for, again after a failure, and put in force.

One order runs at a time for each certificate, on a thread of its own; everything else here is on the control
loop. Traffic goes on under the certificate before, whatever becomes of an order.
"""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from posixpath import join
from typing import TYPE_CHECKING

from isthmus.acme.answering import Proofs, Table
from isthmus.acme.background import in_background
from isthmus.acme.storing import write_secret
from isthmus.certificates.shelf import ChangeError
from isthmus.certificates.store import CertificateStore
from isthmus.engine import Engine, describe_certificates
from isthmus.keywords.tls_files import SYSTEM_FILES
from isthmus.model.acme import Authority
from isthmus.model.tls import Certificate, GlobalTls
from isthmus.records import dataclass, field, replace

if TYPE_CHECKING:
    from isthmus.acme.asking import Answering, Order

FIRST_PAUSE = 60.0
"""Seconds after the first failure; they double with each that follows."""
LONGEST_PAUSE = 6 * 3600.0
_DOUBLINGS = 20
"""Failures after which a pause grows no more."""
_LEAST_LIFE = 3600.0
"""Seconds that an issued certificate stays, whatever it says."""
_OF_VALIDITY = 12
"""As in HAProxy, a certificate is renewed when this part of its validity is left."""
_LONGEST_SLEEP = 3600.0
"""Seconds; clocks are set, and machines sleep."""
Told = Callable[[str, bool], None]
"""Is told what happened, and whether something is wrong."""


@dataclass(slots=True)
class Kept:
    """What is known of one certificate: whether it is asked for just now, and when next.

    `due` is in seconds since 1970; None: not before an operator says so.
    """

    name: str
    running: bool = False
    failures: int = 0
    due: float | None = None
    wanted: asyncio.Event = field(default_factory=asyncio.Event)


class Keeper:
    """Keeps the certificates of `load` lines with `acme` valid."""

    def __init__(self, store: CertificateStore, engine: Engine, told: Told) -> None:
        self._store = store
        self._engine = engine
        self._told = told
        self.kept: dict[str, Kept] = {}

    async def run(self) -> None:
        """Keep the certificates until cancelled."""
        async with asyncio.TaskGroup() as group:
            for name, held in self._ordered():
                self.kept[name] = Kept(name, due=self._due(held))
                group.create_task(self._keep(self.kept[name]), name=f"acme {name}")

    def _ordered(self) -> Iterator[tuple[str, Certificate]]:
        for name, held in self._store.certificates.all().items():
            if held is not None and held.ordered is not None:
                yield name, held

    def _due(self, held: Certificate) -> float | None:
        """Return when a certificate is to be asked for."""
        if not self._said.scheduled:
            return None
        found = describe_certificates(held.chain)
        ordered = held.ordered
        if not found or ordered is None or ordered.interim:
            return time.time()
        names = {each.removeprefix("DNS:") for each in found[0].names.split(", ")}
        if not set(ordered.domains) <= names:
            return time.time()
        return found[0].not_after - (found[0].not_after - found[0].not_before) / _OF_VALIDITY

    @property
    def _said(self) -> GlobalTls:
        return self._store.running.built.configuration.global_.tls

    async def _keep(self, kept: Kept) -> None:
        while True:
            await self._rest(kept)
            kept.wanted.clear()
            kept.running = True
            try:
                await self._order(kept)
            finally:
                kept.running = False

    async def _rest(self, kept: Kept) -> None:
        """Wait until a certificate is due, or an operator wants it."""
        while not kept.wanted.is_set():
            left = _LONGEST_SLEEP if kept.due is None else kept.due - time.time()
            if left <= 0:
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(min(left, _LONGEST_SLEEP)):
                    await kept.wanted.wait()

    async def _order(self, kept: Kept) -> None:
        from isthmus.acme.asking import Issued, ask

        try:
            order, authority = self._prepared(kept.name)
            answering = self._answering(authority)
            issued: Issued = await in_background(lambda: ask(order, answering))
            self._install(kept.name, issued.chain, issued.key)
        except Exception as error:
            # Most are AskingError and ChangeError; none may end the orders of other certificates.
            pause = min(FIRST_PAUSE * 2 ** min(kept.failures, _DOUBLINGS), LONGEST_PAUSE) * random.uniform(
                1, 1.1
            )
            kept.failures += 1
            kept.due = time.time() + pause if self._said.scheduled else None
            again = f"; the next try is in {pause:.0f} s" if self._said.scheduled else ""
            self._told(f"acme: certificate `{kept.name}` was not issued: {error}{again}", True)
        else:
            kept.failures = 0
            held = self._store.certificates.all().get(kept.name)
            due = None if held is None else self._due(held)
            # One that is due at once, as where a name is missing in it, would be asked for without an end.
            kept.due = None if due is None else max(due, time.time() + _LEAST_LIFE)
            self._told(f"acme: certificate `{kept.name}` was issued and is in force", False)

    def _prepared(self, name: str) -> tuple[Order, Authority]:
        """Return what to ask for. Raises ChangeError where the configuration does not say it any more."""
        from isthmus.acme.asking import Order

        held = self._store.certificates.all().get(name)
        said = self._store.running.built.configuration.acme
        if held is None or held.ordered is None:
            raise ChangeError("it is not there any more")
        section = held.ordered.section
        authority = next((each for each in said if each.name == section), None)
        if authority is None:
            raise ChangeError(f"there is no section `acme {section}`")
        key = held.key if authority.reuse_key and not held.ordered.interim else None
        return Order(authority, held.ordered.domains, key, self._trust()), authority

    def _trust(self) -> str | bool:
        """Return whom the connection to an authority believes."""
        said = self._said
        if said.believe_all:
            return False
        if said.trust != "@system-ca":
            return said.trust
        return next((each for each in SYSTEM_FILES if os.path.exists(each)), True)

    def _answering(self, authority: Authority) -> Answering:
        """Return how challenges of an authority are answered. Raises ChangeError where they cannot be."""
        from isthmus.acme.asking import Answering

        if authority.map is not None:
            table = Table(self._engine, authority.map)
            return Answering(table.begin, table.end)
        proofs = Proofs(self._store, asyncio.get_running_loop())
        return Answering(proofs.begin, proofs.end)

    def _install(self, name: str, chain: bytes, key: bytes) -> None:
        """Put an issued certificate in force, and into its files. Raises ChangeError."""
        held = self._store.certificates.all().get(name)
        if held is None or held.ordered is None:
            raise ChangeError("it is not there any more")
        fresh = replace(held, chain=chain, key=key, ocsp=None, ordered=replace(held.ordered, interim=False))
        self._store.certificates.approve(fresh)
        if held.files is not None:
            try:
                _store(fresh)
            except OSError as error:
                why = error.strerror or str(error)
                self._told(f"acme: certificate `{name}` is in force and cannot be stored: {why}", True)
        self._store.certificates.put(fresh)


def _store(certificate: Certificate) -> None:
    """Write a certificate to the files that it is read from; the key first, where it has its own."""
    files = certificate.files
    if files is None:
        return
    if files.parts.key:
        write_secret(join(files.bases.key_base, files.parts.key), certificate.key)
        write_secret(files.path, certificate.chain)
    else:
        write_secret(files.path, certificate.chain + certificate.key)
