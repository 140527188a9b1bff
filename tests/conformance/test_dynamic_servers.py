"""Servers that come and go at run time: `add server`, `del server`, and their health checks."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from .lab import Both, Lab, Origins
from .wire import greets

ORIGINS: Origins = {"a": greets, "b": greets}
TEXT = """
global
  maxconn 1000
listen l
  bind 127.0.0.1:<front>
  balance roundrobin
  default-server weight 7
  server a <a>
  server spare <a>
  use-server spare if { src 127.0.0.77 }
  server watched <a> check inter 200
backend static
  balance static-rr
  server s <a>
backend mapped
  balance source
  server s <a>
backend consistent
  balance source
  hash-type consistent
  server s <a>
backend empty
  balance leastconn
backend follows
  balance roundrobin
  server t <a> track l/watched
  server u <a> id 3
"""
# Behind these stand times, and what a check that has not begun shows.
STATE = (1, 2, 3, 4, 5, 6, 7, 8, 17, 18)
STATS = ("status", "act", "bck", "sid", "slim", "qlimit", "tracked", "stot", "uweight", "addr")


def states(lab: Lab, backend: str) -> list[str]:
    lines = lab.command(f"show servers state {backend}").splitlines()[2:]
    return [lab.mask(" ".join(line.split(" ")[at] for at in STATE)) for line in lines if line]


def stats(lab: Lab, backend: str) -> dict[str, tuple[str, ...]]:
    lines = lab.command("show stat").strip().splitlines()
    names = lines[0].removeprefix("# ").rstrip(",").split(",")
    rows = [dict(zip(names, line.split(","), strict=False)) for line in lines[1:]]
    kept = [row for row in rows if row["pxname"] == backend]
    kept = [row for row in kept if row["svname"] != "FRONTEND"]
    return {row["svname"]: tuple(lab.mask(row[name]) for name in STATS) for row in kept}


def until(holds: object, lab: Lab, wanted: str) -> None:
    """Wait until a server's status begins with a text."""
    backend, _, server = str(holds).partition("/")
    deadline = time.monotonic() + 8
    while not (seen := stats(lab, backend)[server][0]).startswith(wanted):
        assert time.monotonic() < deadline, f"{holds} is {seen} and not {wanted}"
        time.sleep(0.02)


def wait_for(lab: Lab, backend: str, server: str, column: int, value: str) -> None:
    """Wait until a column of a server's statistics holds a value."""
    deadline = time.monotonic() + 8
    seen = ""
    while seen != value:
        assert time.monotonic() < deadline, seen
        lines = lab.command("show stat").splitlines()
        seen = next(line.split(",")[column] for line in lines if line.startswith(f"{backend},{server},"))


def idle(lab: Lab, backend: str, server: str) -> None:
    """Wait until a server has no session."""
    wait_for(lab, backend, server, 4, "0")


def test_what_is_answered_to_places(both: Both) -> None:
    places = ("", "l", "l/", "/x", "nosuch/x", "static/x", "mapped/x", "l/a", "l/new")

    def traffic(lab: Lab) -> object:
        adding = [lab.command(f"add server {place} 127.0.0.1:1".rstrip()) for place in places]
        bare = [lab.command(f"add server {place}") for place in ("l/other", "nosuch/x", "static/x")]
        deleting = [lab.command(f"del server {place}") for place in ("", "l", "l/", "nosuch/x", "l/nosuch")]
        return adding, bare, deleting

    both(TEXT, traffic, origins=ORIGINS, logged=False)


ACCEPTED = (
    "",
    "check weight 3 id 50",
    "weight 0 maxconn 5 minconn 2 maxqueue 9",
    "backup slowstart 5s on-marked-down shutdown-sessions on-marked-up shutdown-backup-sessions",
    "disabled",
    "check disabled",
    "track l/watched",
    "send-proxy",
    "send-proxy-v2",
    "source 127.0.0.1",
    "check inter 300 fastinter 100 downinter 500 rise 3 fall 4 addr 127.0.0.1 port 9",
    "tfo",
)


