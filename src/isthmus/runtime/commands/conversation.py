"""Commands about the connection itself: help, prompt, quit, levels, timeout."""

from __future__ import annotations

from isthmus.config.values import BadValueError, TimeUnit, parse_time
from isthmus.runtime.instance import CommandError
from isthmus.runtime.level import Level
from isthmus.runtime.mode import Mode
from isthmus.runtime.registry import Request, command, help_text


@command("help", "list matching or all commands", syntax="[<command>]", of_process=True)
def show_help(request: Request) -> str:
    """Return the commands that the connection may use."""
    return help_text(request.arguments, request.session.level)


@command(
    "prompt",
    "toggle interactive mode with prompt",
    syntax="[help | n | i | p | timed]*",
    of_process=True,
)
def prompt(request: Request) -> str:
    """Change what happens behind the commands of a line; without argument, between prompt and closing."""
    session = request.session
    if not request.arguments:
        session.mode = Mode.CLOSING if session.mode is Mode.PROMPT else Mode.PROMPT
        return ""
    for word in request.arguments:
        if word in ("n", "i", "p"):
            session.mode = Mode(word)
        elif word == "timed":
            session.timed = not session.timed
        else:
            return "Usage: prompt [help | n | i | p | timed]*\n"
    return ""


@command("quit", "disconnect", of_process=True)
def quit_session(request: Request) -> str:
    """End the connection."""
    request.session.quitting = True
    return ""


@command("echo", "print a text", syntax="[text]*", of_process=True)
def echo(request: Request) -> str:
    """Return the words, one blank between two."""
    return " ".join(request.arguments) + "\n"


def _mode(name: str, about: str) -> None:
    """Register a mode of the connection: scripts enter it before commands of HAProxy that ask for it."""

    def change(request: Request) -> str:
        word = request.argument(0)
        modes = request.session.modes
        if word == "on":
            modes.add(name)
        elif word == "off":
            modes.discard(name)
        elif not word:
            return f"{name} is {'ON' if name in modes else 'OFF'}\n"
        return ""

    command(name, about, syntax="[on|off]", level=Level.ADMIN, of_process=True)(change)


_mode("expert-mode", "enter, leave or show the mode for commands that can do harm; there are none here")
_mode("experimental-mode", "enter, leave or show the mode for commands that may change")


@command(
    "operator",
    "lower the level of the current CLI session to operator",
    level=Level.OPERATOR,
    of_process=True,
)
def to_operator(request: Request) -> str:
    """Give up the level admin for this connection."""
    request.session.level = Level.OPERATOR
    return ""


@command("user", "lower the level of the current CLI session to user", of_process=True)
def to_user(request: Request) -> str:
    """Give up every level but user for this connection."""
    request.session.level = Level.USER
    return ""


@command("show cli level", "display the level of the current CLI session", of_process=True)
def show_level(request: Request) -> str:
    """Return the connection's level."""
    return request.session.level.name.lower() + "\n"


@command("show cli sockets", "dump list of cli sockets", of_process=True)
def show_sockets(request: Request) -> str:
    """Return where the runtime API listens."""
    lines = (f"{place} {level} all\n" for place, level in request.instance.sockets)
    return "# socket lvl processes\n" + "".join(lines)


@command("set timeout", "change a timeout setting", syntax="[cli] <delay>")
def set_timeout(request: Request) -> str:
    """Change after how much silence this connection ends. As HAProxy, the unit is seconds if none is said."""
    if request.argument(0) != "cli":
        raise CommandError("'set timeout' only supports 'cli'.")
    try:
        delay = parse_time(request.argument(1), TimeUnit.SECONDS)
    except BadValueError:
        raise CommandError("Invalid timeout value.") from None
    if delay.microseconds < TimeUnit.SECONDS.value:
        raise CommandError("Invalid timeout value.")
    request.session.timeout = delay.seconds
    return ""
