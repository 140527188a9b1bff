"""Connections that begin in mode tcp and become HTTP: by `switch-mode http`, or by their backend's mode."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from .http_batch import compare_all
from .http_lab import GET, PREAMBLE, Await, Exchange, Reply, Script, Step
from .lab import Both, Lab
from .test_http2 import PREFACE, SETTINGS, Case, curl, received

# What a frontend in mode tcp may log: aliases of HTTP have no value there.
LOG = 'log-format "f=%f b=%b s=%s ts=%ts rc=%rc v=%[var(sess.v)] m=%[fc_http_major] u=%[capture.req.uri] "'
DELAY = "tcp-request inspect-delay 3s"
SWITCH = f"{DELAY}\ntcp-request content switch-mode http if HTTP"
BAD = b"abc\r\n\r\n"
TUNNEL = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"
SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"


def path(name: bytes) -> bytes:
    return b"GET /" + name + b" HTTP/1.1\r\nHost: a\r\n\r\n"


def row(
    name: str,
    front: str = "",
    back: str = "",
    sends: tuple[Step, ...] = (GET, Await(1), GET),
    messages: int = 2,
    statuses: tuple[int, ...] | None = (200, 200),
    mode: str = "http",
    replies: tuple[Reply, ...] = (Reply(),),
    states: tuple[str, ...] | None = None,
) -> Exchange:
    lines = "\n".join(f"  {each.strip()}" for each in (*front.splitlines(), LOG))
    more = "\n".join(f"  {each.strip()}" for each in back.splitlines())
    site = f"""
frontend f
  mode tcp
  bind 127.0.0.1:<front>
{lines}
  default_backend b
backend b
  mode {mode}
{more}
  server s <a>
backend c
  mode http
  http-request set-header X-Backend c
  server s <a>
backend t
  mode tcp
  server s <a>
