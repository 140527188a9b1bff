"""One namespace's box: its interfaces in up to three rows, its words, the lines between its interfaces.

Interfaces that lead up stand at the upper edge, those that lead down at the lower one, the rest
(bridges above all) between them. Coordinates count from the box's own corner.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from isthmus.network.picture.captions import group_notes, node_lines, title
from isthmus.network.picture.measure import clipped, width
from isthmus.network.picture.shape import Edge, Group, Node, NodeKey
from isthmus.network.picture.wiring import Line, Pin, Wiring, fan_all
from isthmus.records import dataclass, field

TITLE_SIZE, TEXT_SIZE, LEADING = 13.0, 10.5, 14.0
PAD, GAP = 12.0, 10.0
_LEAST_INSIDE = 14.0
SWITCHES = frozenset({"bridge", "vrf"})
"""Kinds that others are ports of."""
SHEET = 5.0
"""How far a sheet of a stack (of folded namespaces) looks out behind the one before."""


@dataclass(slots=True)
class Chip:
    """An interface's place. `row` counts from the top within its box."""

    node: Node
    lines: tuple[str, ...]
    width: float
    height: float
    row: int = 0
    x: float = 0.0
    y: float = 0.0

    @property
    def middle(self) -> float:
        """The x of its middle."""
        return self.x + self.width / 2


@dataclass(slots=True)
class Box:
    """A namespace's place, at `x`, `y` of the drawing."""

    group: Group
    chips: dict[NodeKey, Chip]
    words: tuple[str, ...]
    rows: list[list[Chip]]
    has_top: bool
    has_bottom: bool
    edges: list[Edge]
    width: float = 0.0
    height: float = 0.0
    words_x: float = PAD
    words_y: float = 0.0
    wiring: Wiring | None = None
    lines: list[tuple[Edge, Line]] = field(default_factory=list)
    x: float = 0.0
    y: float = 0.0
    tops: list[float] = field(default_factory=list)
    bottoms: list[float] = field(default_factory=list)

    @property
    def far(self) -> bool:
        """Whether it stands for a far end outside the network rather than for a namespace."""
        return not any(key[0] for key in self.chips) and bool(self.chips)

    def heighten(self, height: float) -> None:
        """Take the height of the row where something leads down: it goes down with the lower edge."""
        if not self.has_bottom:
            return
        extra = height - self.height
        self.height = height
        for chip in self.rows[-1]:
            chip.y += extra
        self.tops[-1] += extra
        self.bottoms[-1] += extra


def words_size(words: Sequence[str]) -> tuple[float, float]:
    """Return the width and height of a box's words; the first one is its name."""
    if not words:
        return 0.0, 0.0
    first = width(words[0], TITLE_SIZE, bold=True)
    return max(first, *(width(each, TEXT_SIZE) for each in words)), LEADING * len(words) + 4


def chip(node: Node, spaces: int) -> Chip:
    """Return an interface with its size."""
    lines = tuple(clipped(line) for line in node_lines(node, spaces))
    wide = max(width(line, TEXT_SIZE, bold=at == 0) for at, line in enumerate(lines))
    return Chip(node, lines, max(wide + 14, 44.0), chip_height(lines))


def chip_height(lines: Sequence[str]) -> float:
    """Return the height that an interface's lines need; the highest of a row decides for all of it."""
    return LEADING * len(lines) + 8


Rank = Callable[[NodeKey], tuple[float, str]]


