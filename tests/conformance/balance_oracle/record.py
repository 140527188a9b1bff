"""Record what HAProxy 2.6 chooses: `python record.py` writes recorded.txt beside this file.

crates/balance/tests/recorded.rs replays it. A case is a block of lines:

    balance ALGORITHM                     and the other lines of the backend that matter
    server ID WEIGHT MAXCONN MINCONN MAXQUEUE up|backup|disabled
    key source|bytes|int VALUE ID         this key went to this server (bytes in hexadecimal)
    turns ID ID ...                       requests one after the other, without a key
    held KEY +ID -N ...                   connections that stay: +ID opened on a server, -N the N-th closed;
                                          KEY is an integer key for all of them, or `-`
"""

from __future__ import annotations

import base64
import ipaddress
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path

from held import QUEUED, Farm
from oracle import Oracle

FUNCTIONS = ("sdbm", "djb2", "wt6", "crc32")


@dataclass(frozen=True)
class Entry:
    """A server line."""

    number: int
    weight: int = 1
    maxconn: int = 0
    minconn: int = 0
    maxqueue: int = 0
    kind: str = "up"

    def keywords(self) -> str:
        """The server's keywords in a configuration."""
        words = f"weight {self.weight} maxconn {self.maxconn} maxqueue {self.maxqueue}"
        if self.minconn:
            words += f" minconn {self.minconn}"
        return words if self.kind == "up" else f"{words} {self.kind}"

    def recorded(self) -> str:
        """The server's line in the record."""
        return f"server {self.number} {self.weight} {self.maxconn} {self.minconn} {self.maxqueue} {self.kind}"


@dataclass
class Case:
    """A backend, and what was seen of it."""

    lines: list[str]
    servers: list[Entry]
    seen: list[str] = field(default_factory=list)

    def recorded(self) -> str:
        """The case's block."""
        return "\n".join([*self.lines, *(entry.recorded() for entry in self.servers), *self.seen]) + "\n"

    def options(self) -> list[tuple[int, str]]:
        """What Oracle and Farm take."""
        return [(entry.number, entry.keywords()) for entry in self.servers]


def farms() -> list[list[Entry]]:
    """Servers for keyed cases: equal; weighted with chosen identifiers; some out of use; backups alone."""
    return [
        [Entry(number) for number in range(1, 8)],
        [Entry(5, 3), Entry(2, 10), Entry(117, 1), Entry(70000, 256), Entry(9, 64)],
        [
            Entry(1, 2),
            Entry(2, 0),
            Entry(3, 5, kind="disabled"),
            Entry(4, 3),
            Entry(5, 7, kind="backup"),
            Entry(6),
        ],
        [
            Entry(1, 2, kind="disabled"),
            Entry(4, 3, kind="backup"),
            Entry(2, 1, kind="backup"),
            Entry(3, 2, kind="backup"),
        ],
    ]


def keyed(draw: random.Random) -> list[Case]:
    """Hashes of strings, integers and addresses."""
    types = [
        f"hash-type {method} {function}{modifier}"
        for method, function, modifier in product(("map-based", "consistent"), FUNCTIONS, ("", " avalanche"))
    ]
    types += ["hash-type map-based", "hash-type consistent"]
    backends: list[tuple[str, Case]] = []
    for hash_type, servers in product(types, farms()):
        backends.append(("bytes", Case(["balance hash", hash_type], servers)))
    for hash_type in types[:2] + types[8:10] + types[-2:]:
        for servers in farms():
            backends.append(("source", Case(["balance source", hash_type], servers)))
            backends.append(("int", Case(["balance hash", hash_type], servers)))
    for kind, servers in product(("bytes", "source"), farms()[2:]):
        for hash_type in types[-2:]:
            name = "balance source" if kind == "source" else "balance hash"
            backends.append((kind, Case([name, hash_type, "option allbackups"], servers)))
    text = {}
    for at, (kind, case) in enumerate(backends):
        lines = list(case.lines)
        if kind == "source":
            lines.insert(0, "http-request set-src req.hdr(a)")
        else:
            lines[0] += " req.hdr(k),b64dec" if kind == "bytes" else " req.hdr(i),add(0)"
        text[f"b{at}"] = ("\n".join(lines), case.options())
    with Oracle(text) as oracle:
        for at, (kind, case) in enumerate(backends):
            values = list(_keys(kind, draw, 60))
            asked = [(f"b{at}", header) for _, header in values]
            for (value, _), server in zip(values, oracle.ask(asked), strict=True):
                case.seen.append(f"key {kind} {value} {server}")
    return [case for _, case in backends]


