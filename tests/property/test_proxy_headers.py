"""Whatever stands where a PROXY header should, the engine lives on and keeps nothing of it."""

from __future__ import annotations

import contextlib
import socket
import struct
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1] / "unit" / "engine"))

from live_engine import LiveEngine, Origin, eventually, hard_stop

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
TEXT = (
    "frontend web\n bind 127.0.0.1:1 accept-proxy\n timeout client 200ms\n timeout client-hs 50ms\n"
    " default_backend web\nbackend web\n server s {} send-proxy-v2\n"
)


@pytest.fixture(scope="module")
def ground() -> Iterator[LiveEngine]:
    with Origin(b"a") as origin:
        engine = LiveEngine(threads=1)
        engine.run(TEXT.format(origin.address))
        yield engine
        hard_stop(engine)


def _v2(command: int, family: int, body: bytes, tlvs: list[tuple[int, bytes]]) -> bytes:
    body += b"".join(struct.pack(">BH", kind, len(value)) + value for kind, value in tlvs)
    return SIGNATURE + struct.pack(">BBH", command, family, len(body)) + body


TLVS = st.lists(
    st.tuples(st.sampled_from([1, 2, 3, 4, 5, 0x20, 0x21, 0x30, 0xE0, 0xFF]), st.binary(max_size=40)),
    max_size=4,
)
BODIES = {0x00: 0, 0x11: 12, 0x12: 12, 0x21: 36, 0x31: 216, 0x99: 5}
VERSION_2 = st.sampled_from(sorted(BODIES)).flatmap(
    lambda family: st.builds(
        _v2,
        st.sampled_from([0x20, 0x21, 0x22, 0x11]),
        st.just(family),
        st.binary(min_size=BODIES[family], max_size=BODIES[family]),
        TLVS,
    )
)
VERSION_1 = st.sampled_from(
    [
        b"PROXY TCP4 192.0.2.1 192.0.2.2 1000 2000\r\n",
        b"PROXY TCP6 2001:db8::1 2001:db8::2 1 65535\r\n",
        b"PROXY UNKNOWN and whatever follows\r\n",
    ]
)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A good header, spoiled in up to four places, perhaps cut, with bytes behind it."""
    data = bytearray(draw(VERSION_1 | VERSION_2))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data) - 1))
        match draw(st.sampled_from(["change", "insert", "delete", "double"])):
            case "change":
                data[at] = draw(st.integers(0, 255))
            case "insert":
                data[at:at] = draw(st.binary(min_size=1, max_size=8))
            case "delete" if len(data) > 1:
                del data[at]
            case _:
                data[at:at] = data[at : at + 8]
    if draw(st.booleans()):
        del data[draw(st.integers(1, len(data))) :]
    return bytes(data) + draw(st.binary(max_size=20))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=mutated() | st.binary(max_size=300), pieces=st.integers(1, 3))
def test_no_header_harms_the_engine(ground: LiveEngine, data: bytes, pieces: int):
    with socket.create_connection(("127.0.0.1", ground.port("web")), timeout=5) as client:
        size = len(data) // pieces + 1
        # The engine may refuse before all is sent; a refused socket can't be shut either.
        with contextlib.suppress(OSError):
            for start in range(0, len(data), size):
                client.sendall(data[start : start + size])
            client.shutdown(socket.SHUT_WR)
            while client.recv(4096):
                pass
    assert ground.native.snapshot().process.failed_sessions == 0


def test_a_good_header_is_served_after_all_that(ground: LiveEngine):
    with ground.connect("web") as client:
        client.socket.sendall(b"PROXY TCP4 192.0.2.1 192.0.2.2 1000 2000\r\n")
        assert client.greeting() == "a"
        assert [told.src for told in ground.sessions() if told.state == "forward"] == ["192.0.2.1:1000"]
    eventually(lambda: not ground.sessions())
