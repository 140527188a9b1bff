"""Stick tables through both proxies: what they count, what rules make of it, and what operators see.

Bytes are compared in TCP mode only: HAProxy counts its internal form of an HTTP message.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

import pytest

from .lab import Both, Lab, assert_same
from .wire import DEADLINE, End, Origin

ONE, TWO = "127.0.0.1", "127.0.0.2"
COUNTED = "conn_cnt,conn_cur,sess_cnt,http_req_cnt,http_err_cnt,http_fail_cnt,gpc0,gpc1,gpt0"
RATES = "conn_rate(1h),sess_rate(1h),http_req_rate(1h),http_err_rate(1h),http_fail_rate(1h),gpc0_rate(1h)"
PREAMBLE = """
global
  nbthread 1
  stats socket <stats> level admin
  log <log> local0
defaults
  log global
  mode http
  timeout connect 3s
  timeout client 6s
  timeout server 6s
  timeout tarpit 10ms
"""
SITE = """
frontend f
  bind 127.0.0.1:<front>
  stick-table type ip size 100 expire 1h store {stored}
{front}
  default_backend b
backend b
  balance roundrobin
{back}
  server a <a>
  server b <b>
backend names
  stick-table type string len 8 size 3 store gpc0,http_req_cnt
backend arrays
  stick-table type ipv6 size 100 expire 1h store gpt(3),gpc(3),gpc_rate(3,1h)
backend numbers
  stick-table type integer size 10 store gpc0
"""


@dataclass(frozen=True)
class Row:
    """Rules, and requests by path and source; `*` before a path keeps the connection for the next."""

    name: str
    front: str
    requests: tuple[str, ...] = ("/200",)
    back: str = ""
    tables: tuple[str, ...] = ("f",)
    source: str = ONE


def says(origin: Origin, end: End) -> None:
    """An origin that answers with the status that stands in the path, and its own name."""
    while head := end.read(1):
        while not head.endswith(b"\r\n\r\n"):
            more = end.read(1)
            if not more:
                return
            head += more
        status = head.split(b" ")[1].strip(b"/")[:3]
        if status == b"999":
            return
        body = origin.name.encode()
        given = re.search(rb"(?i)\r\ngive: (.*)\r\n", head)
        field = b"id: " + (given[1] if given else b"-")
        text = b"HTTP/1.1 %s X\r\nContent-Length: %d\r\n%s\r\n\r\n" % (status, len(body), field)
        end.send(text + body)


def request(path: str, fields: str = "") -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: a\r\n{fields}Connection: close\r\n\r\n".encode()


def ask(lab: Lab, path: str, source: str, fields: str = "") -> str:
    """The status and the body that a request on a connection of its own gets; nothing where it gets none."""
    end = lab.connect(source=source)
    end.try_send(request(path, fields))
    received, _ = end.read_end()
    end.close()
    found = re.match(rb"HTTP/1\.1 (\d+).*?\r\n\r\n(.*)\Z", received, re.DOTALL)
    if not found:
        return "-"
    # Error pages have words of their own.
    return f"{found[1].decode()} {found[2].decode() if found[1] == b'200' else ''}"


def shown(lab: Lab, table: str) -> list[str]:
    """A table's lines once nobody tracks an entry, without what differs from run to run."""
    deadline = time.monotonic() + DEADLINE
    while True:
        text = lab.command(f"show table {table}")
        if not re.search(r" use=[1-9]", text) or time.monotonic() > deadline:
            return masked(text)
        time.sleep(0.01)


def masked(text: str) -> list[str]:
    text = re.sub(r"(?m)^0x[0-9a-f]+: ", "", text)
    # HAProxy orders integers by their bytes in memory.
    return sorted(re.sub(r" exp=[1-9][0-9]*", " exp=N", text).strip().splitlines())


def play(both: Both, row: Row) -> None:
    config = SITE.format(
        stored=f"{COUNTED},{RATES}",
        front="\n".join(f"  {line.strip()}" for line in row.front.splitlines()),
        back="\n".join(f"  {line.strip()}" for line in row.back.splitlines()),
    )

    def traffic(lab: Lab) -> object:
        answers: list[str] = []
        for path in row.requests:
            answers.append(ask(lab, path, row.source))
            # What the request before tracked is given up.
            shown(lab, row.tables[0])
        return answers, [shown(lab, table) for table in row.tables]

    expected, got = both.apart(config, traffic, origins={"a": says, "b": says}, preamble=PREAMBLE)
    assert_same(expected.value, got.value)


