"""HTTP/2 with clients, beside HAProxy: what curl saw, what the origin received, what was logged."""

from __future__ import annotations

import json
import re
import shutil
import signal
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from .http_lab import OK, PREAMBLE, Reply, Script, until
from .http_message import split_requests
from .lab import Both, Lab, Origins
from .sink import Line
from .wire import DEADLINE

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
SETTINGS = b"\0\0\0\4\0\0\0\0\0"
GO_AWAY = 7

SITE = """
frontend f
  bind 127.0.0.1:<front> proto h2
  <front_rules>
  default_backend b
backend b
  server s <a>
"""


@dataclass(frozen=True)
class Case:
    """What curl asks for, and what the origin replies."""

    name: str
    options: tuple[str, ...] = ()
    replies: tuple[bytes, ...] = (OK,)
    rules: str = ""
    data: bytes = b""
    paths: tuple[str, ...] = ("/",)


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n"
CASES = (
    Case("a request"),
    Case("HEAD", ("-I",), (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",)),
    Case("a query", paths=("/a/b?c=d&e",)),
    Case("a form", ("-d", "a=b")),
    Case("an upload with a length", ("-T", "<file>"), data=b"x" * 200_000),
    Case("an upload without a length", ("-T", "<file>", "-H", "Content-Length:"), data=b"y" * 100_000),
    Case("no content", replies=(b"HTTP/1.1 204 No Content\r\n\r\n",)),
    Case("not modified", replies=(b'HTTP/1.1 304 Not Modified\r\nETag: "a"\r\n\r\n',)),
    Case("chunks", replies=(CHUNKED + b"\r\n",)),
    Case("chunks with trailers", replies=(CHUNKED + b"X-Sum: 5\r\n\r\n",)),
    Case("a body until close", replies=(b"HTTP/1.1 200 OK\r\n\r\nuntil the end",)),
    Case(
        "a large body",
        replies=(b"HTTP/1.1 200 OK\r\nContent-Length: 700000\r\n\r\n" + b"z" * 700_000,),
    ),
    Case(
        "an interim answer",
        replies=(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + OK,),
    ),
    Case(
        "fields of a connection",
        replies=(
            b"HTTP/1.1 200 OK\r\nConnection: keep-alive, X-Hop\r\nKeep-Alive: timeout=5\r\n"
            b"Content-Length: 2\r\n\r\nok",
        ),
    ),
    Case("cookies in crumbs", ("-b", "a=1; b=2; c=3")),
    Case("a redirect", rules="http-request redirect location /x"),
    Case("a refusal", rules="http-request deny deny_status 429"),
    Case("a return", rules='http-request return status 200 content-type text/plain string "hi"'),
    Case("a version in rules", rules="http-request set-header X-Version %[req.ver]"),
    Case(
        "the url",
        paths=("/u?q=1",),
        rules="http-request set-var(txn.p) dst_port\n  http-request set-header X-Url %[url]\n"
        "  http-request set-header X-Place %[url_ip]_%[url_port,sub(txn.p)]",
    ),
    Case(
        "a changed url",
        paths=("/u?q=1",),
        rules="http-request set-path /new\n  http-request set-header X-Url %[url]",
    ),
    Case("the major version", rules="http-request set-header X-Major %[fc_http_major]"),
    Case("changed fields", ("-H", "X-A: 1"), rules="http-request replace-header X-A 1 2"),
    Case("junk", replies=(b"junk\r\n\r\n",)),
)


def curl(lab: Lab, folder: Path, case: Case) -> list[str]:
    """The heads and bodies that curl got, and how it ended."""
    program = shutil.which("curl")
    if program is None:
        pytest.skip("no curl")
    file = folder / "upload"
    options = [each.replace("<file>", str(file)) for each in case.options]
    urls = [f"http://127.0.0.1:{lab.ports['front']}{path}" for path in case.paths]
    done = subprocess.run(
        [program, "-sS", "--http2-prior-knowledge", "-i", "--max-time", "10", *options, *urls],
        capture_output=True,
        check=False,
    )
    text = done.stdout.decode("latin-1")
    heads = re.sub(r"(?m)^(date|server): .*\r\n", "", text)
    # The proxies' own pages have their own words.
    heads = re.sub(r"content-length: \d+\r\n(?=(?:.+\r\n)*\r\n<html>)", "", heads)
    heads = re.sub(r"(?s)<html>.*?</html>\n?", "<page>", heads)
    return [heads, str(done.returncode)]


def received(lab: Lab) -> list[tuple[str, list[str], int]]:
    """The requests as the origin got them: start line, fields in any order, bytes of the body."""
    seen = []
    for end in lab.origin().ends:
        for request in split_requests(end.received):
            line, *fields = request.head.decode("latin-1").rstrip("\r\n").split("\r\n")
            shown = sorted(re.sub(r"127\.0\.0\.1:\d+", "<host>", each) for each in fields)
            seen.append((line, [each.lower() for each in shown], len(request.body)))
    return seen


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_both_proxies_serve_http2_alike(both: Both, tmp_path: Path, case: Case) -> None:
    config = SITE.replace("<front_rules>", case.rules)
    # Both proxies' clients read it at the same time.
    (tmp_path / "upload").write_bytes(case.data)
    closes = [b"until the end" in each or each in (b"", b"junk\r\n\r\n") for each in case.replies]
    replies = [Reply(each, close=close) for each, close in zip(case.replies, closes, strict=True)]

    def traffic(lab: Lab) -> object:
        got = curl(lab, tmp_path, case)
        return got, received(lab)

    origins: Origins = {"a": Script(replies)}
    seen = both(config, traffic, origins=origins, preamble=PREAMBLE, normal=lambda _line: "")
    assert "HTTP/2" in json.dumps(seen.value[0])


def test_the_log_names_the_version(both: Both, tmp_path: Path) -> None:
    def traffic(lab: Lab) -> object:
        return curl(lab, tmp_path, Case("x", paths=("/one",)))

    seen = both(
        SITE.replace("<front_rules>", ""),
        traffic,
        origins={"a": Script((Reply(),))},
        preamble=PREAMBLE,
        normal=request_line,
    )
    assert [request_line(line) for line in seen.logs] == ['"GET http://127.0.0.1:<front>/one HTTP/2.0"']


def test_many_streams_share_a_connection(both: Both) -> None:
    program = shutil.which("h2load")
    if program is None:
        pytest.skip("no h2load (Debian package: nghttp2-client)")

    def traffic(lab: Lab) -> list[str]:
        url = f"http://127.0.0.1:{lab.ports['front']}/"
        done = subprocess.run(
            [program, "-n400", "-c2", "-m50", "-t1", url],
            capture_output=True,
            text=True,
            check=True,
            timeout=30,
        )
        # As with HAProxy, only a connection's first stream may not go over what served another.
        assert len(lab.origin().ends) < 150
        return re.findall(r"(?m)^(?:requests|status codes): .*", done.stdout)

    seen = both(
        SITE.replace("<front_rules>", ""),
        traffic,
        origins={"a": Script((Reply(),))},
        preamble=PREAMBLE,
        normal=lambda _line: "",
    )
    assert "400 succeeded" in seen.value[0]


def test_nghttp_is_answered_on_every_stream(both: Both, tmp_path: Path) -> None:
    program = shutil.which("nghttp")
    if program is None:
        pytest.skip("no nghttp (Debian package: nghttp2-client)")
    (tmp_path / "form").write_text("a=b" * 10_000)

    def traffic(lab: Lab) -> list[str]:
        # Window updates of its own, weights, requests side by side, and an upload.
        base = f"http://127.0.0.1:{lab.ports['front']}"
        heard = []
        for words in (("-w16", "-p32", f"{base}/a", f"{base}/b", f"{base}/c"), (f"-d{tmp_path}/form", base)):
            done = subprocess.run(
                [program, "-nv", *words], capture_output=True, text=True, check=True, timeout=30
            )
            answers = re.findall(r"recv \(stream_id=(\d+)[^)]*\) (:status: .*)", done.stdout)
            ended = re.findall(
                r"recv (?:DATA|HEADERS) frame <length=\d+, flags=0x\d[15], stream_id=", done.stdout
            )
            heard.append(f"{sorted(answers)} {len(ended)}")
        return heard

    seen = both(
        SITE.replace("<front_rules>", ""),
        traffic,
        origins={"a": Script((Reply(),))},
        preamble=PREAMBLE,
        normal=lambda _line: "",
    )
    assert [each.count(":status: 200") for each in seen.value] == [3, 1]


def test_a_client_that_knows_begins_http2_on_a_clear_line(both: Both, tmp_path: Path) -> None:
    config = SITE.replace(" proto h2", "").replace("<front_rules>", "")
    seen = both(
        config,
        lambda lab: curl(lab, tmp_path, Case("x"))[0].splitlines()[0],
        origins={"a": Script((Reply(),))},
        preamble=PREAMBLE,
        normal=lambda _line: "",
    )
    assert seen.value.startswith("HTTP/2 200")


def request_line(line: Line) -> str:
    return re.sub(r":\d+/", ":<front>/", re.sub(r".*r=", "", line.message))


def frames(data: bytes) -> list[tuple[int, int, bytes]]:
    """Type, stream and payload of the whole frames."""
    found = []
    while len(data) >= 9 and len(data) >= 9 + (length := int.from_bytes(data[:3], "big")):
        found.append((data[3], int.from_bytes(data[5:9], "big"), data[9 : 9 + length]))
        data = data[9 + length :]
    return found


def test_a_graceful_stop_says_goodbye(both: Both) -> None:
    def traffic(lab: Lab) -> list[int]:
        client = socket.create_connection(("127.0.0.1", lab.ports["front"]), DEADLINE)
        client.sendall(PREFACE + SETTINGS)
        heard = b""
        while not frames(heard):
            heard += client.recv(65536)
        lab.proxy.signal(signal.SIGUSR1)
        while GO_AWAY not in [kind for kind, _, _ in frames(heard)]:
            piece = client.recv(65536)
            assert piece, "closed without GOAWAY"
            heard += piece
        client.close()
        until(lambda: not lab.proxy.is_running())
        return [kind for kind, _, _ in frames(heard) if kind == GO_AWAY][:1]

    seen = both(
        SITE.replace("<front_rules>", ""),
        traffic,
        origins={"a": Script((Reply(),))},
        preamble=PREAMBLE,
        normal=lambda _line: "",
    )
    assert seen.value == [GO_AWAY]


REFUSED = {
    "HTTP/1": b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    "a preface alone": PREFACE[:10],
    "another first frame": PREFACE + b"\0\0\0\3\0\0\0\0\0",
    "DATA before a request": PREFACE + SETTINGS + b"\0\0\0\0\0\0\0\0\1",
    "nothing that is wrong": PREFACE + SETTINGS,
}


def test_a_connection_refused_before_its_first_stream_has_a_line(both: Both) -> None:
    def traffic(lab: Lab) -> list[int]:
        counts = []
        for data in REFUSED.values():
            before = len(lab.log.everything())
            client = lab.connect()
            client.send(data)
            client.finish()
            client.read_end()
            if data is not REFUSED["nothing that is wrong"]:
                until(lambda before=before: len(lab.log.everything()) > before)
            counts.append(len(lab.log.everything()) - before)
        return counts

    seen = both(
        SITE.replace("<front_rules>", ""),
        traffic,
        origins={"a": Script((Reply(),))},
        preamble=PREAMBLE,
        normal=lambda line: re.sub(r"ST=\S+|T\w=\S+", "", line.message),
    )
    assert seen.value == [1, 1, 1, 1, 0]
    assert all(" ts=PR-- " in line.message and line.message.endswith('"<BADREQ>"') for line in seen.logs)
