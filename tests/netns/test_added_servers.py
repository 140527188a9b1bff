"""Servers that are added at run time, each in a namespace that the configuration need not name."""

from __future__ import annotations

from .wire import Origin, ask, dial, eventually, greeting, line

SAME = "10.0.0.10"
TEXT = """
listen l
  bind 127.0.0.1:8000
  balance roundrobin
  server home 127.0.0.1:81
"""


def row(proxy, server):
    return proxy.server_row("l", server)


def states(proxy):
    lines = proxy.command("show servers state l").splitlines()[2:]
    return {words[3]: words[-1] for words in (each.split(" ") for each in lines) if len(words) > 3}


def test_a_server_is_added_in_a_namespace_that_no_line_names(ground, isthmus):
    Origin(ground.default, "127.0.0.1", 81, name="default")
    red, blue = ground.add("red", SAME), ground.add("blue", SAME)
    Origin(red, SAME, 80)
    Origin(blue, SAME, 80)
    proxy = isthmus(TEXT)
    with dial(ground.default, "127.0.0.1", 8000) as session:
        assert line(session).startswith("default")
        for name in ("red", "blue"):
            answer = proxy.command(f"add server l/{name} {SAME}:80 namespace {name}")
            assert answer == "New server registered.\n\n"
            assert row(proxy, name)["status"] == "MAINT"
        assert states(proxy) == {"home": "-", "red": "red", "blue": "blue"}
        assert row(proxy, "red")["netns"] == "red"
        proxy.command("disable server l/home")
        for name in ("red", "blue"):
            proxy.command(f"enable server l/{name}")
        heard = {greeting(ground.default, "127.0.0.1", 8000).split()[0] for _ in range(4)}
        assert heard == {"red", "blue"}
        assert "red" in proxy.command("show namespaces")
        assert ask(session, "still here") == "still here"
    proxy.command("disable server l/red")
    eventually(lambda: row(proxy, "red")["scur"] == "0")
    assert proxy.command("del server l/red") == "Server deleted.\n"
    assert states(proxy) == {"home": "-", "blue": "blue"}
    assert greeting(ground.default, "127.0.0.1", 8000).startswith("blue")


def test_a_namespace_that_does_not_exist_is_refused_and_nothing_changes(ground, isthmus):
    Origin(ground.default, "127.0.0.1", 81, name="default")
    proxy = isthmus(TEXT)
    before = proxy.command("show servers state").split()[-26:]
    answer = proxy.command(f"add server l/n {SAME}:80 namespace nosuch")
    assert answer.startswith("namespace `nosuch` does not exist (/run/netns/nosuch)")
    assert "n" not in states(proxy)
    assert "nosuch" not in proxy.command("show namespaces")
    after = proxy.command("show servers state").split()[-26:]
    assert [word for at, word in enumerate(after) if at != 9] == [
        word for at, word in enumerate(before) if at != 9
    ]
    assert greeting(ground.default, "127.0.0.1", 8000).startswith("default")
    red = ground.add("nosuch", SAME)
    Origin(red, SAME, 80, name="made")
    assert proxy.command(f"add server l/n {SAME}:80 namespace nosuch") == "New server registered.\n\n"
    proxy.command("enable server l/n; disable server l/home")
    assert greeting(ground.default, "127.0.0.1", 8000).startswith("made")


def test_an_optional_namespace_is_waited_for(ground, isthmus):
    Origin(ground.default, "127.0.0.1", 81, name="default")
    proxy = isthmus(TEXT)
    proxy.command(f"add server l/n {SAME}:80 namespace later optional")
    proxy.command("enable server l/n; disable server l/home")
    assert row(proxy, "n")["status"] == "DOWN"
    assert "namespace absent" in proxy.command("show stat")
    later = ground.add("later", SAME)
    Origin(later, SAME, 80)
    eventually(lambda: row(proxy, "n")["status"] != "DOWN", "the server comes up")
    assert greeting(ground.default, "127.0.0.1", 8000).startswith("later")


def test_an_added_server_is_checked_in_its_namespace(ground, isthmus):
    Origin(ground.default, "127.0.0.1", 81, name="default")
    red = ground.add("red", SAME)
    origin = Origin(red, SAME, 80)
    proxy = isthmus(TEXT)
    for command in (
        f"add server l/n {SAME}:80 namespace red check inter 100 rise 1 fall 1",
        "enable server l/n",
        "enable health l/n",
    ):
        proxy.command(command)
    eventually(lambda: row(proxy, "n")["status"] == "UP", "the check passes")
    origin.close()
    eventually(lambda: row(proxy, "n")["status"] == "DOWN", "the check fails")


def test_a_star_connects_in_the_clients_namespace(ground, isthmus):
    red = ground.add("red", SAME)
    Origin(red, "10.0.0.10", 80)
    proxy = isthmus(f"""
listen l
  bind {SAME}:8000 namespace red
  server home 127.0.0.1:9 disabled
""")
    answer = proxy.command(f"add server l/n {SAME}:80 namespace *")
    assert answer.endswith("New server registered.\n\n")
    proxy.command("enable server l/n")
    assert greeting(red, SAME, 8000).startswith("red")
