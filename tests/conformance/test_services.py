"""Services in Python through real sockets: what HAProxy has nothing like, or does otherwise."""

from __future__ import annotations

import ast
import re
import signal
from pathlib import Path
from typing import Any

import pytest

from .http_lab import Client, state_of, until
from .lab import Lab
from .proxy import run
from .service_lab import SERVED, ask, asking, bodies, column, seen, serving, words


def statuses(client: Client) -> list[int]:
    return [each.status for each in seen(client)]


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
