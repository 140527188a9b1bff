"""What is logged, when, where to, and in which form: field by field."""

from __future__ import annotations

import re
import socket

import pytest

from .ending_lab import config
from .lab import PREAMBLE, Both, Lab
from .sink import Line, Sink, coarse, masked_clocks, whole_line
from .wire import echoes, greets

BARE = """
global
  nbthread 1
  log <log> {log}
  stats socket <stats> level admin
defaults
  mode tcp
  log global
  timeout connect 3s
  timeout client 6s
  timeout server 6s
"""


def greeted(lab: Lab) -> str:
    return lab.greeting(source="127.0.0.20")


def slashed_timers(line: Line) -> str:
    """tcplog's `Tw/Tc/Tt` reduced to classes."""
    found = re.search(r" (-?\d+)/(-?\d+)/(\+?\d+) ", line.message)
    assert found, line.raw
    classes = "/".join(coarse(timer) for timer in found.groups())
    return whole_line(Line(line.raw.replace(found[0].strip(), classes, 1)))


def test_option_tcplog(both: Both) -> None:
    seen = both(config("option tcplog"), greeted, preamble=BARE.format(log="local0"), normal=slashed_timers)
    assert seen.compared["logs"] == [
        "<134>STAMP haproxy[PID]: 127.0.0.20:<client> [DATE] f b/a 0/0/0 2 -- 1/1/0/0/0 0/0\n"
    ]


def test_option_tcplog_when_no_server_is_there(both: Both) -> None:
    text = config("option tcplog", server="<a> disabled")
    both(text, greeted, preamble=BARE.format(log="local0"), normal=slashed_timers)


def test_the_default_format(both: Both) -> None:
    seen = both(config(), greeted, preamble=BARE.format(log="local0"), normal=whole_line)
    expected = "<134>STAMP haproxy[PID]: Connect from 127.0.0.20:<client> to 127.0.0.1:<front> (f/TCP)\n"
    assert seen.compared["logs"] == [expected]


FORMATS = ["rfc3164", "rfc5424", "local", "short", "raw", "timed", "iso", "priority"]


@pytest.mark.parametrize("form", FORMATS)
def test_the_header_of_every_format(both: Both, form: str) -> None:
    text = config('log-format "hello %f"')
    both(text, greeted, preamble=BARE.format(log=f"format {form} local3 info"), normal=header_masked)


def header_masked(line: Line) -> str:
    text = whole_line(line).replace(socket.gethostname(), "HOST")
    return re.sub(r" (haproxy) \d+ ", r" \1 PID ", text)


@pytest.mark.parametrize("form", ["rfc5424", "rfc3164", "raw"])
def test_structured_data(both: Both, form: str) -> None:
    text = config('log-format "hello %f"\n  log-format-sd "[exampleSDID@1234 f=\\"%f\\" s=\\"%s\\"]"')
    both(text, greeted, preamble=BARE.format(log=f"format {form} local0"), normal=header_masked)


FACILITIES = ["kern", "daemon", "lpr", "cron", "ntp", "cron2", "local2", "local5"]


def test_the_priority_of_a_facility(both: Both) -> None:
    sections = [
        f"""
listen f{number}
  bind 127.0.0.1:<front{number}>
  no log
  log <log> {facility}
  server a <a>
"""
        for number, facility in enumerate(FACILITIES)
    ]

    def traffic(lab: Lab) -> None:
        for number in range(len(FACILITIES)):
            lab.greeting(name=f"front{number}")
            lab.log.wait(number + 1)

    both("".join(sections), traffic, preamble=BARE.format(log="local0"), normal=whole_line)


@pytest.mark.parametrize(
    "levels", ["debug", "info", "notice", "err", "debug err", "info notice", "debug emerg"]
)
def test_levels_filter_and_raise(both: Both, levels: str) -> None:
    def traffic(lab: Lab) -> object:
        lab.greeting()
        lab.command("disable server b/a")
        lab.greeting()

    both(config(), traffic, preamble=BARE.format(log=f"local0 {levels}"), normal=whole_line)


@pytest.mark.parametrize("options", ["", "option log-separate-errors"])
def test_errors_may_be_raised_to_err(both: Both, options: str) -> None:
    text = config(f"option tcplog\n  {options}", "retries 0", "<closed>")
    seen = both(text, greeted, preamble=BARE.format(log="local0"), normal=slashed_timers)
    assert seen.log.priority == ("131" if options else "134")


@pytest.mark.parametrize("length", [80, 81, 200])
def test_len_cuts_a_line(both: Both, length: int) -> None:
    text = config(f'log-format "{"0123456789" * 30}"')
    seen = both(text, greeted, preamble=BARE.format(log=f"len {length} local0"), normal=whole_line)
    # The newline that ends a datagram is not counted.
    assert len(seen.log.raw) == length + 1