def _keys(kind: str, draw: random.Random, count: int) -> Iterator[tuple[str, dict[str, str]]]:
    for at in range(count):
        if kind == "bytes":
            key = draw.randbytes(draw.randint(1, 24))
            yield key.hex(), {"k": base64.b64encode(key).decode()}
        elif kind == "int":
            number = draw.choice([draw.randint(-5, 300), draw.getrandbits(63), -draw.getrandbits(40)])
            yield str(number), {"i": str(number)}
        else:
            address = ipaddress.ip_address(draw.randbytes(16 if at % 2 else 4))
            yield str(address), {"a": str(address)}


def turned(draw: random.Random) -> list[Case]:
    """Requests one after the other, for the algorithms that have an order and for hashes without a key."""
    mixed = [
        [Entry(number + 1, draw.randint(1, most)) for number in range(count)]
        for count, most in [
            (2, 3),
            (3, 4),
            (4, 3),
            (5, 9),
            (7, 3),
            (7, 21),
            (4, 30),
            (12, 5),
            (3, 256),
            (9, 256),
        ]
    ]
    cases = []
    for name, servers in product(("roundrobin", "static-rr", "leastconn", "first"), mixed + farms()):
        cases.append(Case([f"balance {name}"], servers))
    for name in ("roundrobin", "static-rr", "leastconn", "first"):
        cases.append(Case([f"balance {name}", "option allbackups"], farms()[3]))
    for method, servers in product(("map-based", "consistent"), mixed[:5] + farms()):
        cases.append(Case(["balance hash", f"hash-type {method}"], servers))
    text = {}
    for at, case in enumerate(cases):
        lines = [line.replace("balance hash", "balance hash req.hdr(absent)") for line in case.lines]
        text[f"b{at}"] = ("\n".join(lines), case.options())
    with Oracle(text) as oracle:
        for at, case in enumerate(cases):
            weight = sum(entry.weight for entry in case.servers)
            # Over sixteen times the weight roundrobin begins a new window, which may differ from the first.
            count = min(1200, 16 * weight + 60) if case.lines[0] == "balance roundrobin" else 150
            case.seen.append("turns " + " ".join(map(str, oracle.ask([(f"b{at}", {})] * count))))
    return cases


def kept(draw: random.Random) -> list[Case]:
    """Connections that stay open, with limits, and one server that always has room."""
    cases = []
    for name, _ in product(("roundrobin", "static-rr", "leastconn", "first"), range(6)):
        servers = [
            Entry(number + 1, draw.randint(1, draw.choice([1, 3, 9])), draw.choice([1, 2, 4]))
            for number in range(draw.randint(2, 5))
        ]
        last = Entry(len(servers) + 1, draw.randint(1, 4))
        cases.append(Case([f"balance {name}"], draw.sample([*servers, last], len(servers) + 1)))
    for method in ("map-based", "consistent"):
        cases.append(
            Case(["balance hash", f"hash-type {method}"], [Entry(1, 2, 2), Entry(2, 1, 3), Entry(3, 3)])
        )
    for conns, limits in ((20, (10, 1)), (15, (7, 2)), (9, (5, 3)), (30, (3, 1))):
        servers = [Entry(1, 1, *limits), Entry(2)]
        cases.append(Case(["balance roundrobin", f"fullconn {conns}"], servers))
    for case in cases:
        case.seen.append(f"held - {' '.join(_events(case, draw, '', 60))}")
    for factor, weights in product(
        (101, 110, 125, 150, 200, 400), ((1, 1, 1, 1, 1), (1, 2, 3, 4), (20, 3, 1, 7, 0, 5))
    ):
        servers = [Entry(at + 1, weight) for at, weight in enumerate(weights)]
        lines = ["balance hash", "hash-type consistent", f"hash-balance-factor {factor}"]
        case = Case(lines, servers)
        key = draw.randint(1, 10_000)
        case.seen.append(f"held {key} {' '.join(_events(case, draw, f' int({key})', 50))}")
        cases.append(case)
    return cases


def _events(case: Case, draw: random.Random, key: str, count: int) -> Iterator[str]:
    # A unix client has no address: `balance source` finds no key there.
    lines = [
        line.replace("balance hash", f"balance hash{key}" if key else "balance source") for line in case.lines
    ]
    with Farm("\n".join(lines), case.options()) as farm:
        open_now: list[int] = []
        for _ in range(count):
            if open_now and draw.random() < 0.35:
                client = open_now.pop(draw.randrange(len(open_now)))
                farm.close(client)
                yield f"-{client}"
                continue
            server = farm.open()
            if server == QUEUED:
                raise RuntimeError(f"nobody accepted: {case.recorded()}")
            open_now.append(farm.last)
            yield f"+{server}"


def main() -> None:
    """Ask for everything and write it down."""
    draw = random.Random(26)
    cases = [*keyed(draw), *turned(draw), *kept(draw)]
    target = Path(__file__).with_name("recorded.txt")
    target.write_text("\n".join(case.recorded() for case in cases))
    print(f"{len(cases)} cases in {target}")


if __name__ == "__main__":
    main()
