"""What operators see of namespaces on the admin socket."""

from __future__ import annotations

from .wire import Origin, dial, eventually, line, netns, proxy_v2

SAME = "10.0.0.10"
CONFIG = """
namespace_list
  namespace red blue
listen all
  bind 10.0.0.10:8000 namespace red
  bind 127.0.0.1:8000 accept-proxy
  server s 10.0.0.10:80 namespace *
listen waiting
  bind 127.0.0.1:8001 namespace green optional
  server s 10.0.0.10:80 namespace green optional
"""


def rows(proxy) -> dict[str, dict[str, str]]:
    """The namespaces of `show namespaces` by name."""
    return tables(proxy)[0]


def tables(proxy) -> list[dict[str, dict[str, str]]]:
    """The tables of `show namespaces`, each by its first column."""
    found: list[dict[str, dict[str, str]]] = []
    columns: list[str] = []
    for text in proxy.command("show namespaces").strip().splitlines():
        if text.startswith("# "):
            columns = text.removeprefix("# ").split()
            found.append({})
        else:
            row = dict(zip(columns, text.split(), strict=True))
            found[-1][row[columns[0]]] = row
    return found


def test_show_namespaces_tells_what_is_there_and_what_goes_on(ground, isthmus):
    for name in ("red", "blue"):
        Origin(ground.add(name, SAME), SAME, 80)
    proxy = isthmus(CONFIG)
    shown = rows(proxy)
    assert set(shown) == {"red", "blue", "green"}
    assert "absent" in shown["green"].values()
    assert "present" in shown["red"].values()
    with dial(ground.named("red"), SAME, 8000) as client:
        assert line(client).startswith("red")
        assert rows(proxy)["red"]["sessions"] == "1"
        assert rows(proxy)["blue"]["sessions"] == "0"
    eventually(lambda: rows(proxy)["red"]["sessions"] == "0", "the session ends")
    ground.add("green", SAME)
    eventually(lambda: "present" in rows(proxy)["green"].values(), "green appears")


def test_show_sess_tells_both_namespaces(ground, isthmus):
    for name in ("red", "blue"):
        Origin(ground.add(name, SAME), SAME, 80)
    proxy = isthmus(CONFIG)
    with dial(ground.default, "127.0.0.1", 8000) as client:
        client.sendall(proxy_v2(netns("blue")))
        assert line(client).startswith("blue")
        assert "blue" in proxy.command("show sess")


def test_show_servers_state_tells_each_servers_namespace_last(ground, isthmus):
    for name in ("red", "blue"):
        ground.add(name, SAME)
    shown = isthmus(CONFIG).command("show servers state").strip().splitlines()
    assert shown[1].endswith(" srv_netns")
    assert [row.split()[-1] for row in shown[2:]] == ["*", "green"]


def test_a_session_that_moved_by_its_header_is_counted_where_it_is(ground, isthmus):
    for name in ("red", "blue"):
        Origin(ground.add(name, SAME), SAME, 80)
    proxy = isthmus(CONFIG)
    with dial(ground.default, "127.0.0.1", 8000) as client:
        client.sendall(proxy_v2(netns("blue")))
        assert line(client).startswith("blue")
        assert rows(proxy)["blue"]["sessions"] == "1"
    eventually(lambda: rows(proxy)["blue"]["sessions"] == "0", "the session ends")


def test_headers_that_a_bind_refused_are_shown_with_the_unlisted_ones_among_them(ground, isthmus):
    for name in ("red", "blue"):
        Origin(ground.add(name, SAME), SAME, 80)
    proxy = isthmus(CONFIG)
    for header in (proxy_v2(netns("purple")), b"GET / HTTP/1.0\r\n\r\n"):
        with dial(ground.default, "127.0.0.1", 8000) as client:
            client.sendall(header)
            assert line(client) == ""
    _, refusals = tables(proxy)
    assert set(refusals) == {"all"}
    assert refusals["all"]["bad_proxy_headers"] == "2"
    assert refusals["all"]["unlisted_namespaces"] == "1"
