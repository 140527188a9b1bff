"""What commands may see and touch: the running process as the runtime API knows it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from isthmus.acme.keeping import Keeper
from isthmus.certificates.store import CertificateStore
from isthmus.engine import Engine, check_tls
from isthmus.engine.report import ApplyReport, FrontendFacts
from isthmus.engine.served import BackendFacts, ServerFacts
from isthmus.health.announcing import Announcer
from isthmus.health.checker import Checker
from isthmus.keywords.system import System
from isthmus.ocsp.updating import Updater
from isthmus.plan import Built, Runtime
from isthmus.resolve.section import Section


class Running(Protocol):
    """The configuration in force, which commands may replace."""

    @property
    def built(self) -> Built:
        """What runs."""
        ...

    def reload(self, built: Built) -> ApplyReport:
        """Put another one in force; where the report has errors, nothing was changed."""
        ...

    def renew(self, built: Built) -> ApplyReport:
        """Put other files of TLS in force; where the report has errors, nothing was changed."""
        ...

    def told(self, message: str) -> None:
        """Say on the console what an operator changed."""
        ...


class CommandError(Exception):
    """A command that could not be carried out, with the line that the operator gets."""


class BriefCommandError(CommandError):
    """The same for lines behind which HAProxy sends no empty one."""


@dataclass(slots=True)
class Instance:
    """The process, its engine and its checks.

    `sockets` are the addresses of the runtime API with their levels, `fullconn` the backends' limits
    by name, `host_names` the names that servers' lines give, `requests` counts its commands, `keeper` keeps
    the certificates that authorities issue, `updater` OCSP responses, `startup` is what was said when the
    process began, and `resolvers` gives the sections that ask name servers.
    """

    engine: Engine
    announcer: Announcer
    checker: Checker
    settings: Runtime
    running: Running
    environment: Mapping[str, str]
    sockets: tuple[tuple[str, str], ...] = ()
    fullconn: Mapping[str, int] = field(default_factory=dict)
    host_names: Mapping[tuple[str, str], str] = field(default_factory=dict)
    file_limit: int = 0
    requests: int = 0
    started: float = field(default_factory=time.time)
    pid: int = field(default_factory=os.getpid)
    certificates: CertificateStore = field(init=False)
    keeper: Keeper | None = None
    updater: Updater | None = None
    startup: str = ""
    resolvers: Callable[[], Mapping[str, Section]] = dict

    def __post_init__(self) -> None:
        self.certificates = CertificateStore(self.running, check_tls, System())

    def frontend(self, name: str) -> FrontendFacts:
        """Return a frontend by name, or by number behind a `#`. Raises CommandError in HAProxy's words."""
        if not name:
            raise CommandError("A frontend name is expected.")
        for frontend in self.engine.snapshot().frontends:
            if _matches(name, frontend.name, frontend.id):
                return frontend
        raise CommandError("No such frontend.")

    def server(self, place: str) -> tuple[BackendFacts, ServerFacts]:
        """Return the server that `backend/server` names; either may be a number behind a `#`.

        Raises CommandError in HAProxy's words.
        """
        backend_name, slash, server_name = place.partition("/")
        if not slash or not server_name:
            raise CommandError("Require 'backend/server'.")
        for backend in self.engine.snapshot().backends:
            if _matches(backend_name, backend.name, backend.id):
                for server in backend.servers:
                    if _matches(server_name, server.name, server.id):
                        return backend, server
                raise CommandError("No such server.")
        raise CommandError("No such backend.")


def _matches(asked: str, name: str, number: int) -> bool:
    return asked in (name, f"#{number}")
