"""The sessions of this moment: `show sess`, and `shutdown`, which ends some."""

from __future__ import annotations

from isthmus.engine.command import ShutdownServerSessions, ShutdownSession
from isthmus.engine.report import SessionFacts
from isthmus.runtime.instance import CommandError
from isthmus.runtime.level import Level
from isthmus.runtime.registry import Request, command


@command(
    "show sess",
    "report the list of current sessions or dump this exact session",
    syntax="[<id>|all]",
    level=Level.OPERATOR,
)
def show_sess(request: Request) -> str:
    """Return a line for each session; with an id or `all`, everything that is known of it."""
    sessions = request.instance.engine.sessions()
    which = request.argument(0)
    if which == "all":
        return "".join(map(_whole, sessions))
    if not which.startswith("0x"):
        return "".join(map(_line, sessions))
    found = [each for each in sessions if f"0x{each.id:x}" == which.lower()]
    if not found:
        raise CommandError("Session not found.")
    return _whole(found[0])


@command("shutdown session", "kill a specific session", syntax="[id]", level=Level.ADMIN)
def shutdown_session(request: Request) -> str:
    """End the session of an id, as `show sess` shows it."""
    try:
        number = int(request.argument(0), 0)
    except ValueError:
        raise CommandError("Session pointer expected (use 'show sess').") from None
    engine = request.instance.engine
    if all(each.id != number for each in engine.sessions()):
        raise CommandError("No such session (use 'show sess').")
    engine.command(ShutdownSession(number))
    return ""


@command("shutdown sessions server", "kill sessions on a server", syntax="<bk>/<srv>", level=Level.ADMIN)
def shutdown_server_sessions(request: Request) -> str:
    """End all sessions that a server has."""
    backend, server = request.instance.server(request.argument(0))
    try:
        request.instance.engine.command(ShutdownServerSessions(backend.name, server.name))
    except LookupError as error:
        raise CommandError(str(error)) from None
    return ""


def _line(each: SessionFacts) -> str:
    expires = f"{each.expires_ms // 1000}s" if each.expires_ms >= 0 else ""
    return (
        f"0x{each.id:x}: proto={_protocol(each.src)} src={each.src} fe={each.frontend} be={each.backend} "
        f"srv={each.server} state={each.state} age={_age(each.age_ms)} idle={_age(each.idle_ms)} "
        f"netns={each.src_netns or '-'}>{each.dst_netns or '-'} in={each.bytes_in} out={each.bytes_out} "
        f"thr={each.thread} fd={each.fds[0]},{each.fds[1]} exp={expires}\n"
    )


def _whole(each: SessionFacts) -> str:
    expires = f"{each.expires_ms}ms" if each.expires_ms >= 0 else "<NEVER>"
    return (
        f"0x{each.id:x}: id={each.id} proto={_protocol(each.src)} source={each.src}\n"
        f"  state={each.state} age={_age(each.age_ms)} idle={_age(each.idle_ms)} exp={expires} "
        f"thr={each.thread}\n"
        f"  frontend={each.frontend} netns={each.src_netns or '-'} fd={each.fds[0]}\n"
        f"  backend={each.backend}\n"
        f"  server={each.server} netns={each.dst_netns or '-'} fd={each.fds[1]}\n"
        f"  bytes_in={each.bytes_in} bytes_out={each.bytes_out}\n"
    )


def _protocol(address: str) -> str:
    """Return the name of an address's protocol, as HAProxy's own `show sess` has it."""
    if address.startswith("unix:"):
        return "unix_stream"
    return "tcpv6" if address.count(":") > 1 else "tcpv4"


def _age(milliseconds: int) -> str:
    """Return a time in HAProxy's short form: the two largest units."""
    seconds = milliseconds // 1000
    if seconds < 60:
        return f"{seconds}s"
    if seconds < 3600:
        return f"{seconds // 60}m{seconds % 60:02}s"
    if seconds < 86400:
        return f"{seconds // 3600}h{seconds % 3600 // 60:02}m"
    return f"{seconds // 86400}d{seconds % 86400 // 3600}h"
