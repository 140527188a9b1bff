"""A whole network file, with its includes and templates worked in."""

from __future__ import annotations

from pathlib import Path

from isthmus.config import Span
from isthmus.network.model.expectation import Expectation
from isthmus.network.model.link import Link
from isthmus.network.model.namespace import Namespace
from isthmus.network.model.service import Service
from isthmus.records import dataclass, field


@dataclass(frozen=True, slots=True)
class Proxy:
    """The proxy in front: HAProxy-style configuration files and the namespace it is started in."""

    namespace: str
    files: tuple[Path, ...]
    span: Span | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Network:
    """A network. Its `name` marks all that belongs to it (interface aliases, nftables tables)."""

    name: str
    namespaces: tuple[Namespace, ...] = ()
    links: tuple[Link, ...] = ()
    services: tuple[Service, ...] = ()
    expectations: tuple[Expectation, ...] = ()
    proxy: Proxy | None = None
