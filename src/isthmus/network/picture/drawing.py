"""The graph as an SVG drawing, laid out by ourselves: boxes in rows, lines in the channels between rows.

Deterministic: the same graph gives the same text.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape

from isthmus.network.model import HOST, OUTSIDE
from isthmus.network.picture import paper
from isthmus.network.picture.boxes import (
    LEADING,
    SHEET,
    SWITCHES,
    TEXT_SIZE,
    TITLE_SIZE,
    Box,
    Chip,
    box,
    chip_height,
)
from isthmus.network.picture.captions import title
from isthmus.network.picture.folding import folded
from isthmus.network.picture.measure import clipped, width
from isthmus.network.picture.placing import across, neighbours, rows, with_far_ends
from isthmus.network.picture.shape import Edge, Graph, Group, NodeKey, natural
from isthmus.network.picture.wiring import Line, Pin, Wiring, fan_all
from isthmus.records import dataclass

_MARGIN = 24.0
_HEAD = 40.0
_BETWEEN = 26.0
"""The least distance between two rows of boxes."""


def svg(graph: Graph, *, every: bool = False) -> str:
    """Return the drawing as an SVG document. `every` draws each namespace where alike ones would be one."""
    shown = graph if every else folded(graph)
    sheet = _laid_out(shown)
    # Lines come last: nothing but the lower sheets of a stack can stand in their way, and must not hide them.
    parts = [*(part for each in sheet.boxes for part in _box(each)), *_lines(sheet)]
    headline = clipped(shown.network)
    wide = max(sheet.width, width(headline, 18, bold=True)) + 2 * _MARGIN
    high = sheet.height + _HEAD + 2 * _MARGIN
    size = f'width="{paper.number(wide)}" height="{paper.number(high)}"'
    view = f'viewBox="0 0 {paper.number(wide)} {paper.number(high)}"'
    named = 'role="img" aria-labelledby="title description"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} {view} {named}>'
    return "\n".join(
        [
            head,
            f'<title id="title">{escape(f"Network {shown.network}")}</title>',
            f'<desc id="description">{escape(_description(shown))}</desc>',
            paper.style(),
            paper.rectangle(0, 0, wide, high, "bg", 0),
            paper.words(_MARGIN, _MARGIN + 14, headline, 18, "b"),
            f'<g transform="translate({paper.number(_MARGIN)} {paper.number(_MARGIN + _HEAD)})">',
            *parts,
            "</g>\n</svg>\n",
        ]
    )


def _description(graph: Graph) -> str:
    """Say in words what the drawing shows, for those who do not see it."""
    names = ", ".join(title(group) for group in graph.groups) or "none"
    ties = "; ".join(_tie(edge) for edge in graph.edges if edge.source[0] != edge.target[0])
    return f"Namespaces: {names}." + (f" Ties: {ties}." if ties else "")


def _tie(edge: Edge) -> str:
    many = f", ×{edge.count}" if edge.count > 1 else ""
    return f"{_place(edge.source)} to {_place(edge.target)} ({edge.tie}{many})"


def _place(key: NodeKey) -> str:
    return f"{key[0]}/{key[1]}" if key[0] else key[1]


@dataclass(slots=True)
class _Sheet:
    """Everything with its place."""

    boxes: list[Box]
    lines: list[tuple[Edge, list[tuple[float, float]]]]
    width: float
    height: float


def _laid_out(graph: Graph) -> _Sheet:
    groups = with_far_ends(graph)
    near = neighbours(graph, groups)
    order = rows(groups, near)
    row_of = {at: number for number, row in enumerate(order) for at in row}
    boxes = _boxes(graph, groups, order, row_of)
    lefts = across(order, {at: each.width for at, each in boxes.items()}, near)
    for at, left in lefts.items():
        boxes[at].x = left
    edge = max((each.x + each.width for each in boxes.values()), default=0.0)
    ties = _outer_lines(graph, groups, boxes, row_of)
    wiring = Wiring([line for _, line in ties], edge)
    tops, bottoms = _place_down(order, boxes, wiring)
    lines = [(tie, wiring.points(line, tops, bottoms)) for tie, line in ties]
    height = (bottoms[-1] if bottoms else 0.0) + wiring.height(len(order))
    return _Sheet([boxes[at] for row in order for at in row], lines, edge + wiring.margin_width, height)


def _boxes(
    graph: Graph, groups: Sequence[Group], order: Sequence[Sequence[int]], row_of: dict[int, int]
) -> dict[int, Box]:
    owner = {node.key: at for at, group in enumerate(groups) for node in group.nodes}
    column = {at: number / len(row) for row in order for number, at in enumerate(row)}
    inner: defaultdict[int, list[Edge]] = defaultdict(list)
    votes: defaultdict[NodeKey, list[bool]] = defaultdict(list)
    wishes: defaultdict[NodeKey, list[float]] = defaultdict(list)
    for edge in graph.edges:
        one, other = owner[edge.source], owner[edge.target]
        if one == other:
            inner[one].append(edge)
            continue
        for key, here, there in ((edge.source, one, other), (edge.target, other, one)):
            votes[key].append(row_of[there] < row_of[here])
            wishes[key].append(column[there])
    leads = {key: sum(each) * 2 > len(each) for key, each in votes.items()}

    def rank(key: NodeKey) -> tuple[float, str]:
        return sum(wishes[key]) / len(wishes[key]), str(natural(key[1]))

    def own(group: Group) -> dict[NodeKey, bool]:
        return {node.key: leads[node.key] for node in group.nodes if node.key in leads}

    return {at: box(group, inner[at], own(group), rank) for at, group in enumerate(groups)}


def _outer_lines(
    graph: Graph, groups: Sequence[Group], boxes: dict[int, Box], row_of: dict[int, int]
) -> list[tuple[Edge, Line]]:
    owner = {node.key: at for at, group in enumerate(groups) for node in group.nodes}
    lines = []
    pins: defaultdict[NodeKey, list[tuple[Pin, Pin]]] = defaultdict(list)
    for edge in graph.edges:
        if owner[edge.source] == owner[edge.target]:
            continue
        ends = []
        for key in (edge.source, edge.target):
            each = boxes[owner[key]]
            chip = each.chips[key]
            above = each.has_top and chip.row == 0
            low = each.x + chip.x
            ends.append(Pin(low + chip.width / 2, row_of[owner[key]], above, low + 4, low + chip.width - 4))
        line = Line(ends[0], ends[1])
        pins[edge.source].append((ends[1], ends[0]))
        pins[edge.target].append((ends[0], ends[1]))
        lines.append((edge, line))
    fan_all(pins.values())
    for _, line in lines:
        _straighten(line.one, line.other)
    return lines


def _straighten(one: Pin, other: Pin) -> None:
    """Let a line run straight where a few points of a step are all that keeps it from doing so."""
    if one.channel == other.channel and one.above != other.above and 0 < abs(one.x - other.x) < 12:
        if other.low <= one.x <= other.high:
            other.x = one.x
        elif one.low <= other.x <= one.high:
            one.x = other.x


def _place_down(
    order: Sequence[Sequence[int]], boxes: dict[int, Box], wiring: Wiring
) -> tuple[list[float], list[float]]:
    tops, bottoms = [], []
    at = 0.0
    for number, row in enumerate(order):
        at += max(wiring.height(number), _BETWEEN if number else 0.0)
        tall = max(boxes[each].height for each in row)
        for each in row:
            boxes[each].y = at
            boxes[each].heighten(tall)
        tops.append(at)
        at += tall
        bottoms.append(at)
    return tops, bottoms


def _lines(sheet: _Sheet) -> Iterator[str]:
    for edge, points in sheet.lines:
        yield paper.path(points, str(edge.tie), _tie(edge))


def _box(box: Box) -> Iterator[str]:
    yield paper.group(title(box.group), [*_frames(box), *_words(box), *_inner_lines(box), *_chips(box)])


def _frames(box: Box) -> Iterator[str]:
    if box.far:
        return
    look = "host" if box.group.name in (HOST, OUTSIDE) else "box"
    # The stack rises away from where the lines are.
    rise = SHEET if box.has_top and not box.has_bottom else -SHEET
    for sheet in (2, 1, 0) if box.group.count > 1 else (0,):
        yield paper.rectangle(box.x + SHEET * sheet, box.y + rise * sheet, box.width, box.height, look)


def _words(box: Box) -> Iterator[str]:
    y = box.y + box.words_y + LEADING
    for number, line in enumerate(box.words):
        look = "good" if line.startswith("●") else "bad" if line.startswith("○") else "soft"
        size = TEXT_SIZE if number else TITLE_SIZE
        yield paper.words(box.x + box.words_x, y, line, size, look if number else "b")
        y += LEADING


def _inner_lines(box: Box) -> Iterator[str]:
    if box.wiring is None:
        return
    for edge, line in box.lines:
        points = box.wiring.points(line, box.tops, box.bottoms)
        moved = [(x + box.x, y + box.y) for x, y in points]
        yield paper.path(moved, str(edge.tie), _tie(edge))


def _chips(box: Box) -> Iterator[str]:
    for chip in box.chips.values():
        yield paper.group(_place(chip.node.key), _chip(chip, box.x + chip.x, box.y + chip.y))


def _chip(chip: Chip, x: float, y: float) -> Iterator[str]:
    kind = "far" if not chip.node.namespace else "switch" if chip.node.kind in SWITCHES else "chip"
    radius = chip.height / 2 if kind == "far" else 4
    yield paper.rectangle(x, y, chip.width, chip.height, kind if chip.node.up else "down", radius)
    spare = chip.height - chip_height(chip.lines)
    for number, line in enumerate(chip.lines):
        look = "soft" if number else "b"
        base = y + LEADING * (number + 1) - 0.5 + spare / 2
        yield paper.words(x + chip.width / 2, base, line, TEXT_SIZE, look, middle=True)
