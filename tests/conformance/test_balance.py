"""Which server gets whom: every algorithm of TCP mode, with weights, states and backups."""

from __future__ import annotations

import time
from collections import Counter

import pytest

from .lab import Both, Lab, Origins
from .test_first_bytes import rdp
from .wire import greets

ALL: Origins = {"a": greets, "b": greets, "c": greets}
SOURCES = [f"127.{i}.{(i * 37) % 256}.{(i * 101) % 254 + 1}" for i in range(1, 31)]


def config(options: str, a: str = "", b: str = "", c: str = "") -> str:
    return f"""
listen f
  bind 127.0.0.1:<front>
  {options}
  server a <a> {a}
  server b <b> {b}
  server c <c> {c}
"""


@pytest.mark.parametrize(
    ("options", "weights"),
    [
        ("balance roundrobin", ("", "", "")),
        ("balance roundrobin", ("weight 1", "weight 2", "weight 3")),
        ("balance roundrobin", ("weight 10", "weight 1", "weight 5")),
        ("balance roundrobin", ("weight 256", "weight 128", "weight 64")),
        ("balance roundrobin", ("weight 0", "weight 1", "weight 3")),
        ("balance static-rr", ("", "", "")),
        ("balance static-rr", ("weight 1", "weight 2", "weight 3")),
        ("balance static-rr", ("weight 10", "weight 1", "weight 5")),
        ("balance static-rr", ("weight 0", "weight 2", "weight 1")),
        ("balance leastconn", ("", "", "")),
        ("balance leastconn", ("weight 1", "weight 2", "weight 3")),
        ("balance first", ("", "", "")),
        ("", ("", "", "")),
    ],
)
def test_the_order_of_the_servers(both: Both, options: str, weights: tuple[str, str, str]) -> None:
    seen = both(config(options, *weights), lambda lab: in_turn(lab, 18), origins=ALL)
    assert set(seen.value) <= {"a", "b", "c"}


def in_turn(lab: Lab, count: int) -> list[str]:
    """Who serves, with each session over (and logged) before the next begins."""
    names = []
    for number in range(count):
        names.append(lab.greeting())
        lab.log.wait(number + 1)
    return names


def held(lab: Lab, count: int) -> list[str]:
    """Who serves `count` connections that all stay open."""
    names = []
    for _ in range(count):
        names.append(lab.connect().read(2).decode().strip())
    return names


@pytest.mark.parametrize(
    ("options", "servers"),
    [
        ("balance leastconn", ("", "", "")),
        ("balance leastconn", ("weight 1", "weight 2", "weight 4")),
        ("balance leastconn", ("weight 100", "weight 50", "weight 10")),
        ("balance leastconn", ("maxconn 1", "maxconn 2", "")),
        ("balance first", ("maxconn 2", "maxconn 3", "maxconn 20")),
        ("balance roundrobin", ("maxconn 1", "maxconn 2", "maxconn 20")),
        ("balance roundrobin", ("weight 1", "weight 2", "weight 4")),
        ("balance static-rr", ("maxconn 1", "maxconn 1", "maxconn 20")),
    ],
)
def test_the_order_while_connections_stay_open(
    both: Both, options: str, servers: tuple[str, str, str]
) -> None:
    seen = both(config(options, *servers), lambda lab: held(lab, 14), origins=ALL, logged=False)
    assert len(seen.value) == 14


