"""The SVG as geometry: boxes keep clear of each other, lines keep clear of boxes, text fits."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from xml.etree import ElementTree

import pytest
from drawn_networks import SAMPLES, Drawing, many
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.network.objects import State
from isthmus.network.picture import graph, svg
from isthmus.network.picture.measure import LONGEST, clipped, width

SPACE = "{http://www.w3.org/2000/svg}"
Area = tuple[float, float, float, float]
Point = tuple[float, float]


def _frame(rectangle: ElementTree.Element) -> Area:
    x, y, wide, high = (float(rectangle.attrib[name]) for name in ("x", "y", "width", "height"))
    return (x, y, x + wide, y + high)


def _areas(root: ElementTree.Element, *looks: str) -> list[Area]:
    return [_frame(each) for each in root.iter(f"{SPACE}rect") if each.attrib["class"] in looks]


def _segments(line: ElementTree.Element) -> Iterator[tuple[Point, Point]]:
    corners = [tuple(map(float, each.split(","))) for each in line.attrib["points"].split()]
    yield from itertools.pairwise(corners)  # type: ignore[misc]


def _enters(segment: tuple[Point, Point], area: Area) -> bool:
    (x1, y1), (x2, y2) = segment
    left, top, right, bottom = area
    clear = 0.5
    across = max(x1, x2) > left + clear and min(x1, x2) < right - clear
    return across and max(y1, y2) > top + clear and min(y1, y2) < bottom - clear


def check(state: State) -> None:
    root = ElementTree.fromstring(svg(graph(state), every=True))
    boxes, chips = _areas(root, "box", "host"), _areas(root, "chip", "switch", "down", "far")
    for several in (boxes, chips):
        for one, other in itertools.combinations(several, 2):
            assert one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]
    sheet = root.find(f"{SPACE}g")
    assert sheet is not None
    for line in root.iter(f"{SPACE}polyline"):
        for segment in _segments(line):
            assert not any(_enters(segment, chip) for chip in chips), line.findtext(f"{SPACE}title")
    for line in sheet.findall(f"{SPACE}polyline"):
        for segment in _segments(line):
            assert not any(_enters(segment, box) for box in boxes), line.findtext(f"{SPACE}title")


@pytest.mark.parametrize("name", [name for name in SAMPLES if name != "many"])
def test_no_line_of_a_sample_crosses_a_box(name: str) -> None:
    check(SAMPLES[name]())


def test_no_line_of_thirty_tenants_crosses_a_box() -> None:
    check(many(30))


_SPACES = st.sampled_from(["a", "b", "c", "d", "e", "host"])


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(_SPACES, _SPACES, st.sampled_from(["", "br0", "br1"])), max_size=12))
def test_no_line_crosses_a_box_whatever_is_joined(pairs: list[tuple[str, str, str]]) -> None:
    drawing = Drawing("any")
    for number, (one, other, master) in enumerate(pairs):
        drawing.veth(f"{one}/x{number}", f"{other}/y{number}", "10.0.0.1/24", master=master or None)
        if master:
            drawing.interface(f"{other}/{master}", "bridge")
    drawing.interface("a/vx", "vxlan", settings=(("remote", "192.0.2.1"),))
    check(drawing.state())


def test_the_drawing_follows_who_prefers_dark() -> None:
    drawn = svg(graph(SAMPLES["pair"]()))
    assert "prefers-color-scheme:dark" in drawn
    assert '<rect class="bg" x="0" y="0"' in drawn


def test_two_joined_namespaces_stand_side_by_side_and_a_switch_below_what_it_joins() -> None:
    tops = [area[1] for area in _areas(ElementTree.fromstring(svg(graph(SAMPLES["pair"]()))), "box")]
    assert len(set(tops)) == 1
    tops = [area[1] for area in _areas(ElementTree.fromstring(svg(graph(SAMPLES["switch"]()))), "box")]
    assert tops[0] == tops[1] < tops[2]


def test_text_that_no_box_has_room_for_is_cut_in_sight_and_whole_in_the_tooltip() -> None:
    drawing = Drawing("n")
    drawing.space("x" * 200)
    drawn = svg(graph(drawing.state()))
    assert f">{'x' * (LONGEST - 1)}…</text>" in drawn
    assert f"<title>{'x' * 200}</title>" in drawn
    assert len(clipped("y" * LONGEST)) == LONGEST


def test_wide_letters_count_for_more() -> None:
    assert width("漢字", 10) > width("ab", 10) > width("il", 10)