"""
    return Exchange(name, sends, replies, site=site, messages=messages, statuses=statuses, states=states)


EACH = (path(b"c"), Await(1), GET, Await(2), path(b"c"))
ROWS = [
    row("a backend in mode http"),
    row("rules of the backend", back="http-request set-header X y\noption forwardfor"),
    row("an answer of the backend", back="http-request return status 201 if { path / }", statuses=(201, 201)),
    row("a refusal by the backend", back="http-request deny if { path / }", statuses=(403, 403)),
    row("a rule that switches", SWITCH),
    row("rules of the frontend", f"{SWITCH}\nhttp-request set-header X y\nhttp-response set-header Z w"),
    row("options of the frontend", f"{SWITCH}\noption forwardfor"),
    row("captures", f"{SWITCH}\ncapture request header Host len 9"),
    row(
        "answers of the frontend",
        f"{SWITCH}\nhttp-request deny if {{ path /c }}\nhttp-request return status 204 if {{ path / }}",
        sends=EACH,
        messages=3,
        statuses=(403, 204, 403),
    ),
    row("httpclose in the frontend", "option httpclose", sends=(GET,), messages=1, statuses=(200,)),
    row("pipelined", SWITCH, sends=(GET + GET,)),
    row("a head in pieces", SWITCH, sends=(GET[:9], GET[9:]), messages=1, statuses=(200,)),
    row(
        "a backend for each request",
        f"{SWITCH}\nuse_backend c if {{ path /c }}",
        sends=EACH,
        messages=3,
        statuses=(200,) * 3,
    ),
    row(
        "a backend for each request, without a rule that switches",
        f"{DELAY}\ntcp-request content accept if HTTP\nuse_backend c if {{ path /c }}",
        sends=EACH,
        messages=3,
        statuses=(200,) * 3,
    ),
    row("rules behind the one that switches", f"{SWITCH}\ntcp-request content set-var(sess.v) int(5)"),
    row(
        "rules before the one that switches",
        f"tcp-request content set-var(sess.v) int(5)\n{SWITCH}\nhttp-request set-header V %[var(sess.v)]",
    ),
    row("what is refused if it is not HTTP", f"{SWITCH}\ntcp-request content reject"),
    row(
        "what is not HTTP is refused",
        f"{SWITCH}\ntcp-request content reject",
        sends=(BAD,),
        messages=0,
        statuses=(),
        states=("PR",),
    ),
    row(
        "what is not HTTP goes elsewhere",
        f"{SWITCH}\nuse_backend t unless HTTP",
        sends=(BAD,),
        messages=1,
        statuses=(200,),
    ),
    row("what is not HTTP, all the same", sends=(BAD,), messages=1, statuses=(400,), states=("PR",)),
    row(
        "what is not HTTP, switched",
        f"{DELAY}\ntcp-request content switch-mode http",
        sends=(BAD,),
        messages=1,
        statuses=(400,),
        states=("PR",),
    ),
    row(
        "HTTP of which the second request has no backend",
        f"{SWITCH}\nuse_backend t if {{ path /c }}",
        sends=(GET, Await(1), path(b"c")),
        messages=1,
        statuses=(200,),
        states=("--", "IR"),
    ),
    row("nothing", SWITCH, sends=(), messages=0, statuses=()),
    replace(
        row(
            "a request that never ends",
            "timeout http-request 200ms",
            sends=(GET[:9],),
            messages=1,
            statuses=(408,),
            states=("PR",),
        ),
        beyond="the client was late (cR), as in mode http",
        ours=(408,),
    ),
    row(
        "another protocol",
        SWITCH,
        sends=(TUNNEL,),
        messages=1,
        statuses=(101,),
        replies=(Reply(SWITCHED, close=True),),
    ),
    row(
        "a body",
        SWITCH,
        sends=(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 40000\r\n\r\n" + b"x" * 40000,),
        messages=1,
        statuses=(200,),
    ),
    row("of one version, which it is", f"{DELAY}\ntcp-request content switch-mode http proto h1"),
    row(
        "of one version, which it is not",
        f"{DELAY}\ntcp-request content switch-mode http proto h1",
        sends=(PREFACE + SETTINGS,),
        messages=1,
        statuses=(400,),
        states=("PR",),
    ),
]


def test_both_proxies_let_connections_become_http_alike(both: Both) -> None:
    compare_all(both, ROWS, together=8)


SITE = f"""
frontend f
  mode tcp
  bind 127.0.0.1:<front>
  {SWITCH.replace(chr(10), chr(10) + "  ")}
  http-request set-header X-Version %[req.ver]
  http-response set-header X-Major %[fc_http_major]
  {LOG}
  use_backend t unless HTTP
  default_backend b
frontend implicit
  mode tcp
  bind 127.0.0.1:<second>
  {LOG}
  use_backend c if {{ path /c }}
  default_backend b
frontend plain
  bind 127.0.0.1:<plain>
  option disable-h2-upgrade
  default_backend b
backend b
  server s <a>
backend c
  http-request set-header X-Backend c
  server s <a>
backend t
  mode tcp
  server s <a>
"""


def test_http2_is_found_behind_tcp_and_each_stream_has_its_rules(both: Both, tmp_path: Path) -> None:
    def traffic(lab: Lab) -> object:
        first = lab.ports["front"]
        seen = []
        for port, path in ((first, "/"), (lab.ports["second"], "/"), (lab.ports["second"], "/c")):
            lab.ports["front"] = port
            seen.append(curl(lab, tmp_path, Case("x", paths=(path,))))
        lab.ports["front"] = first
        refused = lab.connect("plain")
        refused.send(PREFACE + SETTINGS)
        refused.read_end()
        return seen, sorted(received(lab)), re.findall(rb"HTTP/1.1 \d+", refused.received)

    seen = both(
        SITE,
        traffic,
        origins={"a": Script((Reply(),))},
        preamble=PREAMBLE,
        normal=lambda line: line.message if " m=2 " in line.message else "",
    )
    answers, requests, refused = seen.value
    assert all("HTTP/2 200" in head for head, _ in answers)
    assert ["x-major: 2" in head for head, _ in answers] == [True, False, False]
    assert sum("x-version: 2.0" in fields for _, fields, _ in requests) == 1
    assert sum("x-backend: c" in fields for _, fields, _ in requests) == 1
    assert refused == [b"HTTP/1.1 400"]
    assert sum(" m=2 " in line.message for line in seen.logs) == 3
