"""Stick tables through both proxies: what they count, and what samples and rules make of it.

Bytes are compared in TCP mode only: HAProxy counts its internal form of an HTTP message.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from .lab import Both
from .stick_lab import ONE, SITE, Place, Play, indented, play_all

COUNTED = "conn_cnt,conn_cur,sess_cnt,http_req_cnt,http_err_cnt,http_fail_cnt,gpc0,gpc1,gpt0"
RATES = "conn_rate(1h),sess_rate(1h),http_req_rate(1h),http_err_rate(1h),http_fail_rate(1h),gpc0_rate(1h)"


@dataclass(frozen=True)
class Row:
    """Rules, and requests by path and source."""

    name: str
    front: str
    requests: tuple[str, ...] = ("/200",)
    back: str = ""
    tables: tuple[str, ...] = ("f",)
    source: str = ONE

    def play(self) -> Play:
        config = SITE.format(
            stored=f"{COUNTED},{RATES}", front=indented(self.front), back=indented(self.back)
        )
        return Play(self.name, config, self._traffic)

    def _traffic(self, place: Place) -> object:
        answers: list[str] = []
        for path in self.requests:
            answers.append(place.ask(path, self.source))
            # What the request before tracked is given up.
            place.shown(self.tables[0])
        return answers, [place.shown(table) for table in self.tables]


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


@pytest.mark.parametrize("rule", TRACKING, ids=[rule.partition(" src")[0] for rule in TRACKING])
def test_events_are_counted_alike(both: Both, rule: str) -> None:
    # Only the origin that never answers may be given up soon.
    play_all(
        both,
        [
            Row(name, f"{rule}\n{more}", paths, "timeout server 300ms" if "/999" in paths else "").play()
            for name, (more, paths) in EVENTS.items()
        ],
    )


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
def test_samples_have_the_same_values(both: Both, tracks: bool) -> None:
    def row(line: str) -> Row:
        text = " ".join(f"{fetch}=%[{fetch}]" for fetch in line.split())
        answer = f'http-request return status 200 content-type text/plain lf-string "{text}"'
        rules = f"{TRACKED}\n{answer}" if tracks else answer
        return Row(line, rules, ("/200", "/200"), tables=("f", "arrays", "names", "numbers"))

    play_all(both, [row(line).play() for line in FETCHES])


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


def test_rules_judge_alike(both: Both) -> None:
    play_all(both, [row.play() for row in VERDICTS])
