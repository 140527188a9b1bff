"""Sessions that wait while a new plan comes into force: in what order, and for how long."""

from __future__ import annotations

import socket
import struct

from live_engine import Client, LiveEngine, Origin, eventually, hard_stop

TEXT = """
listen l
 bind 127.0.0.1:1
 timeout queue {timeout}
 server s {origin} maxconn 1
"""


def waiting(engine: LiveEngine, count: int) -> bool:
    return engine.backend("l").counters.qcur == count


def test_who_came_first_stays_first(origins: list[Origin]) -> None:
    engine = LiveEngine(threads=1)
    try:
        text = TEXT.format(timeout="20s", origin=origins[0].address)
        engine.run(text)
        holder = engine.connect("l")
        assert holder.greeting() == "a"
        clients: list[Client] = []
        for count in range(1, 5):
            clients.append(engine.connect("l"))
            eventually(lambda count=count: waiting(engine, count))
        # The place of one that left is taken by one that came last.
        clients[0].socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        clients[0].close()
        eventually(lambda: waiting(engine, 3))
        clients.append(engine.connect("l"))
        eventually(lambda: waiting(engine, 4))
        for round_ in range(3):
            engine.run(text + f"backend b{round_}\n server s 127.0.0.1:9\n")
        eventually(lambda: waiting(engine, 4))
        holder.close()
        for client in clients[1:]:
            assert client.greeting() == "a"
            assert all(other.is_waiting() for other in clients[clients.index(client) + 1 :])
            client.close()
    finally:
        hard_stop(engine)


def test_timeout_queue_does_not_begin_anew(engine: LiveEngine, origins: list[Origin]) -> None:
    text = TEXT.format(timeout="600ms", origin=origins[0].address)
    engine.run(text)
    with engine.connect("l") as holder:
        assert holder.greeting() == "a"
        with engine.connect("l") as client:
            eventually(lambda: waiting(engine, 1))
            plans = iter(range(1000))

            def ended() -> bool:
                engine.run(text + f"backend b{next(plans)}\n server s 127.0.0.1:9\n")
                return not client.is_waiting()

            eventually(ended)
            assert client.ended()
