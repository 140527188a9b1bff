"""A stand-in for the native module: remembers what it is asked, opens real listeners, moves no bytes."""

from __future__ import annotations

import queue
import socket
import sys
import types
from pathlib import Path

import msgspec

from isthmus.engine.caches import CacheFacts
from isthmus.engine.report import ApplyReport, FrontendFacts, ListenerFacts, ProcessFacts, Snapshot, Stopped
from isthmus.engine.served import BackendFacts, ServerFacts
from isthmus.plan import document

MAP = (
    b'{"id": 3, "name": "a.map", "description": "", "two_columns": true, "acl": false,'
    b' "current": 0, "next": 0, "entries": 0}'
)


class FakeNative:
    """What `isthmus.engine._native.Engine` offers."""

    def __init__(self, threads: int = 1) -> None:
        self.threads = threads
        self.plan: document.Plan | None = None
        self.commands: list[dict[str, object]] = []
        self.listeners: dict[tuple[str, int], socket.socket] = {}
        self.queue: queue.Queue[bytes] = queue.Queue()
        self.facts = Snapshot()
        self.cached: list[CacheFacts] = []

    def renew(self, plan: bytes) -> bytes:
        self.plan = msgspec.json.decode(plan, type=document.Plan)
        return msgspec.json.encode(ApplyReport(self.facts.process.generation, (), ()))

    def apply(self, plan: bytes, files: dict[str, bytes] | None = None) -> bytes:
        found = msgspec.json.decode(plan, type=document.Plan)
        errors: list[tuple[str, str]] = []
        opened: list[tuple[str, str, str]] = []
        for frontend in found.frontends:
            for bind in frontend.binds:
                assert isinstance(bind.address, document.Inet)
                place = (bind.address.ip, bind.address.port)
                listener = socket.socket()
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    listener.bind(place)
                    listener.listen()
                except OSError as error:
                    errors.append((bind.origin, str(error.strerror)))
                    continue
                self.listeners[place] = listener
                opened.append((frontend.name, bind.origin, f"{place[0]}:{place[1]}"))
        self.plan = found
        self.facts = facts(found, self.threads)
        return msgspec.json.encode(ApplyReport(1, tuple(opened), tuple(errors)))

    def command(self, command: bytes) -> None:
        found = msgspec.json.decode(command)
        self.commands.append(found)
        if found["kind"] in ("set_server_admin", "set_server_health", "set_server_weight"):
            self._change(found)

    def _change(self, said: dict[str, object]) -> None:
        for backend in self.facts.backends:
            for server in backend.servers:
                if (backend.name, server.name) == (said["backend"], said["server"]):
                    self.facts = _changed(self.facts, backend, server, said)
                    return
        raise LookupError("No such server.")

    def lists(self, request: bytes) -> bytes:
        self.commands.append(msgspec.json.decode(request))
        if b'"lists"' in request:
            return b'{"kind": "lists", "lists": [' + MAP + b"]}"
        return b'{"kind": "done"}'

    def variable(self, name: str) -> bytes:
        name.encode()  # the engine takes text in UTF-8 only
        return b'["sint", "3"]' if name == "proc.known" else b"null"

    def snapshot(self) -> bytes:
        return msgspec.json.encode(self.facts)

    def sessions(self) -> bytes:
        return b"[]"

    def caches(self) -> bytes:
        return msgspec.json.encode(self.cached)

    def events(self, timeout_ms: int) -> bytes:
        try:
            return self.queue.get(timeout=timeout_ms / 1000)
        except queue.Empty:
            return b"[]"

    def socket(self, namespace: str, family: int, kind: int) -> int:
        made = socket.socket(family, kind)
        made.setblocking(False)
        return made.detach()

    def stop(self, graceful: bool) -> None:
        for listener in self.listeners.values():
            listener.close()
        self.queue.put(msgspec.json.encode([Stopped()]))


