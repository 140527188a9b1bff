"""`show namespaces`: the network namespaces that the configuration names, and how they stand."""

from __future__ import annotations

from isthmus.engine.report import NamespaceFacts
from isthmus.runtime.registry import Request, command

_COLUMNS = "name path state optional listed inode reentered sockets ready listeners sessions error"


@command("show namespaces", "list the network namespaces that the configuration names")
def show_namespaces(request: Request) -> str:
    """Return a line for each namespace; `-` stands for nothing."""
    facts = request.instance.engine.snapshot().namespaces
    return f"# {_COLUMNS}\n" + "".join(_line(each) for each in facts)


def _line(each: NamespaceFacts) -> str:
    flags = ("yes" if each.optional else "no", "yes" if each.listed else "no")
    counts = (
        each.inode,
        each.reentered,
        each.sockets_created,
        each.sockets_ready,
        each.listeners,
        each.sessions,
    )
    state = "present" if each.present else "absent"
    error = each.error.replace(" ", "_") or "-"
    return " ".join([each.name, each.path, state, *flags, *map(str, counts), error]) + "\n"
