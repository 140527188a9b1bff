"""Which processors are left by `cpu-set`, on machines on paper, and which each worker gets by `cpu-map`."""

from __future__ import annotations

from pathlib import Path

import pytest

from isthmus.model.processors import CpuChoice, CpuMap, CpuPart
from isthmus.process.errors import StartError
from isthmus.process.processors import placed, usable


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight processors: two nodes of two cores each, two threads a core; siblings are four apart."""
    root = tmp_path_factory.mktemp("system")
    (root / "cpu").mkdir()
    (root / "cpu/online").write_text("0-7\n")
    for node, cpus in enumerate(("0-1,4-5", "2-3,6-7")):
        (root / f"node/node{node}").mkdir(parents=True)
        (root / f"node/node{node}/cpulist").write_text(cpus + "\n")
    for cpu in range(8):
        topology = root / f"cpu/cpu{cpu}/topology"
        topology.mkdir(parents=True)
        (topology / "core_id").write_text(f"{cpu % 4}\n")
        (topology / "cluster_id").write_text("-1\n")
        (topology / "thread_siblings_list").write_text(f"{cpu % 4},{cpu % 4 + 4}\n")
    return root


@pytest.mark.parametrize(
    ("choices", "left"),
    [
        ([(CpuPart.CPU, True, {0, 3, 9})], {0, 3}),
        ([(CpuPart.CPU, False, {0, 3})], {1, 2, 4, 5, 6, 7}),
        ([(CpuPart.NODE, True, {1})], {2, 3, 6, 7}),
        ([(CpuPart.NODE, False, {1})], {0, 1, 4, 5}),
        ([(CpuPart.CORE, True, {0})], {0, 4}),
        ([(CpuPart.THREAD, True, {0})], {0, 1, 2, 3}),
        ([(CpuPart.CLUSTER, True, {0})], set(range(8))),
        ([(CpuPart.NODE, True, {0}), (CpuPart.THREAD, False, {1})], {0, 1}),
        ([(CpuPart.CPU, True, {0}), (None, False, set())], set(range(8))),
    ],
)
def test_directives_of_cpu_set_leave(
    machine: Path, choices: list[tuple[CpuPart | None, bool, set[int]]], left: set[int]
) -> None:
    said = [CpuChoice(part, only, frozenset(numbers)) for part, only, numbers in choices]
    assert usable(said, frozenset(range(8)), machine) == left


def test_a_process_is_kept_within_the_processors_that_it_was_started_on(machine: Path) -> None:
    said = [CpuChoice(CpuPart.CPU, False, frozenset({0}))]
    assert usable(said, frozenset({0, 5}), machine) == {5}


def test_no_processor_left_is_an_error(machine: Path) -> None:
    with pytest.raises(StartError, match="leaves no processor"):
        usable([CpuChoice(CpuPart.CPU, True, frozenset({9}))], frozenset(range(8)), machine)


@pytest.mark.parametrize(
    ("maps", "workers", "expected"),
    [
        ([CpuMap(None, (0, 1))], 2, {0: {0, 1}, 1: {0, 1}}),
        ([CpuMap((2,), (3,))], 2, {1: {3}}),
        ([CpuMap((1, 2, 3), (4, 5, 6), each=True)], 2, {0: {4}, 1: {5}}),
        ([CpuMap(None, (0,)), CpuMap((2,), (1,))], 3, {0: {0}, 1: {1}, 2: {0}}),
        ([CpuMap((9,), (1,))], 2, {}),
    ],
)
def test_lines_of_cpu_map_place_workers(
    maps: list[CpuMap], workers: int, expected: dict[int, set[int]]
) -> None:
    assert placed(maps, workers) == expected
