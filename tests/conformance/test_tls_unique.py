"""`ssl_fc_unique_id`, `ssl_bc_unique_id`: what names a connection of TLS 1.2 at both ends (RFC 5929)."""

from __future__ import annotations

import shutil
import ssl
from base64 import b64encode

import pytest

from .http_lab import PREAMBLE
from .lab import Both, Lab
from .sink import Line
from .tls_paper import Paper, made
from .wire import DEADLINE, End, Origin

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")

ASK = b"GET / HTTP/1.0\r\n\r\n"


@pytest.fixture(scope="module")
def paper(tmp_path_factory: pytest.TempPathFactory) -> Paper:
    return made(tmp_path_factory.mktemp("tls"))


def frontend(paper: Paper, options: str) -> str:
    answer = 'http-request return status 200 content-type text/plain lf-string "%[ssl_fc_unique_id,base64]"'
    return f"frontend f\n  bind 127.0.0.1:<front> ssl crt {paper['site.pem']} {options}\n  {answer}\n"


def client(version: ssl.TLSVersion) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = context.maximum_version = version
    return context


def heard(secured: ssl.SSLSocket) -> bytes:
    found = b""
    while piece := secured.recv(4096):
        found += piece
    return found


def named(lab: Lab, context: ssl.SSLContext, session: ssl.SSLSession | None) -> tuple[bytes, bytes, object]:
    """What the client and the proxy call a connection, and its session."""
    raw = lab.connect().sock
    raw.settimeout(DEADLINE)
    with context.wrap_socket(raw, server_hostname="www.example.test", session=session) as secured:
        own = b64encode(secured.get_channel_binding("tls-unique") or b"")
        secured.sendall(ASK)
        assert secured.session_reused == (session is not None)
        return own, heard(secured).partition(b"\r\n\r\n")[2], secured.session


def nothing(line: Line) -> str:
    return ""


@pytest.mark.parametrize("options", ["", "no-tls-tickets"])
def test_a_client_and_the_proxy_call_their_connection_the_same(
    both: Both, paper: Paper, options: str
) -> None:
    def traffic(lab: Lab) -> list[bool]:
        context = client(ssl.TLSVersion.TLSv1_2)
        first = named(lab, context, None)
        # Where a session goes on, the server's word comes first.
        again = named(lab, context, first[2])
        assert len({first[0], again[0]}) == 2
        return [own == told != b"" for own, told, _ in (first, again)]

    seen = both(frontend(paper, options), traffic, preamble=PREAMBLE, origins={}, normal=nothing)
    assert seen.value == [True, True]


def test_tls_1_3_has_no_such_name(beyond: Both, paper: Paper) -> None:
    """HAProxy tells a Finished message there, too, which names nothing (RFC 9266)."""

    def traffic(lab: Lab) -> bytes:
        return named(lab, client(ssl.TLSVersion.TLSv1_3), None)[1]

    haproxy, got = beyond.apart(frontend(paper, ""), traffic, preamble=PREAMBLE, origins={}, normal=nothing)
    assert haproxy.value != b""
    assert got.value == b""


def test_a_server_and_the_proxy_call_their_connection_the_same(beyond: Both, paper: Paper) -> None:
    """HAProxy 2.6 tells the other Finished message of the two, which the RFC does not mean."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(paper["site.pem"])
    context.maximum_version = ssl.TLSVersion.TLSv1_2

    def tells(_: Origin, end: End) -> None:
        end.sock.settimeout(DEADLINE)
        with context.wrap_socket(end.sock, server_side=True) as secured:
            own = b64encode(secured.get_channel_binding("tls-unique") or b"").decode()
            while b"\r\n\r\n" not in secured.recv(4096):
                pass
            secured.sendall(f"HTTP/1.0 200 OK\r\nx-own: {own}\r\n\r\n".encode())

    config = """
frontend front
  bind 127.0.0.1:<front>
  default_backend b
backend b
  http-response set-header x-told %[ssl_bc_unique_id,base64]
  http-reuse never
  server s <a> ssl verify none
"""

    def traffic(lab: Lab) -> list[bool]:
        found = []
        # The second connection goes on with the session of the first.
        for _ in range(2):
            lines = lab.ask(ASK).decode().split("\r\n")
            fields = dict(line.split(": ", 1) for line in lines if line.startswith("x-"))
            found.append(fields["x-own"] == fields["x-told"] != "")
        return found

    haproxy, got = beyond.apart(config, traffic, preamble=PREAMBLE, origins={"a": tells}, normal=nothing)
    assert (haproxy.value, got.value) == ([False, False], [True, True])
