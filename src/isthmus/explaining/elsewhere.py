"""The machine on which an explained configuration is to run, which need not be this one."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

from isthmus.keywords import System


class Elsewhere(System):
    """Has every namespace, user, group and descriptor that a configuration names, and asks no resolver."""

    def namespace_fault(self, path: str) -> str | None:
        """Return what is wrong with a namespace: nothing."""
        del path
        return None

    def is_socket(self, descriptor: int) -> bool:
        """Whether a descriptor is a socket: all are."""
        del descriptor
        return True

    def user_id(self, name: str) -> int | None:
        """Return a number for a user."""
        return super().user_id(name) or 0

    def group_id(self, name: str) -> int | None:
        """Return a number for a group."""
        return super().group_id(name) or 0

    def resolve(self, host: str, family: int | None) -> IPv4Address | IPv6Address | None:
        """Return the address of `localhost`. Another name would take a question that is sent."""
        if host.lower() != "localhost":
            return None
        return ip_address("::1" if family == 6 else "127.0.0.1")
