"""`option transparent` beside HAProxy: who goes to the client's own destination, and who to a server.

The names differ on purpose: HAProxy logs `<NOSRV>`, and Isthmus the server `transparent`.
"""

from __future__ import annotations

from .lab import Both, Lab
from .wire import End, Origin

PREAMBLE = """
global
  stats socket <stats> level admin
defaults
  mode http
  timeout connect 3s
  timeout client 6s
  timeout server 6s
"""
ROWS = {
    "no server": "",
    "a server": "server s <srv>",
    "a server that is checked": "server s <closed> check",
    "a cookie": "cookie C insert\n server s <srv> cookie x",
    "use-server": "use-server s if { req.hdr(x) 1 }\n server s <srv>",
    "sticking": "stick-table type ip size 10\n stick on src\n server s <srv>",
    "a backup": "server s <srv> backup",
    "redispatch": "option redispatch 1\n server s <srv>",
    "off": "no option transparent\n server s <srv>",
}
ASKED = ("", "cookie: C=x", "x: 1", "")


def tells(origin: Origin, end: End) -> None:
    """An origin that says its name to every request, and ends the connection."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = end.read(1)
        if not byte:
            return
        head += byte
    end.try_send(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + origin.name.encode())
    end.finish()


def sites() -> str:
    """A frontend for each row; the clients' destination is the origin `dst`."""
    text = ""
    for at, lines in enumerate(ROWS.values()):
        text += f"""
frontend f{at}
  bind 127.0.0.1:<f{at}>
  tcp-request connection set-dst ipv4(127.0.0.1)
  tcp-request connection set-dst-port int(<dst_port>)
  default_backend b{at}
backend b{at}
  option transparent
  {lines}
"""
    return text


def answered(lab: Lab, at: int, field: str) -> bytes:
    end = lab.connect(f"f{at}")
    fields = b"".join(each + b"\r\n" for each in (b"Host: a", b"Connection: close", field.encode()) if each)
    end.send(b"GET / HTTP/1.1\r\n" + fields + b"\r\n")
    received = end.read_end()[0]
    end.close()
    return received.partition(b"\r\n\r\n")[2]


def test_clients_go_where_they_were_going_unless_they_are_told_otherwise(both: Both) -> None:
    def traffic(lab: Lab) -> dict[str, list[bytes]]:
        return {name: [answered(lab, at, field) for field in ASKED] for at, name in enumerate(ROWS)}

    seen = both(
        sites(),
        traffic,
        origins={"dst": tells, "srv": tells},
        preamble=PREAMBLE,
        logged=False,
    )
    assert seen.value["a server"] == [b"dst"] * 4
    assert seen.value["a cookie"] == [b"dst", b"srv", b"dst", b"dst"]
    assert seen.value["use-server"] == [b"dst", b"dst", b"srv", b"dst"]
    assert seen.value["off"] == [b"srv"] * 4
