"""What HTTP keeps for later requests, between tenants: server connections in pools, responses in caches."""

from __future__ import annotations

import contextlib
import socket

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import RequestReceived

from .wire import Origin, dial, eventually, netns, proxy_v2

SAME = "10.0.0.10"
PREAMBLE = """
global
  nbthread 2
  @stats@
  log {log} format raw local0
defaults
  mode http
  log global
  timeout connect 3s
  timeout client 10s
  timeout server 10s
  http-reuse always
"""


class HttpOrigin(Origin):
    """Answers every request with its name; what it says may be kept for a minute."""

    requests = 0

    def _talk(self, end: socket.socket, peer: tuple) -> None:
        with contextlib.suppress(OSError), end:
            got = b""
            while chunk := end.recv(65536):
                got += chunk
                while b"\r\n\r\n" in got:
                    got = got.split(b"\r\n\r\n", 1)[1]
                    self.requests += 1
                    name = self.name.encode()
                    head = b"HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: %d\r\n\r\n"
                    end.sendall(head % len(name) + name)


class Http2Origin(HttpOrigin):
    """The same in HTTP/2."""

    def _talk(self, end: socket.socket, peer: tuple) -> None:
        h2 = H2Connection(H2Configuration(client_side=False))
        h2.initiate_connection()
        with contextlib.suppress(OSError), end:
            end.sendall(h2.data_to_send())
            while chunk := end.recv(65536):
                for event in h2.receive_data(chunk):
                    if isinstance(event, RequestReceived):
                        self.requests += 1
                        name = self.name.encode()
                        fields = ((":status", "200"), ("content-length", str(len(name))))
                        h2.send_headers(event.stream_id, fields)
                        h2.send_data(event.stream_id, name, end_stream=True)
                end.sendall(h2.data_to_send())


