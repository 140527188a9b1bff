"""Services and reloads: a file is run again, and what was asked under the old plan is answered by it."""

from __future__ import annotations

from pathlib import Path

import paper
import pytest
from paper import messages
from test_process_reload import connect, engine, free_port, heard, supervised, supervisor_reload, until

from isthmus.engine import Engine

__all__ = ["engine"]

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
SITE = """
from pathlib import Path
import time
from isthmus.services import Request, Response, service

@service("word")
def word(request: Request) -> Response:
    Path({folder!r}, "began").touch()
    while not Path({folder!r}, {gate!r}).exists():
        time.sleep(0.002)
    return Response(body={word!r})
"""


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setitem(paper.FILES, "site.py", b"")
    return tmp_path


def write(site: Path, word: bytes, gate: str) -> None:
    text = SITE.format(folder=str(site), gate=gate, word=word)
    paper.FILES["site.py"] = text.encode()


def configuration(port: int, rule: str = "http-request use-service python.word") -> str:
    return f"global\n python-load site.py\nlisten a\n mode http\n bind :{port}\n {rule}\n"


def says(port: int, end: bytes) -> None:
    """Wait until a request is answered like this: workers take a plan over in a moment of their own."""

    def said() -> bool:
        with connect(port) as client:
            client.sendall(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
            return heard(client, b"\0").endswith(end)

    until(said)


def test_what_was_asked_under_a_plan_is_answered_by_its_services(engine: Engine, site: Path) -> None:
    port = free_port()
    supervisor = supervised(engine)
    write(site, b"hello", "first")
    assert supervisor_reload(supervisor, configuration(port)) == []
    with connect(port) as waiting:
        waiting.sendall(GET)
        until((site / "began").exists)
        write(site, b"echo", "second")
        (site / "second").touch()
        assert supervisor_reload(supervisor, configuration(port)) == []
        says(port, b"\r\n\r\necho")
        (site / "first").touch()
        answer = heard(waiting, b"hello")
        assert answer.endswith(b"\r\n\r\nhello")
        # The plan under which the connection was accepted is over.
        assert b"connection: close" in answer
        assert waiting.recv(100) == b""


def test_services_may_come_and_go_with_plans(engine: Engine, site: Path) -> None:
    port = free_port()
    supervisor = supervised(engine)
    (site / "open").touch()
    write(site, b"hello", "open")
    nothing = configuration(port, "http-request return status 204").replace(" python-load site.py\n", "")
    assert supervisor_reload(supervisor, nothing) == []
    assert supervisor_reload(supervisor, configuration(port)) == []
    says(port, b"hello")
    assert supervisor_reload(supervisor, nothing) == []
    says(port, b"connection: close\r\n\r\n")
    assert supervisor_reload(supervisor, configuration(port)) == []
    says(port, b"hello")


def test_a_file_that_fails_keeps_a_configuration_from_being_built(site: Path) -> None:
    paper.FILES["site.py"] = b"raise ValueError('no')"
    assert ("E0521", 2) in messages(configuration(80).replace("bind :80", "bind 127.0.0.1:80"))
