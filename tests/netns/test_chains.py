"""Chained proxies: the NETNS TLV carries the client's namespace from one to the next."""

from __future__ import annotations

import pytest

from .wire import NETNS, Origin, ask, dial, greeting, line, netns, parse_v2, proxy_v2, tlv

SAME = "10.0.0.10"
NOOP, CRC32C = 4, 3


@pytest.fixture
def tenants(ground):
    made = {name: ground.add(name, SAME) for name in ("red", "blue")}
    for namespace in made.values():
        Origin(namespace, SAME, 80)
    return made


@pytest.fixture(params=["isthmus-isthmus", "haproxy-isthmus", "isthmus-haproxy", "haproxy-haproxy"])
def pair(request):
    """Starters of the first and the second proxy of a chain."""
    return [request.getfixturevalue(name) for name in request.param.split("-")]


def test_a_chain_of_two_proxies_keeps_tenants_apart(pair, tenants):
    first, second = pair
    second(
        """
namespace_list
  namespace red blue
listen second
  bind 127.0.0.1:9000 accept-proxy
  server s 10.0.0.10:80 namespace *
""",
        name="second",
    )
    first(
        """
listen first
  bind 10.0.0.10:8000 namespace red
  bind 10.0.0.10:8000 namespace blue
  server next 127.0.0.1:9000 send-proxy-v2
""",
        name="first",
    )
    for name in ("red", "blue", "red", "blue"):
        assert greeting(tenants[name], SAME, 8000).startswith(name)


def test_a_proxy_between_two_passes_the_name_on(ground, isthmus, tenants):
    isthmus(
        """
namespace_list
  namespace red blue
listen last
  bind 127.0.0.1:9001 accept-proxy
  server s 10.0.0.10:80 namespace *
""",
        name="last",
    )
    isthmus(
        """
namespace_list
  namespace red blue
listen middle
  bind 127.0.0.1:9000 accept-proxy
  server next 127.0.0.1:9001 send-proxy-v2
""",
        name="middle",
    )
    isthmus(
        """
listen first
  bind 10.0.0.10:8000 namespace red
  bind 10.0.0.10:8000 namespace blue
  server next 127.0.0.1:9000 send-proxy-v2
""",
        name="first",
    )
    for name in ("red", "blue"):
        with dial(tenants[name], SAME, 8000) as client:
            assert line(client).startswith(name)
            assert ask(client, "ping") == "ping"


@pytest.mark.parametrize("crc", ["", "proxy-v2-options crc32c"])
def test_the_header_names_the_clients_namespace_last_and_never_the_servers(ground, either, crc):
    red, blue = ground.add("red", SAME), ground.add("blue", SAME)
    Origin(blue, SAME, 80, silent=True)
    either(f"""
listen first
  bind 10.0.0.10:8000 namespace red
  server next 10.0.0.10:80 namespace blue send-proxy-v2 {crc}
""")
    with dial(red, SAME, 8000) as client:
        client.sendall(b"after\n")
        got = b""
        while not got.endswith(b"after\n"):
            got += client.recv(1000)
    command, found, rest = parse_v2(got)
    assert command == 0x21
    assert found[NETNS] == b"red"
    assert list(found)[-1] == NETNS
    assert (CRC32C in found) == bool(crc)
    assert rest == b"after\n"


def test_a_client_of_the_default_namespace_has_no_name_to_send(ground, either):
    blue = ground.add("blue", SAME)
    Origin(blue, SAME, 80, silent=True)
    either("""
listen first
  bind 127.0.0.1:8000
  server next 10.0.0.10:80 namespace blue send-proxy-v2
""")
    with dial(ground.default, "127.0.0.1", 8000) as client:
        client.sendall(b"after\n")
        got = b""
        while not got.endswith(b"after\n"):
            got += client.recv(1000)
    assert NETNS not in parse_v2(got)[1]


def test_the_addresses_of_the_client_reach_the_origin_through_a_chain(pair, ground, tenants):
    first, second = pair
    Origin(tenants["blue"], SAME, 81, silent=True)
    second(
        """
namespace_list
  namespace red blue
listen second
  bind 127.0.0.1:9000 accept-proxy
  server s 10.0.0.10:81 namespace blue send-proxy
""",
        name="second",
    )
    first(
        """
listen first
  bind 10.0.0.10:8000 namespace red
  server next 127.0.0.1:9000 send-proxy-v2
""",
        name="first",
    )
    with dial(tenants["red"], SAME, 8000) as client:
        port = client.getsockname()[1]
        client.sendall(b"\n")
        assert line(client).rstrip("\r") == f"PROXY TCP4 10.0.0.10 10.0.0.10 {port} 8000"


def test_a_tlv_that_no_proxy_knows_does_not_hide_the_namespace(ground, either, tenants):
    either("""
namespace_list
  namespace red blue
listen second
  bind 127.0.0.1:9000 accept-proxy
  server s 10.0.0.10:80 namespace *
""")
    unknown = tlv(NOOP, b"xyz") + tlv(0xE3, b"custom") + tlv(2, b"example.org")
    for tlvs in (unknown + netns("blue"), netns("blue") + unknown):
        assert greeting(ground.default, "127.0.0.1", 9000, proxy_v2(tlvs)).startswith("blue")