def test_the_default_length_is_1024(both: Both) -> None:
    # The pid's width changes the header's, so only the line's length is compared.
    text = config(f'log-format "{"0123456789" * 120}"')
    both(text, greeted, preamble=BARE.format(log="local0"), normal=lambda line: str(len(line.raw)))


@pytest.mark.parametrize("sample", ["1:2", "2:2", "1,3:4", "2-3:3"])
def test_sample_takes_some_lines(both: Both, sample: str) -> None:
    text = config('log-format "%lc %rt"')

    def traffic(lab: Lab) -> None:
        for _ in range(8):
            lab.greeting()

    both(text, traffic, preamble=BARE.format(log=f"sample {sample} local0"), normal=line_of_counters)


def line_of_counters(line: Line) -> str:
    return line.message


def test_two_log_lines_both_get_everything(both: Both) -> None:
    text = config("log <log> local1\n  log global\n  log-format sent")
    seen = both(text, greeted, preamble=BARE.format(log="local0"), normal=whole_line, ordered=False)
    assert sorted(line.priority for line in seen.logs) == ["134", "142"]


def test_no_log_silences(both: Both) -> None:
    seen = both(config("no log"), greeted, preamble=BARE.format(log="local0"))
    assert seen.logs == []


def test_log_tag_and_hostname(both: Both) -> None:
    preamble = BARE.format(log="local0").replace(
        "global\n", "global\n  log-tag edge\n  log-send-hostname box\n", 1
    )
    seen = both(config('log-format "x"'), greeted, preamble=preamble, normal=whole_line)
    assert seen.compared["logs"] == ["<134>STAMP box edge[PID]: x\n"]


def test_a_frontends_own_log_tag(both: Both) -> None:
    both(
        config('log-tag "front"\n  log-format x'),
        greeted,
        preamble=BARE.format(log="local0"),
        normal=whole_line,
    )


