"""Changes to servers that are told: the engine is asked, and what that brought goes to the logs."""

from __future__ import annotations

from collections.abc import Callable

from isthmus.engine import Engine
from isthmus.engine.command import Command
from isthmus.health.messages import Message, changes, warmed


class Announcer:
    """Asks the engine for changes of servers and logs what became of them, tracking servers included."""

    def __init__(self, engine: Engine, log: Callable[[Message], None]) -> None:
        self._engine = engine
        self._known = engine.snapshot()
        self.log = log

    def change(self, command: Command, reason: str) -> None:
        """Carry out a command and log every change of state that it brought.

        `reason` is empty where it was told already. Raises LookupError where the server is not there any
        more, ValueError where the engine refuses.
        """
        self._known = self._engine.snapshot()
        self._engine.command(command)
        self.notice(reason)

    def warmed(self, backend: str, server: str) -> None:
        """Log that a server's slow start has come to its end, if it is still up."""
        for known in self._engine.snapshot().backends:
            for each in known.servers if known.name == backend else ():
                if each.name == server and each.op_state and not each.admin_state:
                    self.log(warmed(known, each))

    def notice(self, reason: str) -> None:
        """Log every change of state since the last call, such as what a namespace's absence brought."""
        before, self._known = self._known, self._engine.snapshot()
        for message in changes(before, self._known, reason):
            self.log(message)
