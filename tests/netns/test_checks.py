"""Health checks are made in the server's namespace."""

from __future__ import annotations

from .wire import Origin, eventually, greeting

SAME = "10.0.0.10"
CHECKED = """
listen all
  bind 127.0.0.1:8000
  server s 10.0.0.10:80 namespace red check inter 200ms fall 2 rise 1
"""


def status(proxy, backend="all", server="s"):
    return proxy.server_row(backend, server)["status"].split()[0]


def test_a_check_sees_the_server_of_its_own_namespace(ground, either):
    red = ground.add("red", SAME)
    origin = Origin(red, SAME, 80)
    proxy = either(CHECKED)
    assert greeting(ground.default, "127.0.0.1", 8000).startswith("red")
    eventually(lambda: status(proxy) == "UP", "the server is up")
    origin.close()
    eventually(lambda: status(proxy) == "DOWN", "the server goes down")
    Origin(red, SAME, 80)
    eventually(lambda: status(proxy) == "UP", "the server comes back")


def test_a_check_is_not_deceived_by_the_same_address_elsewhere(ground, either):
    ground.add("red", SAME)
    blue = ground.add("blue", SAME)
    ground.default.address(SAME)
    Origin(blue, SAME, 80)
    Origin(ground.default, SAME, 80, name="default")
    proxy = either(CHECKED)
    eventually(lambda: status(proxy) == "DOWN", "the server goes down")


def test_check_namespace_says_where_a_star_is_checked(ground, isthmus):
    red, blue = ground.add("red", SAME), ground.add("blue", SAME)
    Origin(red, SAME, 80)
    proxy = isthmus("""
listen good
  bind 127.0.0.1:8000
  server s 10.0.0.10:80 namespace * check inter 200ms fall 2 rise 1 check-namespace red
listen bad
  bind 127.0.0.1:8001
  server s 10.0.0.10:80 namespace * check inter 200ms fall 2 rise 1 check-namespace blue
""")
    eventually(lambda: status(proxy, "bad") == "DOWN", "blue is down")
    assert status(proxy, "good") == "UP"
    Origin(blue, SAME, 80)
    eventually(lambda: status(proxy, "bad") == "UP", "blue comes up")


def test_a_check_follows_a_namespace_that_is_made_again(ground, isthmus):
    red = ground.add("red", SAME)
    Origin(red, SAME, 80)
    proxy = isthmus(CHECKED)
    eventually(lambda: status(proxy) == "UP")
    ground.delete("red")
    again = ground.add("red", SAME)
    eventually(lambda: status(proxy) == "DOWN", "nobody listens in the new one")
    Origin(again, SAME, 80)
    eventually(lambda: status(proxy) == "UP", "the new one is checked")


def test_a_check_by_tls_is_made_there_too(ground, either):
    red = ground.add("red", SAME)
    # It answers, but not in TLS.
    Origin(red, SAME, 80)
    proxy = either(CHECKED.replace("check", "ssl verify none check"))
    eventually(lambda: proxy.server_row("all", "s")["check_status"] == "L6RSP", "the handshake fails")
    eventually(lambda: status(proxy) == "DOWN", "the server goes down")
