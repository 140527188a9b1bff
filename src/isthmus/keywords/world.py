"""What reading a configuration asks of the machine. Tests answer without root, files or a resolver."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address
from typing import Protocol

from isthmus.services.registry import Services

ABSENT = "does not exist"
"""What is wrong with a namespace that is not there."""


class World(Protocol):
    """Answers about the machine. None means that there is no such thing."""

    def namespace_fault(self, path: str) -> str | None:
        """Return why a file cannot be used as a namespace, behind its name; None where it can."""
        ...

    def resolve(self, host: str, family: int | None) -> IPv4Address | IPv6Address | None:
        """Return the first address of a host name, of family 4 or 6 if one is asked for."""
        ...

    def is_socket(self, descriptor: int) -> bool:
        """Whether the process was started with this descriptor open, and it is a socket."""
        ...

    def user_id(self, name: str) -> int | None:
        """Return the number of a user."""
        ...

    def group_id(self, name: str) -> int | None:
        """Return the number of a group."""
        ...

    def read_bytes(self, path: str) -> bytes:
        """Return what a file holds; raises OSError if it can't be read."""
        ...

    def list_folder(self, path: str) -> tuple[str, ...] | None:
        """Return the names of the files in a folder, sorted; None where it is none that can be read."""
        ...

    def load_services(self, path: str) -> Services:
        """Run a Python file and return the services that it registers; raises LoadError."""
        ...

    def capabilities(self) -> frozenset[str]:
        """Return the names of the capabilities in effect, for instance CAP_SYS_ADMIN."""
        ...

    def open_files(self) -> int:
        """Return how many files the process may have open."""
        ...

    def controls_congestion(self, algorithm: str) -> bool:
        """Whether the kernel lets connections use an algorithm against congestion."""
        ...

    def host_name(self) -> str:
        """Return the machine's host name."""
        ...
