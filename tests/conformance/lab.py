"""One proxy with its origins, its clients and its log: what a case plays with.

`Both` runs a case's traffic through the reference and through the candidate and compares what the
traffic function returned, the log lines, and how the process ended.
"""

from __future__ import annotations

import difflib
import pprint
import re
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .ports import Ledger
from .proxy import Proxy
from .sink import Line, Sink, coarse_message
from .wire import Behaviour, End, Origin, Stuck, dial, dial_unix, greets

LOG_FORMAT = (
    "ts=%ts Th=%Th Tw=%Tw Tc=%Tc Tt=%Tt B=%B U=%U f=%f b=%b s=%s rc=%rc"
    " ac=%ac fc=%fc bc=%bc sc=%sc sq=%sq bq=%bq"
)
PREAMBLE = f"""
global
  nbthread 1
  stats socket <stats> level admin
  log <log> local0
defaults
  mode tcp
  log global
  timeout connect 3s
  timeout client 6s
  timeout server 6s
  log-format "{LOG_FORMAT}"
"""
_PLACE = re.compile(r"<([a-z][a-z0-9_]*)>")

Origins = dict[str, Behaviour | None]
Traffic = Callable[["Lab"], Any]


class Lab:
    """What a traffic function sees.  Names in angle brackets in the configuration become real:

    `<log>` the sink's address, `<stats>` a unix socket, `<NAME>` an origin's address, `<NAME_port>` its port,
    `<closed>` an address that refuses, `<stuck>` one that never answers, `<dir>` a directory,
    `<NAME_address>` a listener's address, `<NAME_next>` the port above it, `<NAME_fd>` the number of a
    socket that listens already, `<left>` and `<right>` the numbers of a socketpair(2), and every other
    name a port to listen on.
    """

    def __init__(self, program: str, folder: Path, config: str, origins: Origins) -> None:
        self.folder = folder
        self.folder.mkdir()
        self._ledger = Ledger()
        self._ends: list[End] = []
        self._closers: list[Any] = []
        self._labels: dict[int, str] = {}
        self.inherited: dict[str, socket.socket] = {}
        self.ports: dict[str, int] = {}
        self.log = Sink()
        self._label(self.log.port, "log")
        self.stats_path = str(folder / "stats.sock")
        self.origins: dict[str, Origin] = {}
        for name, behaviour in origins.items():
            self.origins[name] = Origin(name, behaviour)
            self._label(self.origins[name].port, name)
        self.config = _PLACE.sub(lambda found: self._place(found[1]), config)
        self.path = folder / "proxy.cfg"
        self.path.write_text(self.config)
        listens = [port for name, port in self.ports.items() if name not in ("closed", "spare")]
        self.proxy = self._start(program, listens, "<stats>" in config)

    def _start(self, program: str, ports: list[int], stats: bool) -> Proxy:
        try:
            fds = [each.fileno() for each in self.inherited.values()]
            return Proxy(program, self.path, ports, [self.stats_path] if stats else [], fds)
        except BaseException:
            self._release()
            raise

    def _place(self, name: str) -> str:
        if name == "log":
            return f"127.0.0.1:{self.log.port}"
        if name == "stats":
            return self.stats_path
        if name == "dir":
            return str(self.folder)
        if name in self.origins:
            return f"127.0.0.1:{self.origins[name].port}"
        if name == "stuck":
            return f"127.0.0.1:{self._stuck_port()}"
        if name.endswith("_fd"):
            return str(self._inherit(name.removesuffix("_fd")))
        if name.endswith("_next"):
            return str(int(self._place(name.removesuffix("_next"))) + 1)
        if name in ("left", "right"):
            return str(self._pair(name))
        if name.endswith("_address"):
            return f"127.0.0.1:{self._place(name.removesuffix('_address'))}"
        if name.endswith("_port") and name.removesuffix("_port") in self.origins:
            return str(self.origins[name.removesuffix("_port")].port)
        if name not in self.ports:
            self.ports[name] = self._ledger.take()
            self._label(self.ports[name], name)
        return f"127.0.0.1:{self.ports[name]}" if name == "closed" else str(self.ports[name])

    def _inherit(self, name: str) -> int:
        if name not in self.inherited:
            listener = socket.create_server(("127.0.0.1", int(self._place(name))))
            self.inherited[name] = listener
            self._closers.append(listener)
        return self.inherited[name].fileno()

    def _pair(self, name: str) -> int:
        if name not in self.inherited:
            ends = socket.socketpair()
            self.inherited.update(zip(("left", "right"), ends, strict=True))
            self._closers += ends
        return self.inherited[name].fileno()

    def _stuck_port(self) -> int:
        stuck = Stuck()
        self._closers.append(stuck)
        self._label(stuck.port, "stuck")
        return int(stuck.port)

    def _label(self, port: int, label: str) -> None:
        self._labels[port] = label

    def connect(self, name: str = "front", source: str | None = None, host: str = "127.0.0.1") -> End:
        """A client's connection to the listener `name`."""
        end = dial((host, self.ports[name]), source)
        self._ends.append(end)
        self._label(end.port, "client")
        return end

    def connect_unix(self, path: str) -> End:
        end = dial_unix(path)
        self._ends.append(end)
        return end

    def ask(self, data: bytes = b"", source: str | None = None, name: str = "front") -> bytes:
        """Connects, sends `data` and a FIN, and gives what the other side said until it finished."""
        end = self.connect(name, source)
        end.try_send(data)
        end.finish()
        answer = end.read_end()[0]
        end.close()
        return answer

    def greeting(self, source: str | None = None, name: str = "front") -> str:
        """Which origin greets a client; the client finishes only then, so that its FIN cannot race."""
        end = self.connect(name, source)
        heard = b""
        while not heard.endswith(b"\n") and (byte := end.read(1)):
            heard += byte
        end.finish()
        end.read_end()
        end.close()
        return heard.decode().strip()

    def names(self, count: int, source: str | None = None, name: str = "front") -> list[str]:
        """Who greeted `count` connections, one after the other."""
        return [self.greeting(source, name) for _ in range(count)]

    def origin(self, name: str = "a") -> Origin:
        return self.origins[name]

    def command(self, line: str) -> str:
        return self.proxy.command(self.stats_path, line)

    def sink(self, path: str) -> Sink:
        sink = Sink(path)
        self._closers.append(sink)
        return sink

    def mask(self, text: str) -> str:
        """The text with every port of this lab replaced by its name."""
        text = text.replace(str(self.folder), "<dir>")
        return re.sub(r"\b\d{4,5}\b", lambda found: self._masked(found[0]), text)

    def _masked(self, number: str) -> str:
        label = self._labels.get(int(number))
        return f"<{label}>" if label else number

    def close(self) -> tuple[int, list[Line]]:
        """Stops the proxy; its exit status and all that it logged.

        Sessions that the case left open are closed by their clients first, then by their origins.
        """
        for end in self._ends:
            end.close()
        for origin in self.origins.values():
            origin.hang_up()
        try:
            status = self.proxy.stop()
        finally:
            self._release()
        return status, self.log.lines()

    def _release(self) -> None:
        for end in self._ends:
            end.close()
        for origin in self.origins.values():
            origin.close()
        self.log.close()
        for closer in self._closers:
            closer.close()
        self._ledger.close()


