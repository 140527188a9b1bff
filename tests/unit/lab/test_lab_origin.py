import asyncio

import pytest

from isthmus.lab.origin import current_namespace, fetch, fetch_all, start_origin


async def port_of(server):
    return server.sockets[0].getsockname()[1]


def test_an_origin_says_who_it_is_and_whom_it_sees():
    async def ask():
        async with await start_origin("red", "127.0.0.1", 0) as server:
            port = await port_of(server)
            return port, await fetch("127.0.0.1", port)

    port, fetched = asyncio.run(ask())
    assert fetched.answer.tenant == "red"
    assert fetched.answer.server == f"127.0.0.1:{port}"
    assert fetched.answer.client.startswith("127.0.0.1:")
    assert fetched.answer.namespace == current_namespace()


def test_answers_come_in_the_order_of_the_questions():
    async def ask():
        async with (
            await start_origin("red", "127.0.0.1", 0) as red,
            await start_origin("blue", "127.0.0.1", 0) as blue,
        ):
            targets = [("127.0.0.1", await port_of(server)) for server in (red, blue, red)]
            return await fetch_all(targets)

    answers = asyncio.run(ask())
    assert [each.answer.tenant for each in answers] == ["red", "blue", "red"]


@pytest.mark.parametrize(
    ("said", "failure"),
    [(b"", "closed without an answer"), (b"SSH-2.0-x\r\n", "not an origin's answer")],
)
def test_whatever_is_no_origin_is_a_failure_that_says_so(said, failure):
    async def speak(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)
        writer.close()

    async def ask():
        async with await asyncio.start_server(speak, "127.0.0.1", 0) as server:
            return await fetch("127.0.0.1", await port_of(server))

    fetched = asyncio.run(ask())
    assert fetched.answer is None
    assert failure in fetched.failure


def test_nobody_listening_is_a_failure_and_no_exception():
    async def ask():
        server = await start_origin("red", "127.0.0.1", 0)
        port = await port_of(server)
        server.close()
        await server.wait_closed()
        return await fetch("127.0.0.1", port)

    assert asyncio.run(ask()).failure == "Connection refused"
