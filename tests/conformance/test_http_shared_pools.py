"""Idle server connections between two workers: how many connections a server sees, how many stay, and what
`pool-low-conn`, `pool-max-conn` and `tune.idle-pool.shared` change of it."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

from .http_lab import GET, PREAMBLE, Client, Reply, Script, http_line, statistic, until
from .http_message import split_requests
from .lab import Both, Lab, assert_same
from .tls_paper import Paper

TWO = PREAMBLE.replace("nbthread 1", "nbthread 2")
# A letter for a client's request, a small one for its end; A to M come to the first worker, N to Z to the
# second.
TURNS = ("ANAN", "AANN", "ABabN", "ABCabcNO", "AaNnAaNn", "AaBbCcDdEe", "NnOoAaBb", "AABBCCabcNNOOPP")
SERVERS = ("", "pool-low-conn 1", "pool-low-conn 2", "pool-low-conn 3", "pool-max-conn 1")
REUSE = ("always", "safe", "aggressive")


def site(name: str, reuse: str, server: str, address: str = "") -> str:
    return f"""
frontend {name}f
  bind 127.0.0.1:<{name}one> thread 1
  bind 127.0.0.1:<{name}two> thread 2
  default_backend {name}
backend {name}
  http-reuse {reuse}
  server s {address or f"<{name}a>"} {server}
"""


def connections(lab: Lab, backend: str) -> dict[str, str]:
    """The row of `show servers conn`."""
    head, line, *_ = lab.command(f"show servers conn {backend}").splitlines()
    row = dict(zip(head.split()[1:], line.split(), strict=False))
    return {name: row[name] for name in ("used_cur", "idle_cur")}


def play(lab: Lab, name: str, turns: str) -> None:
    """Lets clients ask and leave one after the other, each once the turn before is over in the proxy, too."""
    clients: dict[str, Client] = {}
    for turn in turns:
        if turn.isupper():
            listener = f"{name}one" if turn < "N" else f"{name}two"
            client = clients.setdefault(turn, Client(lab, listener))
            asked = len(client.messages())
            client.send(GET)
            client.read(asked + 1)
            assert len(client.messages()) == asked + 1
            until(lambda: connections(lab, name)["used_cur"] == "0")
        else:
            clients.pop(turn.upper()).end.finish().read_end()
    for client in clients.values():
        client.last()


def seen(lab: Lab, name: str, turns: str) -> dict[str, object]:
    play(lab, name, turns)
    ends = lab.origin(f"{name}a").ends
    kept = connections(lab, name)["idle_cur"]
    until(lambda: sum(end.left is None for end in ends) == int(kept))
    return {"made": len(ends), "kept": kept}


def compare(both: Both, settings: str) -> dict[str, dict[str, object]]:
    product = itertools.product(REUSE, SERVERS, TURNS)
    cases = {f"{reuse}, {server}: {turns}": (reuse, server, turns) for reuse, server, turns in product}
    places = {case: f"p{at}x" for at, case in enumerate(cases)}
    config = "".join(site(places[case], reuse, server) for case, (reuse, server, _) in cases.items())
    origins = {f"{place}a": Script([Reply()]) for place in places.values()}

    def traffic(lab: Lab) -> dict[str, Any]:
        return {case: seen(lab, places[case], turns) for case, (_, _, turns) in cases.items()}

    options = {"origins": origins, "preamble": TWO + "  timeout client 30s\n", "normal": http_line}
    expected, got = both.apart(f"global\n{settings}\n{config}", traffic, **options)
    # HAProxy 2.6 may crash at its exit behind so many pools: its status does not count.
    assert_same(expected.value, got.value)
    value: dict[str, dict[str, object]] = expected.value
    return value


def test_two_workers_make_as_many_connections(both: Both) -> None:
    value = compare(both, "")
    assert value["always, : ANAN"] == {"made": 1, "kept": "1"}
    assert value["always, pool-low-conn 2: ANAN"]["made"] == 2
    assert value["safe, pool-low-conn 1: AaBbCcDdEe"]["kept"] == "2"


def test_two_workers_that_do_not_share_make_as_many_connections(both: Both) -> None:
    assert compare(both, "  tune.idle-pool.shared off")["always, : ANAN"] == {"made": 2, "kept": "2"}


def test_what_a_connection_has_served_goes_with_it(beyond: Both) -> None:
    """HAProxy does not heed max-reuse in HTTP/1, and its manual says that it may not."""
    config, origins = site("x", "always", "max-reuse 1"), {"xa": Script([Reply()])}

    def traffic(lab: Lab) -> list[int]:
        play(lab, "x", "ANANA")
        return [len(split_requests(end.received)) for end in lab.origin("xa").ends]

    _, got = beyond.apart(config, traffic, origins=origins, preamble=TWO, normal=http_line)
    assert got.value == [2, 2, 1]


def test_what_went_to_the_other_worker_is_closed_there_after_the_purge_delay(both: Both) -> None:
    config, origins = site("x", "always", "pool-purge-delay 1s"), {"xa": Script([Reply()])}

    def traffic(lab: Lab) -> int:
        play(lab, "x", "AN")
        until(lambda: connections(lab, "x") == {"used_cur": "0", "idle_cur": "0"})
        until(lambda: all(end.left for end in lab.origin("xa").ends))
        return len(lab.origin("xa").ends)

    seen = both(config, traffic, origins=origins, preamble=TWO, normal=http_line, logged=False)
    assert seen.value == 1


INNER = """
frontend inner
  bind 127.0.0.1:<inner> thread 1 ssl crt {paper}
  no log
  http-request return status 200 content-type text/plain lf-string %[src_port]
