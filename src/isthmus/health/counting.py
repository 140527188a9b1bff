"""Rise and fall of one server's health. Holds no socket and reads no clock.

The count runs from 0 to rise + fall - 1, and the server is up from `rise` on. A pass below `rise` adds one,
and reaching it fills the count; a failure takes one away, and falling below `rise` empties it. Unless
`init-state` says otherwise it starts at `rise`, so that the first failure after the start takes a server
out, as with HAProxy.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from isthmus.model.server import InitState


class Change(Enum):
    """A server's way from one state to the other."""

    UP = "up"
    DOWN = "down"


@dataclass(slots=True)
class Counting:
    """The count of one server; `rise` and `fall` are at least 1."""

    rise: int
    fall: int
    initial: InitState = InitState.UP
    health: int = field(init=False)

    def __post_init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        """Count from the beginning: one result away from the other state, or all that it takes."""
        starts = {
            InitState.FULLY_UP: self.rise + self.fall - 1,
            InitState.UP: self.rise,
            InitState.DOWN: self.rise - 1,
            InitState.FULLY_DOWN: 0,
        }
        self.health = starts[self.initial]

    @property
    def up(self) -> bool:
        """Whether the server is up."""
        return self.health >= self.rise

    @property
    def steady(self) -> bool:
        """Whether the count is at an end, so that the next result is no news."""
        return self.health in (0, self.rise + self.fall - 1)

    @property
    def shown(self) -> str:
        """The count as logs show it: `2/3 UP`, `1/2 DOWN`."""
        if self.up:
            return f"{self.health - self.rise + 1}/{self.fall} UP"
        return f"{self.health}/{self.rise} DOWN"

    def on_result(self, passed: bool) -> Change | None:
        """Count a result, and return the change of state that it brings."""
        before = self.up
        if passed:
            if self.health < self.rise:
                self.health += 1
            if self.up:
                self.fill()
        else:
            self.health = self.health - 1 if self.health > self.rise else 0
        if self.up is before:
            return None
        return Change.UP if self.up else Change.DOWN

    def fill(self) -> None:
        """Take the server as healthy, as an operator says who ends its maintenance."""
        self.health = self.rise + self.fall - 1

    def empty(self) -> None:
        """Take the server as down, as an operator says."""
        self.health = 0