def test_servers_that_are_added_show_as_haproxys(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        answers = []
        for number, options in enumerate(ACCEPTED):
            where = f"127.0.0.1:{lab.origin('b').port}"
            answers.append(lab.command(f"add server l/n{number} {where} {options}".rstrip()))
        return answers, states(lab, "l"), stats(lab, "l")

    both(TEXT, traffic, origins=ORIGINS, logged=False)


def test_addresses_of_all_forms(both: Both) -> None:
    addresses = (
        "127.0.0.1",
        "*:81",
        "*",
        "/tmp/nosuch.sock",
        "127.0.0.1:+5",
        "[::1]:80",
        "nosuch.invalid:80",
    )

    def traffic(lab: Lab) -> object:
        answers = [lab.command(f"add server empty/n{n} {each}") for n, each in enumerate(addresses)]
        enabled = [lab.command(f"enable server empty/n{n}") for n, _ in enumerate(addresses)]
        return answers, enabled, list(stats(lab, "empty"))

    both(TEXT, traffic, origins=ORIGINS, logged=False)


REFUSED = (
    "bogus",
    "weight 900",
    "cookie x",
    "resolvers x",
    "init-addr none",
    "no-check",
    "id 3",
    "track follows/nosuch",
    "track nosuch/a",
    "track l/a",
    "check track l/watched",
    "track follows/dynamic",
    "rise 0",
)


@pytest.mark.parametrize("options", REFUSED)
def test_what_is_refused_changes_nothing(both: Both, options: str) -> None:
    """The words differ, as those of configurations do; the refusal and what is left do not."""

    def traffic(lab: Lab) -> object:
        before = lab.command(f"add server follows/dynamic 127.0.0.1:{lab.origin('b').port} check")
        said = lab.command(f"add server follows/n 127.0.0.1:{lab.origin('b').port} {options}")
        return before, "registered" in said, said.endswith("\n\n"), states(lab, "follows")

    seen = both(TEXT, traffic, origins=ORIGINS, logged=False)
    assert not seen.value[1]


def test_a_server_serves_from_when_it_is_enabled_until_it_is_disabled(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        added = lab.command(f"add server empty/n 127.0.0.1:{lab.origin('b').port}")
        before = lab.greeting()
        answers = [lab.command(line) for line in ("enable server empty/n", "del server empty/n")]
        during = lab.greeting()
        answers += [lab.command(line) for line in ("disable server empty/n", "del server empty/n")]
        after = lab.greeting()
        return added, before, answers, during, after, stats(lab, "empty")

    text = TEXT.replace("bind 127.0.0.1:<front>", "bind 127.0.0.1:<other>")
    text += "frontend f\n  bind 127.0.0.1:<front>\n  default_backend empty\n"
    seen = both(text, traffic, origins=ORIGINS, logged=False)
    assert (seen.value[1], *seen.value[3:5]) == ("", "b", "")


def test_a_server_with_sessions_or_in_service_or_named_elsewhere_is_not_deleted(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        answers = [lab.command("del server l/a")]
        client = lab.connect()
        client.read(2)
        answers += [lab.command(line) for line in ("disable server l/a", "del server l/a")]
        client.close()
        idle(lab, "l", "a")
        answers += [lab.command("del server l/a"), lab.command("del server l/a")]
        answers += [lab.command(f"{verb} server l/spare") for verb in ("del", "disable", "del")]
        answers += [lab.command("del server l/watched"), lab.command("del server follows/t")]
        answers += [lab.command(f"{verb} server mapped/s") for verb in ("disable", "del")]
        return answers, states(lab, "l"), states(lab, "mapped")

    both(TEXT, traffic, origins=ORIGINS, logged=False)


def test_numbers_are_given_again(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        lines = (
            *("add server empty/a 127.0.0.1:1 id 9", "add server empty/b 127.0.0.1:1"),
            *("add server empty/c 127.0.0.1:1", "del server empty/b", "add server empty/d 127.0.0.1:1"),
            *("add server empty/e 127.0.0.1:1", "del server #6/#9", "del server empty/#1"),
        )
        return [lab.command(line) for line in lines], states(lab, "empty")

    both(TEXT, traffic, origins=ORIGINS, logged=False)


def test_a_name_may_come_back_and_counts_from_nothing(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        # A session of another server keeps what was before alive.
        lab.command("set weight l/a 1")
        living = lab.connect()
        living.read(2)
        lab.command("disable server l/a")
        lab.command("disable server l/spare")
        where = f"127.0.0.1:{lab.origin('b').port}"
        lines = (f"add server l/n {where}", "enable server l/n")
        answers = [*map(lab.command, lines), lab.greeting(), lab.greeting()]
        first = stats(lab, "l")["n"]
        answers += [lab.command("disable server l/n"), lab.command("del server l/n")]
        answers += [*map(lab.command, lines), lab.greeting()]
        return answers, first, stats(lab, "l")["n"], states(lab, "l")

    both(TEXT, traffic, origins=ORIGINS, logged=False)


def test_a_check_begins_when_it_is_enabled(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        said = []
        options = "check inter 100 rise 1 fall 2"
        closed = lab.ports["closed"]
        for name, port in (("good", lab.origin("b").port), ("bad", closed)):
            said.append(lab.command(f"add server empty/{name} 127.0.0.1:{port} {options}"))
            said.append(lab.command(f"enable server empty/{name}"))
        unchecked = {name: row[0] for name, row in stats(lab, "empty").items()}
        for name in ("good", "bad"):
            said.append(lab.command(f"enable health empty/{name}"))
        until("empty/bad", lab, "DOWN")
        until("empty/good", lab, "UP")
        checked = {name: row[0] for name, row in stats(lab, "empty").items() if name != "good"}
        said.append(lab.command("disable health empty/good"))
        stopped = stats(lab, "empty")["good"][0]
        return said, unchecked, checked, stopped

    both(TEXT + "backend z\n  server s <closed>\n", traffic, origins=ORIGINS, logged=False)


def test_health_of_what_has_no_check(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        places = ("", "l", "l/nosuch", "nosuch/a", "l/a", "l/watched")
        return [lab.command(f"{verb} health {place}") for verb in ("disable", "enable") for place in places]

    both(TEXT, traffic, origins=ORIGINS, logged=False)


def test_a_tracking_server_is_as_healthy_as_the_one_it_tracks(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        until("w/down", lab, "DOWN")
        answers = [lab.command(f"add server l/n 127.0.0.1:{lab.origin('b').port} track w/down")]
        answers.append(lab.command("enable server l/n"))
        return answers, stats(lab, "l")["n"][0]

    text = TEXT + "backend w\n  server down <closed> check inter 100 rise 1 fall 1\n"
    both(text, traffic, origins=ORIGINS, logged=False)


def test_the_limit_that_a_server_is_added_with_holds(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        for server in ("a", "spare", "watched"):
            lab.command(f"disable server l/{server}")
        where = f"127.0.0.1:{lab.origin('b').port}"
        said = lab.command(f"add server l/n {where} maxconn 1"), lab.command("enable server l/n")
        first = lab.connect()
        heard = first.read(2)
        second = lab.connect()
        wait_for(lab, "l", "BACKEND", 2, "1")
        refused = lab.command("disable server l/n"), lab.command("del server l/n")
        first.close()
        return said, heard, refused, bool(second)

    both(TEXT, traffic, origins=ORIGINS, logged=False)


def test_what_rules_and_operators_changed_stays(both: Both, tmp_path: Path) -> None:
    nets = tmp_path / "nets"
    nets.write_text("10.0.0.0/8 ten\n")
    text = """
global
  set-var proc.count int(10)
frontend f
  bind 127.0.0.1:<front>
  tcp-request connection set-var(proc.count) var(proc.count),add(1)
  tcp-request content set-var(sess.name) src,map_ip(@FILE@,none)
  log-format "%[var(proc.count)] %[var(sess.name)] %s"
  default_backend b
backend b
  balance roundrobin
  server a <a>
"""

    def traffic(lab: Lab) -> object:
        said = [lab.command(f"add map {nets} 127.0.0.0/8 local"), lab.greeting()]
        lines = (
            f"add server b/n 127.0.0.1:{lab.origin('b').port}",
            "enable server b/n",
            "disable server b/n",
        )
        said += [*map(lab.command, lines), lab.greeting()]
        said += [lab.command("del server b/n"), lab.greeting()]
        lab.log.wait(5)
        return said, [line.message for line in lab.log.lines() if line.message.endswith(" a")]

    seen = both(text.replace("@FILE@", str(nets)), traffic, origins=ORIGINS, logged=False)
    assert seen.value[1] == ["11 local a", "12 local a", "13 local a"]


def test_a_server_that_is_added_enabled_serves_at_once(beyond: Both) -> None:
    """HAProxy 2.6 shows it as up and gives it nothing before another command about its state."""

    def traffic(lab: Lab) -> object:
        said = lab.command(f"add server empty/n 127.0.0.1:{lab.origin('b').port} enabled")
        return said, stats(lab, "empty")["n"][0], lab.greeting()

    text = TEXT.replace("bind 127.0.0.1:<front>", "bind 127.0.0.1:<other>")
    text += "frontend f\n  bind 127.0.0.1:<front>\n  default_backend empty\n"
    theirs, ours = beyond.apart(text, traffic, origins=ORIGINS, logged=False)
    assert theirs.value[:2] == ours.value[:2]
    assert (theirs.value[2], ours.value[2]) == ("", "b")
