"""Services in Python through real sockets: what HAProxy has nothing like, or does otherwise."""

from __future__ import annotations

import ast
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from .http_lab import PREAMBLE, Client, state_of, until
from .http_message import Message
from .lab import Lab
from .proxy import candidate, run
from .wire import greets

SERVED = Path(__file__).parent / "served" / "services.py"
GIBIBYTE = 1 << 30
# What a gibibyte may add to the process, KiB: windows, buffers, and Python's own noise.
MOST_GROWTH = 48 * 1024


@pytest.fixture
def program() -> str:
    found = candidate()
    if found is None or "haproxy" in Path(found).name:
        pytest.skip("no isthmus beside this Python (make build)")
    return found


@contextmanager
def serving(program: str, folder: Path, rules: str = "", settings: str = "") -> Iterator[Lab]:
    """A proxy whose frontend gives `/python.NAME...` to the service of the path's first word."""
    names = sorted(set(re.findall(r'@service\("(.*)"\)', SERVED.read_text())))
    chosen = "\n".join(f"  http-request use-service python.{each} if {{ path /{each} }}" for each in names)
    config = f"""{PREAMBLE}
global
  python-load {SERVED}
{settings}
frontend f
  bind 127.0.0.1:<front>
  {rules}
  http-request return status 200 content-type text/plain string plain if {{ path /plain }}
{chosen}
  default_backend b
backend b
  server s <a>
"""
    lab = Lab(program, folder / "lab", config, {"a": greets})
    try:
        yield lab
    except BaseException as error:
        error.add_note(lab.proxy.stderr + "\n".join(each.raw for each in lab.log.everything()))
        raise
    finally:
        lab.close()


def asking(path: str, fields: bytes = b"", method: bytes = b"GET") -> bytes:
    return method + b" /" + path.encode() + b" HTTP/1.1\r\nHost: a\r\n" + fields + b"\r\n"


def ask(lab: Lab, path: str) -> tuple[int, bytes]:
    """Status and body of one exchange on a connection of its own."""
    client = Client(lab)
    client.send(asking(path, b"Connection: close\r\n"))
    client.read(1)
    (message,) = seen(client)
    client.end.close()
    return message.status, message.body


def seen(client: Client) -> list[Message]:
    """The messages that a client got."""
    return [each.normal(True, True, frozenset()) for each in client.messages()]


def statuses(client: Client) -> list[int]:
    return [each.status for each in seen(client)]


def bodies(client: Client) -> list[bytes]:
    return [each.body for each in seen(client)]


def column(lab: Lab, name: str) -> int:
    """A number of the frontend's in `show stat`."""
    head, first, *_ = lab.command("show stat").splitlines()
    return int(dict(zip(head.removeprefix("# ").split(","), first.split(","), strict=False))[name])


def memory(pid: int) -> int:
    """The process's memory now, KiB."""
    found = re.search(r"VmRSS:\s*(\d+)", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1])


@contextmanager
def watched(pid: int) -> Iterator[Callable[[], int]]:
    """How far a process's memory rose above what it was."""
    before, highest, over = memory(pid), [0], threading.Event()

    def look() -> None:
        while not over.wait(0.02):
            highest[0] = max(highest[0], memory(pid))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield lambda: highest[0] - before
    finally:
        over.set()
        thread.join()


def words(path: Path) -> list[str]:
    return path.read_text().split() if path.exists() else []


def logged(lab: Lab, text: str) -> Any:
    """The first log line with a text, once it is there."""
    until(lambda: any(text in each.message for each in lab.log.everything()))
    return next(each for each in lab.log.everything() if text in each.message)


def test_a_service_is_told_what_the_client_asked_and_who_it_is(program: str, tmp_path: Path) -> None:
    rules = "http-request set-header x-set 1\n  unique-id-format id-%[int(7)]"
    with serving(program, tmp_path, rules) as lab:
        status, body = ask(lab, "facts?a=b%20c&d=")
    told = ast.literal_eval(body.decode())
    assert status == 200
    assert told == {
        "method": "GET",
        "target": "/facts?a=b%20c&d=",
        "path": "/facts",
        "query": {"a": "b c", "d": ""},
        "version": "HTTP/1.1",
        "fields": [("host", "a"), ("connection", "close"), ("x-set", "1")],
        "length": 0,
        "source": "127.0.0.1",
        "destination": lab.ports["front"],
        "src_netns": "",
        "frontend": "f",
        "backend": "",
        "unique_id": "id-7",
        "remaining": True,
    }


