"""A request as a service sees it."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple
from urllib.parse import parse_qsl, unquote_to_bytes

from isthmus.services.body import AsyncBody, Body
from isthmus.services.fields import Fields

_NO_FIELDS = Fields()
_NO_BODY = Body(lambda _most: b"")


class Address(NamedTuple):
    """An IP address and a port."""

    ip: str
    port: int

    def __str__(self) -> str:
        return f"[{self.ip}]:{self.port}" if ":" in self.ip else f"{self.ip}:{self.port}"


@dataclass(frozen=True, kw_only=True)
class Head:
    """All of a request but its body, as the rules before `use-service` left it."""

    method: str
    """The method, for instance `GET`."""
    target: str
    """What is asked for, as it was sent: usually a path and a query."""
    version: str = "HTTP/1.1"
    """The client's version."""
    fields: Fields = _NO_FIELDS
    """The head's fields, names in lower case."""
    length: int | None = 0
    """The body's length; None where only its end will tell."""
    source: Address | None = None
    """The client's address; None where it came over a UNIX socket."""
    destination: Address | None = None
    """The address that the client connected to."""
    src_netns: str = ""
    """The source namespace of the client's connection, empty for the default one."""
    frontend: str = ""
    """The frontend that the request came through."""
    backend: str = ""
    """The backend whose rule named the service; empty if a frontend's did."""
    unique_id: str = ""
    """The request's unique id, if the frontend gives one (`unique-id-format`)."""
    deadline: float | None = None
    """When the client gets a 504 unless the service has answered, by `time.monotonic()`."""
    gone: Callable[[], bool] = lambda: False
    """Whether the client has gone."""

    @cached_property
    def path(self) -> str:
        """The path, decoded; bytes that are not UTF-8 are replaced."""
        return unquote_to_bytes(self._path_and_query[0].encode("latin-1")).decode("utf-8", "replace")

    @cached_property
    def query(self) -> dict[str, str]:
        """The parameters of the query, decoded; of several with one name the last counts."""
        return dict(parse_qsl(self._path_and_query[1], keep_blank_values=True, errors="replace"))

    @property
    def cancelled(self) -> bool:
        """Whether nobody waits for the answer any more."""
        return self.gone()

    @property
    def remaining(self) -> float:
        """Seconds until the deadline; infinite without one."""
        return float("inf") if self.deadline is None else self.deadline - time.monotonic()

    @property
    def _path_and_query(self) -> tuple[str, str]:
        target = self.target
        _, scheme, rest = target.partition("://")
        if scheme and not target.startswith("/"):
            target = "/" + rest.partition("/")[2]
        path, _, query = target.partition("?")
        return path, query


@dataclass(frozen=True, kw_only=True)
class Request(Head):
    """A request for a plain function, which runs in a thread of its own."""

    body: Body = _NO_BODY
    """What the client sends behind the head."""


@dataclass(frozen=True, kw_only=True)
class AsyncRequest(Head):
    """A request for an `async def` function, which shares one event loop with all others."""

    body: AsyncBody
    """What the client sends behind the head."""
