"""The one importer of the native module: sends plans and commands, takes reports.

What crosses is JSON of the types in `isthmus.plan.document`, `isthmus.engine.command` and
`isthmus.engine.report`. Nothing here decides anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

import msgspec

from isthmus.engine.caches import CacheFacts
from isthmus.engine.command import Command
from isthmus.engine.explain import Explained
from isthmus.engine.explain import Question as Described
from isthmus.engine.lists import ListAnswer, ListCheck, ListRequest
from isthmus.engine.question import Question
from isthmus.engine.report import ApplyReport, Event, SessionFacts, Snapshot
from isthmus.engine.service import Call
from isthmus.engine.tables import TableAnswer, TableRequest
from isthmus.engine.tls import CertificateDescription, RevocationDescription, TlsFacts

if TYPE_CHECKING:
    from isthmus.plan.document import Plan


class Handshake(Protocol):
    """The TLS of a health check, whose bytes others move (`_native.pyi` tells the contract)."""

    def advance(self, received: bytes) -> tuple[bytes, str]:
        """Go on with what the server sent; return what to send, and how it stands."""
        ...

    def close(self) -> bytes:
        """Return the word that no more will be sent."""
        ...


class Native(Protocol):
    """What is asked of the native engine (`_native.pyi` tells the contract)."""

    def apply(self, plan: bytes, files: dict[str, bytes] | None = None) -> bytes:
        """Make a plan so."""
        ...

    def renew(self, plan: bytes) -> bytes:
        """Make the TLS of a plan so."""
        ...

    def command(self, command: bytes) -> None:
        """Carry out a command."""
        ...

    def lists(self, request: bytes) -> bytes:
        """Ask about lists of patterns."""
        ...

    def tables(self, request: bytes) -> bytes:
        """Ask about stick tables."""
        ...

    def variable(self, name: str) -> bytes:
        """Return type and text of a variable of the process."""
        ...

    def snapshot(self) -> bytes:
        """Return counters and states."""
        ...

    def sessions(self) -> bytes:
        """Return the sessions."""
        ...

    def caches(self) -> bytes:
        """Return what caches hold."""
        ...

    def events(self, timeout_ms: int) -> bytes:
        """Wait for events."""
        ...

    def calls(self, timeout_ms: int) -> Sequence[Call | Question | int] | None:
        """Wait for calls of services."""
        ...

    def socket(self, namespace: str, family: int, kind: int) -> int:
        """Return a fresh socket's descriptor."""
        ...

    def check_handshake(self, backend: str, server: str, sni: str | None = None) -> Handshake:
        """Begin the TLS of a health check."""
        ...

    def stop(self, graceful: bool) -> None:
        """Begin to stop."""
        ...


