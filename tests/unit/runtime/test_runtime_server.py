"""Connections to real stats sockets: files and their rights, limits, silence, lines too long."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import stat
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

import pytest
from instances import Operator

from isthmus import product
from isthmus.model.address import Abstract, Descriptor, Inet, Unix
from isthmus.plan import CommandSocket, Runtime
from isthmus.runtime.server import Server
from isthmus.runtime.sockets import Opened, open_socket

SOCKET = CommandSocket(Unix(""), None, "admin", 0o600, None, None, 0, 0, "x.cfg:1")
ANSWER = f"{product.FULL_VERSION}\n\n".encode()


def no_namespace(namespace: str, family: int, kind: int) -> int:
    raise AssertionError("no namespace was asked for")


def serve(opened: Opened, settings: Runtime, talk: Callable[[], Awaitable[None]], *more: Opened) -> None:
    operator = Operator()
    operator.instance.settings = settings

    async def run() -> None:
        server = Server(operator.instance, [opened, *more])
        server.start()
        try:
            async with asyncio.timeout(20):
                await talk()
        finally:
            server.close()

    asyncio.run(run())


async def ask(path: str, *lines: bytes) -> bytes:
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(b"".join(lines))
    answer = await reader.read()
    writer.close()
    return answer


def opened_at(path: Path) -> Opened:
    return open_socket(replace(SOCKET, address=Unix(str(path))), no_namespace)


def test_a_command_is_answered_and_the_connection_closed(tmp_path: Path) -> None:
    async def talk() -> None:
        assert await ask(str(tmp_path / "s"), b"show version\n") == ANSWER

    serve(opened_at(tmp_path / "s"), Runtime(), talk)


def test_a_command_that_comes_in_pieces_and_without_line_end_is_answered(tmp_path: Path) -> None:
    async def talk() -> None:
        reader, writer = await asyncio.open_unix_connection(str(tmp_path / "s"))
        for each in (b"show", b" ver", b"sion"):
            writer.write(each)
            await writer.drain()
            await asyncio.sleep(0)
        writer.write_eof()
        assert await reader.read() == ANSWER
        writer.close()

    serve(opened_at(tmp_path / "s"), Runtime(), talk)


def test_a_silent_connection_is_closed_after_stats_timeout(tmp_path: Path) -> None:
    async def talk() -> None:
        assert await ask(str(tmp_path / "s"), b"") == b""

    serve(opened_at(tmp_path / "s"), Runtime(timeout=50), talk)


def test_a_line_that_is_too_long_ends_the_connection(tmp_path: Path) -> None:
    async def talk() -> None:
        reader, writer = await asyncio.open_unix_connection(str(tmp_path / "s"))
        writer.write(b"x" * 100_000)
        # Closing with bytes unread makes the kernel reset the connection.
        with suppress(ConnectionResetError):
            assert await reader.read() == b""
        writer.close()

    serve(opened_at(tmp_path / "s"), Runtime(), talk)


def test_no_more_connections_than_stats_maxconn_are_served_at_once(tmp_path: Path) -> None:
    path = str(tmp_path / "s")

    async def talk() -> None:
        first_reader, first_writer = await asyncio.open_unix_connection(path)
        first_writer.write(b"prompt\n")
        assert await first_reader.readexactly(3) == b"\n> "
        second = asyncio.create_task(ask(path, b"show version\n"))
        first_writer.write(b"show version\n")
        assert await first_reader.readexactly(len(ANSWER) + 2) == ANSWER + b"> "
        assert not second.done()
        first_writer.close()
        assert await second == ANSWER

    serve(opened_at(tmp_path / "s"), Runtime(maxconn=1), talk)


def test_a_socket_that_nobody_uses_takes_no_room_from_the_others(tmp_path: Path) -> None:
    opened = [opened_at(tmp_path / str(number)) for number in range(4)]

    async def talk() -> None:
        for number in range(4):
            assert await ask(str(tmp_path / str(number)), b"show version\n") == ANSWER

    serve(opened[0], Runtime(maxconn=1), talk, *opened[1:])


def test_a_socket_that_was_open_before_the_start_may_be_a_blocking_one(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as given:
        given.setblocking(True)
        address = Descriptor(given.fileno())

        async def talk() -> None:
            # Without its own loop turning, the server could not wait for what comes later.
            await asyncio.sleep(0)
            reader, writer = await asyncio.open_connection(*given.getsockname())
            writer.write(b"show version\n")
            assert await reader.read() == ANSWER
            writer.close()

        with stopped_after(20):
            serve(open_socket(replace(SOCKET, address=address), no_namespace), Runtime(), talk)


@contextmanager
def stopped_after(seconds: int) -> Iterator[None]:
    """A system call that blocks the loop blocks its timeouts too: a signal ends it."""

    def overdue(_number: int, _frame: object) -> None:
        raise TimeoutError("the control plane is blocked")

    before = signal.signal(signal.SIGALRM, overdue)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def test_a_socket_file_has_its_mode_from_the_first_moment_and_goes_with_the_process(tmp_path: Path) -> None:
    opened = opened_at(tmp_path / "s")
    assert stat.S_IMODE((tmp_path / "s").stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["s"]
    opened.close()
    assert os.listdir(tmp_path) == []


def test_a_socket_file_that_another_process_replaced_is_left_alone(tmp_path: Path) -> None:
    older = opened_at(tmp_path / "s")
    newer = opened_at(tmp_path / "s")
    older.close()
    assert os.listdir(tmp_path) == ["s"]
    newer.close()


def test_a_socket_whose_rights_cannot_be_set_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        opened_at(tmp_path / "missing" / "s")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("address", "prefix"),
    [
        (Inet(ip_address("127.0.0.1"), 0), "ipv4@127.0.0.1:"),
        (Abstract(f"isthmus-{os.getpid()}"), "abns@isthmus-"),
    ],
)
def test_stats_sockets_may_be_tcp_or_abstract(address: Inet | Abstract, prefix: str) -> None:
    opened = open_socket(replace(SOCKET, address=address), no_namespace)
    assert opened.place.startswith(prefix)
    opened.close()
