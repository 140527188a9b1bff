"""Actions and head-related options of HTTP through both proxies: what client, origin and log saw."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from .http_batch import compare_all
from .http_exchanges import get
from .http_lab import PREAMBLE, Exchange, Script, http_line, traffic
from .http_rows import GROUPS
from .lab import Both, observe


@pytest.mark.parametrize("group", GROUPS)
def test_the_proxies_act_alike(both: Both, group: str) -> None:
    compare_all(both, GROUPS[group])


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
