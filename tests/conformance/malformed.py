"""The messages of crates/proto/tests/data/http1_malformed.txt, which HAProxy and the codec judged."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

TABLE = Path(__file__).parents[2] / "crates/proto/tests/data/http1_malformed.txt"
_ESCAPE = re.compile(rb"\\(?:([rnt\\])|x([0-9a-f]{2})|\{(.*?)\*(\d+)\})", re.DOTALL)
_NAMED = {b"r": b"\r", b"n": b"\n", b"t": b"\t", b"\\": b"\\"}


@dataclass(frozen=True)
class Row:
    """A message and both verdicts."""

    line: int
    kind: str
    haproxy: tuple[str, ...]
    ours: tuple[str, ...]
    name: str
    reason: str
    data: bytes

    @property
    def passes(self) -> int:
        """How many whole messages we let through."""
        return self.ours.count("ok")

    @property
    def refused(self) -> bool:
        """Whether something of it is an error."""
        return any(verdict not in ("ok", "more") for verdict in self.ours)

    @property
    def label(self) -> str:
        return f"{self.line}: {self.name}"


def rows(kind: str) -> list[Row]:
    """The rows of one kind: `req` or `res`, with `-unsafe` or without."""
    found = []
    for number, line in enumerate(TABLE.read_text().splitlines(), 1):
        columns = line.split(" | ", 5)
        if columns[0] != kind:
            continue
        haproxy, ours = (columns[at].split("=", 1)[1].strip() for at in (1, 2))
        verdicts = tuple(haproxy.split(",")), tuple(ours.split(","))
        found.append(
            Row(number, kind, *verdicts, columns[3], columns[4].strip(), unescaped(columns[5].encode()))
        )
    return found


def unescaped(text: bytes) -> bytes:
    """`\\r \\n \\t \\\\ \\xNN` and `\\{text*times}` as the bytes that they stand for."""

    def byte(found: re.Match[bytes]) -> bytes:
        if found[1]:
            return _NAMED[found[1]]
        if found[2]:
            return bytes([int(found[2], 16)])
        return unescaped(found[3]) * int(found[4])

    return _ESCAPE.sub(byte, text)
