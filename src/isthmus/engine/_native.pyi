"""The native module: bytes in, bytes out. Documents are JSON, of the types in this package's modules."""

from typing import Self, final

__all__ = [
    "Call",
    "Engine",
    "Explainer",
    "Handshake",
    "Question",
    "check_list",
    "check_regex",
    "check_tls",
    "vocabulary",
]

def vocabulary() -> bytes:
    """Return the fetches, converters, ACL keywords and aliases that the engine knows."""

def check_list(text: bytes, check: bytes) -> bytes:
    """Return what is wrong with the text of a pattern file for a `ListCheck`: pairs of line and message."""

def check_regex(pattern: bytes) -> str | None:
    """Return what is wrong with a regular expression, None where nothing is."""

def check_tls(plan: bytes) -> bytes:
    """Return the `TlsFacts` of a plan. Raises ValueError for what is none."""

@final
class Engine:
    """The Rust engine. Every call may be made from any thread and detaches the interpreter."""

    def __new__(cls, threads: int) -> Self:
        """Start the worker threads. Raises OSError where the system refuses them."""

    def apply(self, plan: bytes, files: dict[str, bytes] | None = None) -> bytes:
        """Make a plan so; return an `ApplyReport`. Raises ValueError for a plan that it refuses.

        `files` are the texts of its pattern files, by digest.
        """

    def renew(self, plan: bytes) -> bytes:
        """Make the TLS of a plan so; return an `ApplyReport`. Raises ValueError for a plan it refuses."""

    def command(self, command: bytes) -> None:
        """Carry out a `Command`. Raises LookupError or ValueError with a message."""

    def lists(self, request: bytes) -> bytes:
        """Answer a `ListRequest` with a `ListAnswer`. Raises ValueError for what is none."""

    def tables(self, request: bytes) -> bytes:
        """Answer a `TableRequest` with a `TableAnswer`. Raises ValueError for what is none."""

    def variable(self, name: str) -> bytes:
        """Return type and text of a variable of the process, or null."""

    def snapshot(self) -> bytes:
        """Return a `Snapshot`."""

    def sessions(self) -> bytes:
        """Return a list of `SessionFacts`."""

    def caches(self) -> bytes:
        """Return a list of `CacheFacts`."""

    def events(self, timeout_ms: int) -> bytes:
        """Wait up to `timeout_ms` for something to happen; return a list of `Event`, perhaps empty."""

    def calls(self, timeout_ms: int) -> list[Call | Question | int] | None:
        """Wait up to `timeout_ms` for requests for services and for questions about names.

        A number is that of an earlier call which asked to be watched, and at which something changed, or
        that of a question whose answer nobody waits for any more. None: the engine has stopped.
        """

    def socket(self, namespace: str, family: int, kind: int) -> int:
        """Return the descriptor of a fresh non-blocking socket made in a namespace of the plan, by name.

        Raises OSError.
        """

    def check_handshake(self, backend: str, server: str, sni: str | None = None) -> Handshake:
        """Begin the TLS of a server's health check.

        Raises LookupError where there is no such server, or its check speaks no TLS.
        """

    def stop(self, graceful: bool) -> None:
        """Close the listeners; `graceful` lets sessions end first. Event `Stopped` tells when it is done."""

@final
class Handshake:
    """The TLS of a health check, whose bytes others move."""

    def advance(self, received: bytes) -> tuple[bytes, str]:
        """Go on with what the server sent; return what to send.

        With it comes how the handshake stands: `waits`, `done`, `failed` or `misnamed`.
        """

    def close(self) -> bytes:
        """Return the word that no more will be sent."""

@final
class Call:
    """A request for a service. Every call may be made from any thread; one that is dropped has failed.

    What reads or writes raises BrokenPipeError once nobody waits for the answer any more.
    """

    @property
    def number(self) -> int:
        """Tells it from other calls."""

    def request(self) -> bytes:
        """Return the `ServiceRequest`."""

    def begin(self) -> bool:
        """Leave the line of calls that wait. False: nobody waits for the answer any more."""

    def watch(self) -> None:
        """Ask for the number in `Engine.calls` when something changes, once until `seen`."""

    def seen(self) -> None:
        """Say that the number was seen: the next change tells it again."""

    def gone(self) -> bool:
        """Whether nobody waits for the answer any more."""

    def read(self, most: int, timeout_ms: int) -> bytes | None:
        """Read bytes of the request's body: none at its end. None: there are none yet."""

    def start(self, head: bytes) -> None:
        """Give a `ServiceHead`; it is sent with the first `write`, or at the end.

        Raises ValueError for what is none.
        """

    def write(self, data: bytes, offset: int, timeout_ms: int) -> int:
        """Give the data behind an offset; return how many bytes were taken, 0 where there is no room yet.

        Raises ValueError for more than the head promised.
        """

    def finish(self) -> None:
        """Say that the response is whole."""

    def fail(self) -> None:
        """Say that there will be no more: an error for the client, or a connection that is broken off."""

@final
class Explainer:
    """A plan that answers questions about connections that are only described. Nothing is opened."""

    def __new__(cls, plan: bytes, files: dict[str, bytes]) -> Self:
        """Compile a plan, with the texts of its pattern files by digest. Raises ValueError for a bad one."""

    def ask(self, question: bytes) -> bytes:
        """Answer a `Question` with an `Explained`. Raises ValueError for what is none."""

def describe_certificates(pem: bytes) -> bytes:
    """Return what the certificates of a PEM file say of themselves, as a list of `CertificateDescription`."""

def describe_revocations(pem: bytes) -> bytes:
    """Return what the lists of a PEM file say of themselves, as a list of `RevocationDescription`."""

@final
class Question:
    """A question about a name. Every call may be made from any thread; one that is dropped has no answer."""

    @property
    def number(self) -> int:
        """Tells it from other questions and from calls."""

    def request(self) -> bytes:
        """Return the `NameQuestion`."""

    def gone(self) -> bool:
        """Whether nobody waits for the answer any more."""

    def answer(self, address: str | None) -> None:
        """Give an IP address, or say that there is none; the first answer counts.

        Raises ValueError for what is no address.
        """
