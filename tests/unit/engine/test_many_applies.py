"""Applying again and again, and under load: nothing is leaked and no connection is lost."""

from __future__ import annotations

import gc
import threading

from live_engine import (
    Client,
    LiveEngine,
    Origin,
    eventually,
    hard_stop,
    own_files,
    own_threads,
    resident_kilobytes,
)

APPLIES = 200
# A Plan of this size costs some 100 kB compiled: a leak of one for each apply is far above this.
LEAST_LEAK_KILOBYTES = 8 * 1024


def varied(turn: int, origins: list[Origin]) -> str:
    """Another plan at each turn: listeners, servers, logs, rules and backends come and go."""
    servers = "".join(
        f" server s{n} {origins[n % 3].address} maxconn {100 + turn % 7}\n" for n in range(20 + turn % 5)
    )
    text = (
        "frontend web\n bind 127.0.0.1:1\n log 127.0.0.1:9 local0\n acl local src 127.0.0.0/8\n"
        f" tcp-request content set-var(txn.a) str(x{turn % 3}) if local\n default_backend web\n"
        f"backend web\n balance leastconn\n{servers}"
    )
    if turn % 2:
        text += f"listen other{turn % 3}\n bind 127.0.0.1:1\n balance source\n{servers}"
    return text


def test_many_applies_leak_no_descriptor_thread_or_memory(engine: LiveEngine, origins: list[Origin]):
    for turn in range(20):
        engine.run(varied(turn, origins))
    with engine.connect("web") as client:
        assert client.greeting() in {"a", "b", "c"}
        gc.collect()
        files, threads, memory = own_files(), own_threads(), resident_kilobytes()
        for turn in range(20, 20 + APPLIES):
            engine.run(varied(turn, origins))
        assert client.echoes()
        # Workers let go of a plan's sockets when they take over the next one.
        eventually(lambda: own_files() <= files and own_threads() <= threads)
        gc.collect()
        assert resident_kilobytes() - memory < LEAST_LEAK_KILOBYTES
    assert engine.native.snapshot().process.generation == 20 + APPLIES


def test_plans_that_fail_leak_nothing(engine: LiveEngine, origins: list[Origin]):
    engine.run(varied(0, origins))
    text = (
        varied(1, origins)
        + f"listen taken\n bind 127.0.0.1:{origins[0].port}\n server s {origins[0].address}\n"
    )
    engine.apply(text)
    files, threads = own_files(), own_threads()
    for _ in range(50):
        assert len(engine.apply(text).errors) == 1
    eventually(lambda: own_files() <= files and own_threads() <= threads)


def test_engines_that_stopped_leave_no_thread_and_no_descriptor(origins: list[Origin]):
    def life() -> None:
        live = LiveEngine(threads=2)
        live.run(varied(1, origins))
        with live.connect("web") as client:
            assert client.greeting()
        hard_stop(live)

    life()
    gc.collect()
    files, threads = own_files(), own_threads()
    for _ in range(5):
        life()
    gc.collect()
    eventually(lambda: own_threads() <= threads and own_files() <= files)


def test_apply_under_load_loses_no_connection(engine: LiveEngine, origins: list[Origin]):
    """Four clients connect, ask and close all the time; a fifth asks over one connection."""
    text = "frontend web\n bind 127.0.0.1:1\n default_backend web\nbackend web\n"
    servers = [f" server {letter} {each.address}\n" for letter, each in zip("abc", origins, strict=True)]
    engine.run(text + servers[0])
    port = engine.port("web")
    over = threading.Event()
    failures: list[str] = []
    served = [0] * 5

    def short(number: int) -> None:
        while not over.is_set():
            try:
                with Client(port) as client:
                    if client.greeting() not in {"a", "b", "c"} or not client.echoes(b"ping" * 50):
                        failures.append("cut short")
                served[number] += 1
            except OSError as error:
                failures.append(repr(error))

    def long(number: int) -> None:
        with Client(port) as client:
            client.greeting()
            while not over.is_set():
                if not client.echoes(b"pong" * 50):
                    failures.append("the long one was cut")
                    return
                served[number] += 1

    threads = [threading.Thread(target=short, args=(number,)) for number in range(4)]
    threads.append(threading.Thread(target=long, args=(4,)))
    for each in threads:
        each.start()
    for turn in range(60):
        before = sum(served[:4])
        engine.run(text + "".join(servers[turn % 3 : turn % 3 + 1 + turn % 2]))
        eventually(lambda before=before: failures or sum(served[:4]) > before)
    over.set()
    for each in threads:
        each.join()
    assert failures == []
    assert all(served)
    eventually(lambda: not engine.sessions())
    assert engine.native.snapshot().process.failed_sessions == 0