class Client:
    """A client that keeps its connection."""

    def __init__(self, namespace, host: str, port: int, head: bytes = b"") -> None:
        self.socket = dial(namespace, host, port)
        self.socket.sendall(head)

    def get(self, path: str = "/") -> str:
        """Who answers; the status where that is no 200."""
        self.socket.sendall(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        got = b""
        while b"\r\n\r\n" not in got:
            chunk = self.socket.recv(65536)
            if not chunk:
                return "closed"
            got += chunk
        head, body = got.split(b"\r\n\r\n", 1)
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        while len(body) < int(fields[b"content-length"]):
            body += self.socket.recv(65536)
        status = head.split(b" ")[1].decode()
        return body.decode() if status == "200" else status

    def close(self) -> None:
        self.socket.close()


def get(namespace, host: str, port: int, path: str = "/", head: bytes = b"") -> str:
    """Who answers a client of one request."""
    client = Client(namespace, host, port, head)
    try:
        return client.get(path)
    finally:
        client.close()


@pytest.fixture
def origins(ground):
    """Two tenants that both serve 10.0.0.10:80."""
    made = {name: ground.add(name, SAME) for name in ("red", "blue")}
    return {name: HttpOrigin(namespace, SAME, 80) for name, namespace in made.items()}


LISTENERS = """
frontend all
  bind 10.0.0.10:8000 namespace red
  bind 10.0.0.10:8000 namespace blue
  default_backend own
backend own
"""
BY_HEADER = """
namespace_list
  namespace red
  namespace blue
frontend all
  bind 127.0.0.1:8000 accept-proxy
  default_backend own
backend own
"""


def test_a_pooled_connection_serves_its_tenant_alone(ground, isthmus, log, origins):
    isthmus(LISTENERS + "  server s 10.0.0.10:80 namespace *\n", preamble=PREAMBLE)
    for _ in range(10):
        for name in ("red", "blue", "blue", "red"):
            assert get(ground.named(name), SAME, 8000) == name
    assert all(origin.requests == 20 for origin in origins.values())
    # A worker may ask before the other has done with its connection.
    assert all(1 <= origin.accepted <= 2 for origin in origins.values())


BY_WORKER = """
frontend first
  bind 10.0.0.10:8001 namespace red thread 1
  bind 10.0.0.10:8001 namespace blue thread 1
  default_backend own
frontend second
  bind 10.0.0.10:8002 namespace red thread 2
  bind 10.0.0.10:8002 namespace blue thread 2
  default_backend own
backend own
  server s 10.0.0.10:80 namespace *
"""


def test_a_worker_takes_no_other_tenants_connection_of_another_worker(ground, isthmus, log, origins):
    isthmus(BY_WORKER, preamble=PREAMBLE)
    for _ in range(10):
        for name, port in (("red", 8001), ("blue", 8002), ("red", 8002), ("blue", 8001)):
            assert get(ground.named(name), SAME, port) == name
    assert all(origin.requests == 20 and origin.accepted <= 2 for origin in origins.values())


def test_a_shared_connection_of_http2_serves_its_tenant_alone(ground, isthmus, log):
    made = {name: ground.add(name, SAME) for name in ("red", "blue")}
    origins = [Http2Origin(namespace, SAME, 80) for namespace in made.values()]
    isthmus(LISTENERS + "  server s 10.0.0.10:80 namespace * proto h2\n", preamble=PREAMBLE)
    kept = {name: Client(ground.named(name), SAME, 8000) for name in made}
    for _ in range(10):
        for name, client in kept.items():
            assert client.get() == name
            assert get(ground.named(name), SAME, 8000) == name
    assert all(origin.requests == 20 and origin.accepted <= 2 for origin in origins)


def test_a_pooled_connection_serves_the_tenant_of_the_header_alone(ground, isthmus, log, origins):
    isthmus(BY_HEADER + "  server s 10.0.0.10:80 namespace *\n", preamble=PREAMBLE)
    heads = {name: proxy_v2(netns(name)) for name in origins}
    kept = {name: Client(ground.default, "127.0.0.1", 8000, heads[name]) for name in origins}
    for _ in range(10):
        for name, head in heads.items():
            assert get(ground.default, "127.0.0.1", 8000, head=head) == name
            assert kept[name].get() == name
    assert all(origin.requests == 20 and origin.accepted <= 4 for origin in origins.values())


@pytest.mark.parametrize("server", ["server s * namespace *", "server s *:80 namespace *"])
def test_a_star_leads_each_tenant_to_its_own_origin(ground, isthmus, log, origins, server):
    isthmus(BY_HEADER + f"  {server}\n", preamble=PREAMBLE)
    heads = {name: proxy_v2(netns(name), destination=SAME, ports=(4711, 80)) for name in origins}
    for _ in range(5):
        for name, head in heads.items():
            assert get(ground.default, "127.0.0.1", 8000, head=head) == name


def test_a_kept_connection_of_the_old_namespace_serves_nobody_in_the_new_one(ground, isthmus, log, origins):
    lines = "  server s 10.0.0.10:80 namespace *\n"
    site = LISTENERS.replace("namespace red", "namespace red optional") + lines
    isthmus(site, preamble=PREAMBLE)
    for _ in range(5):
        assert get(ground.named("red"), SAME, 8000) == "red"
    for number in range(3):
        ground.delete("red")
        red = ground.add("red", SAME)
        HttpOrigin(red, SAME, 80, name=f"red {number}")
        # The client comes in through the new listener, whichever connections idle still.
        for _ in range(5):
            assert get(red, SAME, 8000) == f"red {number}"
        assert get(ground.named("blue"), SAME, 8000) == "blue"


def test_a_server_in_a_namespace_made_again_is_the_new_one(ground, isthmus, log, origins):
    isthmus("listen to\n  bind 127.0.0.1:8000\n  server s 10.0.0.10:80 namespace red\n", preamble=PREAMBLE)
    client = Client(ground.default, "127.0.0.1", 8000)
    assert client.get() == "red"
    ground.delete("red")
    HttpOrigin(ground.add("red", SAME), SAME, 80, name="new")
    eventually(lambda: get(ground.default, "127.0.0.1", 8000) == "new", "the new namespace is noticed")
    # From then on nobody is led to the old one, whose origin serves still.
    assert [get(ground.default, "127.0.0.1", 8000) for _ in range(10)] == ["new"] * 10
    assert client.get() == "new"


CACHE = """
cache c
  total-max-size 4
  max-age 60
"""
CACHED = "  http-request cache-use c\n  http-response cache-store c\n  server s 10.0.0.10:80 namespace *\n"


def test_a_cache_serves_no_tenant_what_another_stored(ground, isthmus, log, origins):
    isthmus(CACHE + LISTENERS + CACHED, preamble=PREAMBLE)
    for _ in range(3):
        for name in ("red", "blue"):
            assert get(ground.named(name), SAME, 8000, "/page") == name
    assert [origin.requests for origin in origins.values()] == [1, 1]


def test_a_cache_serves_the_tenant_of_the_header(ground, isthmus, log, origins):
    isthmus(CACHE + BY_HEADER + CACHED, preamble=PREAMBLE)
    for _ in range(3):
        for name in ("red", "blue"):
            assert get(ground.default, "127.0.0.1", 8000, "/page", proxy_v2(netns(name))) == name
    assert [origin.requests for origin in origins.values()] == [1, 1]


def test_a_cache_serves_no_new_tenant_what_the_old_one_of_its_name_stored(ground, isthmus, log, origins):
    site = LISTENERS.replace("namespace red", "namespace red optional")
    isthmus(CACHE + site + CACHED, preamble=PREAMBLE)
    assert get(ground.named("red"), SAME, 8000, "/page") == "red"
    ground.delete("red")
    red = ground.add("red", SAME)
    HttpOrigin(red, SAME, 80, name="new")
    assert get(red, SAME, 8000, "/page") == "new"
