"""Services by name: those that a file registers while it is loaded, and those of the program's own."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar, overload

from isthmus.records import dataclass
from isthmus.services.request import AsyncRequest, Request
from isthmus.services.response import Response

Plain = Callable[[Request], Response]
"""A function that waits where it stands; each call has a thread."""
Async = Callable[[AsyncRequest], Awaitable[Response]]
"""An `async def` function; all calls share one event loop."""
Function = TypeVar("Function", Plain, Async)

PREFIX = "python."
"""What stands before the name of a service from a file."""


@dataclass(frozen=True, slots=True)
class Service:
    """A function that answers requests, and its name in rules: that of a file's begins with `python.`."""

    name: str
    function: Plain | Async

    @property
    def is_async(self) -> bool:
        """Whether it runs in the event loop."""
        own = self.function
        return inspect.iscoroutinefunction(own) or inspect.iscoroutinefunction(type(own).__call__)


class Taken(Exception):  # noqa: N818
    """There is a service of this name already."""


class Services(dict[str, Service]):
    """Services by the names that rules use."""

    def add(self, name: str, function: Plain | Async) -> None:
        """Add one. Raises `Taken` where there is one of that name."""
        if name in self:
            raise Taken(name)
        self[name] = Service(name, function)


BUILT_IN = Services()
"""Services of the program's own, which need no `python-load`: whoever offers one adds it when imported."""

_loading: ContextVar[Services | None] = ContextVar("services", default=None)


@contextmanager
def collecting(into: Services) -> Iterator[None]:
    """Take what is registered meanwhile."""
    token = _loading.set(into)
    try:
        yield
    finally:
        _loading.reset(token)


@overload
def service(name: Function) -> Function: ...


@overload
def service(name: str) -> Callable[[Function], Function]: ...


def service(name: str | Function) -> Function | Callable[[Function], Function]:
    """Register a function as a service: `http-request use-service python.NAME` asks it for answers.

    Stands before a function as `@service("name")`, or as `@service` where the function's own name will do.
    """
    if not isinstance(name, str):
        _register(name.__name__, name)
        return name

    def register(function: Function) -> Function:
        _register(name, function)
        return function

    return register


def _register(name: str, function: Plain | Async) -> None:
    if not callable(function):
        raise TypeError(f"a service is a function, and {function!r} is none")
    if not name or any(each.isspace() for each in name):
        raise ValueError(f"a service cannot be named {name!r}")
    into = _loading.get()
    if into is None:
        # The file is imported by something else, a test perhaps: there is nobody to register with.
        return
    try:
        into.add(PREFIX + name, function)
    except Taken:
        raise ValueError(f"there is a service {name!r} already") from None