TRACKING = (
    "tcp-request connection track-sc0 src",
    "tcp-request session track-sc0 src",
    "tcp-request content track-sc0 src",
    "http-request track-sc0 src",
    "http-response track-sc0 src",
)
EVENTS = {
    "a request": ("", ("/200",)),
    "two requests": ("", ("/200", "/204")),
    "errors and failures": ("", ("/404", "/401", "/500", "/501", "/503", "/505", "/502")),
    "a denied request": ("http-request deny", ("/200",)),
    "a denied response": ("http-response deny", ("/200",)),
    "a tarpit": ("http-request tarpit", ("/200",)),
    "an answer of the proxy": ("http-request return status 404", ("/200",)),
    "a redirection": ("http-request redirect location /x", ("/200",)),
    "authentication": ("http-request auth", ("/200",)),
    "no answer": ("", ("/999",)),
    "a closed connection": ("http-request reject", ("/200",)),
    "refused content": ("tcp-request content reject", ("/200",)),
    "a refused session": ("tcp-request session reject", ("/200",)),
    "a refused connection": ("tcp-request connection reject", ("/200",)),
}
COUNTS = [
    Row(f"{rule.partition(' src')[0]}: {name}", f"{rule}\n{more}", paths)
    for rule in TRACKING
    for name, (more, paths) in EVENTS.items()
]


@pytest.mark.parametrize("row", COUNTS, ids=[row.name for row in COUNTS])
def test_events_are_counted_alike(both: Both, row: Row) -> None:
    play(both, row)


TRACKED = "http-request track-sc0 src"
_FETCHES = """
sc0_conn_cnt sc0_conn_cur sc0_conn_rate sc0_sess_cnt sc0_sess_rate sc0_http_req_cnt
sc0_http_req_rate sc0_http_err_cnt sc0_http_err_rate sc0_http_fail_cnt sc0_kbytes_in
sc0_bytes_in_rate sc0_get_gpc0 sc0_get_gpc1 sc0_get_gpt0 sc0_gpc0_rate sc0_gpc1_rate
sc0_inc_gpc0 sc0_clr_gpc0 sc0_inc_gpc1 sc0_tracked sc0_trackers sc1_conn_cnt sc_conn_cnt(0)
sc_conn_cnt(2) sc_tracked(1) sc_trackers(1) sc_conn_cnt(0,numbers) sc_conn_cnt(0,names)
sc0_conn_cnt(f) sc0_tracked(f) sc0_tracked(names) sc0_inc_gpc0(arrays) sc_get_gpc(0,0)
sc_get_gpc(0,0,arrays) sc_inc_gpc(1,0,arrays) sc_gpc_rate(1,0,arrays) sc_get_gpt(2,0,arrays)
sc_get_gpt(3,0,arrays) sc_clr_gpc(1,0,arrays) sc0_get_gpt0(arrays) src_conn_cnt src_conn_cnt(f)
src_conn_cnt(names) src_conn_rate(f) src_http_req_cnt(f) src_inc_gpc0(f) src_get_gpc0(f)
src_clr_gpc0(f) src_updt_conn_cnt(f)
src_inc_gpc0(names) src_inc_gpc0(numbers) src_kbytes_out(f) src,table_conn_cnt(f)
src,table_http_req_rate(f) src,table_gpc0(f) src,table_gpt0(f) src,in_table(f)
str(9.9.9.9),in_table(f) str(9.9.9.9),table_conn_cnt(f) str(x),in_table(f)
str(x),table_conn_cnt(f) src,table_server_id(f) src,table_kbytes_in(f)
src,table_expire(names) str(9.9.9.9),table_expire(f,5) src,table_gpc(1,arrays)
src,table_gpc_rate(1,arrays) src,table_gpt(1,arrays) int(5),in_table(numbers) table_cnt(f)
table_avl(f) table_cnt(names) table_avl(numbers) path,in_table(names)
"""
FETCHES = _FETCHES.strip().splitlines()


