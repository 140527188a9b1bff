"""NETNS TLVs from strangers: which are believed, which close the connection, what is said about them."""

from __future__ import annotations

from contextlib import suppress

import pytest

from .wire import Origin, ask, dial, greeting, is_closed, line, netns, proxy_v2

SAME = "10.0.0.10"
LISTENER = """
namespace_list
  namespace red blue
listen all
  bind 127.0.0.1:8000 accept-proxy
  bind 10.0.0.10:8000 accept-proxy namespace green
  {options}
  server s 10.0.0.10:80 namespace *
"""


@pytest.fixture
def tenants(ground):
    """red and blue are listed, green is only used by a bind line, and black stands nowhere."""
    made = {name: ground.add(name, SAME) for name in ("red", "blue", "green", "black")}
    for namespace in made.values():
        Origin(namespace, SAME, 80)
    return made


def hears(ground, head: bytes) -> str:
    return greeting(ground.default, "127.0.0.1", 8000, head).split(" ")[0]


@pytest.mark.parametrize(
    ("tlvs", "heard"),
    [
        (netns("blue"), "blue"),
        (netns("red") + netns("blue"), "blue"),
        (netns("blue") + netns("red"), "red"),
        (netns("blue") + netns(""), "blue"),
        (netns("") + netns("red"), "red"),
    ],
    ids=["one", "the last of two", "the last of two again", "an empty one last", "an empty one first"],
)
def test_the_last_listed_name_counts_and_an_empty_one_does_not(ground, either, tenants, tlvs, heard):
    either(LISTENER.format(options=""))
    assert hears(ground, proxy_v2(tlvs)) == heard


def test_without_a_name_the_listeners_namespace_stays(ground, either, tenants):
    either(LISTENER.format(options=""))
    for head in (proxy_v2(), proxy_v2(netns(""))):
        assert greeting(tenants["green"], SAME, 8000, head).startswith("green")


def test_a_local_header_may_name_a_namespace(ground, isthmus, tenants):
    isthmus(LISTENER.format(options=""))
    with dial(ground.default, "127.0.0.1", 8000) as client:
        client.sendall(proxy_v2(netns("blue"), local=True))
        assert line(client).startswith("blue")


@pytest.mark.parametrize("name", ["black", "green", "Red", "red/", "../run/netns/red", "x" * 300])
def test_an_unlisted_name_closes_the_connection_and_is_logged(ground, isthmus, log, tenants, name):
    isthmus(LISTENER.format(options=""))
    with dial(ground.default, "127.0.0.1", 8000) as client:
        client.sendall(proxy_v2(netns(name)))
        assert is_closed(client)
    log.wait("amespace")
    assert hears(ground, proxy_v2(netns("red"))) == "red"


def test_a_listed_name_beside_an_unlisted_one_saves_nothing(ground, isthmus, log, tenants):
    isthmus(LISTENER.format(options=""))
    with dial(ground.default, "127.0.0.1", 8000) as client:
        client.sendall(proxy_v2(netns("black") + netns("red")))
        assert is_closed(client)
    log.wait("amespace")


def test_unlisted_names_are_counted(ground, isthmus, log, tenants):
    proxy = isthmus(LISTENER.format(options=""))
    for _ in range(3):
        assert hears(ground, proxy_v2(netns("black"))) == ""
    assert hears(ground, proxy_v2(netns("blue"))) == "blue"
    log.wait("amespace", 3)
    assert int(proxy.server_row("all", "FRONTEND")["ereq"]) == 3


def test_with_the_option_an_unlisted_name_changes_nothing(ground, isthmus, tenants):
    isthmus(LISTENER.format(options="option netns-unlisted ignore"))
    assert greeting(tenants["green"], SAME, 8000, proxy_v2(netns("black"))).startswith("green")
    assert greeting(tenants["green"], SAME, 8000, proxy_v2(netns("blue"))).startswith("blue")
    assert hears(ground, proxy_v2(netns("red") + netns("black"))) == "red"


def test_a_name_may_be_listed_after_the_line_that_uses_it(ground, isthmus, tenants):
    isthmus("""
listen all
  bind 127.0.0.1:8000 accept-proxy
  bind 10.0.0.10:8000 accept-proxy namespace green
  server s 10.0.0.10:80 namespace *
namespace_list
  namespace green
""")
    assert hears(ground, proxy_v2(netns("green"))) == "green"


def test_a_right_checksum_passes_and_a_wrong_one_closes(ground, either, log, tenants):
    either(LISTENER.format(options=""))
    assert hears(ground, proxy_v2(netns("blue"), crc=0)) == "blue"
    assert hears(ground, proxy_v2(netns("blue"), crc=1)) == ""
    log.wait("PROXY protocol header")


def test_a_header_that_comes_byte_by_byte_is_assembled(ground, isthmus, tenants):
    isthmus(LISTENER.format(options=""))
    with dial(ground.default, "127.0.0.1", 8000) as client:
        client.setsockopt(6, 1, 1)
        for byte in proxy_v2(netns("blue"), crc=0):
            client.sendall(bytes([byte]))
        assert line(client).startswith("blue")
        assert ask(client, "ping") == "ping"


def test_what_follows_the_header_reaches_the_origin(ground, either, tenants):
    either(LISTENER.format(options=""))
    with dial(ground.default, "127.0.0.1", 8000) as client:
        client.sendall(proxy_v2(netns("red")) + b"hello\n")
        assert line(client).startswith("red")
        assert line(client) == "hello"


def test_headers_are_taken_only_from_whom_the_bind_line_allows(ground, isthmus, tenants):
    isthmus("""
namespace_list
  namespace red
listen all
  bind 127.0.0.1:8000 accept-proxy from 127.0.0.5 192.0.2.0/24
  server s 10.0.0.10:80 namespace *
""")
    with dial(ground.default, "127.0.0.1", 8000, source="127.0.0.5") as client:
        client.sendall(proxy_v2(netns("red")))
        assert line(client).startswith("red")
    # The reset may come as soon as the connection stands.
    with (
        suppress(ConnectionResetError),
        dial(ground.default, "127.0.0.1", 8000, source="127.0.0.6") as client,
    ):
        client.sendall(proxy_v2(netns("red")))
        assert not line(client).startswith("red")