class Engine:
    """A running engine. Its threads live as long as the process: never fork(2) after making one."""

    def __init__(self, native: Native) -> None:
        self._native = native

    @classmethod
    def start(cls, threads: int) -> Engine:
        """Start the native engine with this many worker threads."""
        from isthmus.engine import _native

        return cls(_native.Engine(threads))

    def apply(self, plan: Plan, texts: Mapping[str, bytes] | None = None) -> ApplyReport:
        """Make a plan so, in place of any before it. Where the report has errors, nothing changed.

        `texts` are what its pattern files hold, by digest. Raises ValueError for a plan that the engine
        refuses to read.
        """
        report = self._native.apply(msgspec.json.encode(plan), dict(texts or {}))
        return msgspec.json.decode(report, type=ApplyReport)

    def renew(self, plan: Plan) -> ApplyReport:
        """Make the TLS of a plan so, whose lines are otherwise those of the plan in force.

        Handshakes from now on see it; connections that stand keep what they have. Where the report has
        errors, nothing changed. Raises ValueError for a plan that the engine refuses to read.
        """
        return msgspec.json.decode(self._native.renew(msgspec.json.encode(plan)), type=ApplyReport)

    def lists(self, request: ListRequest) -> ListAnswer:
        """Ask about lists of patterns, or change one."""
        answer: ListAnswer = msgspec.json.decode(
            self._native.lists(msgspec.json.encode(request)), type=ListAnswer
        )
        return answer

    def tables(self, request: TableRequest) -> TableAnswer:
        """Ask about stick tables, or change one."""
        answer: TableAnswer = msgspec.json.decode(
            self._native.tables(msgspec.json.encode(request)), type=TableAnswer
        )
        return answer

    def command(self, command: Command) -> None:
        """Carry out a command. Raises LookupError where a name is unknown, ValueError otherwise."""
        self._native.command(msgspec.json.encode(command))

    def variable(self, name: str) -> tuple[str, str] | None:
        """Return the type of a variable of scope `proc` and its value as text, None where it has none."""
        return msgspec.json.decode(self._native.variable(name), type=tuple[str, str] | None)

    def snapshot(self) -> Snapshot:
        """Return counters and states of this moment."""
        return msgspec.json.decode(self._native.snapshot(), type=Snapshot)

    def sessions(self) -> list[SessionFacts]:
        """Return the sessions of this moment."""
        return msgspec.json.decode(self._native.sessions(), type=list[SessionFacts])

    def caches(self) -> list[CacheFacts]:
        """Return the caches of this moment and what they hold."""
        return msgspec.json.decode(self._native.caches(), type=list[CacheFacts])

    def events(self, timeout_ms: int) -> list[Event]:
        """Wait for something to happen, for at most `timeout_ms`. Blocks: call it from its own thread."""
        return msgspec.json.decode(self._native.events(timeout_ms), type=list[Event])

    def calls(self, timeout_ms: int) -> Sequence[Call | Question | int] | None:
        """Wait for requests for services and for questions about names.

        A number is that of an earlier call at which something changed, or of a question that is over.

        None once the engine has stopped. Blocks: call it from its own thread.
        """
        return self._native.calls(timeout_ms)

    def socket(self, namespace: str, family: int, kind: int) -> int:
        """Return the descriptor of a fresh non-blocking socket in a namespace of the plan, by name.

        Raises OSError.
        """
        return self._native.socket(namespace, family, kind)

    def check_handshake(self, backend: str, server: str, sni: str | None = None) -> Handshake:
        """Begin the TLS of a server's health check, which is sent `sni`.

        Raises LookupError where there is no such server, or its check speaks no TLS.
        """
        return self._native.check_handshake(backend, server, sni)

    def stop(self, *, graceful: bool) -> None:
        """Close the listeners, and end the sessions or wait for them. `Stopped` follows as an event."""
        self._native.stop(graceful)


class Explainer:
    """A plan that answers questions about connections that are only described."""

    def __init__(self, plan: Plan, texts: Mapping[str, bytes]) -> None:
        """Compile a plan, with the texts of its pattern files by digest. Raises ValueError."""
        from isthmus.engine import _native

        self._native = _native.Explainer(msgspec.json.encode(plan), dict(texts))

    def ask(self, question: Described) -> Explained:
        """Answer a question."""
        return msgspec.json.decode(self._native.ask(msgspec.json.encode(question)), type=Explained)


def vocabulary() -> bytes:
    """Return the fetches, converters and aliases that the engine knows, as JSON."""
    from isthmus.engine import _native

    return _native.vocabulary()


def check_list(text: bytes, check: ListCheck) -> list[tuple[int, str]]:
    """Return what is wrong with the text of a pattern file for a use of it, by line."""
    from isthmus.engine import _native

    return msgspec.json.decode(
        _native.check_list(text, msgspec.json.encode(check)), type=list[tuple[int, str]]
    )


def check_regex(pattern: bytes) -> str | None:
    """Return what is wrong with a regular expression, None where nothing is."""
    from isthmus.engine import _native

    return _native.check_regex(pattern)


def check_tls(plan: Plan) -> TlsFacts:
    """Return what is wrong with the TLS of a plan, and what its certificates say."""
    from isthmus.engine import _native

    return msgspec.json.decode(_native.check_tls(msgspec.json.encode(plan)), type=TlsFacts)


def describe_certificates(pem: bytes) -> list[CertificateDescription]:
    """Return what the certificates of a PEM file say of themselves, in order."""
    from isthmus.engine import _native

    return msgspec.json.decode(_native.describe_certificates(pem), type=list[CertificateDescription])


def describe_revocations(pem: bytes) -> list[RevocationDescription]:
    """Return what the revocation lists of a PEM file say of themselves, in order."""
    from isthmus.engine import _native

    return msgspec.json.decode(_native.describe_revocations(pem), type=list[RevocationDescription])
