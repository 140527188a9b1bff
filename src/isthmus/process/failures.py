"""What the engine could not open, in HAProxy's words, with the line and the address."""

from __future__ import annotations

import re
from collections.abc import Iterator

from isthmus.engine import Explainer
from isthmus.engine.report import ApplyReport
from isthmus.plan import document
from isthmus.plan.built import Built

_NUMBER = re.compile(r" \(os error \d+\)\Z")
"""Rust puts the number behind the kernel's words, HAProxy does not."""

_ACL = re.compile(r" file '(.*)' line (\d+)\Z")
"""Of an ACL the engine knows what the runtime API tells about its list."""


def messages(report: ApplyReport, plan: document.Plan) -> Iterator[str]:
    """Return a line for each thing that failed when a plan was applied."""
    for origin, said in report.errors:
        reason = _NUMBER.sub("", said)
        binds = [(each, bind) for each in plan.frontends for bind in each.binds if bind.origin == origin]
        if not binds:
            yield f"[{origin}] : {reason}"
            continue
        frontend, bind = binds[0]
        # A line with several addresses does not tell which one failed.
        where = f" for [{_address(bind.address)}]" if len(binds) == 1 else ""
        yield f"Binding [{origin}] for frontend {frontend.name}: cannot bind socket ({reason}){where}"


def refusals(built: Built) -> tuple[str, ...]:
    """Return what the engine cannot compile of a plan, a line for each; nothing is opened for that."""
    try:
        Explainer(built.engine, built.texts)
    except ValueError as error:
        lines = (line.partition(": ") for line in str(error).splitlines())
        return tuple(f"[{_line(origin)}] : {reason}" if reason else origin for origin, _, reason in lines)
    return ()


def _line(origin: str) -> str:
    found = _ACL.search(origin)
    return f"{found[1]}:{found[2]}" if found else origin


def _address(address: document.Address) -> str:
    match address:
        case document.Inet(ip, port):
            return f"{ip}:{port}"
        case document.Unix(path):
            return path
        case document.Abstract(name):
            return f"abns@{name}"
        case document.Fd(number):
            return f"fd@{number}"
        case document.Sockpair(number):
            return f"sockpair@{number}"