def box(group: Group, edges: list[Edge], leads: dict[NodeKey, bool], rank: Rank) -> Box:
    """Lay out a namespace. `leads` says of interfaces with outer lines whether they lead up."""
    chips = {node.key: chip(node, group.count) for node in group.nodes}
    top = [each for key, each in chips.items() if leads.get(key) is True]
    bottom = [each for key, each in chips.items() if leads.get(key) is False]
    between = {key for key in chips if key not in leads}
    # A port that leads nowhere hangs under its bridge, as it does in the tree.
    hanging = {edge.source for edge in edges if {edge.source, edge.target} <= between} - _switches(group)
    middle = [each for key, each in chips.items() if key in between - hanging]
    lower = [each for key, each in chips.items() if key in hanging]
    for row in (top, bottom):
        row.sort(key=lambda each: rank(each.node.key))
    if bottom:
        # They share its row: in a row between they would stand in the way of what leads down.
        bottom, lower = bottom + lower, []
    words = tuple(clipped(line) for line in (title(group), *group_notes(group)))
    far = bool(chips) and not group.nodes[0].namespace
    rows = [row for row in (top, middle, lower, bottom) if row]
    made = Box(group, chips, () if far else words, rows, bool(top), bool(bottom), edges)
    _place_across(made, middle)
    _wire(made)
    _place_down(made)
    return made


def _switches(group: Group) -> set[NodeKey]:
    return {node.key for node in group.nodes if node.kind in SWITCHES}


def _row_width(row: Sequence[Chip]) -> float:
    return sum(each.width for each in row) + GAP * (len(row) - 1) if row else 0.0


def _place_across(box: Box, middle: list[Chip]) -> None:
    wide, _ = words_size(box.words)
    beside = box.has_top and box.has_bottom and not box.far
    start = PAD + (wide + PAD if beside else 0.0)
    inside = max((_row_width(row) for row in box.rows), default=0.0)
    if not beside:
        inside = max(inside, wide)
    for row in box.rows:
        if row is middle and len(row) == 1 and row[0].node.kind in SWITCHES:
            row[0].width = max(row[0].width, inside)
        at = start + (inside - _row_width(row)) / 2
        for number, each in enumerate(row):
            each.row = box.rows.index(row)
            each.x = at
            at += row[number].width + GAP
    box.width = start + inside + PAD


def _wire(box: Box) -> None:
    last = len(box.rows) - 1
    lines = []
    for edge in box.edges:
        one, other = box.chips[edge.source], box.chips[edge.target]
        if one is other:
            continue
        lines.append((edge, Line(_pin(one, other, box, last), _pin(other, one, box, last))))
    _fan(box, [line for _, line in lines])
    box.lines = lines
    box.wiring = Wiring([line for _, line in lines], box.width - PAD / 2)
    box.width += box.wiring.margin_width


def _pin(here: Chip, there: Chip, box: Box, last: int) -> Pin:
    above = there.row < here.row or (there.row == here.row and box.has_bottom and here.row == last)
    if box.has_top and here.row == 0:
        above = False
    return Pin(here.middle, here.row, above, here.x + 6, here.x + here.width - 6)


def _fan(box: Box, lines: Sequence[Line]) -> None:
    """Spread the pins of one chip's edge; a wide chip takes each line where it comes from."""
    pins: dict[tuple[float, int, bool], list[tuple[Pin, Pin]]] = {}
    for line in lines:
        for pin, far in ((line.one, line.other), (line.other, line.one)):
            pins.setdefault((pin.low, pin.row, pin.above), []).append((far, pin))
    fan_all(pins.values())


def _place_down(box: Box) -> None:
    wiring = box.wiring
    _, words_height = words_size(box.words)
    beside = box.has_top and box.has_bottom
    at = 0.0 if box.has_top or box.far else PAD * 0.6
    if not box.has_top and not beside:
        box.words_y = at
        at += words_height + (6 if box.rows and words_height else 0)
    for number, row in enumerate(box.rows):
        room = wiring.height(number) if wiring else 0.0
        at += max(room, _LEAST_INSIDE if number else 0.0)
        box.tops.append(at)
        for each in row:
            each.y = at
            each.height = max(other.height for other in row)
        at += max(each.height for each in row)
        box.bottoms.append(at)
    at += wiring.height(len(box.rows)) if wiring else 0.0
    if box.has_top and not box.has_bottom and not box.far:
        box.words_y = at + 6
        at = box.words_y + words_height
    if beside and not box.far:
        at = max(at, words_height + 2 * PAD)
        box.words_y = (at - words_height) / 2
    box.height = at + (0.0 if box.has_bottom or box.far else PAD * 0.7)
