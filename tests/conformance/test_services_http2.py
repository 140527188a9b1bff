"""Services in Python asked over HTTP/2 and over TLS, by curl and by Python's h2."""

from __future__ import annotations

import ast
import shutil
import signal
import socket
import ssl
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from .h2_client import Client
from .http_lab import state_of, until
from .lab import Lab
from .service_lab import SERVED, ask, column, serving, words
from .test_services import logged
from .test_services_flow import MOST_GROWTH, watched
from .tls_paper import Paper

MEBIBYTE = 1 << 20
INTERNAL_ERROR = 2
# Behind a response that is whole no more of the request is wanted (RFC 9113, 8.1).
NO_ERROR = 0


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> str:
    paper = Paper(tmp_path_factory.mktemp("paper"))
    paper.authority("self", "/CN=self")
    return paper["self.pem"]


@pytest.fixture(scope="module")
def lab(
    programs: tuple[str, str], certificate: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Lab]:
    """One proxy for what leaves nothing behind: clear, and over TLS."""
    with secret(programs[1], tmp_path_factory.mktemp("shared"), certificate) as lab:
        yield lab


@contextmanager
def secret(
    program: str, folder: Path, certificate: str, rules: str = "", settings: str = ""
) -> Iterator[Lab]:
    """`serving`, over TLS too."""
    bind = f"bind 127.0.0.1:<secret> ssl crt {certificate}\n  {rules}"
    with serving(program, folder, bind, settings) as lab:
        yield lab


@contextmanager
def client(lab: Lab, name: str = "secret") -> Iterator[Client]:
    sock: socket.socket = socket.create_connection(("127.0.0.1", lab.ports[name]))
    if name == "secret":
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_alpn_protocols(["h2"])
        sock = context.wrap_socket(sock)
    with Client(sock) as connected:
        yield connected


def asked(of: Client, path: str, *fields: tuple[str, str], method: str = "GET", end: bool = True) -> int:
    line = [(":method", method), (":scheme", "https"), (":path", f"/{path}"), (":authority", "a")]
    return of.request([*line, *fields], end=end)


def answer(of: Client, stream: int) -> tuple[str, bytes]:
    """Status and body of a response that ends well."""
    status = of.head(stream)[":status"]
    body = of.body(stream)
    assert stream in of.ended
    return status, body


def heard(of: Client, stream: int, text: bytes) -> None:
    of.until(lambda: of.bodies[stream].endswith(text))


