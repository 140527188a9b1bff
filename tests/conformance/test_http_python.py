"""Python's aiohttp and websockets, as clients and as origins, through Isthmus."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest
import websockets
from aiohttp import web
from h2.events import Event

from .http2_server import Peer, serving
from .http_lab import PREAMBLE
from .lab import Lab
from .tls_paper import Paper
from .wire import DEADLINE

SITE = """
listen l
  bind 127.0.0.1:<front>
  timeout tunnel 5s
  server s 127.0.0.1:{port}
"""
PIECES = [bytes([at]) * 10_000 for at in range(50)]


async def echo(request: web.Request) -> web.Response:
    """Says what it got, and how it was framed."""
    body = await request.read()
    framing = "chunked" if "Transfer-Encoding" in request.headers else "length"
    return web.Response(body=body, headers={"X-Framing": framing})


async def stream(request: web.Request) -> web.StreamResponse:
    """Answers each piece of the request before the next one comes."""
    response = web.StreamResponse()
    await response.prepare(request)
    async for piece in request.content.iter_any():
        await response.write(piece.upper())
    await response.write_eof()
    return response


async def peer(request: web.Request) -> web.Response:
    """Says which connection brought it."""
    assert request.transport is not None
    return web.Response(text=str(request.transport.get_extra_info("peername")[1]))


Played = Callable[[str], Awaitable[None]]


def through(program: str, folder: Path, port: int, site: str = SITE) -> Lab:
    return Lab(program, folder / "isthmus", PREAMBLE + site.format(port=port), {})


async def with_http(program: str, folder: Path, play: Played) -> None:
    """Plays with an aiohttp server behind Isthmus."""
    application = web.Application()
    application.router.add_routes(
        [web.post("/echo", echo), web.post("/stream", stream), web.get("/peer", peer)]
    )
    runner = web.AppRunner(application)
    await runner.setup()
    served = web.TCPSite(runner, "127.0.0.1", 0)
    await served.start()
    port = runner.addresses[0][1]
    lab = await asyncio.to_thread(through, program, folder, port)
    try:
        await asyncio.wait_for(play(f"http://127.0.0.1:{lab.ports['front']}"), DEADLINE)
    finally:
        await runner.cleanup()
        await asyncio.to_thread(lab.close)


def test_a_pool_of_keep_alive_connections(programs: tuple[str, str], tmp_path: Path) -> None:
    async def play(url: str) -> None:
        connector = aiohttp.TCPConnector(limit=4)
        async with aiohttp.ClientSession(connector=connector) as session:

            async def ask() -> str:
                async with session.get(f"{url}/peer") as response:
                    assert response.status == 200
                    return await response.text()

            peers = [await ask() for _ in range(5)]
            peers += await asyncio.gather(*(ask() for _ in range(60)))
        assert len(set(peers[:5])) == 1
        assert 1 <= len(set(peers)) <= 4

    asyncio.run(with_http(programs[1], tmp_path, play))


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_an_upload_comes_back_as_it_went(programs: tuple[str, str], tmp_path: Path, framing: str) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for piece in PIECES:
            yield piece

    async def play(url: str) -> None:
        data = pieces() if framing == "chunked" else b"".join(PIECES)
        async with aiohttp.ClientSession() as session, session.post(f"{url}/echo", data=data) as response:
            assert response.headers["X-Framing"] == framing
            assert await response.read() == b"".join(PIECES)

    asyncio.run(with_http(programs[1], tmp_path, play))


def test_both_ways_stream_at_once(programs: tuple[str, str], tmp_path: Path) -> None:
    """The client sends its next piece when the answer to the one before has come."""

    async def play(url: str) -> None:
        turns: asyncio.Queue[bytes | None] = asyncio.Queue()

        async def pieces() -> AsyncIterator[bytes]:
            while (piece := await turns.get()) is not None:
                yield piece

        async with aiohttp.ClientSession() as session:
            turns.put_nowait(b"first")
            async with session.post(f"{url}/stream", data=pieces()) as response:
                assert await response.content.readexactly(5) == b"FIRST"
                for word in (b"second", b"third"):
                    turns.put_nowait(word)
                    assert await response.content.readexactly(len(word)) == word.upper()
                turns.put_nowait(None)
                assert await response.read() == b""

    asyncio.run(with_http(programs[1], tmp_path, play))


async def with_socket(program: str, folder: Path, play: Played, site: str = SITE) -> None:
    """Plays with an echoing WebSocket server behind Isthmus."""

    async def serve(connection: websockets.ServerConnection) -> None:
        async for message in connection:
            if message == "close":
                await connection.close(4001, "as you wish")
                return
            await connection.send(message)

    async with websockets.serve(serve, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        lab = await asyncio.to_thread(through, program, folder, port, site)
        try:
            await asyncio.wait_for(play(f"ws://127.0.0.1:{lab.ports['front']}/chat?x=y"), DEADLINE)
        finally:
            await asyncio.to_thread(lab.close)


def test_a_websocket_echoes(programs: tuple[str, str], tmp_path: Path) -> None:
    async def play(url: str) -> None:
        async with websockets.connect(url, max_size=None) as client:
            for message in ("hello", b"\0\1\2", "x" * 300_000):
                await client.send(message)
                assert await client.recv() == message
            await (await client.ping())
        assert client.close_code == 1000

    asyncio.run(with_socket(programs[1], tmp_path, play))


def test_a_websockets_close_code_comes_through(programs: tuple[str, str], tmp_path: Path) -> None:
    async def play(url: str) -> None:
        async with websockets.connect(url) as client:
            await client.send("close")
            with pytest.raises(websockets.ConnectionClosedError):
                await client.recv()
            assert (client.close_code, client.close_reason) == (4001, "as you wish")

    asyncio.run(with_socket(programs[1], tmp_path, play))


def test_many_websockets_at_once(programs: tuple[str, str], tmp_path: Path) -> None:
    async def play(url: str) -> None:
        async def talk(number: int) -> None:
            async with websockets.connect(url) as client:
                for turn in range(5):
                    await client.send(f"{number} {turn}")
                    assert await client.recv() == f"{number} {turn}"

        await asyncio.gather(*(talk(number) for number in range(20)))

    asyncio.run(with_socket(programs[1], tmp_path, play))


# A WebSocket goes to the inner proxy as HTTP/2 (RFC 8441), or as HTTP/1 where the server's line says so.
OVER_HTTP2 = """
listen l
  bind 127.0.0.1:<front>
  timeout tunnel 5s
  server s abns@ws-<front> %s
