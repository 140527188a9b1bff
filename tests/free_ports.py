"""Ports for servers of unit tests, which are told a number before they listen.

They lie below the kernel's ephemeral range (32768 and up), so that no outgoing connection takes one, and
below the conformance tests' own. A port is claimed by an abstract unix socket named after it, for as long as
the test process lives: parallel workers never share one.
"""

from __future__ import annotations

import random
import socket

FIRST, LAST = 10200, 20000

_claims: list[socket.socket] = []


def free_port() -> int:
    """A port on which nobody listens, and that nobody else is given."""
    for port in random.sample(range(FIRST, LAST), 400):
        claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            claim.bind(f"\0isthmus-unit-port-{port}")
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", port))
        except OSError:
            claim.close()
            continue
        _claims.append(claim)
        return port
    raise RuntimeError(f"no free port between {FIRST} and {LAST}")
