"""Persistence cookies through both proxies: what is set, what the server sees, what the log says."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest

from .http_batch import compare_all
from .http_cookie_rows import GROUPS
from .http_lab import GET, PREAMBLE, Client, Reply, Script, http_line, until
from .lab import Both, Lab
from .wire import Origin

SITE = """
listen l
  bind 127.0.0.1:<front>
  cookie SRV insert {}
  server s <a> cookie A
"""


@pytest.mark.parametrize("group", GROUPS)
def test_the_proxies_persist_alike(both: Both, group: str) -> None:
    compare_all(both, GROUPS[group])


DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


def date(seconds: float) -> str:
    """A moment as HAProxy writes it into cookies: in units of four seconds, six bits a digit."""
    quarter = int(seconds) // 4
    return "".join(DIGITS[quarter >> shift & 63] for shift in (24, 18, 12, 6, 0))


# The cookie's dates, last and first seen, in seconds ago (None: not said); what is made of it.
AGES: dict[str, tuple[str, tuple[float | None, ...], str]] = {
    "no dates": ("maxidle 60s maxlife 3600s", (), "VU"),
    "fresh": ("maxidle 60s maxlife 3600s", (20, 100), "VU"),
    "idle for too long": ("maxidle 60s maxlife 3600s", (100, 100), "EI"),
    "too old": ("maxidle 60s maxlife 3600s", (20, 4000), "OI"),
    "from the future": ("maxidle 60s maxlife 3600s", (-100_000, 0), "EI"),
    "a bit from the future": ("maxidle 60s maxlife 3600s", (-1000, -1000), "VN"),
    "first seen in the future": ("maxidle 60s maxlife 3600s", (20, -100_000), "OI"),
    "maxidle alone": ("maxidle 60s", (20,), "VU"),
    "maxidle alone, idle": ("maxidle 60s", (100,), "EI"),
    "maxlife alone": ("maxlife 3600s", (20, 100), "VU"),
    "maxlife alone, old": ("maxlife 3600s", (20, 4000), "OI"),
    "maxlife alone, no first date": ("maxlife 3600s", (20,), "VU"),
    "an empty last date": ("maxidle 60s maxlife 3600s", (None, 100), "VU"),
}


def test_a_cookie_holds_for_as_long_as_its_dates_say(both: Both) -> None:
    def traffic(lab: Lab) -> Any:
        return [aged(lab, f"front{at}", dates) for at, (_, dates, _) in enumerate(AGES.values())]

    sites = [SITE.format(line) for line, _, _ in AGES.values()]
    config = "".join(
        site.replace("listen l", f"listen l{at}").replace("<front>", f"<front{at}>")
        for at, site in enumerate(sites)
    )
    script = Script([Reply()])
    seen = both(config, traffic, origins={"a": script}, preamble=PREAMBLE, normal=http_line)
    states = [line.message.split(" ts=")[1][2:4] for line in seen.logs]
    assert states == [state for _, _, state in AGES.values()]


def aged(lab: Lab, name: str, dates: tuple[float | None, ...]) -> tuple[str, list[str]]:
    """What a client is told whose cookie has these dates, and which dates are in it."""
    now = time.time()
    cookie = "|".join(["A", *("" if ago is None else date(now - ago) for ago in dates)])
    client = Client(lab, name)
    client.send(GET[:-2] + f"Cookie: SRV={cookie}\r\n\r\n".encode())
    client.read(1)
    client.last()
    told = (client.messages()[0].value(b"set-cookie") or b"").decode()
    return re.sub(r"\|[^;]*", "", told), [near(word, now) for word in told.split(";")[0].split("|")[1:]]


def near(word: str, now: float) -> str:
    """Whether a date is one of this test, or how long before it."""
    ages = {date(now + later): "now" for later in range(-4, 60)} | {
        date(now - 100): "100 s",
        date(now - 20): "20 s",
    }
    return ages.get(word, word)


def test_a_cookie_of_this_moment_is_not_set_again(both: Both) -> None:
    def traffic(lab: Lab) -> Any:
        # The cookie's clock ticks every four seconds: not while this runs.
        until(lambda: 0.1 < time.time() % 4 < 2)
        client = Client(lab)
        client.send(GET)
        client.read(1)
        cookie = client.messages()[0].value(b"set-cookie") or b""
        client.send(GET[:-2] + b"Cookie: " + cookie.split(b";")[0] + b"\r\n\r\n")
        client.read(2)
        client.last()
        return client.messages()[1].value(b"set-cookie")

    line = "maxidle 60s maxlife 3600s"
    seen = both(
        SITE.format(line), traffic, origins={"a": Script([Reply()])}, preamble=PREAMBLE, normal=http_line
    )
    assert seen.value is None
    assert [line.message.split("ts=")[1][:4] for line in seen.logs] == ["--NI", "--VN"]


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_dynamic_cookies_are_those_of_any_proxy_with_the_same_key(both: Both, host: str) -> None:
    """The two proxies share an origin: the value comes of its address and port."""
    shared = Origin("shared", Script([Reply()]), host=host)

    def traffic(lab: Lab) -> list[bytes | None]:
        cookies = []
        for name in ("one", "other"):
            client = Client(lab, name)
            client.send(GET)
            client.read(1)
            cookies.append(client.messages()[0].value(b"set-cookie"))
            client.last()
        return cookies

    address = f"[{host}]:{shared.port}" if ":" in host else f"{host}:{shared.port}"
    site = "".join(
        f"listen {name}\n  bind 127.0.0.1:<{name}>\n  cookie SRV insert dynamic\n"
        f'  dynamic-cookie-key "{key}"\n  server s {address}\n  server t {address} cookie own disabled\n'
        for name, key in (("one", "KEY"), ("other", "another key"))
    )
    try:
        one, other = both(site, traffic, origins={}, preamble=PREAMBLE, logged=False).value
    finally:
        shared.close()
    assert one != other