"""


@pytest.mark.parametrize("low", [0, 2])
def test_a_connection_of_tls_goes_to_the_other_worker(both: Both, paper: Paper, low: int) -> None:
    secured = f"ssl verify none pool-low-conn {low}"

    def traffic(lab: Lab) -> int:
        clients = [Client(lab, listener) for listener in ("xone", "xtwo") * 3]
        for client in clients:
            client.send(GET)
            client.read(1)
            until(lambda: connections(lab, "x")["used_cur"] == "0")
        for client in clients:
            client.last()
        # The inner proxy says which port it was asked from.
        return len({client.end.received.rsplit(b"\r\n", 1)[1] for client in clients})

    config = site("x", "always", secured, "127.0.0.1:<inner>") + INNER.format(paper=paper["site.pem"])
    seen = both(config, traffic, origins={}, preamble=TWO, normal=http_line, logged=False)
    assert seen.value == (2 if low else 1)


def test_what_a_name_was_asked_for_serves_no_other_name(both: Both, paper: Paper) -> None:
    secured = "ssl verify none sni req.hdr(x-name)"

    def traffic(lab: Lab) -> list[int]:
        ports: dict[str, set[bytes]] = {"a.example": set(), "b.example": set()}
        for _ in range(2):
            for listener in ("xone", "xtwo"):
                for name, from_ports in ports.items():
                    client = Client(lab, listener)
                    client.send(f"GET / HTTP/1.1\r\nHost: a\r\nX-Name: {name}\r\n\r\n".encode())
                    client.read(1)
                    until(lambda: connections(lab, "x")["used_cur"] == "0")
                    client.last()
                    from_ports.add(client.end.received.rsplit(b"\r\n", 1)[1])
        assert not ports["a.example"] & ports["b.example"]
        return [len(each) for each in ports.values()]

    config = site("x", "always", secured, "127.0.0.1:<inner>") + INNER.format(paper=paper["site.pem"])
    seen = both.apart(config, traffic, origins={}, preamble=TWO, normal=http_line, logged=False)
    assert seen[1].value == [1, 1]


CROWDED = f"""
global
  ulimit-n 400
  maxconn 150
  tune.pool-low-fd-ratio 10
  tune.pool-high-fd-ratio 10
{site("x", "always", "pool-purge-delay 60s")}
{site("y", "always", "")}
"""


def test_where_descriptors_run_short_another_workers_connection_is_closed(
    program: str, tmp_path: Path
) -> None:
    """HAProxy 2.6 closes none of another server's."""
    origins = {"xa": Script([Reply()]), "ya": Script([Reply()])}
    lab = Lab(program, tmp_path / "lab", TWO + CROWDED, origins)
    try:
        play(lab, "x", "A")
        many = [lab.connect("yone") for _ in range(50)]
        until(lambda: statistic(lab, "yf", "FRONTEND", "scur") == "50")
        assert connections(lab, "x")["idle_cur"] == "1"
        play(lab, "y", "N")
        until(lambda: all(end.left for end in lab.origin("xa").ends))
        assert connections(lab, "x")["idle_cur"] == "0"
        for end in many:
            end.close()
    finally:
        lab.close()
