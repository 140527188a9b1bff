"""A graceful stop keeps every namespace usable until the last session ended."""

from __future__ import annotations

from signal import SIGTERM, SIGUSR1

import pytest

from .wire import Origin, ask, dial, eventually, is_refused, line, netns, proxy_v2

SAME = "10.0.0.10"


def test_sessions_go_on_after_a_graceful_stop_and_the_process_ends_with_the_last(ground, either):
    red, blue = ground.add("red", SAME), ground.add("blue", SAME)
    Origin(blue, SAME, 80)
    proxy = either("""
listen red
  bind 10.0.0.10:8000 namespace red
  server s 10.0.0.10:80 namespace blue
""")
    with dial(red, SAME, 8000) as session:
        assert line(session).startswith("blue")
        proxy.signal(SIGUSR1)
        eventually(lambda: is_refused(red, SAME, 8000), "the listener closes")
        ground.delete("red")
        ground.delete("blue")
        assert ask(session, "still") == "still"
        assert proxy.is_running()
    assert proxy.wait() == 0


@pytest.mark.parametrize("deleted", [False, True], ids=["", "though its name is deleted"])
def test_a_session_may_still_enter_a_namespace_after_a_graceful_stop(ground, isthmus, deleted):
    red, blue = ground.add("red", SAME), ground.add("blue", SAME)
    Origin(blue, SAME, 80)
    proxy = isthmus("""
namespace_list
  namespace blue
listen red
  bind 10.0.0.10:8000 namespace red accept-proxy
  server s 10.0.0.10:80 namespace *
""")
    with dial(red, SAME, 8000) as session:
        eventually(lambda: "red" in proxy.command("show sess"), "the session is accepted")
        proxy.signal(SIGUSR1)
        eventually(lambda: is_refused(red, SAME, 8000), "the listener closes")
        if deleted:
            ground.delete("red")
        session.sendall(proxy_v2(netns("blue")))
        assert line(session).startswith("blue")
        assert ask(session, "still") == "still"
    assert proxy.wait() == 0


def test_a_hard_stop_ends_at_once_and_frees_every_namespace(ground, isthmus):
    red = ground.add("red", SAME)
    Origin(red, SAME, 80)
    proxy = isthmus("""
listen red
  bind 10.0.0.10:8000 namespace red
  server s 10.0.0.10:80 namespace red
""")
    session = dial(red, SAME, 8000)
    assert line(session).startswith("red")
    proxy.signal(SIGTERM)
    proxy.wait()
    assert line(session) == ""
    assert is_refused(red, SAME, 8000)
