"""Builders: a running instance on a stand-in engine, and one operator's connection to it."""

from __future__ import annotations

from dataclasses import dataclass, field

from fake_native import FakeNative, facts
from paper import built

from isthmus.engine import Engine
from isthmus.engine.report import ApplyReport
from isthmus.health.announcing import Announcer
from isthmus.health.checker import Checker
from isthmus.health.messages import Message
from isthmus.plan import Built, Runtime
from isthmus.runtime.instance import Instance
from isthmus.runtime.level import Level
from isthmus.runtime.session import Session

CONFIGURATION = """
global
  stats socket /run/a.sock level admin
defaults
  mode tcp
  timeout connect 1s
  timeout client 1s
  timeout server 1s
frontend f
  bind 127.0.0.1:23456 name first
  default_backend b
backend b
  server s1 127.0.0.1:9 check inter 300
  server s2 127.0.0.1:25022 backup
  server s3 127.0.0.1:25023 weight 20
listen l
  bind 127.0.0.1:23458
  server x1 127.0.0.1:25022
"""


@dataclass
class Held:
    """A running configuration on a stand-in engine: what is put in force is what runs."""

    engine: Engine
    built: Built
    checker: Checker
    console: list[str] = field(default_factory=list)
    errors: tuple[tuple[str, str], ...] = ()

    def reload(self, built: Built) -> ApplyReport:
        if self.errors:
            return ApplyReport(1, (), self.errors)
        self.built = built
        native = self.engine._native
        assert isinstance(native, FakeNative)
        native.facts = facts(built.engine, 2)
        self.checker.use(built.health)
        return ApplyReport(2)

    def renew(self, built: Built) -> ApplyReport:
        if self.errors:
            return ApplyReport(1, (), self.errors)
        self.built = built
        return self.engine.renew(built.engine)

    def told(self, message: str) -> None:
        self.console.append(message)


@dataclass
class Operator:
    """A connection to an instance, and what the instance's engine and logs were told."""

    native: FakeNative = field(default_factory=FakeNative)
    logged: list[str] = field(default_factory=list)

    text: str = CONFIGURATION

    def __post_init__(self) -> None:
        configuration = built(self.text)
        self.native.facts = facts(configuration.engine, 2)
        engine = Engine(self.native)
        announcer = Announcer(engine, self._log)
        checker = Checker(engine, announcer, engine.socket)
        self.running = Held(engine, configuration, checker)
        self.instance = Instance(
            engine,
            announcer,
            checker,
            Runtime(node="vm"),
            self.running,
            {"HOME": "/root"},
            (("unix@/run/a.sock", "admin"),),
            startup="[WARNING]  (1) : so it began\n",
        )
        self.session = Session(self.instance, Level.ADMIN, 10.0)

    def _log(self, message: Message) -> None:
        self.logged.append(message.text)

    def ask(self, line: str) -> str:
        """Return the answer to a line."""
        return self.session.answer(line)
