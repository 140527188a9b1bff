"""Which row each namespace stands in, and where in its row: the host low down, what hangs off it above.

Thinks about groups only; what is inside a group is the matter of `boxes`.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence

from isthmus.network.model import HOST
from isthmus.network.picture.shape import Graph, Group, Node, natural

SPACE = 28.0
"""Between two boxes of a row."""


def with_far_ends(graph: Graph) -> tuple[Group, ...]:
    """Return the groups, and one for each far end outside the network: it is drawn like a box."""
    far = [Group(f"→ {name}", nodes=(Node("", name, "far end"),)) for name in graph.far_ends]
    return (*graph.groups, *far)


def neighbours(graph: Graph, groups: Sequence[Group]) -> dict[int, list[int]]:
    """Return which groups are tied to which, by their places in `groups`, once for every line."""
    owner = {node.key: at for at, group in enumerate(groups) for node in group.nodes}
    near: dict[int, list[int]] = {at: [] for at in range(len(groups))}
    for edge in graph.edges:
        one, other = owner[edge.source], owner[edge.target]
        if one != other:
            near[one].append(other)
            near[other].append(one)
    return near


def rows(groups: Sequence[Group], near: Mapping[int, Sequence[int]]) -> list[list[int]]:
    """Return the rows from the top down, each from left to right."""
    far = {at for at, group in enumerate(groups) if group.nodes and not group.nodes[0].namespace}
    levels = _levels(groups, near, far)
    for at in far:
        levels[at] = min((levels[other] for other in near[at] if other not in far), default=0) - 1
    by_level: defaultdict[int, list[int]] = defaultdict(list)
    for at, level in levels.items():
        by_level[level].append(at)
    places: dict[int, float] = {}
    ordered = []
    for level in sorted(by_level, key=lambda each: (each < 0, abs(each))):
        row = sorted(by_level[level], key=lambda at: _wish(at, near, places, groups))
        places.update({at: (number + 0.5) / len(row) for number, at in enumerate(row)})
        ordered.append((level, row))
    return [row for _, row in sorted(ordered, reverse=True)]


def _levels(groups: Sequence[Group], near: Mapping[int, Sequence[int]], far: set[int]) -> dict[int, int]:
    """Count steps from the host; in a part without the host, from whatever ties most together."""
    levels: dict[int, int] = {}
    hubs = sorted(near.keys() - far)
    hubs.sort(key=lambda at: (groups[at].name == HOST, _weight(at, groups, near)), reverse=True)
    for hub in hubs:
        if hub not in levels:
            part = _steps(hub, near, far)
            # Two that are joined stand side by side; below others stands only what joins them.
            pair = (
                len(part) == 2 and groups[hub].name != HOST and not any(_bridges(groups[at]) for at in part)
            )
            levels.update(dict.fromkeys(part, 0) if pair else part)
    return levels


def _weight(at: int, groups: Sequence[Group], near: Mapping[int, Sequence[int]]) -> tuple[int, int]:
    return (len(set(near[at])), _bridges(groups[at]))


def _bridges(group: Group) -> int:
    return sum(node.kind == "bridge" for node in group.nodes)


def _steps(start: int, near: Mapping[int, Sequence[int]], far: set[int]) -> dict[int, int]:
    steps = {start: 0}
    waiting = deque([start])
    while waiting:
        at = waiting.popleft()
        for other in near[at]:
            if other not in steps and other not in far:
                steps[other] = steps[at] + 1
                waiting.append(other)
    return steps


def _wish(
    at: int, near: Mapping[int, Sequence[int]], places: Mapping[int, float], groups: Sequence[Group]
) -> tuple[float, object]:
    placed = [places[other] for other in near[at] if other in places]
    alone = 2.0 if not near[at] else 0.5
    return (round(sum(placed) / len(placed), 6) if placed else alone, natural(groups[at].name))


def across(
    rows: Sequence[Sequence[int]], widths: Mapping[int, float], near: Mapping[int, Sequence[int]]
) -> dict[int, float]:
    """Return each group's left edge: the widest row is packed, others stand over what they are tied to."""
    if not rows:
        return {}
    lengths = [sum(widths[at] for at in row) + SPACE * (len(row) - 1) for row in rows]
    widest = lengths.index(max(lengths))
    lefts: dict[int, float] = {}
    x = 0.0
    for at in rows[widest]:
        lefts[at] = x
        x += widths[at] + SPACE
    for row in (*reversed(rows[:widest]), *rows[widest + 1 :]):
        lefts.update(_row_across(row, widths, near, lefts, max(lengths)))
    shift = min(lefts.values())
    return {at: x - shift for at, x in lefts.items()}


def _row_across(
    row: Sequence[int],
    widths: Mapping[int, float],
    near: Mapping[int, Sequence[int]],
    lefts: Mapping[int, float],
    length: float,
) -> dict[int, float]:
    """Place a row from both sides: the mean of both keeps the order and is fair to left and right."""
    wishes = {}
    for at in row:
        middles = [lefts[other] + widths[other] / 2 for other in near[at] if other in lefts]
        middle = sum(middles) / len(middles) if middles else (length / 2 if len(row) == 1 else None)
        wishes[at] = None if middle is None else middle - widths[at] / 2
    forward = _pushed(row, wishes, widths)
    mirrored = {at: None if wish is None else -wish - widths[at] for at, wish in wishes.items()}
    backward = _pushed(tuple(reversed(row)), mirrored, widths)
    return {at: (forward[at] - backward[at] - widths[at]) / 2 for at in row}


def _pushed(
    row: Iterable[int], wishes: Mapping[int, float | None], widths: Mapping[int, float]
) -> dict[int, float]:
    placed: dict[int, float] = {}
    edge: float | None = None
    known = [wish for wish in wishes.values() if wish is not None]
    for at in row:
        wish = wishes[at]
        if wish is None:
            wish = edge if edge is not None else min(known, default=0.0)
        placed[at] = wish if edge is None else max(wish, edge)
        edge = placed[at] + widths[at] + SPACE
    return placed
