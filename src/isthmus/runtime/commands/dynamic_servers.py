"""Servers that come and go while the program runs: `add server`, `del server`."""

from __future__ import annotations

from errno import EPERM

from isthmus.config import Diagnostics
from isthmus.engine import vocabulary
from isthmus.engine.command import AdminState, SetServerAdmin
from isthmus.engine.served import BackendFacts, ServerFacts
from isthmus.keywords.added_server import added_server
from isthmus.keywords.row import RefusedError
from isthmus.keywords.system import System
from isthmus.keywords.tls_files import SYSTEM_FILES
from isthmus.keywords.vocabulary import Vocabulary
from isthmus.model.server import Server
from isthmus.plan import Built, document
from isthmus.plan.changing import PointedToError, backend_index, with_server, without_server
from isthmus.records import replace
from isthmus.runtime.commands.messages import lines
from isthmus.runtime.instance import BriefCommandError, CommandError, Instance
from isthmus.runtime.level import Level
from isthmus.runtime.registry import Request, command


class Settled(System):
    """The machine as commands see it: no file is read any more, but for the system's authorities."""

    def read_bytes(self, path: str) -> bytes:
        """Return what a file of the system's authorities holds."""
        if path in SYSTEM_FILES:
            return super().read_bytes(path)
        raise OSError(EPERM, "at run time files are those that lines name, and those of `new ssl ...`")

    def list_folder(self, path: str) -> tuple[str, ...] | None:
        """Find no folder."""
        return None


_MAINTENANCE = 1 | 2 | 4
"""Bits of `srv_admin_state`."""


@command("add server", "create a new server", syntax="<bk>/<srv>", level=Level.ADMIN)
def add_server(request: Request) -> str:
    """Add a server to a backend, in maintenance, with the options that stand behind its address."""
    backend, name = _names(request)
    instance = request.instance
    built = instance.running.built
    at = backend_index(built.engine, backend)
    if at is None:
        raise BriefCommandError("No such backend.")
    if _static(built.engine.backends[at].algorithm):
        raise BriefCommandError("Backend must use a dynamic load balancing to support dynamic servers.")
    words = request.arguments[1:]
    if not words:
        raise CommandError("'server' expects <name> and <addr>[:<port>] as arguments.")
    diagnostics = Diagnostics()
    reading = instance.certificates.reading(built.configuration.bases, Settled())
    reading = replace(reading, vocabulary=Vocabulary.read(vocabulary()), diagnostics=diagnostics)
    http = built.engine.backends[at].http is not None
    try:
        server, state_said = added_server(name, words, reading, http)
    except RefusedError as refusal:
        refusal.report(diagnostics)
    if diagnostics.failed:
        raise CommandError("\n".join(lines(diagnostics)))
    _refuse_taken(built, at, server)
    changed = with_server(built, at, server, System(), diagnostics)
    if diagnostics.failed:
        raise CommandError("\n".join(lines(diagnostics)))
    _put_in_force(instance, changed)
    if server.settings.disabled:
        instance.checker.set_maintenance(backend, name, paused=True)
        if not state_said:
            # The operator's maintenance, not that of a `disabled` on its line.
            instance.engine.command(SetServerAdmin(backend, name, AdminState.MAINT))
    instance.running.told(f"'server {backend}/{name}' : New server registered.")
    return "".join(f"{line}\n" for line in lines(diagnostics)) + "New server registered.\n"


@command("del server", "remove a dynamically added server", syntax="<bk>/<srv>", level=Level.ADMIN)
def del_server(request: Request) -> str:
    """Take a server out of its backend: one in maintenance that has no session and that nothing names."""
    _names(request)
    instance = request.instance
    try:
        backend, server = instance.server(request.argument(0))
    except CommandError as error:
        raise BriefCommandError(str(error)) from None
    try:
        changed = _without(instance.running.built, backend, server)
    except PointedToError:
        raise BriefCommandError(
            "This server cannot be removed at runtime due to other configuration elements pointing to it."
        ) from None
    _refuse_in_use(backend, server)
    _put_in_force(instance, changed)
    instance.running.told("Server deleted.")
    return "Server deleted."


def _names(request: Request) -> tuple[str, str]:
    backend, _, server = request.argument(0).partition("/")
    if not backend or not server:
        raise BriefCommandError("Require 'backend/server'.")
    return backend, server


def _static(algorithm: document.Algorithm) -> bool:
    """Whether an algorithm lays out a map of the servers at start."""
    match algorithm:
        case document.StaticRr():
            return True
        case document.Source(hash=hashed) | document.HashOf(hash=hashed):
            return hashed.kind is document.HashKind.MAP_BASED
    return False


def _without(built: Built, backend: BackendFacts, server: ServerFacts) -> Built:
    at = backend_index(built.engine, backend.name)
    if at is None:
        raise BriefCommandError("No such backend.")
    return without_server(built, at, server.name)


def _refuse_taken(built: Built, at: int, server: Server) -> None:
    backend, known = built.engine.backends[at].name, built.engine.backends[at].servers
    if any(each.name == server.name for each in known):
        raise CommandError("Already exists a server with the same name in backend.")
    number = server.settings.id
    for each in known:
        if each.id == number:
            raise CommandError(f"id {number} is already used by server `{each.name}` at {each.origin}")
    track = server.settings.track
    if track is not None and ((track[0] or backend), track[1]) in built.added:
        tracked = f"{track[0] or backend}/{track[1]}"
        raise CommandError(f"unable to use {tracked} for tracking as it is a dynamic server.")


def _refuse_in_use(backend: BackendFacts, server: ServerFacts) -> None:
    if not server.admin_state & _MAINTENANCE:
        raise BriefCommandError("Only servers in maintenance mode can be deleted.")
    if server.counters.scur or server.counters.qcur:
        raise BriefCommandError("Server still has connections attached to it, cannot remove it.")


def _put_in_force(instance: Instance, changed: Built) -> None:
    """Put a changed configuration in force. Raises CommandError where it cannot be."""
    try:
        report = instance.running.reload(changed)
    except ValueError as error:
        raise CommandError(str(error)) from None
    if report.errors:
        raise CommandError("\n".join(message for _, message in report.errors))
