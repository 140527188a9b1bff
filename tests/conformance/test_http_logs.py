"""What is logged of HTTP exchanges, alias by alias and flag by flag, beside HAProxy."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from .http_lab import OK, TIMERS, Arrived, Await, Client, Reply, Script, Step, settled, until
from .lab import Both, Lab, observe
from .sink import Line, coarse, masked_clocks

PREAMBLE = """
global
  nbthread 1
  stats socket <stats> level admin
  log <log> local0
defaults
  mode http
  log global
  timeout connect 3s
  timeout client 6s
  timeout server 6s
  timeout tarpit 300ms
"""

# Every alias of the manual's section 8.2.6, in groups that one line has room for.  `%o` is in the last.
FORMATS = {
    "message": "CC=%CC CS=%CS HM=%HM HP=%HP HPO=%HPO HQ=%HQ HU=%HU HV=%HV ST=%ST r=%r",
    "timers": "Ta=%Ta Tc=%Tc Td=%Td Th=%Th Ti=%Ti Tq=%Tq TR=%TR Tr=%Tr Tt=%Tt Tu=%Tu Tw=%Tw",
    "clocks": "T=%T Tl=%Tl t=%t tr=%tr trg=%trg trl=%trl",
    "numbers": "Ts=%Ts ms=%ms pid=%pid H=%H",
    "addresses": "ci=%ci cp=%cp fi=%fi fp=%fp bi=%bi si=%si sp=%sp",
    "names": "b=%b f=%f ft=%ft s=%s ID=%ID sslc=%sslc sslv=%sslv",
    "counters": "ac=%ac bc=%bc fc=%fc sc=%sc sq=%sq bq=%bq rc=%rc lc=%lc rt=%rt",
    "ends": "ts=%ts tsc=%tsc hr=%hr hrl=%hrl hs=%hs hsl=%hsl",
    "quoted": "%{+Q}o %HM %HU %HQ %hr %hrl %hs %hsl %s %b %ci %CC %CS %ST %ts %{-Q}r",
    "escaped": "%{+E}HU %{+E}r %{+E}hr %{+E}hs %{+Q,+E}hrl %{+Q,+E}CC %{+E}[capture.req.hdr(0)]",
    "hexadecimal": "%{+X}ci %{+X}fi %{+X}si %{+X}ST %{+X}rt %{+X}lc %{+X}HU",
    "fetches": "%[capture.req.hdr(0)] %{+Q}[capture.res.hdr(0)] %[capture.req.method]",
}
BUILT_IN = {"httplog": "option httplog", "clf": "option httplog clf"}

CAPTURES = """
  capture request header X-Name len 12
  capture request header X-Odd len 30
  capture response header X-Made len 8
  capture cookie SID= len 9
  unique-id-format id-%[fe_name]
  default_backend b
"""
NAMED = b"Host: a\r\nX-Name: a long name it is\r\nCookie: z=1; SID=abcdefghij\r\n"
FIELDS = NAMED + b'X-Odd: q"b\\s]|{\xe9\t#\r\n'
MADE = b"X-Made: by the origin\r\nSet-Cookie: SID=new; path=/\r\n"
LENGTH = b"Content-Length: 2\r\n"


def request(line: bytes, more: bytes = b"") -> bytes:
    return line + b" HTTP/1.1\r\n" + FIELDS + more + b"\r\n"


def reply(status: bytes, fields: bytes = LENGTH, body: bytes = b"ok") -> Reply:
    return Reply(b"HTTP/1.1 " + status + b"\r\n" + MADE + fields + b"\r\n" + body)


USUAL = reply(b"200 OK")


@dataclass(frozen=True)
class Case:
    """One exchange; `%d` in what is sent tells the frontends' exchanges apart."""

    sends: tuple[Step, ...]
    reply: Reply = USUAL
    rules: str = ""
    server: str = "<a>"
    back: str = ""
    lines: int = 1
    states: tuple[str, ...] = ("----",)
    # How the client leaves where it does not wait for an answer.
    leaves: str = ""


