"""Connections to servers that serve several requests: which are kept, for whom, and for how long."""

from __future__ import annotations

from typing import Any

import pytest

from .http_lab import GET, OK, PREAMBLE, Client, Reply, Script, http_line, until
from .http_message import split_requests
from .lab import Both, Lab, assert_same

# One letter for a client's request, a small one for its end: A asks, A asks, A leaves, B asks.
TURNS = ("AAA", "AABB", "AaB", "AAaBB", "AABAB", "AaBbCc", "ABCabc", "AAaBBbCCcD", "AABBCCABC")
LINES = {
    "never": "http-reuse never",
    "safe": "http-reuse safe",
    "aggressive": "http-reuse aggressive",
    "always": "http-reuse always",
    "by default": "",
    "server-close": "option http-server-close",
    "httpclose": "option httpclose",
    "pool-max-conn 0": "default-server pool-max-conn 0\nhttp-reuse always",
    "pool-max-conn 1": "default-server pool-max-conn 1\nhttp-reuse always",
}


def site(name: str, lines: str) -> str:
    body = "".join(f"  {line}\n" for line in lines.splitlines())
    return f"listen {name}\n  bind 127.0.0.1:<{name}>\n{body}  server s <{name}a>\n"


def play(lab: Lab, name: str, turns: str) -> list[int]:
    """Lets clients ask and leave one after the other; how many requests came over each connection."""
    clients: dict[str, Client] = {}
    for turn in turns:
        client = clients.setdefault(turn.upper(), Client(lab, name))
        if turn.isupper():
            asked = len(client.messages())
            client.send(GET)
            client.read(asked + 1)
        else:
            client.end.finish().read_end()
    for client in clients.values():
        client.last()
    return [len(split_requests(end.received)) for end in lab.origin(f"{name}a").ends]


def played(lines: dict[str, str]) -> tuple[str, dict[str, Script], Any]:
    """The configuration, the origins and the traffic of every sequence under each of these lines."""
    cases = {f"{name}: {turns}": (text, turns) for name, text in lines.items() for turns in TURNS}
    places = {case: f"p{at}x" for at, case in enumerate(cases)}
    config = "".join(site(places[case], text) for case, (text, _) in cases.items())
    origins = {f"{place}a": Script([Reply()]) for place in places.values()}

    def traffic(lab: Lab) -> dict[str, list[int]]:
        return {case: play(lab, places[case], turns) for case, (_, turns) in cases.items()}

    return config, origins, traffic


def test_requests_come_over_as_many_connections(both: Both) -> None:
    """Which of several idle ones is taken, no manual says."""
    config, origins, traffic = played(LINES)
    expected, got = both.apart(config, traffic, origins=origins, preamble=PREAMBLE, normal=http_line)
    # HAProxy 2.6 may crash at its exit behind so many pools: its status does not count.
    counts = [{case: len(each) for case, each in seen.value.items()} for seen in (expected, got)]
    assert_same(*counts)
    assert expected.value["always: AaB"] == [2]
    assert expected.value["safe: AaB"] == [1, 1]


# HAProxy's manual allows itself not to heed max-reuse, and in HTTP/1 it does not.
BEYOND = {
    "default-server max-reuse 0\nhttp-reuse always": {"AAA": [1, 1, 1], "AaB": [1, 1]},
    "default-server max-reuse 1\nhttp-reuse always": {"AAA": [2, 1], "AABB": [2, 2], "ABCabc": [2, 1]},
    "default-server max-reuse 2\nhttp-reuse always": {"AAA": [3], "AABAB": [3, 2], "AABBCCABC": [3, 3, 3]},
}


def test_beyond_a_connection_serves_no_more_than_it_should(beyond: Both) -> None:
    config, origins, traffic = played({text: text for text in BEYOND})
    expected, got = beyond.apart(config, traffic, origins=origins, preamble=PREAMBLE, normal=http_line)
    for text, turns in BEYOND.items():
        for each, counts in turns.items():
            assert got.value[f"{text}: {each}"] == counts, f"{text}: {each}"
        assert expected.value[f"{text}: AABBCCABC"] != got.value[f"{text}: AABBCCABC"]


@pytest.mark.parametrize("delay", ["200ms", "0"])
def test_an_idle_connection_is_closed_after_the_purge_delay(both: Both, delay: str) -> None:
    def traffic(lab: Lab) -> int:
        client = Client(lab, "one")
        client.send(GET)
        client.read(1)
        client.last()
        kept = lab.origin("onea").ends[0]
        until(lambda: kept.left is not None)
        return len(lab.origin("onea").ends)

    config, origins = site("one", f"default-server pool-purge-delay {delay}"), {"onea": Script([Reply(OK)])}
    both(config, traffic, origins=origins, preamble=PREAMBLE, normal=http_line)


def test_no_more_connections_wait_than_were_used_at_once(both: Both) -> None:
    """With `http-reuse safe` each of these clients needs a new connection; few of them are kept."""

    def traffic(lab: Lab) -> dict[str, Any]:
        seen: dict[str, Any] = {}
        for turns in ("AaBbCcDdEe", "ABCabcDEFdef"):
            play(lab, "one", turns)
            until(lambda: kept(lab)["idle_cur"] == kept(lab)["need_est"])
            seen[turns] = kept(lab)
            until(lambda: str(still_open(lab)) == kept(lab)["idle_cur"])
        return seen

    def still_open(lab: Lab) -> int:
        return sum(end.left is None for end in lab.origin("onea").ends)

    def kept(lab: Lab) -> dict[str, str]:
        head, line, *_ = lab.command("show servers conn one").splitlines()
        row = dict(zip(head.split()[1:], line.split(), strict=True))
        return {
            name: row[name]
            for name in ("purge_delay", "unsafe_nb", "safe_nb", "idle_lim", "idle_cur", "need_est")
        }

    seen = both(
        site("one", "default-server pool-purge-delay 30s\nhttp-reuse safe"),
        traffic,
        origins={"onea": Script([Reply(OK)])},
        preamble=PREAMBLE,
        normal=http_line,
    )
    assert seen.value["AaBbCcDdEe"]["idle_cur"] == "1"
