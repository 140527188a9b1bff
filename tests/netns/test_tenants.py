"""Tenants whose addresses overlap; which namespace a listener and a server's socket is in."""

from __future__ import annotations

import socket
import subprocess

import pytest

from .program import converse
from .wire import Origin, ask, dial, dial_abstract, greeting, line, netns, proxy_v2

SAME = "10.0.0.10"


@pytest.fixture
def tenants(ground):
    """Three tenants that all own 10.0.0.10."""
    made = {name: ground.add(name, SAME) for name in ("red", "blue", "green")}
    for namespace in made.values():
        Origin(namespace, SAME, 80)
    return made


def test_the_same_server_address_in_two_namespaces_is_two_servers(ground, either, tenants):
    either("""
listen to-red
  bind 127.0.0.1:8001
  server s 10.0.0.10:80 namespace red
listen to-blue
  bind 127.0.0.1:8002
  server s 10.0.0.10:80 namespace blue
""")
    assert greeting(ground.default, "127.0.0.1", 8001).startswith("red ")
    assert greeting(ground.default, "127.0.0.1", 8002).startswith("blue ")
    assert greeting(ground.default, "127.0.0.1", 8001).startswith("red ")


def test_the_same_listening_address_in_several_namespaces_is_several_listeners(ground, either, tenants):
    either("""
listen red
  bind 10.0.0.10:8000 namespace red
  server s 10.0.0.10:80 namespace green
listen blue
  bind 10.0.0.10:8000 namespace blue
  server s 10.0.0.10:80 namespace red
""")
    assert greeting(tenants["red"], SAME, 8000).startswith("green ")
    assert greeting(tenants["blue"], SAME, 8000).startswith("red ")
    with pytest.raises(OSError):
        dial(tenants["green"], SAME, 8000, patient=False)


def test_a_server_without_namespace_is_in_the_default_one(ground, either, tenants):
    Origin(ground.default, "127.0.0.1", 80, name="default")
    either("""
listen red
  bind 10.0.0.10:8000 namespace red
  server s 127.0.0.1:80
""")
    assert greeting(tenants["red"], SAME, 8000).startswith("default ")


def test_a_star_takes_the_namespace_of_the_listener(ground, either, tenants):
    Origin(ground.default, "127.0.0.1", 80, name="default")
    ground.default.address(SAME)
    Origin(ground.default, SAME, 80, name="default-too")
    either("""
frontend all
  bind 127.0.0.1:8000
  bind 10.0.0.10:8000 namespace red
  bind 10.0.0.10:8000 namespace blue
  default_backend own
backend own
  server s 10.0.0.10:80 namespace *
""")
    assert greeting(tenants["red"], SAME, 8000).startswith("red ")
    assert greeting(tenants["blue"], SAME, 8000).startswith("blue ")
    assert greeting(ground.default, "127.0.0.1", 8000).startswith("default-too ")


def test_a_star_takes_the_namespace_that_the_header_names(ground, either, tenants):
    either("""
namespace_list
  namespace red blue
listen all
  bind 127.0.0.1:8000 accept-proxy
  bind 10.0.0.10:8000 accept-proxy namespace green
  server s 10.0.0.10:80 namespace *
""")
    for name in ("red", "blue", "red"):
        assert greeting(ground.default, "127.0.0.1", 8000, proxy_v2(netns(name))).startswith(name)
    assert greeting(tenants["green"], SAME, 8000, proxy_v2()).startswith("green")
    assert greeting(tenants["green"], SAME, 8000, proxy_v2(netns("blue"))).startswith("blue")


def test_default_server_and_server_override_each_others_namespace(ground, isthmus, tenants):
    # HAProxy 2.6 drops the namespace of default-server and of templates; 3.5 keeps it.
    isthmus("""
listen fixed
  bind 10.0.0.10:8001 namespace red
  default-server namespace *
  server s 10.0.0.10:80 namespace green
listen star
  bind 10.0.0.10:8002 namespace red
  default-server namespace green
  server s 10.0.0.10:80 namespace *
listen inherited
  bind 10.0.0.10:8003 namespace red
  default-server namespace blue
  server s 10.0.0.10:80
""")
    assert greeting(tenants["red"], SAME, 8001).startswith("green")
    assert greeting(tenants["red"], SAME, 8002).startswith("red")
    assert greeting(tenants["red"], SAME, 8003).startswith("blue")


def test_a_server_template_is_in_its_namespace(ground, isthmus, tenants):
    isthmus("""
listen all
  bind 127.0.0.1:8000
  server-template s 2 10.0.0.10:80 namespace blue
""")
    assert {greeting(ground.default, "127.0.0.1", 8000).split()[0] for _ in range(4)} == {"blue"}


