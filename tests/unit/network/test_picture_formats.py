"""What every format promises: it is well formed, it escapes, it leaves nobody out, it is always the same."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from ipaddress import ip_interface
from pathlib import Path
from xml.etree import ElementTree

import pytest
from drawn_networks import SAMPLES, Drawing, tangle
from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.network.objects import State
from isthmus.network.picture import as_json, dot, graph, mermaid, printable, svg, tree

GOLDEN = Path(__file__).parents[2] / "golden" / "network"
FORMATS = {"txt": tree, "json": as_json, "mmd": mermaid, "dot": dot, "svg": svg}


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("kind", ["txt", "json", "mmd", "dot", "svg"])
def test_the_golden_drawing_is_what_is_drawn(name: str, kind: str) -> None:
    """Set ISTHMUS_REDRAW=1 to write the golden files anew, then look at them."""
    if name == "many" and kind == "json":
        pytest.skip("never folded: ten thousand lines that say nothing more than the other documents do")
    path = GOLDEN / f"{name}.{kind}"
    drawn = FORMATS[kind](graph(SAMPLES[name]()))
    if os.environ.get("ISTHMUS_REDRAW"):
        path.write_text(drawn, encoding="utf-8")
    assert drawn == path.read_text(encoding="utf-8")


def _texts(document: str) -> str:
    return "\n".join(ElementTree.fromstring(document).itertext())


def test_svg_says_in_words_what_it_shows() -> None:
    root = ElementTree.fromstring(svg(graph(SAMPLES["switch"]())))
    space = "{http://www.w3.org/2000/svg}"
    assert root.findtext(f"{space}title") == "Network switch"
    described = root.findtext(f"{space}desc")
    assert described is not None
    assert "Namespaces: blue, red, switch." in described
    assert "blue/eth0 to switch/blue (veth)" in described


def test_svg_escapes_the_name_of_the_network() -> None:
    assert 'tangle & <"quotes">' in _texts(svg(graph(tangle())))


def test_mermaid_keeps_what_has_a_meaning_in_labels_out_of_them() -> None:
    drawing = Drawing('n"];click')
    drawing.space('a"]<b>`#;|{}')
    drawn = mermaid(graph(drawing.state()))
    assert 'title: "n\\"];click"' in drawn
    assert '["a#34;#93;#60;b#62;#96;#35;#59;#124;#123;#125;"]' in drawn


def test_dot_quotes_quotes_backslashes_and_entities() -> None:
    drawing = Drawing("n")
    drawing.space('a"&lt;\\')
    assert 'label="a\\"&amp;lt;\\\\\\\\"' in dot(graph(drawing.state()))


def _dot_program() -> str:
    program = shutil.which("dot")
    if program is None:
        pytest.skip("graphviz is not installed")
    return program


@pytest.mark.parametrize("name", SAMPLES)
def test_graphviz_reads_what_is_written_for_it(name: str) -> None:
    text = dot(graph(SAMPLES[name]()))
    done = subprocess.run(
        [_dot_program(), "-Tsvg"], input=text.encode(), capture_output=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr.decode()) == (0, "")


def test_json_holds_every_namespace_however_alike() -> None:
    document = json.loads(as_json(graph(SAMPLES["many"]())))
    assert len(document["namespaces"]) == 201
    assert len(document["ties"]) == 400


def test_text_that_would_move_the_cursor_is_written_out() -> None:
    assert printable("a\x1b[2Jb\udc80\\") == "a\\x1b[2Jb\\udc80\\\\"


_NAMES = st.text(
    st.characters(codec="utf-8") | st.sampled_from("<>&\"'\\\x00\x1b;#]"), min_size=1, max_size=12
)
_PLACES = st.tuples(_NAMES, _NAMES)


@st.composite
def states(draw: st.DrawFn) -> State:
    """Any ties between any interfaces: circles, ends that nothing is known of, odd names."""
    drawing = Drawing(draw(_NAMES))
    drawing.space(*draw(st.lists(_NAMES, max_size=4)))
    places = draw(st.lists(_PLACES, max_size=8, unique=True))
    end = st.sampled_from(places) if places else _PLACES
    tie = st.none() | end | _PLACES
    for namespace, name in places:
        drawing.interface(
            f"{namespace.replace('/', '_')}/{name}",
            draw(st.sampled_from(["veth", "bridge", "macvlan", "vxlan", "vrf", "odd"])),
            *draw(st.sampled_from([(), ("10.0.0.1/24",), ("fd00::1/64", "10.0.0.1/24")])),
            peer=draw(tie),
            parent=draw(tie),
            master=draw(st.none() | _NAMES),
            up=draw(st.booleans()),
            settings=draw(st.sampled_from([(), (("id", 7), ("remote", ip_interface("192.0.2.1").ip))])),
        )
    drawing.service(draw(_NAMES), draw(_NAMES), draw(_NAMES))
    return drawing.state()


def _names(state: State) -> set[str]:
    drawn = graph(state)
    groups = {group.name for group in drawn.groups}
    return groups | {node.name for group in drawn.groups for node in group.nodes}


@settings(max_examples=60, deadline=None)
@given(states())
def test_any_state_is_a_whole_drawing_in_which_every_name_appears(state: State) -> None:
    drawn = graph(state)
    shown = _texts(svg(drawn, every=True))
    listed = tree(drawn, every=True)
    for name in _names(state):
        assert name in shown
        assert name in listed
    ElementTree.fromstring(svg(drawn))
    assert tree(drawn, ascii_only=True).isascii()
    json.loads(as_json(drawn))


@settings(max_examples=60, deadline=None)
@given(states())
def test_any_state_is_a_flowchart_whose_labels_end_where_they_should(state: State) -> None:
    for line in mermaid(graph(state)).splitlines()[4:]:
        assert re.fullmatch(
            r"  end|  (  |subgraph )?[gi]\d+[\[(]+\"[^\"\[\]<>]*(<br/>[^\"\[\]<>]*)*\"[\])]+|"
            r"  i\d+ -[.-]->?(\|\"[^\"|]*\"\|)? i\d+",
            line,
        ), line


@settings(max_examples=60, deadline=None)
@given(states())
def test_the_order_in_which_interfaces_are_found_makes_no_difference(state: State) -> None:
    """So what is wanted and what the kernel reports look the same; the order of addresses has a meaning."""
    interfaces = [each for each in state.objects.values() if each.key[0] == "interface"]
    others = [each for each in state.objects.values() if each.key[0] != "interface"]
    turned = State(state.network, {each.key: each for each in (*others, *reversed(interfaces))})
    for draw in FORMATS.values():
        assert draw(graph(turned)) == draw(graph(state))
