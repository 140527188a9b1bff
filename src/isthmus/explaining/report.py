"""What an explanation says; `--json` prints it as it is."""

from __future__ import annotations

from msgspec import Struct, field


class Step(Struct):
    """A line that was looked at.

    `holds` is None where it depends on `needs`; `acls` are what its condition's ACLs say. `does` tells
    what follows if the line is taken.
    """

    origin: str
    text: str
    holds: bool | None
    acls: list[tuple[str, bool | None]] = field(default_factory=list)
    needs: list[str] = field(default_factory=list)
    does: str = ""


class Certificate(Struct):
    """The certificates of which a client is shown one. `found`: named, default, made or refused."""

    found: str
    files: list[str]


class ServerFound(Struct):
    """A server to which the connection may go, and the bind of this configuration behind it."""

    name: str
    address: str
    origin: str
    proxy_header: int = 0
    tls: bool = False
    sni: str | None = None
    notes: list[str] = field(default_factory=list)
    next: Hop | None = None


class BackendFound(Struct):
    """A backend that is chosen: for sure, or if `unless` are not (lines whose verdict is not known).

    `answer` is what its rules answer instead of a server. `choice` tells how one of several servers is
    chosen.
    """

    name: str
    sure: bool
    chosen_by: str
    steps: list[Step] = field(default_factory=list)
    possible: list[str] = field(default_factory=list)
    answer: str | None = None
    choice: str = ""
    servers: list[ServerFound] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class Hop(Struct):
    """A bind and its frontend, and what becomes of the connection there.

    `answer` is how it ends here, `possible` how it may end, and because of which lines.
    """

    frontend: str
    mode: str
    bind: str
    origin: str
    namespace: str | None
    client: str
    certificate: Certificate | None = None
    protocol: str | None = None
    steps: list[Step] = field(default_factory=list)
    answer: str | None = None
    possible: list[str] = field(default_factory=list)
    backends: list[BackendFound] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


class Unknown(Struct):
    """Nothing can be told without `needs`; `binds` are those among which it would decide."""

    needs: list[str]
    binds: list[str]
