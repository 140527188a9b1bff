"""Builders: a running instance on a stand-in engine, and one operator's connection to it."""

from __future__ import annotations

from dataclasses import dataclass, field

from fake_native import FakeNative, facts
from paper import built

from isthmus.engine import Engine
from isthmus.health.announcing import Announcer
from isthmus.health.checker import Checker
from isthmus.health.messages import Message
from isthmus.plan import Runtime
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
class Operator:
    """A connection to an instance, and what the instance's engine and logs were told."""

    native: FakeNative = field(default_factory=FakeNative)
    logged: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.native.facts = facts(built(CONFIGURATION).engine, 2)
        engine = Engine(self.native)
        announcer = Announcer(engine, self._log)
        self.instance = Instance(
            engine,
            announcer,
            Checker(engine, announcer, engine.socket),
            Runtime(node="vm"),
            {"HOME": "/root"},
            (("unix@/run/a.sock", "admin"),),
        )
        self.session = Session(self.instance, Level.ADMIN, 10.0)

    def _log(self, message: Message) -> None:
        self.logged.append(message.text)

    def ask(self, line: str) -> str:
        """Return the answer to a line."""
        return self.session.answer(line)