def test_data_flows_both_ways_between_namespaces(ground, either, tenants):
    either("""
listen red
  bind 10.0.0.10:8000 namespace red
  server s 10.0.0.10:80 namespace blue
""")
    with dial(tenants["red"], SAME, 8000) as client:
        assert line(client).startswith("blue")
        assert ask(client, "x" * 100_000) == "x" * 100_000


def test_ipv6_listeners_and_servers_have_namespaces_too(ground, either):
    red, blue = ground.add("red", "fd00::10"), ground.add("blue", "fd00::10")
    Origin(blue, "fd00::10", 80)
    either("""
listen red
  bind [fd00::10]:8000 namespace red
  server s [fd00::10]:80 namespace blue
""")
    assert greeting(red, "fd00::10", 8000).split()[:2] == ["blue", "fd00::10"]


def test_an_abstract_socket_belongs_to_its_namespace(ground, isthmus, tenants):
    isthmus("""
listen red
  bind abns@door namespace red
  server s 10.0.0.10:80 namespace red
listen blue
  bind abns@door namespace blue
  server s 10.0.0.10:80 namespace blue
listen through
  bind 127.0.0.1:8000
  server s abns@door namespace blue
""")
    for name in ("red", "blue"):
        with dial_abstract(tenants[name], "door") as client:
            assert line(client).startswith(name)
    with pytest.raises(ConnectionRefusedError):
        dial_abstract(tenants["green"], "door")
    assert greeting(ground.default, "127.0.0.1", 8000).startswith("blue")


def test_rules_and_logs_see_the_source_and_the_destination_namespace(ground, isthmus, log, tenants):
    isthmus("""
namespace_list
  namespace blue
frontend all
  bind 10.0.0.10:8000 namespace red accept-proxy
  bind 127.0.0.1:8000
  log-format "from=<%[src_netns]> to=<%[dst_netns]>"
  use_backend green if { src_netns red }
  default_backend own
backend green
  server s 10.0.0.10:80 namespace green
backend own
  server s 10.0.0.10:80 namespace *
""")
    assert greeting(tenants["red"], SAME, 8000, proxy_v2()).startswith("green")
    log.wait("from=<red> to=<green>")
    assert greeting(tenants["red"], SAME, 8000, proxy_v2(netns("blue"))).startswith("blue")
    log.wait("from=<blue> to=<blue>")
    ground.default.address(SAME)
    Origin(ground.default, SAME, 80, name="default")
    assert greeting(ground.default, "127.0.0.1", 8000).startswith("default")
    log.wait("from=<-> to=<->")


def test_a_name_may_be_a_path_or_a_process(ground, isthmus, tenants):
    sleeper = subprocess.Popen(
        ground.command("nsenter", "--net=/run/netns/blue", "sleep", "60", lasting=True)
    )
    try:
        isthmus(f"""
listen path
  bind 127.0.0.1:8001
  server s 10.0.0.10:80 namespace /run/netns/red
listen process
  bind 127.0.0.1:8002
  server s 10.0.0.10:80 namespace pid:{sleeper.pid}
""")
        assert greeting(ground.default, "127.0.0.1", 8001).startswith("red ")
        assert greeting(ground.default, "127.0.0.1", 8002).startswith("blue ")
    finally:
        sleeper.kill()
        sleeper.wait()


def test_the_admin_socket_may_be_in_a_namespace(ground, isthmus, tenants):
    isthmus(
        """
listen red
  bind 127.0.0.1:8000
  server s 10.0.0.10:80 namespace red
""",
        preamble="global\n  stats socket 10.0.0.10:9999 level admin namespace green\n  @stats@\n"
        "defaults\n  mode tcp\n  timeout client 1s\n  timeout server 1s\n  timeout connect 1s\n",
    )
    with dial(tenants["green"], SAME, 9999) as admin:
        assert "Uptime_sec:" in converse(admin, "show info")
    with pytest.raises(OSError):
        dial(tenants["red"], SAME, 9999, patient=False)


def test_a_log_line_may_name_the_namespace_of_its_target(ground, isthmus, tenants):
    with tenants["green"].socket(socket.AF_INET, socket.SOCK_DGRAM) as target:
        target.bind((SAME, 514))
        target.settimeout(20)
        isthmus("""
listen red
  bind 127.0.0.1:8000
  no log
  log 10.0.0.10:514 namespace green format raw local0
  log-format "told %[dst_netns]"
  server s 10.0.0.10:80 namespace red
""")
        assert greeting(ground.default, "127.0.0.1", 8000).startswith("red ")
        assert target.recv(4096) == b"told red\n"