GET = request(b"GET /path/to?q=%d&x=y")
CASES = {
    "normal": Case((GET, Await(1))),
    "server error": Case((GET, Await(1)), reply(b"500 Oops")),
    "no content": Case((GET, Await(1)), reply(b"304 Not Modified", b"", b"")),
    "chunked": Case(
        (GET, Await(1)), reply(b"200 OK", b"Transfer-Encoding: chunked\r\n", b"3\r\nabc\r\n0\r\n\r\n")
    ),
    "head": Case((request(b"HEAD /h?%d"), Await(1)), reply(b"200 OK", b"Content-Length: 9\r\n", b"")),
    "post": Case((request(b"POST /form?%d", b"Content-Length: 5\r\n") + b"a=b&c", Await(1))),
    "keep-alive": Case((GET, Await(1), GET, Await(2)), lines=2, states=("----", "----")),
    "pipelined": Case((GET + GET, Await(2)), lines=2, states=("----", "----")),
    "denied": Case((GET, Await(1)), rules="http-request deny", states=("PR--",)),
    "denied answer": Case((GET, Await(1)), rules="http-response deny", states=("PH--",)),
    "tarpit": Case((GET, Await(1)), rules="http-request tarpit", states=("PT--",)),
    "redirect": Case((GET, Await(1)), rules="http-request redirect prefix /x", states=("LR--",)),
    "malformed": Case((b"GET /\x01%d HTTP/1.1\r\nHost: a\r\n\r\n", Await(1)), states=("PR--",)),
    "no server": Case((GET, Await(1)), server="<a> disabled", states=("SC--",)),
    # The pause between two attempts is no longer than the wait for a connection.
    "refused": Case(
        (GET, Await(1)), back="retries 1\n  timeout connect 200ms", server="<closed>", states=("SC--",)
    ),
    "server reset": Case((GET, Await(1)), Reply(b"", reset=True), states=("SH--",)),
    "bad answer": Case((GET, Await(1)), Reply(b"nonsense\r\n\r\n", close=True), states=("PH--",)),
    "cut answer": Case(
        (GET, Await(1)), replace(reply(b"200 OK", b"Content-Length: 90\r\n"), close=True), states=("SD--",)
    ),
    # HAProxy 2.6 takes no notice of a client that goes while the answer is waited for.
    "client abort": Case(
        (request(b"POST /f?%d", b"Content-Length: 9\r\n") + b"abc", Arrived(b"/f?%d HTTP")),
        Reply(b""),
        states=("CD--",),
        leaves="FIN",
    ),
    "odd target": Case((request(b'GET http://h:80/a"b{c}|d?%d=%e9\\'), Await(1)), states=("PR--",)),
    "absolute target": Case((request(b"GET http://a/a%20b;c?d=[x]&e='%d'"), Await(1))),
    "asterisk": Case((request(b"OPTIONS *"), Await(1))),
    "return": Case((GET, Await(1)), rules="http-request return status 200", states=("LR--",)),
    "authentication": Case((GET, Await(1)), rules="http-request auth", states=("LR--",)),
    "dropped": Case((GET,), rules="http-request silent-drop", states=("PR--",), leaves="RST"),
    "replaced answer": Case((GET, Await(1)), rules="http-response return status 200", states=("LH--",)),
}


def config(case: Case) -> str:
    formats = [f'log-format "{text}"' for text in FORMATS.values()] + list(BUILT_IN.values())
    fronts = [
        f"frontend f{at}\n  bind 127.0.0.1:<front{at}>\n  {line}\n{CAPTURES}  {case.rules}\n"
        for at, line in enumerate(formats)
    ]
    return "\n".join(fronts) + f"backend b\n  {case.back}\n  server s {case.server}\n"


def filled(step: Step, number: int) -> Step:
    match step:
        case bytes():
            return step.replace(b"%d", b"%d" % number)
        case Arrived(data):
            return Arrived(data.replace(b"%d", b"%d" % number))
        case _:
            return step


def play(case: Case) -> Callable[[Lab], Any]:
    def run(lab: Lab) -> Any:
        seen = 0
        for at in range(len(FORMATS) + len(BUILT_IN)):
            client = Client(lab, f"front{at}")
            client.play([filled(step, at) for step in case.sends])
            if case.leaves == "FIN":
                client.end.finish()
            elif case.leaves:
                client.end.reset()
            else:
                client.last()
            seen += case.lines
            lab.log.wait(seen)
            if case.server == "<a>" and not case.leaves:
                until(lambda: settled(lab.origin()))

    return run


