"""Namespaces that appear, vanish, and are made again under the same name while Isthmus runs."""

from __future__ import annotations

import os
import threading

import pytest

from .wire import Origin, ask, dial, eventually, greeting, line

SAME = "10.0.0.10"
BOTH = """
listen to-red
  bind 127.0.0.1:8000
  server s 10.0.0.10:80 namespace red {word}
listen in-red
  bind 10.0.0.10:8000 namespace red {word}
  server s 127.0.0.1:81
listen beside
  bind 127.0.0.1:8001
  server s 127.0.0.1:81
"""


@pytest.fixture
def default_origin(ground):
    return Origin(ground.default, "127.0.0.1", 81, name="default")


def test_an_optional_namespace_is_waited_for(ground, isthmus, log, default_origin):
    proxy = isthmus(BOTH.format(word="optional"))
    assert greeting(ground.default, "127.0.0.1", 8001).startswith("default")
    assert proxy.server_row("to-red", "s")["status"] == "DOWN"
    assert greeting(ground.default, "127.0.0.1", 8000) == ""
    red = ground.add("red", SAME)
    Origin(red, SAME, 80)
    assert greeting(red, SAME, 8000).startswith("default")
    eventually(lambda: proxy.server_row("to-red", "s")["status"] != "DOWN", "the server comes up")
    assert greeting(ground.default, "127.0.0.1", 8000).startswith("red")


def test_an_optional_namespace_that_goes_takes_its_listener_and_server_down(
    ground, isthmus, log, default_origin
):
    red = ground.add("red", SAME)
    Origin(red, SAME, 80)
    proxy = isthmus(BOTH.format(word="optional"))
    assert greeting(red, SAME, 8000).startswith("default")
    assert greeting(ground.default, "127.0.0.1", 8000).startswith("red")
    # A socket made before the name goes is still one of that namespace.
    inside = red.socket()
    with dial(ground.default, "127.0.0.1", 8000) as session:
        assert line(session).startswith("red")
        ground.delete("red")
        eventually(lambda: proxy.server_row("to-red", "s")["status"] == "DOWN", "the server goes down")
        assert greeting(ground.default, "127.0.0.1", 8000) == ""
        assert ask(session, "still here") == "still here"
    with pytest.raises(ConnectionRefusedError):
        inside.connect((SAME, 8000))
    assert greeting(ground.default, "127.0.0.1", 8001).startswith("default")


def test_the_reason_of_a_server_without_its_namespace_is_told(ground, isthmus, log, default_origin):
    proxy = isthmus(BOTH.format(word="optional"))
    assert "namespace absent" in proxy.command("show stat")
    red = ground.add("red", SAME)
    eventually(lambda: proxy.server_row("to-red", "s")["status"] != "DOWN", "the server comes up")
    assert "namespace absent" not in proxy.command("show stat")
    assert greeting(red, SAME, 8000).startswith("default")
    ground.delete("red")
    eventually(lambda: "namespace absent" in proxy.command("show stat"), "the reason comes back")
    log.wait("Server to-red/s is DOWN")


def test_an_optional_namespace_may_come_and_go_many_times(ground, isthmus, default_origin):
    proxy = isthmus(BOTH.format(word="optional"))
    counts = []
    for _ in range(8):
        red = ground.add("red", SAME)
        origin = Origin(red, SAME, 80)
        assert greeting(red, SAME, 8000).startswith("default")
        eventually(lambda: greeting(ground.default, "127.0.0.1", 8000).startswith("red"))
        ground.delete("red")
        origin.close()
        eventually(lambda: proxy.server_row("to-red", "s")["status"] == "DOWN")
        counts.append(proxy.descriptors())
    assert counts[-1] <= counts[1] + 4, counts


@pytest.mark.parametrize("word", ["", "optional"])
def test_listeners_and_servers_move_to_a_namespace_made_again(ground, isthmus, default_origin, word):
    old = ground.add("red", SAME)
    Origin(old, SAME, 80, name="old")
    isthmus(BOTH.format(word=word))
    inbound, outbound = dial(old, SAME, 8000), dial(ground.default, "127.0.0.1", 8000)
    assert line(inbound).startswith("default")
    assert line(outbound).startswith("old")
    ground.delete("red")
    new = ground.add("red", SAME)
    Origin(new, SAME, 80, name="new")
    assert greeting(new, SAME, 8000).startswith("default")
    eventually(lambda: greeting(ground.default, "127.0.0.1", 8000).startswith("new"), "the server moves")
    for session in (inbound, outbound):
        assert ask(session, "still in the old one") == "still in the old one"


