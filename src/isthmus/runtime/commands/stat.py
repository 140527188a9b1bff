"""`show stat`: the counters of every proxy and server, as CSV, typed, or JSON."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from isthmus.engine.report import FrontendFacts, ListenerFacts, Snapshot
from isthmus.engine.served import BackendFacts, ServerFacts
from isthmus.plan.built import Owner
from isthmus.records import dataclass
from isthmus.runtime.fields import Value, csv, described, typed
from isthmus.runtime.instance import CommandError, Instance
from isthmus.runtime.registry import Request, command
from isthmus.runtime.stat_columns import COLUMNS, HEADER
from isthmus.runtime.stat_rows import backend_row, frontend_row, listener_row, server_row

_FRONTEND, _BACKEND, _SERVER, _LISTENER = 1, 2, 4, 8
_WORDS = ("desc", "json", "no-maint", "typed", "up")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the statistics: what it is about, by a letter and numbers, and its values."""

    letter: str
    proxy: int
    number: int
    values: dict[str, Value]

    @property
    def owner(self) -> Owner:
        """What the line is about, as guids are kept by."""
        name = {"L": str(self.number), "S": str(self.values["svname"])}.get(self.letter, "")
        return self.letter, str(self.values["pxname"]), name


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which lines are asked for: `[{<iid>|<proxy>} <type> <sid>]`, `up`, `no-maint`."""

    proxy: str = ""
    kinds: int = -1
    server: int = -1
    up: bool = False
    no_maint: bool = False

    def proxy_wanted(self, name: str, number: int) -> bool:
        """Whether a proxy's lines are asked for."""
        return self.proxy in ("", "-1", name, str(number))

    def kind_wanted(self, kind: int) -> bool:
        """Whether lines of a kind are asked for."""
        return bool(self.kinds & kind)


@command(
    "show stat",
    "report counters for each proxy and server",
    syntax="[desc|json|no-maint|typed|up]*",
)
def show_stat(request: Request) -> str:
    """Return the statistics that the arguments ask for, in the form that they ask for."""
    snapshot = request.instance.engine.snapshot()
    wanted = _wanted(request.arguments, snapshot)
    rows = _rows(snapshot, wanted, request.instance)
    if "json" in request.arguments:
        return msgspec.json.encode([_json(row) for row in rows]).decode() + "\n"
    if "typed" in request.arguments:
        return "".join(typed(COLUMNS, row.values, f"{row.letter}.{row.proxy}.{row.number}.") for row in rows)
    return HEADER + "".join(_line(row) for row in rows)


def _wanted(arguments: tuple[str, ...], snapshot: Snapshot) -> Wanted:
    """Read the arguments. Raises CommandError for a proxy that does not exist."""
    place = [each for each in arguments if each not in _WORDS]
    wanted = Wanted(up="up" in arguments, no_maint="no-maint" in arguments)
    if len(place) < 3:
        return wanted
    proxy = place[0]
    names = {each.name for each in snapshot.frontends} | {each.name for each in snapshot.backends}
    if _number(proxy) is None and proxy not in names:
        raise CommandError("No such proxy.")
    return Wanted(proxy, _number(place[1]) or 0, _number(place[2]) or 0, wanted.up, wanted.no_maint)


def _number(text: str) -> int | None:
    digits = text.removeprefix("-")
    return int(text) if digits.isascii() and digits.isdecimal() and len(digits) < 10 else None


def _rows(snapshot: Snapshot, wanted: Wanted, instance: Instance) -> Iterator[Row]:
    """Return the lines in HAProxy's order: by proxy, and within a `listen` from front to back."""
    fronts = {each.id: each for each in snapshot.frontends}
    backs = {each.id: each for each in snapshot.backends}
    guids = instance.running.built.guids
    by_socket = {
        each.name
        for each in instance.running.built.configuration.proxies
        if each.is_frontend and each.settings.options.socket_stats
    }
    for number in sorted({*fronts, *backs}):
        front, back = fronts.get(number), backs.get(number)
        found: list[Row] = []
        if front is not None and wanted.proxy_wanted(front.name, number):
            found += _front(front, wanted, snapshot.process.maxconn, by_socket)
        if back is not None and wanted.proxy_wanted(back.name, number):
            found += _back(back, wanted, instance)
        for row in found:
            row.values["guid"] = guids.get(row.owner)
        yield from found


def _front(front: FrontendFacts, wanted: Wanted, maxconn: int, by_socket: set[str]) -> Iterator[Row]:
    if wanted.kind_wanted(_FRONTEND) and wanted.server in (-1, 0):
        yield Row("F", front.id, 0, frontend_row(front, maxconn))
    # As in HAProxy, a line of its own needs `option socket-stats`, save for those who ask for listeners.
    if wanted.kind_wanted(_LISTENER) and (wanted.kinds != -1 or front.name in by_socket):
        for listener in front.listeners:
            if wanted.server in (-1, listener.id):
                yield _listener(front, listener)


def _listener(front: FrontendFacts, listener: ListenerFacts) -> Row:
    return Row("L", front.id, listener.id, listener_row(front, listener))


def _back(back: BackendFacts, wanted: Wanted, instance: Instance) -> Iterator[Row]:
    if wanted.kind_wanted(_SERVER):
        for server in back.servers:
            if wanted.server in (-1, server.id) and _state_wanted(server, wanted):
                checked = instance.checker.find(back.name, server.name)
                yield Row("S", back.id, server.id, server_row(back, server, checked))
    if wanted.kind_wanted(_BACKEND) and wanted.server in (-1, 0) and not (wanted.up and back.status != "UP"):
        yield Row("B", back.id, 0, backend_row(back, instance.fullconn.get(back.name)))


def _state_wanted(server: ServerFacts, wanted: Wanted) -> bool:
    in_maintenance = bool(server.admin_state & 7)
    return not (wanted.up and server.op_state == 0) and not (wanted.no_maint and in_maintenance)


def _line(row: Row) -> str:
    cells = ("-" if each.name == "-" else csv(row.values.get(each.name)) for each in COLUMNS)
    return ",".join(cells) + ",\n"


def _json(row: Row) -> list[dict[str, object]]:
    kind = {"F": "Frontend", "B": "Backend", "S": "Server", "L": "Listener"}[row.letter]
    return described(COLUMNS, row.values, {"objType": kind, "proxyId": row.proxy, "id": row.number})