def test_fifty_slow_services_stall_nobody_on_one_worker(program: str, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    with serving(program, tmp_path, settings="  tune.python.threads 8") as lab:
        slow = [Client(lab) for _ in range(50)]
        for at, client in enumerate(slow):
            client.send(asking(f"{'async-waits' if at % 2 else 'waits'}?for={gate}"))
        until(lambda: column(lab, "req_tot") == 50)
        quick = Client(lab)
        took = []
        for number in range(1, 501):
            began = time.monotonic()
            quick.send(asking("plain"))
            quick.read(number)
            took.append(time.monotonic() - began)
        assert not any(each.end.received for each in slow)
        gate.touch()
        for client in slow:
            client.read(1)
            assert bodies(client) == [b"waited"]
    # On an idle machine it is a millisecond; a stalled worker would need as long as the slow ones wait.
    assert sorted(took)[int(len(took) * 0.99)] < 0.25


@pytest.mark.parametrize("name", ["flood", "async-flood"])
def test_a_gibibyte_from_a_service_does_not_grow_the_process(program: str, name: str, tmp_path: Path) -> None:
    with serving(program, tmp_path) as lab:
        assert ask(lab, f"{name}?n=1")[0] == 200
        client = lab.connect()
        with watched(lab.proxy.pid) as growth:
            client.send(asking(f"{name}?n=1024", b"Connection: close\r\n"))
            got, tail = 0, b""
            while piece := client.sock.recv(1 << 20):
                got += len(piece)
                tail = (tail + piece)[-7:]
        assert got > GIBIBYTE
        assert tail == b"\r\n0\r\n\r\n"
        assert growth() < MOST_GROWTH


def test_a_client_that_takes_nothing_holds_the_service_and_no_memory(program: str, tmp_path: Path) -> None:
    with serving(program, tmp_path) as lab:
        assert ask(lab, "flood?n=1")[0] == 200
        client = lab.connect()
        note = tmp_path / "note"
        with watched(lab.proxy.pid) as growth:
            client.send(asking(f"flood?n=256&note={note}"))
            seen_before = [0]

            def stands() -> bool:
                """Whether nothing more was made while another exchange went by."""
                before, seen_before[0] = seen_before[0], len(words(note))
                return ask(lab, "hello")[0] == 200 and before == seen_before[0] > 0

            until(stands)
            # What the kernel holds of a connection, and our windows: a few mebibytes.
            assert seen_before[0] < 64
            assert growth() < MOST_GROWTH


@pytest.mark.parametrize("name", ["count", "async-count"])
@pytest.mark.parametrize("chunked", [False, True])
def test_an_upload_of_a_gibibyte_does_not_grow_the_process(
    program: str, name: str, chunked: bool, tmp_path: Path
) -> None:
    piece = b"x" * (1 << 20)
    count = 1024 if name == "async-count" else 256
    with serving(program, tmp_path) as lab:
        client = Client(lab)
        with watched(lab.proxy.pid) as growth:
            length = b"Transfer-Encoding: chunked\r\n" if chunked else b"Content-Length: %d\r\n"
            framing = length if chunked else length % (len(piece) * count)
            client.end.send(asking(name, framing, b"POST"))
            sent = b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece
            for _ in range(count):
                client.end.sock.sendall(sent)
            if chunked:
                client.end.send(b"0\r\n\r\n")
            client.sent = asking(name)
            client.read(1)
        (message,) = seen(client)
        assert (message.status, message.body) == (200, str(len(piece) * count).encode())
        assert growth() < MOST_GROWTH


@pytest.mark.parametrize("name", ["mirror", "async-mirror"])
def test_a_body_flows_both_ways_at_once(program: str, name: str, tmp_path: Path) -> None:
    with serving(program, tmp_path) as lab:
        client = Client(lab)
        client.send(asking(name, b"Transfer-Encoding: chunked\r\n", b"POST"))
        for word in (b"one", b"two"):
            client.send(b"%x\r\n%b\r\n" % (len(word), word))
            until(lambda word=word: client.end._receive(65536) and word in client.end.received)
        client.send(b"0\r\n\r\n")
        client.read(1)
        assert bodies(client) == [b"onetwo"]
        assert client.is_alive()


@pytest.mark.parametrize(
    ("name", "word", "state"),
    [("sleeps", "cancelled", "CH"), ("polls", "cancelled", "CH"), ("ticks", "closed", "CD")],
)
@pytest.mark.parametrize("reset", [False, True])
def test_a_service_sees_that_its_client_has_gone(
    program: str, name: str, word: str, state: str, reset: bool, tmp_path: Path
) -> None:
    note = tmp_path / "note"
    with serving(program, tmp_path) as lab:
        client = lab.connect()
        client.send(asking(f"{name}?note={note}"))
        until(lambda: words(note) == ["began"])
        client.reset() if reset else client.close()
        until(lambda: words(note) == ["began", word])
        line = logged(lab, f"s=<python.{name}>")
        assert state_of(line) == state
        # It is nobody's fault: nothing is told but the exchange.
        assert "failed" not in lab.proxy.stderr
        assert ask(lab, "hello") == (200, b"hello")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("broken", "ValueError: on purpose"),
        ("async-broken", "ValueError: on purpose"),
        ("broken-first", "ValueError: on purpose"),
        ("no-answer", "TypeError: a service returns a Response, not NoneType"),
        ("split", 'ValueError: the field "x-a" holds a line end or a NUL'),
    ],
)
def test_a_failure_before_the_head_is_a_500_and_is_told(
    program: str, name: str, told: str, tmp_path: Path
) -> None:
    with serving(program, tmp_path) as lab:
        client = Client(lab)
        client.send(asking(name))
        client.read(1)
        assert statuses(client) == [500]
        assert client.is_alive()
        line = logged(lab, f"Service python.{name} failed: {told} (")
        # An error's priority (local0.err), and a place.
        assert line.priority == "131"
        # Also where nothing of it was running: the place is the service's.
        assert re.search(rf"\({re.escape(str(SERVED))}:\d+\)$", line.message)
        assert "Traceback (most recent call last)" in lab.proxy.stderr
        assert state_of(logged(lab, f"s=<python.{name}>")) == "LR"


