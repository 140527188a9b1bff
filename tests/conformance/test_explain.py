"""`isthmus explain` says of described connections what happens to real ones."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from isthmus.explaining import command
from isthmus.explaining.report import Unknown
from isthmus.plan.built import Built

from . import proxy
from .lab import PREAMBLE, Lab
from .test_first_bytes import client_hello
from .wire import greets

SITE = (
    """
frontend web
  mode http
  bind 127.0.0.1:<web>
  acl api path_beg /api
  acl office src 127.0.0.8/29
  http-request set-var(txn.version) hdr(x-version)
  http-request set-header x-team red if { hdr(x-user) ann }
  http-request set-path /api%[path] if { query -m sub to-api }
  http-request del-header x-user if api
  http-request deny deny_status 405 if { method DELETE } !office
  http-request redirect prefix /new code 307 if { path /old }
  use_backend team if { hdr(x-team) red } !api
  use_backend second if { var(txn.version) -m str 2 } api
  use_backend api if api
  use_backend user if { hdr(x-user) -m found }
  use_backend %[req.cook(to),lower] if { req.cook(to) -m found }
  default_backend rest

frontend bytes
  bind 127.0.0.1:<bytes>
  tcp-request inspect-delay 4s
  acl tls req.ssl_hello_type 1
  tcp-request content accept if tls
  tcp-request content reject if { req.proto_http } { path_beg /no }
  tcp-request content accept if { req.proto_http } or { req.payload(0,4) -m str SSH- }
  tcp-request content reject
  use_backend b if { req.ssl_sni -m end .b.test } or { req.payload(0,4) -m bin 5353482d }
  use_backend c if tls { req.ssl_alpn h2 } { src 127.0.0.9 }
  use_backend %[req.ssl_sni,field(1,.)] if tls
  use_backend inner if { req.proto_http } { hdr(host) inner.test }
  default_backend a
backend inner
  server i 127.0.0.1:<within> send-proxy-v2
frontend within
  mode http
  bind 127.0.0.1:<within> accept-proxy
  use_backend team if { src 127.0.0.9 }
  default_backend rest
"""
    + "".join(
        f"""
backend {name}
  mode http
  http-request return status 200 content-type text/plain string {name}
"""
        for name in ("team", "second", "api", "user", "rest", "blue")
    )
    + "".join(f"backend {name}\n  server {name} <{name}>\n" for name in "abc")
)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    program = proxy.candidate()
    if program is None or proxy.is_haproxy(program):
        pytest.skip("no isthmus beside this Python (make build)")
    lab = Lab(
        program, tmp_path_factory.mktemp("explain") / "lab", PREAMBLE + SITE, dict.fromkeys("abc", greets)
    )
    yield lab
    lab.close()


@pytest.fixture(scope="module")
def built(lab: Lab) -> Built:
    built = command.load_files([str(lab.path)])
    assert built is not None
    return built


def foretold(built: Built, *words: str) -> str:
    """The status, or the name of the last backend, of the one way that is sure."""
    said = command.read([*words, "a.cfg"])
    found = command.explain(built, said, command.described(said))
    assert not isinstance(found, Unknown)
    hop: dict[str, Any] = msgspec.to_builtins(found)
    while True:
        assert not hop["possible"], hop
        assert all(step["holds"] is not None for step in hop["steps"]), hop
        if hop["answer"]:
            return str(hop["answer"].partition(" (")[0])
        (backend,) = hop["backends"]
        assert backend["sure"]
        if backend["answer"]:
            assert backend["answer"].startswith("answered with 200 (")
            return str(backend["name"])
        (server,) = backend["servers"]
        if server["next"] is None:
            return str(backend["name"])
        hop = server["next"]


def spoken(heard: bytes) -> str:
    """The same of what a client heard."""
    if not heard.startswith(b"HTTP/1.1 "):
        return heard.decode().strip() or "the connection is closed"
    head, _, body = heard.partition(b"\r\n\r\n")
    if b" 405 " in head:
        return "denied with 405"
    if b" 307 " in head:
        (place,) = (line for line in head.split(b"\r\n") if line.lower().startswith(b"location: "))
        return f"redirected with 307 to {place[10:].decode()}"
    return body.decode()


METHODS = ("GET", "DELETE")
TARGETS = ("/", "/api/x", "/old", "/old?a", "/p?to-api", "/old?to-api")
VERSIONS = (None, "2")
USERS = (None, "ann", "bob")
COOKIES = (None, "to=Blue", "to=nobody")
SOURCES = ("127.0.0.1", "127.0.0.9")


@pytest.mark.parametrize("source", SOURCES)
def test_requests_go_where_it_says(lab: Lab, built: Built, source: str) -> None:
    reached = set()
    for method, target, version, user, cookie in itertools.product(
        METHODS, TARGETS, VERSIONS, USERS, COOKIES
    ):
        fields = {"x-version": version, "x-user": user, "cookie": cookie, "x-team": None}
        words = [f"--header={name}: {value or ''}" for name, value in fields.items()]
        url = f"http://site.test:{lab.ports['web']}{target}"
        told = foretold(built, "--url", url, "--method", method, "--src", source, *words)
        given = "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value is not None)
        sent = f"{method} {target} HTTP/1.1\r\nHost: site.test\r\nConnection: close\r\n{given}\r\n"
        heard = spoken(lab.ask(sent.encode(), source, "web"))
        assert told == heard, (method, target, fields)
        reached.add(heard.partition(" to ")[0])
    wanted = {"team", "second", "api", "user", "rest", "blue", "redirected with 307"}
    assert reached == wanted | ({"denied with 405"} if source == "127.0.0.1" else set())


def test_connections_go_where_it_says(lab: Lab, built: Built) -> None:
    reached = set()

    def meets(source: str, sent: bytes, *words: str) -> None:
        told = foretold(built, "--bind", str(lab.ports["bytes"]), "--src", source, *words)
        client = lab.connect("bytes", source)
        client.send(sent)
        if sent.startswith(b"GET"):
            heard = client.finish().read_end()[0]
        else:
            heard = client.read(2)
            client.finish()
        client.close()
        assert told == spoken(heard), (source, words)
        reached.add(told)

    for source in SOURCES:
        for name in ("x.b.test", "c.other.test", "zzz.test"):
            for protocols in ((), ("h2", "http/1.1"), ("http/1.1",)):
                alpn = f"--alpn={','.join(protocols)}"
                meets(source, client_hello(name, *protocols), "--sni", name, alpn)
        for path, host in itertools.product(("/", "/no"), ("inner.test", "outer.test")):
            request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
            meets(source, request.encode(), "--url", f"http://{host}{path}")
        meets(source, b"SSH-2.0-x\r\n", "--payload", "SSH-2.0-x\\r\\n")
        meets(source, b"\x00\x01\x02\x03", "--payload", "\\x00\\x01\\x02\\x03")
    assert reached == {"a", "b", "c", "team", "rest", "the connection is closed"}
