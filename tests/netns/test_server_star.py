"""`server s *`: to where the client wanted to go."""

from __future__ import annotations

import pytest

from .wire import Origin, dial, greeting, is_closed, netns, proxy_v2

SAME = "10.0.0.10"


@pytest.mark.parametrize(
    ("address", "asked", "reached"),
    [("*", 80, 80), ("0.0.0.0:0", 80, 80), ("*:+1", 80, 81), ("*:-1", 82, 81), ("*:82", 1, 82)],
)
def test_a_star_goes_to_the_destination_of_the_header(ground, either, address, asked, reached):
    red = ground.add("red", SAME, "10.0.0.11")
    for port in (80, 81, 82):
        Origin(red, "10.0.0.11", port)
    either(f"""
namespace_list
  namespace red
listen all
  bind 127.0.0.1:8000 accept-proxy
  server s {address} namespace *
""")
    head = proxy_v2(netns("red"), destination="10.0.0.11", ports=(4711, asked))
    assert greeting(ground.default, "127.0.0.1", 8000, head).split()[3:] == ["10.0.0.11", str(reached)]


def test_a_star_with_an_ipv6_destination(ground, isthmus):
    red = ground.add("red", "fd00::11")
    Origin(red, "fd00::11", 80)
    isthmus("""
listen all
  bind 127.0.0.1:8000 accept-proxy
  server s * namespace red
""")
    head = proxy_v2(source="fd00::1", destination="fd00::11")
    assert greeting(ground.default, "127.0.0.1", 8000, head).split()[3:] == ["fd00::11", "80"]


@pytest.mark.parametrize("where", ["", "namespace red"])
def test_a_star_that_would_reach_the_listener_itself_is_refused_and_logged(ground, isthmus, log, where):
    red = ground.add("red")
    proxy = isthmus(f"""
listen loop
  bind 127.0.0.1:8000 {where}
  server s * {where.replace("red", "*")}
""")
    with dial(red if where else ground.default, "127.0.0.1", 8000) as client:
        assert is_closed(client)
    log.wait("loop loop/s")
    assert int(proxy.server_row("loop", "FRONTEND")["stot"]) == 1


@pytest.mark.parametrize("address", ["0.0.0.0:8000", "[::]:8000 v4v6"])
def test_a_listener_on_every_address_is_not_looped_either(ground, isthmus, log, address):
    proxy = isthmus(f"""
listen loop
  bind {address}
  server s *
""")
    ground.default.address("10.0.0.10")
    with dial(ground.default, "10.0.0.10", 8000) as client:
        assert is_closed(client)
    log.wait("loop loop/s")
    assert int(proxy.server_row("loop", "FRONTEND")["stot"]) == 1


def test_a_header_cannot_make_the_proxy_call_itself(ground, isthmus, log):
    proxy = isthmus("""
listen loop
  bind 127.0.0.1:8000 accept-proxy
  server s * send-proxy-v2
""")
    with dial(ground.default, "127.0.0.1", 8000) as client:
        client.sendall(proxy_v2(destination="127.0.0.1", ports=(4711, 8000)))
        assert is_closed(client)
    log.wait("loop loop/s")
    assert int(proxy.server_row("loop", "FRONTEND")["stot"]) == 1


def test_a_star_may_reach_the_same_address_in_another_namespace(ground, isthmus):
    red = ground.add("red")
    Origin(red, "127.0.0.1", 8000)
    isthmus("""
listen across
  bind 127.0.0.1:8000
  server s * namespace red
""")
    assert greeting(ground.default, "127.0.0.1", 8000).startswith("red ")
