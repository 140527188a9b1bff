"""`do-log`, `log-steps` and `%OG`, which HAProxy has since 3.1: lines of rules and of moments."""

from __future__ import annotations

from pathlib import Path

from .http_exchanges import get, ok
from .http_lab import PREAMBLE, Await, Exchange, Reply, Script, traffic
from .lab import observe
from .sink import Line

HTTP = """
frontend f
  bind 127.0.0.1:<front>
  log-format "%OG %b %ST %[var(txn.a)]"
  error-log-format "failed %OG"
  tcp-request connection do-log
  tcp-request session do-log
  tcp-request content do-log
  http-request do-log if { path /none }
  http-request set-var(txn.a) path
  http-request set-log-level silent if { path /silent }
  http-request do-log
  default_backend b
backend b
  http-request do-log if { path /1 }
  http-request deny if { path /denied }
  http-response do-log
  http-after-response do-log
  server s <a>
"""
TCP = """
frontend f
  mode tcp
  bind 127.0.0.1:<front>
  log-format "%OG %b"
  tcp-request content do-log
  tcp-request content reject if { src 127.0.0.2 }
  default_backend b
backend b
  mode tcp
  tcp-request content do-log
  server s <a>
"""
OUTSIDE = """
frontend f
  bind 127.0.0.1:<front> accept-proxy
  log-format "%OG"
  error-log-format "failed %OG"
  tcp-request session do-log
  default_backend b
backend b
  server s <a>
"""
MOMENTS = """
frontend f
  bind 127.0.0.1:<front>
  log-format "{format}"
  {option}
  default_backend b
backend b
  server s <a>
"""


def lines(program: str, folder: Path, site: str, *sends: bytes) -> list[str]:
    """What is logged while a client sends these requests one after the other."""
    steps = [step for number, data in enumerate(sends, 1) for step in (data, Await(number))]
    row = Exchange("", tuple(steps), site=site, messages=len(sends))
    seen = observe(
        program,
        folder,
        row.config(),
        traffic(row),
        origins={"a": Script((Reply(ok()),))},
        preamble=PREAMBLE,
        normal=lambda line: line.message,
    )
    assert seen.status == 0
    return [Line(line.raw).message for line in seen.logs]


def test_each_set_of_rules_writes_its_line_and_the_exchange_its_own(program: str, tmp_path: Path) -> None:
    got = lines(program, tmp_path / "a", HTTP, get(b"/1"), get(b"/denied"), get(b"/silent"))
    assert got == [
        "tcp-req-conn f 0 -",
        "tcp-req-sess f 0 -",
        "tcp-req-cont f -1 -",
        "http-req f -1 /1",
        "http-req b -1 /1",
        "http-res b 200 /1",
        "http-after-res b 200 /1",
        "response b 200 /1",
        "tcp-req-cont f -1 -",
        "http-req f -1 /denied",
        "http-after-res b 403 /denied",
        "response b 403 /denied",
        "tcp-req-cont f -1 -",
    ]


def test_connections_of_tcp_have_lines_of_both_sides(program: str, tmp_path: Path) -> None:
    assert lines(program, tmp_path / "a", TCP, get()) == ["tcp-req-cont f", "tcp-req-cont b", "connect b"]


def test_an_early_failure_is_one(program: str, tmp_path: Path) -> None:
    assert lines(program, tmp_path / "a", OUTSIDE, get()) == ["failed error"]


def test_a_line_of_its_own_tells_its_moment(program: str, tmp_path: Path) -> None:
    for name, format, option, moment in (
        ("end", "%OG %Ta", "", "close"),
        ("head", "%OG", "", "response"),
        ("asap", "%OG %Ta", "option logasap", "response"),
    ):
        site = MOMENTS.format(format=format, option=option)
        (line,) = lines(program, tmp_path / name, site, get())
        assert line.split()[0] == moment, name


STEPS = """
frontend f
  mode {mode}
  bind 127.0.0.1:<front>
  log-format "%OG %b/%s {alias}"
  log-steps {steps}
  {option}
  default_backend b
backend b
  mode {mode}
  {back}
  server s <a>
"""


def steps(program: str, folder: Path, steps: str, mode: str = "http", **more: str) -> list[str]:
    """The lines of one exchange, or of two where `twice` says so."""
    said = {"alias": "%ST" if mode == "http" else "", "option": "", "back": ""} | more
    twice = said.pop("twice", "")
    site = STEPS.format(mode=mode, steps=steps, **said)
    return [line.strip() for line in lines(program, folder, site, *(get(),) * (2 if twice else 1))]


def test_lines_are_written_at_the_moments_that_are_named(program: str, tmp_path: Path) -> None:
    exchange = ["request f/<NOSRV> -1", "connect b/s -1", "response b/s 200", "close b/s 200"]
    assert steps(program, tmp_path / "a", "all", twice="1") == ["accept f/<NOSRV> 0", *exchange, *exchange]
    assert steps(program, tmp_path / "b", "close,request,close") == [exchange[0], exchange[3]]
    assert steps(program, tmp_path / "c", "all", "tcp") == ["accept f/<NOSRV>", "connect b/s", "close b/s"]


def test_what_keeps_normal_lines_out_keeps_out_those_of_the_end(program: str, tmp_path: Path) -> None:
    got = steps(program, tmp_path / "a", "response,close", option="option dontlog-normal")
    assert got == ["response b/s 200"]


def test_a_refused_request_has_no_server_to_tell_of(program: str, tmp_path: Path) -> None:
    got = steps(program, tmp_path / "a", "request,connect,response,close", back="http-request deny")
    assert got == ["request f/<NOSRV> -1", "close b/<NOSRV> 403"]