@pytest.mark.parametrize("name", ["broken-late", "short"])
def test_an_answer_that_stays_unfinished_is_broken_off_visibly(
    program: str, name: str, tmp_path: Path
) -> None:
    with serving(program, tmp_path) as lab:
        client = Client(lab)
        client.send(asking(name))
        client.read(1)
        (message,) = seen(client)
        assert (message.status, message.whole, client.end.left) == (200, False, "FIN")
        assert not client.end.received.endswith(b"0\r\n\r\n")
        assert state_of(logged(lab, f"s=<python.{name}>")) == "SD"


def test_too_many_that_wait_are_answered_with_503_at_once(program: str, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    settings = "  tune.python.threads 1\n  tune.python.queue 2"
    with serving(program, tmp_path, settings=settings) as lab:
        first = Client(lab)
        first.send(asking(f"waits?for={gate}"))
        waiting: list[Client] = []
        # The first one leaves the line when its thread begins; two more wait.
        refused = None
        while refused is None:
            client = Client(lab)
            client.send(asking(f"waits?for={gate}"))
            waiting.append(client)
            until(lambda: column(lab, "req_tot") == len(waiting) + 1)
            refused = next((each for each in waiting if not each.end.hears_nothing(0.05)), None)
        assert len(waiting) <= 4
        refused.read(1)
        assert statuses(refused) == [503]
        assert state_of(logged(lab, "ST=503")) == "SC"
        gate.touch()
        for client in (first, *(each for each in waiting if each is not refused)):
            client.read(1)
            assert statuses(client) == [200]


def test_a_silent_service_is_given_up_after_its_time(program: str, tmp_path: Path) -> None:
    with serving(program, tmp_path, settings="  tune.python.service-timeout 300ms") as lab:
        assert ask(lab, "silent")[0] == 504
        assert state_of(logged(lab, "s=<python.silent>")) == "sH"
        assert ask(lab, "hello") == (200, b"hello")


def test_a_client_that_stops_sending_is_timed_out(program: str, tmp_path: Path) -> None:
    with serving(program, tmp_path, "timeout client 300ms") as lab:
        client = Client(lab)
        client.send(asking("echo", b"Content-Length: 5\r\n", b"POST") + b"ab")
        client.read(1)
        assert statuses(client) == [408]
        assert state_of(logged(lab, "s=<python.echo>")) == "cD"


def test_a_malformed_body_is_refused_and_the_service_gets_no_end(program: str, tmp_path: Path) -> None:
    with serving(program, tmp_path) as lab:
        client = Client(lab)
        client.send(asking("echo", b"Transfer-Encoding: chunked\r\n", b"POST") + b"2\r\nab\r\n")
        client.send(b"nonsense\r\n")
        client.read(1)
        assert statuses(client) == [400]
        assert client.last() in ("FIN", "RST")


def test_only_a_service_that_reads_invites_the_body(program: str, tmp_path: Path) -> None:
    expects = b"Expect: 100-continue\r\nContent-Length: 5\r\n"
    with serving(program, tmp_path) as lab:
        reads = Client(lab)
        reads.send(asking("echo", expects, b"POST"))
        reads.read(1)
        reads.send(b"abcde")
        reads.read(2)
        assert statuses(reads) == [100, 200]
        assert reads.is_alive()
        refuses = Client(lab)
        refuses.send(asking("hello", expects, b"POST"))
        refuses.read(1)
        assert statuses(refuses) == [200]
        assert "connection: close" in seen(refuses)[0].fields


def test_compression_takes_a_services_answer(program: str, tmp_path: Path) -> None:
    rules = "compression algo gzip\n  compression type application/octet-stream text/plain"
    after = f"{rules}\n  http-response set-header content-type text/plain"
    with serving(program, tmp_path, after) as lab:
        client = Client(lab)
        client.send(asking("flood?n=1", b"Accept-Encoding: gzip\r\n"))
        client.read(1)
        (message,) = seen(client)
        assert "content-encoding: gzip" in message.fields
        assert len(message.body) < 100_000


def test_a_graceful_stop_lets_services_finish(program: str, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    with serving(program, tmp_path) as lab:
        clients = [Client(lab), Client(lab)]
        for client, name in zip(clients, ("waits", "async-waits"), strict=True):
            client.send(asking(f"{name}?for={gate}"))
        until(lambda: column(lab, "req_tot") == 2)
        lab.proxy.signal(signal.SIGUSR1)
        until(lambda: "Stopping: 1\n" in lab.command("show info"))
        gate.touch()
        for client in clients:
            client.read(1)
            assert bodies(client) == [b"waited"]
        assert lab.proxy.wait() == 0


def test_a_hard_stop_waits_for_no_service(program: str, tmp_path: Path) -> None:
    with serving(program, tmp_path) as lab:
        client = Client(lab)
        client.send(asking("silent"))
        until(lambda: column(lab, "req_tot") == 1)
        lab.proxy.signal(signal.SIGTERM)
        assert lab.proxy.wait() == -signal.SIGTERM


@pytest.mark.parametrize(
    ("rule", "text", "said"),
    [
        ("python.helo", "", "did you mean `python.hello`"),
        ("python.hello", "raise ValueError('no')", "ValueError: no ("),
        ("python.hello", "def f(:", "SyntaxError: invalid syntax ("),
        ("python.hello", "import nosuchmodule", "No module named 'nosuchmodule' ("),
    ],
)
def test_a_check_tells_what_is_wrong_with_services(
    program: str, rule: str, text: str, said: str, tmp_path: Path
) -> None:
    file, config = tmp_path / "site.py", tmp_path / "t.cfg"
    file.write_text(text or SERVED.read_text())
    config.write_text(
        f"global\n python-load {file}\ndefaults\n mode http\n timeout client 1s\n"
        f"frontend f\n bind 127.0.0.1:1\n http-request use-service {rule}\n"
    )
    checked = run(program, "-c", "-f", str(config))
    assert checked.returncode == 1
    assert said in checked.stderr
    if text:
        assert f"({file}:1)" in checked.stderr
        assert "t.cfg:2" in checked.stderr
    else:
        assert "t.cfg:8" in checked.stderr


def test_answers_count_and_keep_the_connection(program: str, tmp_path: Path) -> None:
    with serving(program, tmp_path) as lab:
        client = Client(lab)
        client.send(asking("hello") + asking("pieces") + asking("broken"))
        client.read(3)
        assert statuses(client) == [200, 200, 500]
        counted = {key: column(lab, key) for key in ("req_tot", "hrsp_2xx", "hrsp_5xx", "stot", "ereq")}
        assert counted == {"req_tot": 3, "hrsp_2xx": 2, "hrsp_5xx": 1, "stot": 1, "ereq": 0}
