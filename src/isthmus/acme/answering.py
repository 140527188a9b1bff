"""How challenges are answered: from a list that rules look into (HTTP-01), or in handshakes (TLS-ALPN-01).

Both are called from the threads of orders. An error that they raise is the order's.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
from collections.abc import Callable
from dataclasses import replace

from isthmus.certificates.changing import TlsChange
from isthmus.certificates.shelf import ChangeError
from isthmus.certificates.store import CertificateStore
from isthmus.config import Span
from isthmus.engine import Engine
from isthmus.engine.lists import AddEntries, AllLists, DeleteEntries, GetLists, Refused
from isthmus.model.tls import BindTls, Certificate, Proof

_PLACE = Span("acme", 1, 1, 1)
_PATIENCE = 30
"""Seconds that the control loop has for a change."""


class Table:
    """A map in which rules look up what an authority asks for over HTTP (RFC 8555 section 8.3)."""

    def __init__(self, engine: Engine, name: str) -> None:
        """Find the map; raises ChangeError where no rule looks into it."""
        self._engine = engine
        answer = engine.lists(GetLists())
        known = answer.lists if isinstance(answer, AllLists) else ()
        numbers = [each.id for each in known if each.name == name and each.two_columns]
        if not numbers:
            raise ChangeError(f"no rule looks challenges up in `{name}`")
        self._number = numbers[0]

    def begin(self, host: str, token: str, thumbprint: str) -> None:
        """Answer a token, whatever host it is asked of."""
        answer = self._engine.lists(AddEntries(self._number, None, ((token, thumbprint),)))
        if isinstance(answer, Refused):
            raise ValueError(f"the challenge of {host} cannot be answered: {answer.why}")

    def end(self, host: str, token: str) -> None:
        """Forget a token."""
        self._engine.lists(DeleteEntries(self._number, token, None))


class Proofs:
    """Certificates for those who ask for `acme-tls/1` alone, on every bind line with TLS (RFC 8737)."""

    def __init__(self, store: CertificateStore, loop: asyncio.AbstractEventLoop) -> None:
        self._store = store
        self._loop = loop

    def begin(self, host: str, token: str, authorization: str) -> None:
        """Show the proof of a host."""
        from isthmus.acme.proving import proof_certificate

        chain, key = proof_certificate(host, authorization)
        proof = Proof(host, Certificate(f"acme-tls/1 {host}", chain, key, _PLACE))
        self._change(lambda bind: replace(bind, proofs=(*_others(bind, host), proof)))

    def end(self, host: str, token: str) -> None:
        """Show it no more."""
        self._change(lambda bind: replace(bind, proofs=_others(bind, host)))

    def _change(self, change: Callable[[BindTls], BindTls]) -> None:
        """Make a change on the control loop, and wait for it. Raises ChangeError."""
        done: concurrent.futures.Future[None] = concurrent.futures.Future()

        def run() -> None:
            try:
                self._store.make(TlsChange(bind=change))
            except ChangeError as error:
                done.set_exception(error)
            else:
                done.set_result(None)

        self._loop.call_soon_threadsafe(run)
        done.result(_PATIENCE)


def _others(bind: BindTls, host: str) -> tuple[Proof, ...]:
    return tuple(each for each in bind.proofs if each.host != host)
