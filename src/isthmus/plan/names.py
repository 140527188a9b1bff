"""Names to indexes: namespaces as they are met, proxies and servers as they stand in the plan."""

from __future__ import annotations

from collections.abc import Iterable

from isthmus.config import Span
from isthmus.model.address import Namespace
from isthmus.model.proxy import Proxy
from isthmus.plan import document


def origin(span: Span) -> str:
    """Return `file:line`, by which messages tell where something was configured."""
    return f"{span.file}:{span.line}"


def byte_string(text: str) -> str:
    """Return text of a configuration as the plan carries bytes: a character U+0000..U+00FF for each."""
    return text.encode("utf-8", "surrogateescape").decode("latin-1")


class Namespaces:
    """The plan's list of namespaces. One that any line calls optional is, for all that use it."""

    def __init__(self, known: Iterable[document.Namespace] = ()) -> None:
        self._found = list(known)
        self._index = {each.name: at for at, each in enumerate(self._found)}

    def index(self, namespace: Namespace) -> int:
        """Return a namespace's index, adding it if it is new."""
        at = self._index.setdefault(namespace.name, len(self._found))
        if at == len(self._found):
            self._found.append(document.Namespace(namespace.name, namespace.path, namespace.optional))
        elif namespace.optional and not self._found[at].optional:
            self._found[at] = document.Namespace(namespace.name, namespace.path, True)
        return at

    def all(self) -> tuple[document.Namespace, ...]:
        """Return every namespace met so far."""
        return tuple(self._found)


class Proxies:
    """Frontends and backends by name, with their indexes in the plan."""

    def __init__(self, proxies: Iterable[Proxy]) -> None:
        proxies = tuple(proxies)
        self.all = proxies
        self.frontends = tuple(each for each in proxies if each.is_frontend)
        self.backends = tuple(each for each in proxies if each.is_backend)
        self._frontend_index = {each.name: i for i, each in enumerate(self.frontends)}
        self._backend_index = {each.name: i for i, each in enumerate(self.backends)}

    def frontend(self, name: str) -> int | None:
        """Return a frontend's index."""
        return self._frontend_index.get(name)

    def backend(self, name: str) -> int | None:
        """Return a backend's index."""
        return self._backend_index.get(name)

    def server(self, backend: int, name: str) -> int | None:
        """Return a server's index in its backend."""
        servers = self.backends[backend].servers
        return next((i for i, each in enumerate(servers) if each.name == name), None)


class Numbers:
    """Numbers for what has none, as HAProxy gives them.

    The next number to try goes up with each thing, also with one that has a number; numbers that the
    configuration gives to any of them are skipped. `first` is where it starts.
    """

    def __init__(self, given: Iterable[int], first: int = 1) -> None:
        self._used = {number for number in given if number}
        self._next = first

    def number(self, given: int) -> int:
        """Return a number: the given one, or the next free one where that is 0."""
        if not given:
            while self._next in self._used:
                self._next += 1
        number = given or self._next
        self._next += 1
        return number
