"""Sections `resolvers` as rules and servers name them."""

from __future__ import annotations

from collections.abc import Iterable

from isthmus.config import Diagnostics, Span, register
from isthmus.keywords.values import suggest
from isthmus.model.configuration import Global
from isthmus.model.resolvers import Resolvers
from isthmus.records import replace

NO_SUCH_RESOLVERS = register(
    "E0562",
    "no such section resolvers",
    """A rule or a server line names a section `resolvers` that does not exist. `default` is there by itself
    where /etc/resolv.conf names a name server.""",
    "http-request do-resolve(txn.ip,default,ipv4) hdr(host),host_only",
)

_SLACK = 500
"""How much later than its last question a session gives up: milliseconds."""


class ResolversNames:
    """The sections by name; one that does not exist is an error in the diagnostics."""

    def __init__(self, sections: Iterable[Resolvers], diagnostics: Diagnostics) -> None:
        self._sections = {each.name: each for each in sections}
        self._diagnostics = diagnostics
        self._used: dict[str, Resolvers] = {}

    @property
    def used(self) -> tuple[Resolvers, ...]:
        """The sections that were found so far."""
        return tuple(self._used.values())

    def find(self, name: str, span: Span) -> Resolvers | None:
        """Return a section; collects an error where there is none."""
        found = self._sections.get(name)
        if found is None:
            message, hint = f"there is no section `resolvers {name}`", suggest(name, self._sections)
            self._diagnostics.alert(NO_SUCH_RESOLVERS, message, span, hint=hint)
        else:
            self._used[name] = found
        return found

    def patience(self, name: str, span: Span) -> int:
        """Return how long, in milliseconds, a session waits for an answer at most."""
        found = self.find(name, span)
        return found.patience + _SLACK if found else 0


def accepting(sections: Iterable[Resolvers], said: Global) -> tuple[Resolvers, ...]:
    """Return sections that ask for the families of addresses that section `global` accepts."""
    return tuple(
        replace(each, accept=said.accept_families, accept_routed=said.accept_routed) for each in sections
    )