def normal(line: Line) -> str:
    """A line without what depends on the moment: timers are classes, counted bytes and clocks are masked."""
    text = line.message
    text = re.sub(r"\b(T[a-zA-Z])=(\+?-?\d+)(?= |$)", _timer, text)
    text = re.sub(r" (-?\d+)/(-?\d+)/(-?\d+)/(-?\d+)/(\+?\d+) (?=-?\d+ )", _slashed, text, count=1)
    text = re.sub(r" (-?\d+) (-?\d+) (-?\d+) (-?\d+) (\+?\d+) (?=[A-Za-z-]{4} )", _slashed, text, count=1)
    # The bytes of an answer are counted before or behind the internal form (docs/http.md).
    text = re.sub(r"((?:/0|/wait|/-1) \d{3}|-1|\" \d{3}) \d+ ", r"\1 BYTES ", text)
    text = re.sub(r"\bms=\d{3}|(?<=\"\" \"\" )(\S+) \d{3}", r"\1 MILLIS", text)
    text = re.sub(r"\bpid=\d+|\bTs=\d{10}\b", "N", text)
    return f"{line.priority} {masked_clocks(text)}"


def _timer(found: re.Match[str]) -> str:
    name, value = found.groups()
    return f"{name}={coarse(value)}" if name in TIMERS | {"Td", "Th", "Ti", "Tq", "Tt", "Tu"} else found[0]


def _slashed(found: re.Match[str]) -> str:
    return f" {'/'.join(coarse(each) for each in found.groups())} "


@pytest.mark.parametrize("name", CASES)
def test_every_alias_flag_and_format_of_an_exchange(both: Both, name: str) -> None:
    case = CASES[name]
    seen = both(
        config(case), play(case), preamble=PREAMBLE, normal=normal, origins={"a": Script((case.reply,))}
    )
    ends = [line.message for line in seen.logs if line.message.startswith("ts=")]
    assert tuple(f"{line.split('tsc=')[1][:4]}" for line in ends) == case.states


def test_every_alias_of_the_manual_is_in_a_format() -> None:
    told = set(re.findall(r"%(?:\{[^}]*\})?([A-Za-z]+)", " ".join(FORMATS.values()) + BYTES))
    manual = (
        "o T Tl Ts t ms tr trg trl Ta Tc Td Th Ti Tq TR Tr Tt Tu Tw B CC CS H HM HP HPO HQ HU HV ID ST U ac"
    )
    more = "b bc bi bp bq ci cp f fc fi fp ft lc hr hrl hs hsl pid r rc rt s sc si sp sq sslc sslv ts tsc"
    assert told - {"bin"} == {*manual.split(), *more.split()}


BYTES = "%B %U %bp"


def test_bytes_of_a_message_are_those_on_the_wire(beyond: Both) -> None:
    text = """
frontend f
  bind 127.0.0.1:<front>
  log-format "%U %B"
  default_backend b
backend b
  server s <a>
"""
    sent = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"

    def traffic(lab: Lab) -> Any:
        client = Client(lab)
        client.play([sent, Await(1)])
        client.last()
        return len(client.end.received), lab.log.wait(1)[0].message

    # HAProxy counts its internal form of both messages.
    _, got = beyond.apart(text, traffic, preamble=PREAMBLE, origins={"a": Script((Reply(OK),))})
    assert got.value[1] == f"{len(sent)} {got.value[0]}"


LEVELS = {
    "a plain answer": ("option log-separate-errors", "", USUAL, "134"),
    "an error of the server's": ("option log-separate-errors", "", reply(b"500 Oops"), "131"),
    "an error without the option": ("", "", reply(b"500 Oops"), "134"),
    "an error of the client's": ("option log-separate-errors", "http-request deny", USUAL, "131"),
    "a level of a rule": ("", "http-request set-log-level emerg", USUAL, "128"),
    "a level of a response's rule": ("", "http-response set-log-level notice", USUAL, "133"),
    "a rule's level beside the option": (
        "option log-separate-errors",
        "http-request set-log-level debug",
        reply(b"500 Oops"),
        "135",
    ),
}