def curl(lab: Lab, name: str, path: str, *options: str) -> tuple[str, bytes]:
    """Status and version, and the body, that curl got."""
    program = shutil.which("curl")
    if program is None:
        pytest.skip("no curl")
    scheme = "https" if name == "secret" else "http"
    told = ("-w", "%{stderr}%{http_code} %{http_version}")
    url = f"{scheme}://127.0.0.1:{lab.ports[name]}/{path}"
    done = subprocess.run(
        [program, "-sk", "--max-time", "30", *options, *told, url], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stderr.decode(), done.stdout


ASKED = [
    ("hello", (), "200", b"hello"),
    ("hello", ("-I",), "200", None),
    ("async-hello", (), "200", b"hello"),
    ("pieces", (), "200", b"hello"),
    ("created", (), "201", b""),
    ("echo", ("-d", "a=b"), "200", b"a=b"),
    ("broken", (), "500", None),
    ("async-broken", (), "500", None),
    ("flood?n=3", (), "200", b"x" * 3 * MEBIBYTE),
    ("async-flood?n=3", (), "200", b"x" * 3 * MEBIBYTE),
    ("count", ("-T", "<file>"), "200", b"1000000"),
    ("async-count", ("-T", "<file>"), "200", b"1000000"),
    ("async-count", ("-T", "<file>", "-H", "Transfer-Encoding: chunked"), "200", b"1000000"),
    ("mirror", ("-T", "<file>"), "200", b"z" * 1_000_000),
    ("async-mirror", ("-T", "<file>"), "200", b"z" * 1_000_000),
]


@pytest.mark.parametrize(
    ("name", "version"),
    [("secret", "--http2"), ("secret", "--http1.1"), ("front", "--http2-prior-knowledge")],
    ids=["h2 over TLS", "HTTP/1.1 over TLS", "h2 in clear"],
)
def test_curl_gets_every_answer(lab: Lab, name: str, version: str, tmp_path: Path) -> None:
    file = tmp_path / "upload"
    file.write_bytes(b"z" * 1_000_000)
    for path, options, status, body in ASKED:
        given = [each.replace("<file>", str(file)) for each in options]
        told, got = curl(lab, name, path, version, *given)
        expected = f"{status} {'1.1' if version == '--http1.1' else '2'}"
        assert (path, told) == (path, expected)
        assert body is None or got == body, path


def test_a_service_is_told_of_a_stream_as_of_a_request(lab: Lab) -> None:
    with client(lab) as of:
        told = ast.literal_eval(answer(of, asked(of, "facts?a=b%20c", ("x-a", "1")))[1].decode())
    assert (told["method"], told["path"], told["query"]) == ("GET", "/facts", {"a": "b c"})
    assert told["version"] == "HTTP/2.0"
    assert told["fields"] == [("host", "a"), ("x-a", "1")]
    assert (told["source"], told["destination"]) == ("127.0.0.1", lab.ports["secret"])


@pytest.mark.parametrize("name", ["mirror", "async-mirror"])
def test_bodies_flow_both_ways_within_streams_at_once(lab: Lab, name: str) -> None:
    with client(lab) as of:
        streams = [asked(of, name, method="POST", end=False) for _ in range(6)]
        for word in (b"one", b"two", b"three"):
            for stream in streams:
                of.send(stream, word + b"%d" % stream)
            for stream in reversed(streams):
                heard(of, stream, word + b"%d" % stream)
        for stream in streams:
            of.finish(stream)
            assert answer(of, stream) == ("200", b"one%dtwo%dthree%d" % (stream, stream, stream))


def test_trailers_end_a_services_request(lab: Lab) -> None:
    with client(lab) as of:
        stream = asked(of, "echo", method="POST", end=False)
        of.send(stream, b"abc")
        of.trailers(stream, [("x-sum", "3")])
        assert answer(of, stream) == ("200", b"abc")


def test_a_slow_service_holds_up_no_other_stream(lab: Lab, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    with client(lab) as of:
        slow = [asked(of, f"{name}?for={gate}") for name in ("waits", "async-waits") * 10]
        for _ in range(20):
            assert answer(of, asked(of, "hello")) == ("200", b"hello")
        assert not of.heads.keys() & set(slow)
        gate.touch()
        for stream in slow:
            assert answer(of, stream) == ("200", b"waited")


@pytest.mark.parametrize(
    ("name", "word", "state"),
    [("sleeps", "cancelled", "CH"), ("polls", "cancelled", "CH"), ("ticks", "closed", "CD")],
)
@pytest.mark.parametrize("all_of_it", [False, True], ids=["a stream", "the connection"])
def test_a_service_sees_that_its_stream_was_given_up(
    lab: Lab, name: str, word: str, state: str, all_of_it: bool, tmp_path: Path
) -> None:
    note = tmp_path / "note"
    with client(lab) as of:
        stream = asked(of, f"{name}?note={note}")
        until(lambda: words(note) == ["began"])
        if not all_of_it:
            of.give_up(stream)
            until(lambda: words(note) == ["began", word])
            assert answer(of, asked(of, "hello")) == ("200", b"hello")
    until(lambda: words(note) == ["began", word])
    assert state_of(logged(lab, f"note={note}")) == state


def test_a_body_that_is_given_up_reaches_no_service_as_whole(lab: Lab) -> None:
    with client(lab) as of:
        for name in ("echo", "count", "async-count"):
            stream = asked(of, f"{name}?short", method="POST", end=False)
            of.send(stream, b"abc")
            of.give_up(stream)
            assert state_of(logged(lab, f"/{name}?short")) == "CH"
        assert answer(of, asked(of, "hello")) == ("200", b"hello")


@pytest.mark.parametrize("name", ["broken", "broken-first", "no-answer"])
def test_a_service_that_fails_early_answers_its_stream_with_500(lab: Lab, name: str) -> None:
    with client(lab) as of:
        assert answer(of, asked(of, name))[0] == "500"
        assert answer(of, asked(of, "hello")) == ("200", b"hello")


@pytest.mark.parametrize("name", ["broken-late", "short"])
def test_a_service_that_fails_late_has_its_stream_reset(lab: Lab, name: str) -> None:
    with client(lab) as of:
        stream = asked(of, f"{name}?late")
        assert of.head(stream)[":status"] == "200"
        of.until(lambda: stream in of.reset)
        assert of.reset[stream] == INTERNAL_ERROR
        assert stream not in of.ended
        assert answer(of, asked(of, "hello")) == ("200", b"hello")
    assert state_of(logged(lab, f"/{name}?late")) == "SD"


def test_a_service_that_reads_nothing_lets_the_request_go(lab: Lab) -> None:
    with client(lab) as of:
        stream = asked(of, "hello", method="POST", end=False)
        assert answer(of, stream) == ("200", b"hello")
        of.until(lambda: stream in of.reset)
        assert of.reset[stream] == NO_ERROR
        assert answer(of, asked(of, "hello")) == ("200", b"hello")


def test_only_a_service_that_reads_invites_a_streams_body(lab: Lab) -> None:
    expects = ("expect", "100-continue")
    with client(lab) as of:
        stream = asked(of, "echo", expects, method="POST", end=False)
        of.until(lambda: of.interim[stream] == ["100"])
        of.send(stream, b"abc")
        of.finish(stream)
        assert answer(of, stream) == ("200", b"abc")
        stream = asked(of, "hello", expects, method="POST", end=False)
        assert answer(of, stream) == ("200", b"hello")
        assert of.interim[stream] == []


def test_a_stream_that_is_not_read_stands_still_alone(program: str, certificate: str, tmp_path: Path) -> None:
    note = tmp_path / "note"
    with secret(program, tmp_path, certificate) as lab, client(lab) as of:
        assert answer(of, asked(of, "flood?n=1"))[0] == "200"
        with watched(lab.proxy.pid) as growth:
            of.withheld.add(stream := asked(of, f"flood?n=256&note={note}"))
            seen_before = 0

            def stands() -> bool:
                """Whether nothing more was made while other streams went by."""
                nonlocal seen_before
                before, seen_before = seen_before, len(words(note))
                assert answer(of, asked(of, "hello")) == ("200", b"hello")
                return before == seen_before > 0

            until(stands)
            assert len(of.bodies[stream]) < MEBIBYTE
            assert seen_before < 4
            assert growth() < MOST_GROWTH


def test_an_upload_that_no_service_reads_stands_still_alone(lab: Lab, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    with client(lab) as of:
        stream = asked(of, f"waits?for={gate}", method="POST", end=False)
        sent = of.send_what_fits(stream, 4 * MEBIBYTE)
        assert sent < MEBIBYTE
        assert answer(of, asked(of, "hello")) == ("200", b"hello")
        gate.touch()
        assert of.head(stream)[":status"] == "200"


@pytest.mark.parametrize("name", ["count", "async-count"])
def test_a_long_upload_over_a_stream_does_not_grow_the_process(lab: Lab, name: str, tmp_path: Path) -> None:
    size = 128 * MEBIBYTE
    file = tmp_path / "upload"
    with file.open("wb") as sparse:
        sparse.truncate(size)
    with watched(lab.proxy.pid) as growth:
        told, got = curl(lab, "secret", name, "--http2", "-T", str(file))
    assert (told, got) == ("200 2", str(size).encode())
    assert growth() < MOST_GROWTH


def test_silence_ends_a_stream_alone(program: str, certificate: str, tmp_path: Path) -> None:
    settings = "  tune.python.service-timeout 300ms"
    with secret(program, tmp_path, certificate, "timeout client 600ms", settings) as lab, client(lab) as of:
        assert answer(of, asked(of, "silent"))[0] == "504"
        assert state_of(logged(lab, "s=<python.silent>")) == "sH"
        stream = asked(of, "echo", ("content-length", "5"), method="POST", end=False)
        of.send(stream, b"ab")
        assert of.head(stream)[":status"] == "408"
        assert state_of(logged(lab, "s=<python.echo>")) == "cD"
        assert answer(of, asked(of, "hello")) == ("200", b"hello")


def test_a_graceful_stop_lets_streams_of_services_finish(
    program: str, certificate: str, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    with secret(program, tmp_path, certificate) as lab:
        paths = [f"{name}?for={gate}" for name in ("waits", "async-waits")]
        with ThreadPoolExecutor() as pool:
            # Python's h2 lets no stream finish behind GOAWAY; curl does.
            both = pool.submit(curl, lab, "secret", "{" + ",".join(paths) + "}", "--http2", "-Z")
            until(lambda: column(lab, "req_tot") == 2)
            lab.proxy.signal(signal.SIGUSR1)
            until(lambda: "Stopping: 1\n" in lab.command("show info"))
            gate.touch()
            told, bodies = both.result()
        # With its progress around it.
        assert (told.count("200 2"), bodies) == (2, b"waited" * 2)
        assert lab.proxy.wait() == 0


def test_streams_to_services_count_as_requests(program: str, certificate: str, tmp_path: Path) -> None:
    with secret(program, tmp_path, certificate) as lab:
        with client(lab) as of:
            for name, status in (("hello", "200"), ("pieces", "200"), ("broken", "500")):
                assert answer(of, asked(of, name))[0] == status
        counted = {key: column(lab, key) for key in ("req_tot", "hrsp_2xx", "hrsp_5xx", "stot")}
        assert counted == {"req_tot": 3, "hrsp_2xx": 2, "hrsp_5xx": 1, "stot": 1}
        logged(lab, f"Service python.broken failed: ValueError: on purpose ({SERVED}")
        assert ask(lab, "hello") == (200, b"hello")
