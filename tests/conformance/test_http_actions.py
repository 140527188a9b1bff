"""Actions and head-related options of HTTP through both proxies: what client, origin and log saw."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from .h2_client import Client
from .http_address_rows import ADDRESSES, INHERITED
from .http_batch import compare_all
from .http_exchanges import get
from .http_lab import OK, PREAMBLE, Await, Exchange, Reply, Script, http_line, traffic
from .http_rows import GROUPS
from .http_variable_rows import VARIABLES
from .lab import Both, Lab, observe


@pytest.mark.parametrize("group", GROUPS)
def test_the_proxies_act_alike(both: Both, group: str) -> None:
    compare_all(both, GROUPS[group])


@pytest.mark.parametrize("rows", [ADDRESSES, INHERITED], ids=("own", "inherited"))
def test_addresses_are_told_as_both_sides_say(both: Both, rows: list[Exchange]) -> None:
    compare_all(both, rows)


def test_variables_live_in_their_scope_and_captures_are_strings(both: Both) -> None:
    compare_all(both, VARIABLES)


# HAProxy has it since 3.1: what is expected is what its manual says.
PAUSES = (
    ("in the frontend", "http-response pause 200ms", "", 200),
    ("in the backend", "", "http-response pause 200ms", 200),
    ("twice", "http-response pause 100ms", "http-response pause int(100)\nhttp-response set-header x y", 200),
    ("beyond the timeouts", "timeout client 100ms", "timeout server 100ms\nhttp-response pause 200ms", 200),
    ("not at all", "", "http-response pause 200ms if { status 500 }", 0),
)


@pytest.mark.parametrize(("name", "front", "back", "time"), PAUSES, ids=[name for name, *_ in PAUSES])
def test_a_response_is_paused_and_passed_on(
    beyond: Both, tmp_path: Path, name: str, front: str, back: str, time: int
) -> None:
    row = Exchange(name, (get(), Await(1), get(b"/2")), front=front, back=back, messages=2)
    row = replace(row, replies=(Reply(pieces=(OK[:-1], OK[-1:])), Reply()))
    seen: Any = observe(
        beyond.candidate,
        tmp_path / "isthmus",
        row.config(),
        traffic(row),
        origins={"a": Script(row.replies)},
        preamble=PREAMBLE,
        normal=http_line,
    )
    assert [(each.status, each.body) for each in seen.value["client"]] == [(200, b"ok")] * 2
    assert [line.ts for line in seen.logs] == ["----"] * 2
    assert all(time <= line.timer("Ta") < time + 3000 for line in seen.logs)


def test_a_response_to_a_stream_of_http2_is_paused(beyond: Both, tmp_path: Path) -> None:
    config = Exchange("", front="http-response pause 200ms").config()
    config = config.replace("<front>", "<front> proto h2")

    def ask(lab: Lab) -> list[tuple[str, bytes]]:
        with Client(lab.connect("front").sock) as client:
            fields = [(":method", "GET"), (":scheme", "http"), (":authority", "a")]
            streams = [client.request([*fields, (":path", f"/{each}")]) for each in range(3)]
            return [(client.head(each)[":status"], client.body(each)) for each in streams]

    seen: Any = observe(
        beyond.candidate,
        tmp_path / "isthmus",
        config,
        ask,
        origins={"a": Script((Reply(),))},
        preamble=PREAMBLE,
        normal=http_line,
    )
    assert seen.value == [("200", b"ok")] * 3
    assert all(line.timer("Ta") >= 200 for line in seen.logs)


# HAProxy has it since 2.8: what is expected is what its manual's examples show.
FORWARDED = (
    ("option forwarded", "proto=http;for=127.0.0.1"),
    ("option forwarded host for", 'host="a";for=127.0.0.1'),
    ("option forwarded by for", "by=127.0.0.1;for=127.0.0.1"),
    (
        "option forwarded host-expr str(h.com) by-expr str(_proxy) for-expr str(::1) for_port-expr int(10)",
        'host="h.com";by=_proxy;for="[::1]:10"',
    ),
    ("option forwarded for-expr str(2B1F4D63)", "for=_2B1F4D63"),
    ("option forwarded for-expr req.hdr(x)", "for=unknown"),
)


@pytest.mark.parametrize(("option", "value"), FORWARDED, ids=[option for option, _ in FORWARDED])
def test_forwarded_tells_servers_of_the_client(beyond: Both, tmp_path: Path, option: str, value: str) -> None:
    row = Exchange(option, (get(fields=b"X: a;for=1\r\n"),), back=option)
    seen: Any = observe(
        beyond.candidate,
        tmp_path / "isthmus",
        row.config(),
        traffic(row),
        origins={"a": Script(row.replies)},
        preamble=PREAMBLE,
        normal=http_line,
    )
    assert seen.value["origin"][0][0].fields == ("host: a", "x: a;for=1", f"forwarded: {value}")
