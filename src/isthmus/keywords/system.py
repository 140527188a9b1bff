"""The machine that this process runs on, as reading a configuration asks about it."""

from __future__ import annotations

import grp
import os
import pwd
import re
import resource
import socket
import stat
from errno import ENOTTY
from fcntl import ioctl
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

from isthmus.kernel import CLONE_NEWNET
from isthmus.keywords.world import ABSENT
from isthmus.services.loading import load_file
from isthmus.services.registry import Services

_NS_GET_NSTYPE = 0xB703
"""Asks a namespace for its kind, by its number for clone(2) (ioctl_ns(2))."""
_CAPABILITIES = {
    "CAP_SETGID": 6,
    "CAP_SETUID": 7,
    "CAP_NET_BIND_SERVICE": 10,
    "CAP_NET_ADMIN": 12,
    "CAP_NET_RAW": 13,
    "CAP_SYS_ADMIN": 21,
}
"""Capabilities and their bits (capability.h)."""


class System:
    """The `World` of a running program."""

    def namespace_fault(self, path: str) -> str | None:
        """Return why a file is no network namespace of the kernel's; None where it is one."""
        try:
            # A pipe of that name must not hold us up.
            file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                kind = ioctl(file, _NS_GET_NSTYPE)
            finally:
                os.close(file)
        except FileNotFoundError:
            return ABSENT
        except OSError as error:
            other = error.errno == ENOTTY
            return "is another kind of file" if other else f"cannot be used: {error.strerror}"
        return None if kind == CLONE_NEWNET else "is a namespace of another kind"

    def resolve(self, host: str, family: int | None) -> IPv4Address | IPv6Address | None:
        """Return the first address that getaddrinfo(3) finds."""
        wanted = {4: socket.AF_INET, 6: socket.AF_INET6, None: socket.AF_UNSPEC}[family]
        try:
            found = socket.getaddrinfo(host, None, wanted, socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            return None
        return ip_address(str(found[0][4][0]).partition("%")[0]) if found else None

    def is_socket(self, descriptor: int) -> bool:
        """Whether a descriptor is open and a socket."""
        try:
            return stat.S_ISSOCK(os.fstat(descriptor).st_mode)
        except OSError:
            return False

    def user_id(self, name: str) -> int | None:
        """Return the number of a user."""
        try:
            return pwd.getpwnam(name).pw_uid
        except (KeyError, ValueError):
            return None

    def group_id(self, name: str) -> int | None:
        """Return the number of a group."""
        try:
            return grp.getgrnam(name).gr_gid
        except (KeyError, ValueError):
            return None

    def read_bytes(self, path: str) -> bytes:
        """Return what a file holds."""
        return Path(path).read_bytes()

    def list_folder(self, path: str) -> tuple[str, ...] | None:
        """Return the names of the files in a folder, in the order of their bytes."""
        try:
            # A link to nothing is told when it is read, rather than passed over.
            names = [each.name for each in os.scandir(path) if each.is_file() or not os.path.exists(each)]
        except OSError:
            return None
        return tuple(sorted(names, key=os.fsencode))

    def load_services(self, path: str) -> Services:
        """Run a Python file, with all that a program may do."""
        return load_file(path)

    def controls_congestion(self, algorithm: str) -> bool:
        """Whether the kernel lets connections use an algorithm against congestion."""
        with socket.socket() as probe:
            try:
                probe.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, algorithm.encode())
            except OSError:
                return False
        return True

    def capabilities(self) -> frozenset[str]:
        """Return those capabilities in effect that a proxy may need, in this process's user namespace."""
        try:
            status = Path("/proc/self/status").read_text("ascii", "replace")
        except OSError:
            return frozenset()
        found = re.search(r"^CapEff:\s*([0-9a-f]+)$", status, re.MULTILINE)
        held = int(found[1], 16) if found else 0
        return frozenset(name for name, bit in _CAPABILITIES.items() if held >> bit & 1)

    def open_files(self) -> int:
        """Return how many files this process may have open, once it raised its soft limit."""
        return resource.getrlimit(resource.RLIMIT_NOFILE)[1]

    def host_name(self) -> str:
        """Return the machine's host name."""
        return socket.gethostname()
