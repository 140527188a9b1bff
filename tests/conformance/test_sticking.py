"""Clients that come back to their server by a stick table, and tables in TCP mode, through both proxies."""

from __future__ import annotations

from .lab import Both, Lab, assert_same
from .stick_lab import ONE, PREAMBLE, SITE, TWO, Place, Play, indented, play_all, says

KEYED = "backend t\n  stick-table type string len 20 size 100 expire 1h\n"
STICKY: dict[str, tuple[str, tuple[str, ...]]] = {
    "stick on": ("stick on hdr(user) table t", ("u", "v", "u", "v", "", "u")),
    "stick match": ("stick match hdr(user) table t", ("u", "u", "v")),
    "stick store-request": ("stick store-request hdr(user) table t", ("u", "u", "v")),
    "stick store-response": (
        "stick match hdr(user) table t\nstick store-response res.hdr(id) table t",
        ("u", "u", "u"),
    ),
    "conditions": ("stick on hdr(user) table t if { hdr(user) u }", ("u", "v", "u", "v")),
    "the first key of a table counts": (
        "stick on hdr(user) table t\nstick store-request str(zz) table t",
        ("u", "", "u"),
    ),
    "a fallback": ("stick on hdr(user) table t\nstick match str(u) table t", ("u", "", "v")),
    "use-server goes first": ("stick on hdr(user) table t\nuse-server b if { hdr(user) v }", ("v", "u", "v")),
}


def test_clients_come_back_to_their_server(both: Both) -> None:
    def row(name: str) -> Play:
        rules, users = STICKY[name]

        def traffic(place: Place) -> object:
            fields = [f"user: {user}\r\ngive: {user}\r\n" if user else "" for user in users]
            return [place.ask("/200", ONE, each) for each in fields], place.shown("t")

        config = SITE.format(stored="conn_cnt", front="", back=indented(rules)) + KEYED
        return Play(name, config, traffic)

    play_all(both, [row(name) for name in STICKY])


def test_a_server_that_went_is_forgotten_for_another(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        def came() -> str:
            return Place(lab).ask("/200", ONE, "user: u\r\n")

        seen = [came(), came()]
        lab.command("disable server b/a")
        seen += [came(), *Place(lab).shown("t"), came()]
        lab.command("enable server b/a")
        return [*seen, came(), *Place(lab).shown("t")]

    config = SITE.format(stored="conn_cnt", front="", back="  stick on hdr(user) table t") + KEYED
    expected, got = both.apart(config, traffic, origins={"a": says, "b": says}, preamble=PREAMBLE)
    assert_same(expected.value, got.value)


TCP = """
frontend f
  mode tcp
  bind 127.0.0.1:<front>
{front}
  default_backend b
backend b
  mode tcp
  balance roundrobin
  stick-table type ip size 100 expire 1h {table}
{back}
  server a <a>
  server b <b>
"""
PLAIN: dict[str, tuple[str, str, str]] = {
    "stick on src": ("", "", "stick on src"),
    "srvkey addr": ("", "srvkey addr", "stick on src"),
    "counters": (
        "tcp-request connection track-sc0 src table b",
        "store conn_cnt,sess_cnt,bytes_in_cnt,bytes_out_cnt,bytes_in_rate(1h)",
        "",
    ),
    "counters of content rules": (
        "tcp-request inspect-delay 3s\ntcp-request content track-sc0 src table b if { req.len gt 0 }",
        "store conn_cnt,sess_cnt,bytes_in_cnt,bytes_out_cnt",
        "",
    ),
}


def test_tcp_mode_counts_and_sticks_alike(both: Both) -> None:
    def row(name: str) -> Play:
        front, table, back = PLAIN[name]

        def traffic(place: Place) -> object:
            seen = [place.ask("/200", source) for source in (ONE, TWO, ONE, TWO)]
            lines = place.shown("b")
            for label, origin in place.lab.origins.items():
                lines = [line.replace(f":{origin.port}", f":{label}") for line in lines]
            return seen, lines

        return Play(name, TCP.format(front=indented(front), table=table, back=indented(back)), traffic)

    play_all(both, [row(name) for name in PLAIN])