def test_the_old_namespace_is_let_go_when_its_last_session_ends(ground, isthmus, default_origin):
    old = ground.add("red", SAME)
    origin = Origin(old, SAME, 80, name="old")
    proxy = isthmus(BOTH.format(word=""))
    assert greeting(ground.default, "127.0.0.1", 8000).startswith("old")
    inode = os.readlink(f"/proc/{proxy.pid}/ns/net")
    held = namespaces_held(proxy.pid) - {inode}
    assert len(held) >= 1
    ground.delete("red")
    origin.close()
    new = ground.add("red", SAME)
    Origin(new, SAME, 80, name="new")
    eventually(lambda: greeting(ground.default, "127.0.0.1", 8000).startswith("new"))
    eventually(lambda: not (held & namespaces_held(proxy.pid)), "the old namespace is let go")


def test_a_namespace_made_again_and_again_under_traffic_leaks_nothing(ground, isthmus):
    proxy = isthmus("""
listen fixed
  bind 127.0.0.1:8000
  retries 0
  server s 127.0.0.1:80 namespace red optional
listen inside
  bind 127.0.0.1:8000 namespace red optional
  server s 127.0.0.1:80 namespace *
""")
    heard = {"red": 0, "": 0}
    over = threading.Event()

    def talk() -> None:
        while not over.is_set():
            heard[greeting(ground.default, "127.0.0.1", 8000)[:3]] += 1

    talkers = [threading.Thread(target=talk) for _ in range(3)]
    for talker in talkers:
        talker.start()
    descriptors = []
    for _ in range(12):
        red = ground.add("red")
        origin = Origin(red, "127.0.0.1", 80)
        before = heard["red"]
        assert greeting(red, "127.0.0.1", 8000).startswith("red")
        eventually(lambda before=before: heard["red"] > before + 20, "traffic finds the new one")
        ground.delete("red")
        origin.close()
        descriptors.append(proxy.descriptors())
    over.set()
    for talker in talkers:
        talker.join()
    assert proxy.is_running()
    eventually(lambda: proxy.descriptors() <= min(descriptors) + 4, f"descriptors fall again: {descriptors}")
    eventually(lambda: proxy.threads() <= 8, "the factories' threads end")


def namespaces_held(pid: int) -> set[str]:
    """The network namespaces that a process's threads are in or that its descriptors hold."""
    links = [f"/proc/{pid}/task/{thread}/ns/net" for thread in os.listdir(f"/proc/{pid}/task")]
    links += [f"/proc/{pid}/fd/{fd}" for fd in os.listdir(f"/proc/{pid}/fd")]
    found = set()
    for link in links:
        try:
            found.add(os.readlink(link))
        except OSError:
            continue
    return {text for text in found if text.startswith("net:")}


def test_what_ip_netns_makes_and_deletes_is_noticed(ground, isthmus, default_origin):
    if ground.rootless:
        pytest.skip("`ip netns add` works for root alone")
    proxy = isthmus(BOTH.format(word="optional"))
    for name in ("first", "second"):
        ground.run("ip", "netns", "add", "red")
        red = ground.named("red")
        ground.run("ip", "-n", "red", "link", "set", "lo", "up")
        red.address(SAME)
        origin = Origin(red, SAME, 80, name=name)
        eventually(lambda name=name: greeting(ground.default, "127.0.0.1", 8000).startswith(name))
        ground.run("ip", "netns", "delete", "red")
        origin.close()
        eventually(lambda: proxy.server_row("to-red", "s")["status"] == "DOWN")


def test_a_connection_to_an_absent_namespace_names_it_in_the_log(ground, isthmus, log, default_origin):
    ground.add("red", SAME)
    isthmus(BOTH.format(word=""))
    ground.delete("red")
    log.wait("red")
    assert greeting(ground.default, "127.0.0.1", 8000) == ""
    log.wait("to-red to-red/")


def test_other_servers_serve_while_a_namespace_is_absent(ground, isthmus, default_origin):
    isthmus("""
listen all
  bind 127.0.0.1:8000
  server near 127.0.0.1:81
  server far 10.0.0.10:80 namespace red optional
""")
    for _ in range(6):
        assert greeting(ground.default, "127.0.0.1", 8000).startswith("default")
    red = ground.add("red", SAME)
    Origin(red, SAME, 80)
    eventually(lambda: greeting(ground.default, "127.0.0.1", 8000).startswith("red"))


@pytest.mark.parametrize("word", ["", "optional"])
def test_a_listener_waits_for_its_address_in_a_namespace_made_again(
    ground, isthmus, log, default_origin, word
):
    # `ip netns add` and `ip addr add` are two commands, and between them the namespace is there already.
    ground.add("red", SAME)
    isthmus(BOTH.format(word=word))
    ground.delete("red")
    log.wait("red")
    red = ground.add("red")
    again = len(log.take_all())
    eventually(lambda: len(log.take_all()) > again, "the new namespace is noticed")
    red.address(SAME)
    assert greeting(red, SAME, 8000).startswith("default")