@pytest.mark.parametrize("tracks", [True, False], ids=["tracked", "untracked"])
@pytest.mark.parametrize("line", FETCHES)
def test_samples_have_the_same_values(both: Both, line: str, tracks: bool) -> None:
    text = " ".join(f"{fetch}=%[{fetch}]" for fetch in line.split())
    answer = f'http-request return status 200 content-type text/plain lf-string "{text}"'
    rules = f"{TRACKED}\n{answer}" if tracks else answer
    play(both, Row("samples", rules, ("/200", "/200"), tables=("f", "arrays", "names", "numbers")))


VERDICTS = (
    Row("a rate of requests", f"{TRACKED}\nhttp-request deny if {{ sc0_http_req_rate gt 2 }}", ("/200",) * 4),
    Row(
        "a rate of connections",
        "tcp-request connection track-sc0 src\ntcp-request connection reject if { src_conn_rate gt 2 }",
        ("/200",) * 4,
    ),
    Row(
        "a counter",
        f"{TRACKED}\nhttp-request sc-inc-gpc0(0) if {{ path /404 }}\n"
        "http-request deny deny_status 429 if { sc0_get_gpc0 gt 1 }",
        ("/404", "/200", "/404", "/200"),
    ),
    Row(
        "a tag",
        f"{TRACKED}\nhttp-request sc-set-gpt0(0) 7 if {{ path /404 }}\n"
        "http-request sc-set-gpt0(0) int(9) if { path /500 }\nhttp-request deny if { sc0_get_gpt0 gt 8 }",
        ("/200", "/404", "/200", "/500", "/200"),
    ),
    Row(
        "arrays",
        "http-request track-sc1 src table arrays\nhttp-request sc-inc-gpc(2,1)\nhttp-request sc-inc-gpc0(1)\n"
        "http-request sc-set-gpt(1,1) str(abcd),length\nhttp-request sc-inc-gpc(9,1)",
        ("/200", "/200"),
        tables=("arrays",),
    ),
    Row(
        "the first of two lines tracks",
        "http-request track-sc0 src table arrays\nhttp-request track-sc0 src",
        tables=("f", "arrays"),
    ),
    Row(
        "a session's entry goes before a stream's",
        "tcp-request connection track-sc0 src\nhttp-request track-sc0 src table arrays",
        tables=("f", "arrays"),
    ),
    Row("the oldest key makes room", "http-request track-sc0 path table names",
        ("/200/1", "/200/2", "/200/1", "/200/3", "/200/45678", "/200/45679"), tables=("names",)),
    Row("a key that is none", "http-request track-sc0 req.hdr(none)", tables=("f",)),
    Row("text as a number", "http-request track-sc0 path,length table numbers", ("/200", "/404/1"),
        tables=("numbers",)),
    Row("a backend's table", "", ("/200",), "http-request track-sc2 src table f"),
    Row("responses", "http-response track-sc0 status table numbers\nhttp-response sc-inc-gpc0(0)",
        ("/200", "/404", "/200"), tables=("numbers",)),
)  # fmt: skip


@pytest.mark.parametrize("row", VERDICTS, ids=[row.name for row in VERDICTS])
def test_rules_judge_alike(both: Both, row: Row) -> None:
    play(both, row)


_COMMANDS = r"""
show table
show table f
show table nothing
show table f blah
show table f key
set table f key 1.2.3.4 data.gpc0 5 data.conn_rate 9 data.conn_cnt 7
set table f key 1.2.3.5
set table f key 1.2.3.6 data.gpc0 6 data.gpt0 4294967295
show table f
show table f key 1.2.3.4
show table f key 9.9.9.9
show table f key foo
show table f data.gpc0 gt 4
show table f data.gpc0 le 5
show table f data.gpc0 ne 5
show table f data.gpc0 eq 5 data.conn_cnt lt 8
show table f data.conn_rate ge 9
show table f data.nothing eq 1
show table f data.gpc0
show table f data.gpc0 like 1
show table f data.gpc0 eq x
show table f data.server_id eq 1
set table
set table nothing key 1
set table f key
set table f key 1.2.3.4 gpc0 1
set table f key 1.2.3.4 data.gpc0
set table f key 1.2.3.4 data.gpc0 x
set table f key 1.2.3.4 data.nothing 1
set table f data.gpc0 eq 1
set table names key hello data.gpc0 1
set table names key hello2
set table names key a\ b data.http_req_cnt 3
show table names
show table names key a\ b
set table names key 1234567890 data.gpc0 8
show table names
set table names key x data.conn_cnt 1
set table arrays key ::1 data.gpc 4
set table arrays key 2001:db8::1 data.gpt 5
show table arrays
set table arrays key 1.2.3.4
show table arrays data.gpc eq 4
set table numbers key 77
set table numbers key 4294967295 data.gpc0 1
set table numbers key -1
show table numbers
clear table f data.gpc0 eq 5
show table f
clear table f key 9.9.9.9
clear table f key
clear table f key 1.2.3.5
show table f
clear table f
show table f
clear table
clear table nothing
clear table numbers key 77
show table numbers
show table
"""
COMMANDS = _COMMANDS.strip().splitlines()