def test_a_unix_datagram_socket_gets_the_log(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        sink = Sink(str(lab.folder / "log.sock"))
        lab.greeting()
        lines = sink.wait(1)
        sink.close()
        return [whole_line(line) for line in lines]

    seen = both(config("no log\n  log <dir>/log.sock local2\n  log-format unix"), traffic)
    assert seen.value == ["<150>STAMP haproxy[PID]: unix\n"]


@pytest.mark.parametrize("stream", ["stdout", "stderr", "fd@1"])
@pytest.mark.parametrize("form", ["raw", "short", "rfc3164"])
def test_a_standard_stream_gets_the_log(both: Both, stream: str, form: str) -> None:
    text = config(f"no log\n  log {stream} format {form} daemon\n  log <log> local0\n  log-format streamed")

    def traffic(lab: Lab) -> object:
        lab.greeting()
        lab.log.wait(1)
        written = lab.proxy.stderr if stream == "stderr" else lab.proxy.stdout
        lines = [line for line in written.splitlines() if "streamed" in line]
        return [header_masked(Line(line)) for line in lines]

    seen = both(text, traffic)
    assert len(seen.value) == 1


ALIASES = [
    ("%b %f %ft %s", None),
    ("%ci %cp %fi %fp %si %sp", None),
    ("%bi", None),
    ("%B %U %ST", None),
    ("%ts %tsc", None),
    ("%ac/%fc/%bc/%sc/%rc %sq/%bq", None),
    ("%lc %rt", None),
    ("%H %pid", "masked"),
    ("%T", "clock"),
    ("%Tl", "clock"),
    ("%t", "clock"),
    ("%Ts", "epoch"),
    ("%ms", "milliseconds"),
    ("Th=%Th Tw=%Tw Tc=%Tc Tt=%Tt Tu=%Tu Td=%Td", None),
    ("%{+Q}s %{+Q}b %{+Q}ci", None),
    ("%{+Q}o %s %b %{-Q}f", None),
    ("%{+X}ci %{+X}si %{+X}fi", None),
    ("%{+X}o %rt %{-X}rt", None),
    ("100%% %s", None),
    ("[%hr] [%hrl] [%hs] [%hsl]", None),
    ("%sslc %sslv", None),
    ("[%ID]", None),
    ("%[src] %[dst_port] %[fe_id] %[be_id] %[fe_name] %[be_name]", None),
    ("%[var(txn.none)] %[str(x),upper] %{+Q}[var(txn.none)]", None),
    ("  two   spaces  ", None),
]


@pytest.mark.parametrize("start", range(0, len(ALIASES), 9), ids=lambda at: ALIASES[at][0])
def test_every_alias_that_tcp_can_fill(both: Both, start: int) -> None:
    chunk = ALIASES[start : start + 9]
    sections = [
        f"""
frontend f{number}
  bind 127.0.0.1:<front{number}>
  log-format "{form}"
  default_backend b
"""
        for number, (form, _) in enumerate(chunk)
    ]
    sections.append("backend b\n  id 77\n  server a <a>\n")

    def traffic(lab: Lab) -> object:
        found = {}
        for number, (form, kind) in enumerate(chunk):
            lab.greeting(name=f"front{number}")
            found[form] = with_kind(lab.mask(lab.log.wait(number + 1)[number].message), kind)
        return found

    seen = both("".join(sections), traffic, logged=False)
    assert len(seen.value) == len(chunk)


def with_kind(text: str, kind: str | None) -> str:
    text = masked_clocks(text)
    if kind == "epoch":
        return str(re.fullmatch(r"\d{10}", text) is not None)
    if kind == "milliseconds":
        return str(re.fullmatch(r"\d{3}", text) is not None)
    if kind == "masked":
        return re.sub(r"\b\d{2,}\b", "PID", text)
    return re.sub(r"(T[a-z])=(\d+)\b", lambda timer: f"{timer[1]}={coarse(timer[2])}", text)


def test_the_address_and_port_towards_the_server(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        lab.greeting()
        used = lab.origin().ends[0].peer
        return used[0], lab.log.wait(1)[0].message == f"{used[0]}:{used[1]}"

    seen = both(config('log-format "%bi:%bp"'), traffic, logged=False)
    assert seen.value == ("127.0.0.1", True)


def test_the_source_line_sets_where_connections_come_from(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        lab.greeting()
        return lab.origin().ends[0].peer[0]

    seen = both(config('log-format "%bi"', "source 127.0.0.99"), traffic)
    assert (seen.value, seen.log.message) == ("127.0.0.99", "127.0.0.99")


def test_unique_id_format(both: Both) -> None:
    text = config('unique-id-format "%{+X}o %ci-%[fe_name]-%rt"\n  log-format "%ID | %[unique-id]"')
    seen = both(text, greeted)
    assert seen.log.message.count("f-") == 2


def test_the_log_counter_and_the_request_counter_go_up(both: Both) -> None:
    seen = both(config('log-format "%lc %rt"'), lambda lab: lab.names(3))
    assert [line.message.split()[0] for line in seen.logs] == ["0", "1", "2"]


def test_captures_are_logged(both: Both) -> None:
    text = config(
        "tcp-request inspect-delay 2s\n"
        "  tcp-request content capture req.payload(0,4) len 8 if { req.len ge 4 }\n"
        '  declare capture request len 6\n  log-format "%hr %{+Q}hrl %[capture.req.hdr(0)]"'
    )

    def traffic(lab: Lab) -> object:
        return lab.connect().send(b"abcdefgh").finish().read_end()

    both(text, traffic, origins={"a": echoes})


def test_declared_captures_are_numbered_among_those_of_rules(both: Both) -> None:
    text = config(
        "declare capture request len 5\n"
        "  tcp-request content capture str(ruled) len 4\n"
        "  declare capture request len 7\n"
        "  tcp-request content set-var(txn.a) str(abcdefgh),capture-req(0)\n"
        "  tcp-request content set-var(txn.b) str(ijklmnop),capture-req(2)\n"
        '  log-format "%hr %[capture.req.hdr(0)] %[capture.req.hdr(1)] %[capture.req.hdr(2)]"'
    )
    seen = both(text, greeted)
    assert seen.log.message == "{abcde|rule|ijklmno} abcde rule ijklmno"


def test_beyond_control_characters_of_an_expression_are_escaped(beyond: Both) -> None:
    """HAProxy logs them as they came, which lets a client write lines of its own into a log."""
    text = config(
        "tcp-request inspect-delay 2s\n"
        "  tcp-request content set-var(txn.p) req.payload(0,8) if { req.len ge 8 }\n"
        '  log-format "[%[var(txn.p)]]"'
    )

    def traffic(lab: Lab) -> object:
        return lab.connect().send(b'a\x01\x7f\xff"\\#]').finish().read_end()

    expected, got = beyond.apart(text, traffic, origins={"a": echoes})
    assert expected.log.message == '[a\x01\x7f\xff"\\#]]'
    assert got.log.message == '[a#01#7F\xff"\\#]]'


def test_a_backends_log_line_is_not_the_frontends(both: Both) -> None:
    preamble = PREAMBLE.replace("  log global\n", "")
    seen = both(
        config(backend="log <log> local5"), lambda lab: lab.names(1), preamble=preamble, normal=whole_line
    )
    assert seen.logs == []


def test_notices_of_a_graceful_stop(both: Both) -> None:
    def traffic(lab: Lab) -> object:
        lab.greeting()
        lab.log.wait(1)
        lab.proxy.stop()
        lab.log.close()
        return sorted(line.message for line in lab.log.everything() if "HTTPCLIENT" not in line.raw)

    both(config('log-format "x"'), traffic, normal=whole_line)


def test_origins_answer(both: Both) -> None:
    assert both(config(), greeted, origins={"a": greets}).value == "a"
