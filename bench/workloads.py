"""table: workloads: what is done to each proxy, the unit of its cost, and what is asked for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Workload:
    """What is done, in what unit its cost is told, and what is asked for.

    `port` names one of the proxy's binds. `path`, `headers`, `body` and `close` say what wrk sends over how
    many `connections`, by TLS with `tls`; with `h2` it is h2load, sixteen streams a connection.
    """

    port: str
    floor: float
    aim: float
    unit: str = "us/op"
    rate_unit: str = "op/s"
    connections: int = 64
    path: str = "/"
    headers: tuple[str, ...] = ()
    body: int = 0
    close: bool = False
    tls: bool = False
    h2: bool = False


_TWENTY = tuple(f"X-Field-{number}: a value of some length, number {number}" for number in range(20))

WORKLOADS = {
    "tcp-ka": Workload("tcp", 1.0, 1.15),
    "tcp-close": Workload("tcp", 1.0, 1.15, connections=32, close=True),
    "ns-close": Workload("ns", 1.05, 1.2, connections=32, close=True),
    "tcp-bulk": Workload("bulk", 1.5, 2.0, "us/MB", "Gbit/s"),
    # Bytes per idle pair of connections: here less is better, and the limits are absolute.
    "idle-mem": Workload("tcp", 2500, 1800, "B/pair", "-"),
    "http-ka": Workload("http", 1.0, 1.15),
    "http-close": Workload("http", 1.0, 1.15, connections=32, close=True),
    "http-64k": Workload("http", 1.0, 1.2, connections=32, path="/64k"),
    # The slowest hundredth of 8,000 requests a second, about half of what one worker can do.
    "http-p99": Workload("http", 1.0, 1.0, unit="us", connections=32),
    "http-rules": Workload("rules", 1.0, 1.2),
    "http-20-fields": Workload("http", 1.0, 1.15, headers=_TWENTY),
    "http-post-16k": Workload("http", 1.0, 1.15, body=16384),
    "http-chunked": Workload("http", 1.0, 1.15, path="/chunked"),
    "http-map-1": Workload("map1", 1.0, 1.0, path="/key-1"),
    "http-map-100k": Workload("map100k", 1.0, 1.0, path="/key-77777"),
    "http-choice-10": Workload("choice10", 1.0, 1.0, path="/key-7"),
    "tls-ka": Workload("tls", 1.05, 1.3, tls=True),
    # Each connection is a full handshake: wrk resumes no session.
    "tls-handshake": Workload("tls", 1.5, 2.0, connections=32, close=True, tls=True),
    # One client, whose own work bounds the rate: the cost is the proxy's.
    "tls-resumed": Workload("tls", 1.0, 1.3, tls=True),
    # Bytes per idle connection, once it has had an exchange: the floor is HAProxy's own figure.
    "idle-tls-mem": Workload("tls", 1.0, 1.3, "B/conn", "-", tls=True),
    "tls-64k": Workload("tls", 1.0, 1.3, connections=32, path="/64k", tls=True),
    "tls-1m": Workload("tls", 1.0, 1.3, connections=16, path="/1m", tls=True),
    "h2": Workload("h2", 0.8, 1.1, connections=8, tls=True, h2=True),
    "h2-64k": Workload("h2", 0.8, 1.1, connections=8, path="/64k", tls=True, h2=True),
    # Over one connection of HTTP/2 to the server.
    "h2-server": Workload("h2server", 1.0, 1.15, connections=32),
    "h2-server-64k": Workload("h2server", 1.0, 1.2, connections=32, path="/64k"),
    "http-choice-10k": Workload("choice10k", 1.0, 1.0, path="/key-7777"),
    # A function of Python beside one of Lua, which HAProxy runs on its own thread.
    "service": Workload("service", 0.25, 0.4),
    "service-async": Workload("service", 0.2, 0.3, path="/async"),
}

HTTP_CONFIG = """
defaults
  mode http
  timeout client 60s
  timeout server 60s
  timeout connect 5s
frontend fh
  bind 127.0.0.1:{http}
  default_backend bh
backend bh
  server s1 127.0.0.1:{origin}
frontend fr
  bind 127.0.0.1:{rules}
  acl is_api path_beg /api
  acl is_static path_end .css .js .png
  acl host_a hdr(host) -i a.example.com
  http-request set-header X-Forwarded-Proto http
  http-request add-header X-Trace %[src]
  http-request deny if {{ path_sub /etc/passwd }}
  http-response set-header X-Served-By edge
  use_backend bh if is_api host_a
  use_backend bh if is_static
  default_backend bh
frontend ftls
  bind 127.0.0.1:{tls} ssl crt {folder}/site.pem alpn http/1.1
  default_backend bh
frontend fh2
  bind 127.0.0.1:{h2} ssl crt {folder}/site.pem alpn h2
  default_backend bh
frontend fh2s
  bind 127.0.0.1:{h2server}
  default_backend bh2
backend bh2
  http-reuse always
  server s1 127.0.0.1:{origin_h2} proto h2
frontend fm1
  bind 127.0.0.1:{map1}
  http-request set-header X-Found %[path,map_str({folder}/map-1,none)]
  default_backend bh
frontend fm100k
  bind 127.0.0.1:{map100k}
  http-request set-header X-Found %[path,map_str({folder}/map-100000,none)]
  default_backend bh
frontend fc10
  bind 127.0.0.1:{choice10}
  use_backend %[path,map_str({folder}/choice-10)]
frontend fc10k
  bind 127.0.0.1:{choice10k}
  use_backend %[path,map_str({folder}/choice-10000)]
frontend fs
  bind 127.0.0.1:{service}
.if feature(LUA)
  http-request use-service lua.hello
.else
  http-request use-service python.hello-async if {{ path /async }}
  http-request use-service python.hello
.endif
"""

SERVICES = """
global
.if feature(LUA)
  lua-load {served}/hello.lua
.else
  python-load {served}/hello.py
.endif
"""

BINDS = ("http", "rules", "map1", "map100k", "choice10", "choice10k", "tls", "h2", "h2server", "service")

FILES = {
    "map-1": ("value", 1),
    "map-100000": ("value", 100000),
    "choice-10": ("bh", 10),
    "choice-10000": ("bh", 10000),
}
"""Files of maps: what each key `/key-N` maps to, and how many keys there are."""