def _changed(
    facts: Snapshot, backend: BackendFacts, server: ServerFacts, said: dict[str, object]
) -> Snapshot:
    replace = msgspec.structs.replace
    match said["kind"]:
        case "set_server_weight":
            new = replace(server, weight=said["weight"], user_weight=said["weight"])
        case "set_server_health":
            up = bool(said["up"])
            new = replace(
                server, status="UP" if up else "DOWN", op_state=2 if up else 0, reason=str(said["reason"])
            )
        case _:
            admin = {"ready": 0, "drain": 8, "maint": 1}[str(said["state"])]
            status = {"ready": "UP", "drain": "DRAIN", "maint": "MAINT"}[str(said["state"])]
            new = replace(server, admin_state=admin, status=status, op_state=0 if admin == 1 else 2)
    servers = tuple(new if each is server else each for each in backend.servers)
    usable = [each for each in servers if each.op_state and not each.admin_state]
    changed = replace(
        backend,
        servers=servers,
        active=sum(not each.backup for each in usable),
        backup=sum(each.backup for each in usable),
        status="UP" if usable else "DOWN",
    )
    return replace(facts, backends=tuple(changed if each is backend else each for each in facts.backends))


def facts(plan: document.Plan, threads: int) -> Snapshot:
    """Return what an engine that just applied a plan would tell."""
    return Snapshot(
        process=ProcessFacts(generation=1, nbthread=threads, maxconn=plan.global_.maxconn),
        frontends=tuple(
            FrontendFacts(
                name=each.name,
                id=each.id,
                status="OPEN",
                maxconn=each.maxconn,
                listeners=tuple(
                    ListenerFacts(
                        name=bind.name or "sock-1", id=bind.id, status="OPEN", address="127.0.0.1:1"
                    )
                    for bind in each.binds
                ),
            )
            for each in plan.frontends
        ),
        backends=tuple(
            BackendFacts(
                name=each.name,
                id=each.id,
                status="UP",
                algorithm="roundrobin",
                active=sum(not server.backup for server in each.servers),
                backup=sum(server.backup for server in each.servers),
                servers=tuple(_server(server) for server in each.servers),
            )
            for each in plan.backends
        ),
    )


def _server(server: document.Server) -> ServerFacts:
    assert isinstance(server.address, document.ServerInet)
    assert isinstance(server.address.port, document.FixedPort)
    return ServerFacts(
        name=server.name,
        id=server.id,
        status="UP" if server.checked else "no check",
        address=f"{server.address.ip}:{server.address.port.port}",
        weight=server.weight,
        user_weight=server.weight,
        initial_weight=server.weight,
        backup=server.backup,
        checked=server.checked,
        op_state=2,
    )


VOCABULARY = b'{"fetches": [], "converters": [], "aliases": []}'


class FakeExplainer:
    """What compiles a plan: it refuses those in which a backend is named `unheard-of`."""

    def __init__(self, plan: bytes, files: dict[str, bytes]) -> None:
        self.files = files
        for backend in msgspec.json.decode(plan, type=document.Plan).backends:
            if backend.name == "unheard-of":
                raise ValueError("x.cfg:7: of that nobody has heard: ever")


def module() -> types.ModuleType:
    """Return a module that offers what the native one does."""
    made = types.ModuleType("isthmus.engine._native")
    made.Engine = FakeNative  # type: ignore[attr-defined]
    made.Explainer = FakeExplainer  # type: ignore[attr-defined]
    made.vocabulary = lambda: VOCABULARY  # type: ignore[attr-defined]
    return made


def install() -> None:
    """Put the stand-in where the native module would be, for the rest of this process."""
    sys.modules["isthmus.engine._native"] = module()


COMMAND = (
    sys.executable,
    "-c",
    f"import sys; sys.path[:0] = [{str(Path(__file__).parent)!r}]\n"
    "import fake_native; fake_native.install()\n"
    "from isthmus.cli import main; sys.exit(main())",
)
"""The command line of `isthmus` on the stand-in, for tests in another process."""
