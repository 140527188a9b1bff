"""`maxconn` of a bind, a frontend and the process is exact, however many workers accept."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator

import pytest
from live_engine import LiveEngine, eventually, hard_stop

TEXT = """
global
 maxconn {process}
frontend f
 bind 127.0.0.1:1 maxconn {bind} shards 1
 maxconn {frontend}
 backlog 1000
 default_backend b
backend b
 server s {origin}
"""
WORKERS = 8
ROUNDS = 60


@pytest.fixture
def crowd() -> Iterator[LiveEngine]:
    made = LiveEngine(WORKERS)
    yield made
    hard_stop(made)


@pytest.mark.parametrize("limited", ["process", "frontend", "bind"])
def test_no_worker_accepts_one_too_many(crowd: LiveEngine, limited: str) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=1024) as origin:
        said = {"process": 1000, "frontend": 1000, "bind": 1000, limited: 3}
        crowd.run(TEXT.format(**said, origin=f"127.0.0.1:{origin.getsockname()[1]}"))
        address = ("127.0.0.1", crowd.port("f"))
        for _ in range(ROUNDS):
            clients = [socket.create_connection(address, 10) for _ in range(3 * WORKERS)]
            eventually(lambda: crowd.frontend("f").counters.scur == 3)
            for client in clients:
                # A reset ends the session whatever the origin does.
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                client.close()
            eventually(lambda: crowd.frontend("f").counters.scur == 0)
        facts = crowd.frontend("f")
        assert facts.counters.smax == 3
        assert facts.listeners[0].counters.smax == 3
        assert facts.counters.conn_tot <= 3 * WORKERS * ROUNDS
