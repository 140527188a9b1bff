"""Records what a real HAProxy makes of expressions over HTTP messages.

Reads crates/sample/tests/data/http_samples.txt and writes the second column of its rows anew. A line `> TEXT`
sets the request and `< TEXT` the response to which the rows below belong, with C's escapes; `# ` begins a
comment. A row is an expression, or `? ` and the words of an ACL, then a tab and what HAProxy 2.6 answers:
Python's repr of the bytes that `%[...]` writes into a body or, of a response, into a field (control
characters as `%` and two digits), `yes` or `no`, and `!` where HAProxy refuses the row. A third column holds
what Isthmus answers where it differs, and a fourth why; both are kept. Run it with Debian's HAProxy 2.6 in
the path.

The proxy is told by the destination port of a PROXY header which row is asked for, so that the messages
themselves reach it as they are written.
"""

from __future__ import annotations

import contextlib
import pathlib
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

HERE = pathlib.Path(__file__).parent
TABLE = HERE.parents[2] / "crates/sample/tests/data/http_samples.txt"

CONFIG = """
global
    log stdout local0 emerg
defaults
    mode http
    option http-buffer-request
    timeout client 5s
    timeout server 5s
    timeout connect 5s
userlist staff
    group admins users ann
    group all
    user ann insecure-password secret groups all
    user bob password $5$salt$HcpxOfa925mFNRuYAscuC4oWpw6c8l.YtrFMtUG7fp9
frontend main
    bind 127.0.0.1:{port} accept-proxy
    declare capture request len 32
    declare capture response len 32
    default_backend origin
"""
BACKEND = """
backend origin
    server origin 127.0.0.1:{origin}
"""
RETURN = " return status 200 content-type text/plain "


@dataclass
class Row:
    """An expression or an ACL, the message that it is asked of, and the line it stands in."""

    line: int
    text: str
    request: bytes
    response: bytes | None
    kept: list[str] = field(default_factory=list)
    answer: str = "!"

    def rules(self, port: int, directory: pathlib.Path) -> str:
        """The configuration that answers the row."""
        side = "http-response" if self.response is not None else "http-request"
        when = f"{{ dst_port {port} }}"
        if self.text.startswith("? "):
            yes = f"    {side}{RETURN}string yes if {when} {{ {self.text[2:]} }}\n"
            return f"{yes}    {side}{RETURN}string no if {when}\n"
        if self.response is not None:
            return f'    http-response set-header x-answer "%[{self.text}]" if {when}\n'
        file = directory / f"{port}.txt"
        file.write_text(f"%[{self.text}]")
        return f"    {side}{RETURN}lf-file {file} if {when}\n"


def unescaped(text: str) -> bytes:
    """Turn C's escapes into bytes."""
    return text.encode("latin-1").decode("unicode_escape").encode("latin-1")


def rows_of(lines: list[str]) -> list[Row]:
    """Read the table."""
    rows: list[Row] = []
    request, response = b"", None
    for number, line in enumerate(lines):
        if line.startswith("> "):
            request, response = unescaped(line[2:]), None
        elif line.startswith("< "):
            request, response = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", unescaped(line[2:])
        elif line and not line.startswith("#"):
            text, *columns = line.split("\t")
            rows.append(Row(number, text, request, response, columns[1:]))
    return rows


def accepted(config: str, directory: pathlib.Path) -> bool:
    """Whether HAProxy takes a configuration."""
    path = directory / "haproxy.cfg"
    path.write_text(config)
    done = subprocess.run(["haproxy", "-c", "-f", str(path)], capture_output=True, check=False)
    return done.returncode == 0


def exchange(port: int, number: int, message: bytes) -> bytes:
    """Send a message behind a PROXY header and return all that comes back."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
        client.sendall(f"PROXY TCP4 192.0.2.1 192.0.2.2 40000 {number}\r\n".encode() + message)
        client.shutdown(socket.SHUT_WR)
        received = b""
        while chunk := client.recv(65536):
            received += chunk
    return received


def answer(row: Row, received: bytes) -> str:
    """Read HAProxy's answer to a row."""
    head, _, body = received.partition(b"\r\n\r\n")
    for line in head.split(b"\r\n")[1:]:
        if line.lower().startswith(b"x-answer:"):
            return repr(line[9:].strip())
    if b" 200 " not in head.split(b"\r\n")[0]:
        return "status " + head.split(b" ")[1].decode() if b" " in head else "nothing"
    return body.decode() if row.text.startswith("? ") else repr(body)


@contextlib.contextmanager
def origin(current: list[bytes]) -> Iterator[int]:
    """Serve the current response to whoever asks; yield the port."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with connection:
                    connection.recv(65536)
                    connection.sendall(current[0])

        threading.Thread(target=serve, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


def free_port() -> int:
    """Find a TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def good_rules(rows: list[Row], head: str, tail: str, directory: pathlib.Path) -> dict[int, str]:
    """Find the rows that HAProxy takes, halving the rest until each that it refuses stands alone."""
    numbered = {1000 + at: row.rules(1000 + at, directory) for at, row in enumerate(rows)}
    good: dict[int, str] = {}
    waiting = [list(numbered)]
    while waiting:
        some = waiting.pop()
        if accepted(head + "".join(numbered[each] for each in some) + tail, directory):
            good |= {each: numbered[each] for each in some}
        elif len(some) > 1:
            waiting += [some[: len(some) // 2], some[len(some) // 2 :]]
    return good


def record(rows: list[Row]) -> None:
    """Ask HAProxy about every row."""
    current = [b""]
    with tempfile.TemporaryDirectory() as name, origin(current) as origin_port:
        directory, port = pathlib.Path(name), free_port()
        head, tail = CONFIG.format(port=port), BACKEND.format(origin=origin_port)
        good = good_rules(rows, head, tail, directory)
        text = head + "".join(rule for _, rule in sorted(good.items())) + tail
        assert accepted(text, directory)
        process = subprocess.Popen(["haproxy", "-db", "-f", str(directory / "haproxy.cfg")])
        try:
            wait_for(port)
            for number in sorted(good):
                row = rows[number - 1000]
                current[0] = row.response or b""
                row.answer = answer(row, exchange(port, number, row.request))
        finally:
            process.terminate()
            process.wait()


def wait_for(port: int) -> None:
    """Wait until somebody listens on a port."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with contextlib.suppress(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port)).close()
            return
        time.sleep(0.05)
    raise TimeoutError(port)


def main() -> None:
    """Write the answers into the table; with a file as argument, into that one."""
    table = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else TABLE
    lines = table.read_text().splitlines()
    rows = rows_of(lines)
    record(rows)
    for row in rows:
        lines[row.line] = "\t".join([row.text, row.answer, *row.kept])
    table.write_text("\n".join(lines) + "\n")
    print(f"{len(rows)} rows, {sum(row.answer == '!' for row in rows)} refused")


if __name__ == "__main__":
    main()