def test_leastconn_prefers_the_server_that_was_left(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        ends = [lab.connect() for _ in range(6)]
        names = [end.read(2).decode().strip() for end in ends]
        freed = names.index("b")
        ends[freed].finish()
        ends[freed].read_end()
        lab.log.wait(1)
        return names, lab.connect().read(2)

    seen = both(config("balance leastconn"), traffic, origins=ALL, logged=False)
    assert seen.value[1] == b"b\n"


KINDS = ["hash-type map-based", "hash-type consistent"]
HASHES = [
    f"hash-type {kind} {function}{' avalanche' if avalanche else ''}"
    for kind in ("map-based", "consistent")
    for function in ("sdbm", "djb2", "wt6", "crc32")
    for avalanche in (False, True)
]


@pytest.mark.parametrize("kind", ["", "map-based", "consistent"])
def test_source_sends_an_address_where_haproxy_does(both: Both, kind: str) -> None:
    chosen = [form for form in HASHES if kind in form] if kind else ["", *KINDS]
    sections = [
        config(f"balance source\n  {form}", "weight 1", "weight 2", "weight 3")
        .replace("listen f", f"listen f{number}")
        .replace("<front>", f"<front{number}>")
        for number, form in enumerate(chosen)
    ]

    def traffic(lab: Lab) -> object:
        return {
            form: "".join(lab.greeting(source, f"front{number}") for source in SOURCES)
            for number, form in enumerate(chosen)
        }

    seen = both("".join(sections), traffic, origins=ALL, logged=False)
    for form, servers in seen.value.items():
        # Without an avalanche HAProxy's ring puts all these addresses on one server.
        assert len(set(servers)) > 1 or ("consistent" in form and "avalanche" not in form)


@pytest.mark.parametrize("hash_type", ["map-based", "consistent"])
def test_source_skips_a_server_in_maintenance_and_comes_back(both: Both, hash_type: str) -> None:
    def traffic(lab: Lab) -> object:
        before = [lab.greeting(source) for source in SOURCES[:15]]
        lab.command("disable server f/b")
        without = [lab.greeting(source) for source in SOURCES[:15]]
        lab.command("enable server f/b")
        return before, without, [lab.greeting(source) for source in SOURCES[:15]]

    seen = both(config(f"balance source\n  hash-type {hash_type}"), traffic, origins=ALL, logged=False)
    before, without, after = seen.value
    assert before == after
    assert "b" not in without


@pytest.mark.parametrize("kind", ["map-based", "consistent"])
@pytest.mark.parametrize("key", ["src", "src,ipmask(16)", "str(fixed)", "dst_port", "src,be2hex", "rand(1)"])
def test_hash_of_an_expression_goes_where_haproxy_goes(both: Both, kind: str, key: str) -> None:
    text = config(f"balance hash {key}\n  hash-type {kind} crc32", "weight 1", "weight 2", "weight 3")
    if key == "dst_port":
        text = text.replace("<front>", "<front> accept-proxy")

        def traffic(lab: Lab) -> list[bytes]:
            return [through(lab, port) for port in range(80, 100)]
    else:

        def traffic(lab: Lab) -> list[bytes]:
            return [lab.greeting(source).encode() for source in SOURCES[:16]]

    both(text, traffic, origins=ALL, logged=False)


def through(lab: Lab, port: int) -> bytes:
    """Who greets a client whose PROXY header says that it came to `port`."""
    end = lab.connect().send(b"PROXY TCP4 10.0.0.1 10.0.0.2 1111 %d\r\n" % port)
    heard = end.read(2)
    end.finish().read_end()
    end.close()
    return heard


def test_source_sticks_to_its_server(both: Both) -> None:
    seen = both(config("balance source"), lambda lab: lab.names(5, "127.9.8.7"), origins=ALL)
    assert len(set(seen.value)) == 1


@pytest.mark.parametrize("servers", [("id 10", "id 20", "id 30"), ("weight 50", "weight 100", "weight 3")])
def test_consistent_hashing_depends_on_ids_and_weights(both: Both, servers: tuple[str, str, str]) -> None:
    text = config("balance source\n  hash-type consistent", *servers)
    both(text, lambda lab: [lab.greeting(source) for source in SOURCES], origins=ALL, logged=False)


def test_hash_balance_factor_moves_the_overflow(both: Both) -> None:
    text = config("balance source\n  hash-type consistent\n  hash-balance-factor 125")
    both(text, lambda lab: held_from_one(lab, 12), origins=ALL, logged=False)


def held_from_one(lab: Lab, count: int) -> list[str]:
    return [lab.connect(source="127.3.3.3").read(2).decode().strip() for _ in range(count)]


@pytest.mark.parametrize("draws", ["random", "random(1)", "random(4)"])
def test_random_reaches_every_server_roughly_equally(both: Both, draws: str) -> None:
    def traffic(lab: Lab) -> object:
        counts = Counter(lab.names(90))
        return all(10 <= counts[name] <= 55 for name in "abc") or dict(counts)

    seen = both(config(f"balance {draws}"), traffic, origins=ALL, logged=False)
    assert seen.value is True


def test_random_of_two_avoids_the_busy_server(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        counts = Counter(held(lab, 30))
        return max(counts.values()) - min(counts.values()) <= 6 or dict(counts)

    seen = both(config("balance random"), traffic, origins=ALL, logged=False)
    assert seen.value is True


def test_a_backup_serves_only_when_the_others_are_away(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        usual = lab.names(4)
        lab.command("disable server f/a")
        one_left = lab.names(2)
        lab.command("disable server f/b")
        on_backup = lab.names(2)
        lab.command("enable server f/a")
        return usual, one_left, on_backup, lab.names(2)

    seen = both(config("balance roundrobin", c="backup"), traffic, origins=ALL)
    assert seen.value == (["a", "b", "a", "b"], ["b", "b"], ["c", "c"], ["a", "a"])


def test_only_the_first_backup_serves(both: Both) -> None:
    text = config("balance roundrobin", "disabled", "backup", "backup")
    seen = both(text, lambda lab: lab.names(4), origins=ALL)
    assert seen.value == ["b"] * 4


def test_allbackups_shares_between_all_backups(both: Both) -> None:
    text = config("balance roundrobin\n  option allbackups", "disabled", "backup", "backup weight 2")
    seen = both(text, lambda lab: lab.names(6), origins=ALL)
    assert Counter(seen.value) == {"b": 2, "c": 4}


@pytest.mark.parametrize("algorithm", ["roundrobin", "static-rr", "leastconn", "source", "first", "random"])
def test_a_disabled_server_gets_nothing(both: Both, algorithm: str) -> None:
    text = config(f"balance {algorithm}", "", "disabled", "disabled")
    seen = both(text, lambda lab: lab.names(4), origins=ALL)
    assert seen.value == ["a"] * 4


@pytest.mark.parametrize("algorithm", ["roundrobin", "leastconn", "source", "first"])
def test_only_servers_of_weight_zero(both: Both, algorithm: str) -> None:
    text = config(f"balance {algorithm}", "weight 0", "weight 0", "weight 0")
    both(text, lambda lab: in_turn(lab, 3), origins=ALL)


def test_a_weight_set_at_run_time_counts_at_once(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        before = in_turn(lab, 3)
        lab.command("set server f/a weight 0")
        lab.command("set server f/b weight 200%")
        return before, Counter(lab.names(9))

    seen = both(config("balance roundrobin"), traffic, origins=ALL, logged=False)
    assert seen.value[1] == {"b": 6, "c": 3}


def test_two_threads_share_one_rotation(both: Both) -> None:
    text = "global\n  nbthread 2\n" + config("balance roundrobin", "weight 1", "weight 2", "weight 3")
    seen = both(text, lambda lab: Counter(lab.names(24)), origins=ALL, logged=False)
    assert seen.value == {"a": 4, "b": 8, "c": 12}


def test_server_template_makes_numbered_servers(both: Both) -> None:
    text = """
listen f
  bind 127.0.0.1:<front>
  balance roundrobin
  server-template t 3 <a>
"""
    seen = both(text, lambda lab: in_turn(lab, 4))
    assert [line.s for line in seen.logs] == ["t1", "t2", "t3", "t1"]


def test_default_server_gives_what_servers_do_not_say(both: Both) -> None:
    text = """
listen f
  bind 127.0.0.1:<front>
  balance roundrobin
  default-server weight 2
  server a <a>
  server b <b> weight 1
  default-server backup
  server c <c>
"""
    seen = both(text, lambda lab: in_turn(lab, 6), origins=ALL)
    assert Counter(seen.value) == {"a": 4, "b": 2}


def test_a_slow_start_lets_a_server_that_comes_back_grow_into_its_share(both: Both) -> None:
    text = """
listen f
  bind 127.0.0.1:<front>
  balance roundrobin
  server a <a> weight 100
  server b <b> weight 100 slowstart 60s
"""

    def traffic(lab: Lab) -> object:
        whole = Counter(lab.names(20))
        lab.command("disable server f/b")
        lab.command("enable server f/b")
        begun = Counter(lab.names(20))
        row = lab.command("show stat f 4 -1").splitlines()[2].split(",")
        throttle, weight = int(row[29]), int(row[18])
        # Which of the first steps it has climbed is a matter of seconds.
        return whole, begun["b"] < 5, 0 < throttle < 50, 0 < weight < 50

    seen = both(text, traffic, origins=ALL, logged=False)
    assert seen.value == ({"a": 10, "b": 10}, True, True, True)


def test_a_slow_start_ends_with_the_whole_weight(both: Both) -> None:
    text = """
listen f
  bind 127.0.0.1:<front>
  balance roundrobin
  server a <a> weight 10
  server b <b> weight 10 slowstart 1s
"""

    def traffic(lab: Lab) -> object:
        lab.command("disable server f/b")
        lab.command("enable server f/b")
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            row = lab.command("show stat f 4 -1").splitlines()[2].split(",")
            if row[18] == "10" and row[29] in ("", "100"):
                return Counter(lab.names(20))
            time.sleep(0.05)
        return row

    assert both(text, traffic, origins=ALL, logged=False).value == {"a": 10, "b": 10}


@pytest.mark.parametrize("line", ["rdp-cookie", "rdp-cookie(mstshash)", "rdp-cookie(other)"])
def test_a_user_of_rdp_comes_back_to_the_same_server(both: Both, line: str) -> None:
    """A client without the cookie is served in turn."""
    rules = (
        f"balance {line}\n  tcp-request inspect-delay 3s\n"
        "  tcp-request content accept if RDP_COOKIE or { req.len gt 60 }"
    )
    packets = [rdp(b"Cookie: mstshash=user%d\r\n" % (at % 12)) for at in range(24)]
    packets += [rdp(b"Cookie: other=x%d\r\n" % at) for at in range(6)] + [b"x" * 70] * 3

    def traffic(lab: Lab) -> list[str]:
        names = []
        for number, packet in enumerate(packets):
            client = lab.connect()
            client.send(packet)
            names.append(client.read(2).decode().strip())
            client.finish().read_end()
            lab.log.wait(number + 1)
        return names

    both(config(rules, "", "weight 2"), traffic, origins=ALL)
