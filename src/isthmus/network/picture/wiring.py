"""Leads lines between rows of things without crossing any of them: through the channels between rows.

Channel c runs above row c; the last one runs below the last row. A line leaves its pin straight into a
channel, follows a lane of its own there, and reaches the other pin straight. Where the pins face
different channels, it changes between them in the margin right of all rows. Rows can be placed only
once it is known how many lanes each channel holds: lanes first, coordinates later.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from isthmus.records import dataclass, field

LANE = 9.0
"""Between two parallel lines."""
NUDGE = 5.0
"""How far a pin steps aside for another line's that stands opposite."""


@dataclass(slots=True)
class Pin:
    """Where a line leaves a thing: `row` its row, `above` whether it faces the channel above the row."""

    x: float
    row: int
    above: bool
    low: float
    high: float

    @property
    def width(self) -> float:
        """How far it may be moved; rounded, as what is equally wide must not differ by where it stands."""
        return round(self.high - self.low, 3)

    @property
    def channel(self) -> int:
        """The channel that it faces."""
        return self.row if self.above else self.row + 1


@dataclass(slots=True)
class Line:
    """One line and the lanes that it was given: one for each channel it runs in."""

    one: Pin
    other: Pin
    lanes: dict[int, int] = field(default_factory=dict)
    margin: int | None = None

    @property
    def straight(self) -> bool:
        """Whether both pins face each other."""
        same = self.one.channel == self.other.channel and self.one.above != self.other.above
        return same and self.one.x == self.other.x

    def spans(self, margin: float) -> Iterator[tuple[int, float, float, tuple[int, float]]]:
        """Yield channel, left, right and rank of each stretch; low ranks get the lanes low down."""
        one, other = self.one, self.other
        if one.channel != other.channel:
            for pin in (one, other):
                yield pin.channel, pin.x, margin, (0, pin.x if pin.above else -pin.x)
            return
        left, right = sorted((one.x, other.x))
        yield one.channel, left, right, _rank(one, other, left, right)


def _rank(one: Pin, other: Pin, left: float, right: float) -> tuple[int, float]:
    """Order stretches so that lines side by side do not cross: nested, or like stairs."""
    if one.above == other.above:
        return (1, right - left) if one.above else (3, left - right)
    upper, lower = (one, other) if other.above else (other, one)
    return (2, left if upper.x < lower.x else -right)


def fan_all(edges: Iterable[Sequence[tuple[Pin, Pin]]]) -> None:
    """Spread the pins of every edge of a thing; each pin comes after the one at its line's other end."""
    # Narrow ones first: what is wide can answer to where their pins came to be.
    for pins in sorted(edges, key=lambda each: each[0][1].width):
        far, pin = pins[0]
        if len(pins) == 1 and pin.width < far.width:
            pin.x = (pin.low + pin.high) / 2
        else:
            _fan([(far.x, pin) for far, pin in pins])


def _fan(pins: Sequence[tuple[float, Pin]]) -> None:
    """Spread the pins of one edge; each comes with the x that its line leads to.

    Straight down where all that they lead to stands opposite and apart, else evenly and in that order.
    """
    ordered = sorted(pins, key=lambda each: each[0])
    wishes = [wish for wish, _ in ordered]
    low, high = ordered[0][1].low, ordered[0][1].high
    apart = all(after - before >= NUDGE for before, after in itertools.pairwise(wishes))
    opposite = apart and low <= wishes[0] and wishes[-1] <= high
    for number, (wish, pin) in enumerate(ordered):
        pin.x = wish if opposite else low + (high - low) * (number + 1) / (len(ordered) + 1)


class Wiring:
    """All lines between the rows of one drawing (or inside one box). `edge` is where the margin begins."""

    def __init__(self, lines: Sequence[Line], edge: float) -> None:
        self.lines = lines
        self.edge = edge
        self._lanes: dict[int, int] = {}
        _step_aside(lines)
        margins = [line for line in lines if line.one.channel != line.other.channel]
        for number, line in enumerate(margins):
            line.margin = number
        self.margin_width = len(margins) * LANE + LANE if margins else 0.0
        self._assign()

    def _margin(self, line: Line) -> float:
        return self.edge + LANE * ((line.margin or 0) + 1)

    def _assign(self) -> None:
        stretches = defaultdict(list)
        for line in self.lines:
            if not line.straight:
                for channel, left, right, rank in line.spans(self._margin(line)):
                    stretches[channel].append((rank, left, right, line))
        for channel, wanted in stretches.items():
            taken: list[list[tuple[float, float]]] = []
            for _, left, right, line in sorted(wanted, key=lambda each: each[:3]):
                lane = _free_lane(taken, left, right)
                taken[lane].append((left, right))
                line.lanes[channel] = lane
            self._lanes[channel] = len(taken)

    def height(self, channel: int) -> float:
        """Return how much room a channel's lanes need."""
        lanes = self._lanes.get(channel, 0)
        return (lanes + 1) * LANE if lanes else 0.0

    def points(
        self, line: Line, tops: Sequence[float], bottoms: Sequence[float]
    ) -> list[tuple[float, float]]:
        """Return the corners of a line once the rows' upper and lower edges are known."""

        def start(pin: Pin) -> tuple[float, float]:
            return pin.x, tops[pin.row] if pin.above else bottoms[pin.row]

        def lane(channel: int) -> float:
            below = tops[channel] if channel < len(tops) else bottoms[-1] + self.height(channel)
            return below - LANE * (line.lanes[channel] + 1)

        one, other = line.one, line.other
        if line.straight:
            return [start(one), start(other)]
        first, last = lane(one.channel), lane(other.channel)
        between = [(one.x, first)]
        if line.margin is not None:
            between += [(self._margin(line), first), (self._margin(line), last)]
        return [start(one), *between, (other.x, last), start(other)]


def _free_lane(taken: list[list[tuple[float, float]]], left: float, right: float) -> int:
    """Return the lane above all that the stretch overlaps: below one of them it would cross its line."""
    lane = 0
    for number, spans in enumerate(taken):
        if any(start <= right + NUDGE and left <= end + NUDGE for start, end in spans):
            lane = number + 1
    if lane == len(taken):
        taken.append([])
    return lane


def _step_aside(lines: Sequence[Line]) -> None:
    """Keep two lines' upright parts apart where an upper and a lower pin have nearly the same x."""
    used: defaultdict[int, list[tuple[float, Line]]] = defaultdict(list)
    for line in lines:
        for pin in (line.one, line.other):
            if line.straight:
                used[pin.channel].append((pin.x, line))
    for line in lines:
        if line.straight:
            continue
        for pin in (line.one, line.other):
            near = [x for x, owner in used[pin.channel] if owner is not line]
            pin.x = next((x for x in _tries(pin) if all(abs(x - each) >= NUDGE for each in near)), pin.x)
            used[pin.channel].append((pin.x, line))


def _tries(pin: Pin) -> Iterator[float]:
    yield pin.x
    for step in range(1, 8):
        for x in (pin.x + step * NUDGE, pin.x - step * NUDGE):
            if pin.low <= x <= pin.high:
                yield x
