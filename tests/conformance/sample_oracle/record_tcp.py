"""Records what a real HAProxy makes of expressions over bytes that are not HTTP.

Reads crates/sample/tests/data/tcp_samples.txt and writes the second column of its rows anew. A line `> HEX`
sets what the client sends; the rows below it are expressions, each with a tab and what HAProxy 2.6 answers:
the value as hexadecimal digits (integers and booleans in eight bytes), `-` where there is none, and `!`
where HAProxy refuses the row. A third column holds what Isthmus answers where it differs, and a fourth why;
both are kept. Run it with Debian's HAProxy 2.6 in the path.
"""

from __future__ import annotations

import contextlib
import pathlib
import socket
import subprocess
import sys
import tempfile
from dataclasses import dataclass

from record import HERE, accepted, free_port, wait_for

TABLE = HERE.parents[2] / "crates/sample/tests/data/tcp_samples.txt"

CONFIG = """
global
    log {log} len 8192 local0
defaults
    mode tcp
    timeout client 5s
    timeout server 5s
    timeout connect 5s
frontend main
    bind 127.0.0.1:{port} accept-proxy
    log global
    log-format "<%[dst_port]:%[var(sess.answer),hex]>"
    tcp-request inspect-delay 2s
"""
END = "    tcp-request content reject\n"


@dataclass
class Row:
    """An expression, what the client sends, and the line it stands in."""

    line: int
    text: str
    message: bytes
    kept: list[str]
    answer: str = "!"

    def rule(self, port: int) -> str:
        """The rule that keeps the answer to the row for the log, once all has come."""
        when = f"{{ dst_port {port} }} {{ req.len ge {len(self.message)} }}"
        return f"    tcp-request content set-var(sess.answer) {self.text} if {when}\n"


def rows_of(lines: list[str]) -> list[Row]:
    """Read the table."""
    rows: list[Row] = []
    message = b""
    for number, line in enumerate(lines):
        if line.startswith("> "):
            message = bytes.fromhex(line[2:])
        elif line and not line.startswith("#"):
            text, *columns = line.split("\t")
            rows.append(Row(number, text, message, columns[1:]))
    return rows


def ask(port: int, number: int, message: bytes, log: socket.socket) -> str:
    """Send a message behind a PROXY header, and return what the log line of the session holds."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
        client.sendall(f"PROXY TCP4 192.0.2.1 192.0.2.2 40000 {number}\r\n".encode() + message)
        with contextlib.suppress(ConnectionResetError):
            client.recv(1)
        while f"<{number}:" not in (line := log.recv(65536).decode("latin-1")):
            pass
    return line.split(f"<{number}:")[1].split(">")[0]


def record(rows: list[Row]) -> None:
    """Ask HAProxy about every row."""
    with tempfile.TemporaryDirectory() as name, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
        directory, port = pathlib.Path(name), free_port()
        log.bind(str(directory / "log"))
        log.settimeout(5)
        head = CONFIG.format(port=port, log=directory / "log")
        rules = {1000 + at: row.rule(1000 + at) for at, row in enumerate(rows)}
        good = {at: rule for at, rule in rules.items() if accepted(head + rule + END, directory)}
        assert accepted(head + "".join(good.values()) + END, directory)
        process = subprocess.Popen(["haproxy", "-db", "-f", str(directory / "haproxy.cfg")])
        try:
            wait_for(port)
            for number in good:
                row = rows[number - 1000]
                row.answer = ask(port, number, row.message, log)
        finally:
            process.terminate()
            process.wait()


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
