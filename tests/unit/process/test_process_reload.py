"""A second plan on a running engine: what is new opens, what is gone closes, what lives goes on."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from free_ports import free_port
from paper import built

from isthmus.engine import Engine
from isthmus.process.console import Console
from isthmus.process.namespaces import NamespaceSockets
from isthmus.process.supervisor import Supervisor

pytest.importorskip("isthmus.engine._native", reason="the engine is not built")

TIMEOUTS = "defaults\n mode tcp\n timeout connect 5s\n timeout client 20s\n timeout server 20s\n"


@contextmanager
def origin(name: bytes) -> Iterator[int]:
    """Serve a line with a name to every connection, then echo."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()

        def serve(connection: socket.socket) -> None:
            with connection:
                connection.sendall(name)
                try:
                    while received := connection.recv(1000):
                        connection.sendall(received)
                except OSError:
                    return

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield int(listener.getsockname()[1])
        listener.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def engine() -> Iterator[Engine]:
    made = Engine.start(1)
    yield made
    made.stop(graceful=False)
    deadline = time.monotonic() + 10
    while not any(type(each).__name__ == "Stopped" for each in made.events(100)):
        assert time.monotonic() < deadline


def connect(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=10)
    connection.settimeout(10)
    return connection


def greeting(port: int) -> bytes:
    with connect(port) as connection:
        return connection.recv(100)


def refused(port: int) -> bool:
    try:
        connect(port).close()
    except ConnectionRefusedError:
        return True
    except ConnectionResetError:
        # It was closed between SYN and ACK: the next one is refused.
        return False
    return False


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline, "waited 10 s in vain"
        time.sleep(0.01)


def supervised(engine: Engine) -> Supervisor:
    nothing = plan("")
    return Supervisor(engine, nothing, (), NamespaceSockets(engine, nothing), os.environ, Console(quiet=True))


def plan(text: str):  # type: ignore[no-untyped-def]
    return built(TIMEOUTS + text)


def test_a_second_plan_changes_listeners_and_servers_and_leaves_sessions_alone(engine: Engine) -> None:
    stays, goes, comes = free_port(), free_port(), free_port()
    with origin(b"one") as one, origin(b"two") as two:
        supervisor = supervised(engine)
        first = supervisor_reload(
            supervisor,
            f"listen a\n bind :{stays}\n server s :{one}\nlisten b\n bind :{goes}\n server s :{one}\n",
        )
        assert first == []
        living = connect(stays)
        assert living.recv(100) == b"one"
        second = supervisor_reload(
            supervisor,
            f"listen a\n bind :{stays}\n server t :{two}\nlisten c\n bind :{comes}\n server s :{two}\n",
        )
        assert second == []
        assert greeting(stays) == b"two"
        assert greeting(comes) == b"two"
        living.sendall(b"still here")
        assert living.recv(100) == b"still here"
        living.close()
        until(lambda: refused(goes))
        names = [each.name for each in engine.snapshot().frontends]
        assert names == ["a", "c"]


def test_a_listener_that_is_gone_closes_though_its_sessions_live(engine: Engine) -> None:
    port = free_port()
    with origin(b"one") as one:
        supervisor = supervised(engine)
        assert supervisor_reload(supervisor, f"listen a\n bind :{port}\n server s :{one}\n") == []
        with connect(port) as living:
            assert living.recv(100) == b"one"
            assert supervisor_reload(supervisor, f"listen b\n bind :{free_port()}\n server s :{one}\n") == []
            until(lambda: refused(port))


def test_a_plan_that_cannot_be_bound_changes_nothing(engine: Engine) -> None:
    port = free_port()
    with origin(b"one") as one, socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        supervisor = supervised(engine)
        assert supervisor_reload(supervisor, f"listen a\n bind :{port}\n server s :{one}\n") == []
        errors = supervisor_reload(
            supervisor, f"listen b\n bind 127.0.0.1:{taken.getsockname()[1]}\n server s :{one}\n"
        )
        assert len(errors) == 1
        assert greeting(port) == b"one"
        assert [each.name for each in engine.snapshot().frontends] == ["a"]


def supervisor_reload(supervisor: Supervisor, text: str) -> list[tuple[str, str]]:
    """Reload as the control loop does, on a loop, and return the errors."""

    async def run() -> list[tuple[str, str]]:
        return list(supervisor.reload(plan(text)).errors)

    wanted = text.replace("server s :", "server s 127.0.0.1:").replace("server t :", "server t 127.0.0.1:")
    text = wanted.replace("bind :", "bind 127.0.0.1:")
    return asyncio.run(run())


def heard(sock: socket.socket, end: bytes) -> bytes:
    """What comes until `end` stands last, or the other side finishes."""
    got = b""
    while not got.endswith(end) and (piece := sock.recv(65536)):
        got += piece
    return got


def test_idle_http_connections_end_and_exchanges_under_way_are_finished_and_close(engine: Engine) -> None:
    get, ok = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(10)
        text = f"listen a\n mode http\n bind :{(port := free_port())}\n server s :{server.getsockname()[1]}\n"
        supervisor = supervised(engine)
        assert supervisor_reload(supervisor, text) == []
        with connect(port) as idle, connect(port) as busy:
            idle.sendall(get)
            first, _ = server.accept()
            heard(first, b"\r\n\r\n")
            first.sendall(ok)
            assert b"connection" not in heard(idle, b"ok")
            busy.sendall(get)
            second, _ = server.accept()
            heard(second, b"\r\n\r\n")
            assert supervisor_reload(supervisor, text + " timeout queue 9s\n") == []
            assert idle.recv(100) == b""
            second.sendall(ok)
            assert b"connection: close" in heard(busy, b"ok")
            assert busy.recv(100) == b""
            first.close()
            second.close()


def test_what_a_cache_holds_outlives_a_reload_that_leaves_the_cache_alone(engine: Engine) -> None:
    get = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    ok = b"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 2\r\n\r\n%s"
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(10)
        port, behind = free_port(), server.getsockname()[1]
        cache = "cache c\n total-max-size 4\n max-age {}\n"
        rules = " http-request cache-use c\n http-response cache-store c\n"
        text = cache + f"listen a\n mode http\n bind :{port}\n{rules} server s :{behind}\n"
        supervisor = supervised(engine)

        def ask(answer: bytes | None) -> bytes:
            with connect(port) as client:
                client.sendall(get)
                if answer is not None:
                    served, _ = server.accept()
                    with served:
                        heard(served, b"\r\n\r\n")
                        served.sendall(ok % answer)
                return heard(client, b"\0")[-2:]

        assert supervisor_reload(supervisor, text.format(60)) == []
        assert ask(b"v1") == b"v1"
        assert supervisor_reload(supervisor, text.format(60) + " timeout queue 9s\n") == []
        assert ask(None) == b"v1"
