"""Ports that a proxy under test may listen on.

HAProxy cannot tell which port it got for port 0, so a port has to be chosen before it starts.
A port is reserved by binding an abstract unix socket named after it: the kernel frees the name when
the process dies, however it dies, so parallel workers never share a port and nothing is left behind.
"""

from __future__ import annotations

import random
import socket

# Below the kernel's ephemeral range (32768 and up), so that no outgoing connection takes one.
# Only even ones are given out: the odd one above is free for a case that needs a neighbour.
FIRST, LAST = 20200, 32000


class Ledger:
    """The ports that one lab holds; all are free again after close()."""

    def __init__(self) -> None:
        self._claims: list[socket.socket] = []

    def take(self) -> int:
        """A port on which nobody listens and that no other lab holds."""
        for port in random.sample(range(FIRST, LAST, 2), 400):
            claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            try:
                claim.bind(f"\0isthmus-conformance-port-{port}")
            except OSError:
                claim.close()
                continue
            self._claims.append(claim)
            if _is_free(port):
                return port
        raise RuntimeError("no free port between 20200 and 32000")

    def close(self) -> None:
        for claim in self._claims:
            claim.close()


def _is_free(port: int) -> bool:
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("0.0.0.0", port))
            except OSError:
                return False
    return True