@dataclass
class Seen:
    """What one proxy let us see.  Only `compared` has to be equal."""

    value: Any
    logs: list[Line]
    status: int
    compared: dict[str, Any] = field(default_factory=dict)

    @property
    def log(self) -> Line:
        assert len(self.logs) == 1, [line.raw for line in self.logs]
        return self.logs[0]

    @property
    def states(self) -> list[str]:
        return [line.ts for line in self.logs]


def observe(
    program: str,
    folder: Path,
    config: str,
    traffic: Traffic,
    origins: Origins | None = None,
    preamble: str = PREAMBLE,
    normal: Callable[[Line], str] = coarse_message,
    ordered: bool = True,
    logged: bool = True,
    begin: Callable[[], object] = int,
) -> Seen:
    """Runs the traffic through one proxy, once it runs and `begin` has returned.

    `normal` makes a log line comparable; without `ordered` the lines' order does not count, and without
    `logged` the lines do not.
    """
    lab = Lab(program, folder, preamble + config, {"a": greets} if origins is None else origins)
    try:
        begin()
        returned = traffic(lab)
    except BaseException as error:
        lab.close()
        lines_so_far = "\n".join(line.raw for line in lab.log.everything())
        error.add_note(f"with {program}\n{lab.config}\nstderr:\n{lab.proxy.stderr}\nlog:\n{lines_so_far}")
        raise
    status, logs = lab.close()
    seen = Seen(returned, logs, status)
    lines = [normal(Line(lab.mask(line.raw))) for line in logs]
    # pytest shows this for a failed case, and with -rP for every one.
    print(program, returned, *lines[:12], sep="\n  ")
    seen.compared = {"value": returned, "logs": lines if ordered else sorted(lines), "status": status}
    if not logged:
        del seen.compared["logs"]
    return seen


class Both:
    """Runs a case through both proxies, asserts that they agree, and returns what the reference did."""

    def __init__(self, reference: str, candidate: str, folder: Path) -> None:
        self.reference = reference
        self.candidate = candidate
        self._folder = folder
        self._runs = 0

    def __call__(self, config: str, traffic: Traffic, **options: Any) -> Seen:
        for _ in range(2):
            expected, got = self.apart(config, traffic, **options)
            if not differ_in_a_wait_only(expected.compared, got.compared):
                break
            # A loaded machine may have held one of the two up: what is real shows again.
        else:
            expected, got = self.apart(config, traffic, **options)
        assert_same(expected.compared, got.compared)
        return expected

    def apart(self, config: str, traffic: Traffic, **options: Any) -> tuple[Seen, Seen]:
        """Both runs without the comparison: for differences that are meant."""
        self._runs += 1
        # Both at once, because a case mostly waits; the traffic begins when the slower one has started.
        started = threading.Barrier(2)

        def run(program: str, name: str) -> Seen:
            folder = self._folder / f"{name}{self._runs}"
            try:
                return observe(program, folder, config, traffic, begin=started.wait, **options)
            except BaseException:
                started.abort()
                raise

        with ThreadPoolExecutor(2) as pool:
            expected = pool.submit(run, self.reference, "haproxy")
            got = pool.submit(run, self.candidate, "isthmus")
        if isinstance(expected.exception(), threading.BrokenBarrierError):
            got.result()
        return expected.result(), got.result()


def differ_in_a_wait_only(expected: Any, got: Any) -> bool:
    """Whether two observations are unequal, but equal if a wait is taken for none."""
    one, other = (re.sub(r"\b(0|wait)\b", "N", repr(seen)) for seen in (expected, got))
    return expected != got and one == other


def assert_same(expected: Any, got: Any) -> None:
    """Equality, with a diff for people."""
    if expected == got:
        return
    diff = difflib.unified_diff(
        pprint.pformat(expected, width=100).splitlines(),
        pprint.pformat(got, width=100).splitlines(),
        "haproxy",
        "isthmus",
        lineterm="",
        n=6,
    )
    raise AssertionError("the proxies differ:\n" + "\n".join(diff))
