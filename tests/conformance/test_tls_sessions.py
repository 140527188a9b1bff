"""Sessions of lines that share ticket keys: resumed where the same is demanded of clients, nowhere else.

HAProxy 2.6 resumes all of them, so that a client without a certificate gets where one is required: the
difference is meant.
"""

from __future__ import annotations

import shutil
import ssl
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from .http_lab import PREAMBLE, until
from .lab import Lab
from .tls_paper import Paper, made
from .wire import DEADLINE

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")

VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]
NAME = "www.example.test"
ANSWER = 'http-request return status 200 content-type text/plain lf-string "used=%[ssl_c_used]"'
LINES = {
    "open": "",
    "as_open": "alpn http/1.1",
    "required": "verify required ca-file {ca}",
    "as_required": "verify required ca-file {copy}",
    "other": "verify optional ca-file {stranger}",
}


@pytest.fixture(scope="module")
def paper(tmp_path_factory: pytest.TempPathFactory) -> Paper:
    paper = made(tmp_path_factory.mktemp("tls"))
    keys = (b64encode(bytes([each] * 48)).decode() for each in range(3))
    (paper.folder / "tickets").write_text("\n".join(keys) + "\n")
    shutil.copy(paper["ca.crt"], paper["copy.crt"])
    shutil.copy(paper["ca.crt"], paper["changing.crt"])
    return paper


def text(paper: Paper) -> str:
    names = {"ca": paper["ca.crt"], "copy": paper["copy.crt"], "stranger": paper["stranger.crt"]}
    shared = f"ssl crt {paper['site.pem']} tls-ticket-keys {paper['tickets']}"
    lines = LINES | {"changing": f"verify required ca-file {paper['changing.crt']}"}
    fronts = (
        f"frontend {name}\n  bind 127.0.0.1:<{name}> {shared} {said.format(**names)}\n  {ANSWER}\n"
        for name, said in lines.items()
    )
    watching = "global\n  tune.ssl.watch-certificates 100ms\n"
    return watching + PREAMBLE + "\n" + "".join(fronts)


@pytest.fixture(scope="module")
def lab(program: str, paper: Paper, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    made = Lab(program, tmp_path_factory.mktemp("lab") / "lab", text(paper), {})
    yield made
    made.close()


def client(version: ssl.TLSVersion, paper: Paper, *, shows: bool) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = context.maximum_version = version
    if shows:
        context.load_cert_chain(paper["client.pem"])
    return context


def ask(
    lab: Lab, line: str, context: ssl.SSLContext, session: ssl.SSLSession | None = None
) -> tuple[str, ssl.SSLSession | None]:
    """How a request ended (`resumed`, `anew`, `refused`), and the session."""
    raw = lab.connect(line).sock
    raw.settimeout(DEADLINE)
    try:
        with context.wrap_socket(raw, server_hostname=NAME, session=session) as tls:
            tls.sendall(f"GET / HTTP/1.1\r\nHost: {NAME}\r\nConnection: close\r\n\r\n".encode())
            heard = b""
            while piece := tls.recv(4096):
                heard += piece
            assert b"used=" in heard
            return ("resumed" if tls.session_reused else "anew"), tls.session
    except OSError:
        return "refused", None


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("first", "second", "shows", "end"),
    [
        ("open", "as_open", False, "resumed"),
        ("open", "required", False, "refused"),
        ("open", "required", True, "anew"),
        ("other", "required", False, "refused"),
        ("required", "open", True, "anew"),
        ("required", "as_required", True, "resumed"),
    ],
)
def test_a_session_crosses_where_the_same_is_demanded(
    lab: Lab, paper: Paper, version: ssl.TLSVersion, first: str, second: str, shows: bool, end: str
) -> None:
    context = client(version, paper, shows=shows)
    began, session = ask(lab, first, context)
    assert began == "anew"
    assert ask(lab, second, context, session)[0] == end


@pytest.mark.parametrize("version", VERSIONS)
def test_sessions_begin_anew_where_authorities_are_replaced(
    lab: Lab, paper: Paper, version: ssl.TLSVersion
) -> None:
    context = client(version, paper, shows=True)
    until(lambda: ask(lab, "changing", context)[0] == "anew")
    _, session = ask(lab, "changing", context)
    assert ask(lab, "changing", context, session)[0] == "resumed"
    try:
        Path(paper["changing.crt"]).write_bytes(Path(paper["stranger.crt"]).read_bytes())
        until(lambda: ask(lab, "changing", context)[0] == "refused")
        assert ask(lab, "changing", context, session)[0] == "refused"
    finally:
        shutil.copy(paper["ca.crt"], paper["changing.crt"])
