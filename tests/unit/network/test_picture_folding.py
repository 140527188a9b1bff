"""Two hundred tenants are one line, and the one that differs is another."""

from __future__ import annotations

import pytest
from drawn_networks import Drawing, many, natted

from isthmus.network.picture import graph, tree
from isthmus.network.picture.folding import folded, spread, spread_addresses


def names(drawing: Drawing) -> list[str]:
    return [group.name for group in folded(graph(drawing.state())).groups]


def test_tenants_alike_but_for_their_numbers_are_one_group() -> None:
    switch, tenants = folded(graph(many(200))).groups
    assert (tenants.name, tenants.count) == ("t1 … t200", 200)
    assert [node.count for node in switch.nodes] == [1, 200]


def test_the_tenant_that_is_down_stands_by_itself_and_so_does_its_port() -> None:
    lines = tree(graph(many(200, odd=7)))
    assert "t1 … t200 (×199)" in lines
    assert "eth0  DOWN" in lines
    assert "t7                ── t7/eth0" in lines


@pytest.mark.parametrize("count", [1, 2, 4])
def test_a_few_tenants_are_shown_each(count: int) -> None:
    assert all(group.count == 1 for group in folded(graph(many(count))).groups)


def test_nothing_is_folded_where_everything_is_asked_for() -> None:
    assert "t123/eth0" in tree(graph(many(200)), every=True)


def test_a_network_without_alike_ones_stays_as_it_is() -> None:
    drawn = graph(natted())
    assert folded(drawn).groups == drawn.groups
    assert set(folded(drawn).edges) == set(drawn.edges)


def test_tenants_on_different_bridges_are_not_one_group() -> None:
    drawing = Drawing("n")
    for bridge in (1, 2):
        drawing.interface(f"host/br{bridge}", "bridge")
        for index in range(1, 7):
            drawing.veth(f"t{bridge}{index}/eth0", f"host/t{bridge}{index}", master=f"br{bridge}")
    assert names(drawing) == ["t11 … t16", "t21 … t26", "host"]


def test_pairs_of_namespaces_are_folded_on_both_sides() -> None:
    drawing = Drawing("n")
    for index in range(10):
        drawing.veth(f"a{index}/eth0", f"b{index}/eth0")
    assert names(drawing) == ["a0 … a9", "b0 … b9"]


def test_a_service_that_failed_is_not_hidden_among_those_that_run() -> None:
    drawing = Drawing("n")
    for index in range(10):
        drawing.service(f"web{index}", f"t{index}", "failed" if index == 3 else "running")
    assert names(drawing) == ["t0 … t9", "t3"]


@pytest.mark.parametrize(
    ("texts", "short"),
    [
        (["t2", "t10", "t1"], "t1 … t10"),
        (["eth0", "eth0"], "eth0"),
    ],
)
def test_names_are_said_as_a_range(texts: list[str], short: str) -> None:
    assert spread(texts) == short


@pytest.mark.parametrize(
    ("texts", "short"),
    [
        (["10.0.0.1/24", "10.0.0.200/24"], "10.0.0.1…200/24"),
        (["10.0.1.1/24", "10.0.2.1/24"], "10.0.1…2.1/24"),
        (["10.0.1.1/24", "10.0.2.9/24"], "10.0.1.1/24 … 10.0.2.9/24"),
        (["fd00::1/64", "fd00::ff/64"], "fd00::1…ff/64"),
        (["10.0.0.1/24", "10.0.0.1/24"], "10.0.0.1/24"),
    ],
)
def test_addresses_are_said_as_a_range_of_the_part_that_differs(texts: list[str], short: str) -> None:
    assert spread_addresses(texts) == short
