"""An explanation as text: hops one below the other, each line with its verdict and place."""

from __future__ import annotations

from collections.abc import Iterator

from isthmus.explaining.report import BackendFound, Hop, ServerFound, Step, Unknown

_WORDS = {True: "true", False: "false", None: "unknown"}


def text(found: Hop | Unknown) -> str:
    """Write an explanation."""
    lines = _unknown(found) if isinstance(found, Unknown) else _hop(found)
    return "\n".join(lines) + "\n"


def _unknown(found: Unknown) -> Iterator[str]:
    for need in found.needs:
        yield f"unknown: needs {need}"
    for bind in found.binds:
        yield f"  {bind}"


def _hop(hop: Hop) -> Iterator[str]:
    namespace = f" in namespace {hop.namespace}" if hop.namespace else ""
    yield f"bind {hop.bind}{namespace} of frontend {hop.frontend}, mode {hop.mode} ({hop.origin})"
    yield f"  client: {hop.client}"
    if hop.certificate is not None:
        files = " or ".join(hop.certificate.files) or "none"
        yield f"  certificate: {files} ({_FOUND[hop.certificate.found]})"
        if hop.protocol:
            yield f"  protocol: {hop.protocol}"
    yield from _indented(_steps(hop.steps), 2)
    yield from (f"  note: {note}" for note in hop.notes)
    yield from (f"  perhaps {each}" for each in hop.possible)
    if hop.answer is not None:
        yield f"  -> {hop.answer}"
    for backend in hop.backends:
        yield from _indented(_backend(backend), 2)


_FOUND = {
    "named": "it has the name",
    "default": "no certificate has the name: the default",
    "made": "made for the name",
    "refused": "no certificate has the name, and strict-sni is set",
}


def _steps(steps: list[Step]) -> Iterator[str]:
    wide = max((len(step.origin) for step in steps), default=0)
    for step in steps:
        does = f"  -> {step.does}" if step.does and step.holds is not False else ""
        yield f"{step.origin:<{wide}}  {_WORDS[step.holds]:<7}  {step.text}{does}"
        for need in step.needs:
            yield f"{'':<{wide}}  {'':<7}    needs {need}"


def _backend(found: BackendFound) -> Iterator[str]:
    sure = "" if found.sure else "perhaps "
    yield f"{sure}backend {found.name} ({found.chosen_by})"
    yield from _indented(_steps(found.steps), 2)
    yield from (f"  note: {note}" for note in found.notes)
    yield from (f"  perhaps {each}" for each in found.possible)
    if found.answer is not None:
        yield f"  -> {found.answer}"
    if found.choice:
        yield f"  {found.choice}:"
    for server in found.servers:
        yield from _indented(_server(server), 2)


def _server(found: ServerFound) -> Iterator[str]:
    said = [f"server {found.name} {found.address}"]
    if found.proxy_header:
        said.append(f"PROXY v{found.proxy_header}")
    if found.tls:
        said.append(f"TLS, SNI {found.sni}" if found.sni else "TLS")
    yield f"{', '.join(said)} ({found.origin})"
    yield from (f"  note: {note}" for note in found.notes)
    if found.next is not None:
        yield from _indented(_hop(found.next), 2)


def _indented(lines: Iterator[str], by: int) -> Iterator[str]:
    return (" " * by + line for line in lines)