@pytest.mark.parametrize("name", LEVELS)
def test_the_level_of_a_line(both: Both, name: str) -> None:
    option, rule, answer, priority = LEVELS[name]
    text = f"""
frontend f
  bind 127.0.0.1:<front>
  option httplog
  {option}
  {rule}
  default_backend b
backend b
  server s <a>
"""

    def traffic(lab: Lab) -> None:
        client = Client(lab)
        client.play([request(b"GET /"), Await(1)])
        client.last()
        lab.log.wait(1)

    seen = both(text, traffic, preamble=PREAMBLE, normal=normal, origins={"a": Script((answer,))})
    assert seen.log.priority == priority


def test_a_silent_level_logs_nothing(both: Both) -> None:
    text = """
frontend f
  bind 127.0.0.1:<front>
  option httplog
  http-request set-log-level silent if { path /quiet }
  default_backend b
backend b
  server s <a>
"""

    def traffic(lab: Lab) -> None:
        client = Client(lab)
        client.play([request(b"GET /quiet"), Await(1), request(b"GET /loud"), Await(2)])
        client.last()
        lab.log.wait(1)

    seen = both(text, traffic, preamble=PREAMBLE, normal=normal, origins={"a": Script((USUAL,))})
    assert "/loud" in seen.log.raw


def test_error_log_format_of_http(both: Both) -> None:
    text = """
frontend f
  bind 127.0.0.1:<front> accept-proxy
  option httplog
  error-log-format "%{+Q}o error %ci %f %HM %r %ST %[fc_err] %hr %ts"
  default_backend b
backend b
  server s <a>
"""

    def traffic(lab: Lab) -> object:
        ended = lab.connect().send(b"GET / HTTP/1.0\r\n\r\n").ending()
        lab.log.wait(1)
        return ended

    both(text, traffic, preamble=PREAMBLE, normal=normal)


RULES = {
    "a deny": ("http-request deny if { path /d }", b"/d"),
    "an allow": ("http-request allow if { path /a }\n  http-request deny", b"/a"),
    "a redirect": ("http-request redirect location /x if { path /r }", b"/r"),
    "a rule of the response": ("http-response deny if TRUE", b"/"),
    "a content rule": ("tcp-request content accept if { path /c }", b"/c"),
    "none": ("http-request set-header x y", b"/"),
}


@pytest.mark.parametrize("name", RULES)
def test_the_rule_that_ended_a_rule_set_is_told(both: Both, name: str) -> None:
    rules, path = RULES[name]
    text = f"""
frontend f
  bind 127.0.0.1:<front>
  log-format "%[last_rule_file] %[last_rule_line] %ST"
  {rules}
  default_backend b
backend b
  server s <a>
"""

    def traffic(lab: Lab) -> None:
        client = Client(lab)
        client.play([request(b"GET " + path), Await(1)])
        client.last()
        lab.log.wait(1)

    seen = both(text, traffic, preamble=PREAMBLE, normal=normal, origins={"a": Script((USUAL,))})
    assert (seen.log.message.split()[0] == "-") == (name == "none")


def test_the_rule_that_ended_or_that_waits_is_told_as_one_word(beyond: Both, tmp_path: Path) -> None:
    text = """
frontend f
  bind 127.0.0.1:<front>
  timeout client 300ms
  log-format "%[last_entity] %[waiting_entity] %[term_events]"
  http-request wait-for-body time 5s if { path /w }
  http-request deny if { path /d }
  default_backend b
backend b
  server s <a>
"""

    def traffic(lab: Lab) -> None:
        denied = Client(lab)
        denied.play([request(b"GET /d"), Await(1)])
        denied.last()
        lab.log.wait(1)
        waits = Client(lab)
        waits.play([request(b"POST /w", b"Content-Length: 9\r\n")])
        waits.end.close()
        lab.log.wait(2)

    seen = observe(beyond.candidate, tmp_path / "own", text, traffic, preamble=PREAMBLE)
    lines = [re.sub(r"\S+(proxy.cfg:\d+)", r"\1", line.message) for line in seen.logs]
    at = (PREAMBLE + text).split("\n").index("  http-request deny if { path /d }") + 1
    assert lines == [f"proxy.cfg:{at} - -", f"- proxy.cfg:{at - 1} -"]