listen inner
  bind abns@ws-<front> %s
  timeout tunnel 5s
  http-request deny unless {{ fc_http_major %d }}
  server s 127.0.0.1:{port}
"""
CLEAR = ("proto h2", "proto h2", 2)


def over_tls(folder: Path, line: str, major: int) -> str:
    paper = Paper(folder)
    paper.authority("self", "/CN=self")
    crt = f"ssl crt {paper['self.pem']} alpn h2,http/1.1"
    return OVER_HTTP2 % (f"ssl verify none alpn h2,http/1.1 {line}", crt, major)


@pytest.mark.parametrize(
    ("line", "major"), [("", 1), ("ws auto", 1), ("ws h1", 1), ("ws h2", 2), ("ws h2 proto h2", 2), (None, 2)]
)
def test_a_websocket_goes_to_a_server_of_http2(
    programs: tuple[str, str], tmp_path: Path, line: str | None, major: int
) -> None:
    async def play(url: str) -> None:
        async with websockets.connect(url, max_size=None) as client:
            for message in ("hello", b"\0\1\2", "x" * 300_000):
                await client.send(message)
                assert await client.recv() == message
        assert client.close_code == 1000

    site = OVER_HTTP2 % CLEAR if line is None else over_tls(tmp_path, line, major)
    asyncio.run(with_socket(programs[1], tmp_path, play, site))


def test_a_server_without_websockets_over_http2_is_a_bad_gateway(
    programs: tuple[str, str], tmp_path: Path
) -> None:
    def acts(peer: Peer, event: Event) -> None:
        """Answers nothing: it is never asked."""

    async def play(url: str) -> None:
        with pytest.raises(websockets.InvalidStatus) as caught:
            await websockets.connect(url)
        assert caught.value.response.status_code == 502

    with serving(acts) as server:
        site = SITE.replace("127.0.0.1:{port}", f"127.0.0.1:{server.port} proto h2")
        asyncio.run(with_socket(programs[1], tmp_path, play, site))
        assert server.peers[0].requests == []