def test_operators_see_and_change_the_same(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        return [(line, masked(lab.command(line))) for line in COMMANDS]

    config = SITE.format(stored="gpc0,gpt0,conn_cnt,conn_rate(1h)", front="", back="")
    expected, got = both.apart(config, traffic, origins={"a": says, "b": says}, preamble=PREAMBLE)
    assert_same(expected.value, got.value)


def test_an_entry_in_use_is_neither_cleared_nor_forgotten(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        end = lab.connect()
        end.send(request("/200").replace(b"close", b"keep-alive"))
        end.read(20)
        seen = [
            masked(lab.command(line))
            for line in ("show table f", "clear table f key 127.0.0.1", "clear table f")
        ]
        seen.append(masked(lab.command("show table f")))
        end.close()
        return [*seen, shown(lab, "f")]

    config = SITE.format(stored="conn_cur,conn_cnt", front="  tcp-request connection track-sc0 src", back="")
    expected, got = both.apart(config, traffic, origins={"a": says, "b": says}, preamble=PREAMBLE)
    assert_same(expected.value, got.value)
    assert "use=1" in got.value[0][1]
    assert "conn_cur=0" in got.value[-1][1]


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


@pytest.mark.parametrize("name", STICKY)
def test_clients_come_back_to_their_server(both: Both, name: str) -> None:
    rules, users = STICKY[name]

    def traffic(lab: Lab) -> object:
        fields = [f"user: {user}\r\ngive: {user}\r\n" if user else "" for user in users]
        return [ask(lab, "/200", ONE, each) for each in fields], shown(lab, "t")

    back = "\n".join(f"  {line}" for line in rules.splitlines())
    config = SITE.format(stored="conn_cnt", front="", back=back) + KEYED
    expected, got = both.apart(config, traffic, origins={"a": says, "b": says}, preamble=PREAMBLE)
    assert_same(expected.value, got.value)


def test_a_server_that_went_is_forgotten_for_another(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        def came() -> str:
            return ask(lab, "/200", ONE, "user: u\r\n")

        seen = [came(), came()]
        lab.command("disable server b/a")
        seen += [came(), *shown(lab, "t"), came()]
        lab.command("enable server b/a")
        return [*seen, came(), *shown(lab, "t")]

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


@pytest.mark.parametrize("name", PLAIN)
def test_tcp_mode_counts_and_sticks_alike(both: Both, name: str) -> None:
    front, table, back = PLAIN[name]

    def traffic(lab: Lab) -> object:
        seen = [ask(lab, "/200", source) for source in (ONE, TWO, ONE, TWO)]
        lines = shown(lab, "b")
        for label, origin in lab.origins.items():
            lines = [line.replace(f":{origin.port}", f":{label}") for line in lines]
        return seen, lines

    indented = ["\n".join(f"  {line}" for line in text.splitlines()) for text in (front, back)]
    config = TCP.format(front=indented[0], table=table, back=indented[1])
    expected, got = both.apart(config, traffic, origins={"a": says, "b": says}, preamble=PREAMBLE)
    assert_same(expected.value, got.value)


def test_a_new_plan_keeps_what_tables_hold(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        ask(lab, "/200", ONE)
        seen = shown(lab, "f")
        lab.command("set table f key 1.2.3.4 data.gpc0 5")
        # With Isthmus another plan comes into force by that.
        lab.command("add server b/c 127.0.0.1:1")
        seen += shown(lab, "f")
        ask(lab, "/200", ONE)
        return [*seen, *shown(lab, "f")]

    config = SITE.format(stored="gpc0,conn_cnt", front="  tcp-request connection track-sc0 src", back="")
    expected, got = both.apart(config, traffic, origins={"a": says, "b": says}, preamble=PREAMBLE)
    assert_same(expected.value, got.value)
    assert "conn_cnt=2" in got.value[-1]
