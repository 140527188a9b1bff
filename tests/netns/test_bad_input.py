"""Ten thousand random and mutated connections to a bind that takes PROXY headers: nothing breaks, nothing
is kept, each one is told of once."""

from __future__ import annotations

import contextlib
import random
import socket
import struct
import threading
import time

from .wire import Origin, Sink, eventually, greeting, netns, proxy_v2, tlv

CONNECTIONS = 10_000
SEED = 20_261_121
WORKERS = 24
CONFIG = """
global
  nbthread 2
  @stats@
  log {log} format raw local0
defaults
  mode tcp
  log global
  timeout connect 3s
  timeout client 300ms
  timeout server 300ms
  timeout client-hs 200ms
  log-format "session %ts"
namespace_list
  namespace red blue
listen all
  bind 127.0.0.1:8000 accept-proxy
  server s 10.0.0.10:80 namespace *
"""


def head(rng: random.Random) -> bytes:
    """A header that is right in itself, though it may name a namespace that is not listed."""
    tlvs = b"".join(
        tlv(
            rng.choice([1, 2, 4, 5, 0x20, 0x30, 0xE0, rng.randrange(256)]),
            rng.randbytes(rng.choice([0, 1, 5, 40])),
        )
        for _ in range(rng.randrange(4))
    )
    if rng.random() < 0.5:
        tlvs += netns(rng.choice(["red", "blue", "green", ""]))
    crc = rng.choice([None, None, 0, 1])
    kind = rng.randrange(4)
    if kind == 0:
        return b"PROXY TCP4 10.1.1.1 10.0.0.10 %d 80\r\n" % rng.randrange(65536)
    if kind == 1:
        return proxy_v2(tlvs, "2001:db8::1", "2001:db8::2", crc=crc)
    return proxy_v2(tlvs, local=kind == 2, crc=crc)


def mutated(rng: random.Random, data: bytes) -> bytes:
    spoiled = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        place = rng.randrange(len(spoiled)) if spoiled else 0
        change = rng.randrange(6)
        if change == 0 and spoiled:
            spoiled[place] ^= 1 << rng.randrange(8)
        elif change == 1 and spoiled:
            spoiled[place] = rng.randrange(256)
        elif change == 2:
            del spoiled[place:]
        elif change == 3:
            spoiled[place:place] = rng.randbytes(rng.randint(1, 30))
        elif change == 4 and len(spoiled) > 15:
            spoiled[14:16] = struct.pack("!H", rng.choice([0, 1, 11, 12, 13, 215, 216, 4096, 65535]))
        else:
            del spoiled[place : place + rng.randint(1, 8)]
    return bytes(spoiled)


def connection(seed: int) -> tuple[random.Random, bytes]:
    """What one connection sends; the same for the same seed."""
    rng = random.Random(seed)
    kind = rng.randrange(8)
    if kind == 0:
        data = rng.randbytes(rng.choice([0, 1, 11, 12, 16, 107, 108, 300, 5000, 40_000]))
    elif kind == 1:
        data = b"PROXY " + rng.randbytes(rng.randrange(120))
    elif kind == 2:
        data = head(rng)[:12] + rng.randbytes(rng.randrange(300))
    elif kind == 3:
        data = head(rng) + rng.randbytes(rng.randrange(50))
    else:
        data = mutated(rng, head(rng))
    return rng, data


def talk(made: socket.socket, seed: int) -> None:
    """One connection from its first byte to its end, which a client in a hurry makes a reset."""
    rng, data = connection(seed)
    with made, contextlib.suppress(OSError):
        made.connect(("127.0.0.1", 8000))
        parts = 1 if rng.random() < 0.8 else 3
        step = max(1, -(-len(data) // parts))
        for first in range(0, len(data), step):
            made.sendall(data[first : first + step])
        ending = rng.randrange(10)
        if ending == 0:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return
        if ending < 9:
            made.shutdown(socket.SHUT_WR)
        while made.recv(65536):
            pass


def flood(ground, first: int, count: int) -> None:
    """Opens `count` connections, several at a time."""
    seeds = iter(range(first, first + count))
    lock = threading.Lock()
    failures: list[BaseException] = []

    def work() -> None:
        try:
            while True:
                with lock:
                    seed = next(seeds, None)
                    if seed is None:
                        return
                made = ground.default.socket()
                talk(made, seed)
        except BaseException as error:
            failures.append(error)

    workers = [threading.Thread(target=work) for _ in range(WORKERS)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not failures, failures


def test_ten_thousand_bad_connections_break_nothing_and_leave_nothing(ground, isthmus):
    log = Sink(ground.default, drained=True)
    for name in ("red", "blue"):
        Origin(ground.add(name, "10.0.0.10"), "10.0.0.10", 80)
    proxy = isthmus(CONFIG.replace("{log}", str(log)), preamble="")
    warm_up = 1_000
    flood(ground, SEED, warm_up)
    eventually(lambda: len(log.lines) >= warm_up, "the first thousand are logged")
    descriptors, memory = proxy.descriptors(), proxy.resident()
    began = time.monotonic()
    flood(ground, SEED + warm_up, CONNECTIONS - warm_up)
    print(f"{(CONNECTIONS - warm_up) / (time.monotonic() - began):.0f} connections a second")
    eventually(lambda: len(log.lines) >= CONNECTIONS, "each one is logged")
    eventually(lambda: proxy.server_row("all", "FRONTEND")["scur"] == "0", "each one ends")
    assert len(log.lines) == CONNECTIONS
    refused = [text for text in log.lines if not text.startswith("session ")]
    assert len(refused) > CONNECTIONS / 4
    assert int(proxy.server_row("all", "FRONTEND")["ereq"]) >= len(refused)
    assert greeting(ground.default, "127.0.0.1", 8000, proxy_v2(netns("red"))).startswith("red")
    eventually(lambda: proxy.descriptors() <= descriptors + 8, f"descriptors fall to {descriptors}")
    assert proxy.resident() < memory + (4 << 20)
    assert "panic" not in proxy.errors
    assert proxy.is_running()
