"""Networks that need a kernel of their own, from their files: made, checked, made again, taken away."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from isthmus.cli import main

from .ground import ip, run

FILES = sorted((Path(__file__).parent / "networks").glob("*.yaml"))


def net(command: str, file: Path) -> tuple[int, str]:
    """The status of the command and what it says. Another process would take seconds to start."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        status = main(["net", command, str(file)])
    return status, said.getvalue()


def done(command: str, file: Path) -> None:
    """The command, which must succeed."""
    status, said = net(command, file)
    assert status == 0, f"{command} {file.name}:\n{said}"


def machine() -> tuple[str, ...]:
    """What is there of a machine: namespaces, interfaces, addresses, routes, rules."""
    return (
        run("ip", "netns", "list"),
        # Numbers and counters differ from one look to the next.
        "\n".join(sorted(line.split(": ", 1)[1] for line in ip("-o address").splitlines())),
        "\n".join(sorted(line.split()[1] for line in ip("-o link").splitlines())),
        ip("route show table all"),
        run("nft", "list", "ruleset"),
    )


@pytest.fixture
def untouched() -> Iterator[None]:
    """The machine is afterwards what it was before."""
    before = machine()
    yield
    assert machine() == before


@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
@pytest.mark.usefixtures("untouched")
def test_a_network_is_made_holds_what_it_promises_and_goes(file: Path) -> None:
    try:
        done("apply", file)
        done("check", file)
        assert_unchanged(file)
    finally:
        status, said = net("down", file)
    assert status == 0, said


def assert_unchanged(file: Path) -> None:
    """Netlink's own account: applying again makes no interface, and `plan` has nothing to say."""
    before = machine()
    done("apply", file)
    assert machine() == before
    done("plan", file)


@pytest.mark.usefixtures("untouched")
def test_a_line_that_is_slower_than_promised_fails_the_check(files: Path, tmp_path: Path) -> None:
    stricter = tmp_path / "netem.yaml"
    text = (files / "netem.yaml").read_text()
    assert "within 900ms" in text
    stricter.write_text(text.replace("within 900ms", "within 50ms"))
    try:
        done("apply", stricter)
        status, said = net("check", stricter)
        assert status == 1
        assert "slow" in said
    finally:
        done("down", stricter)


@pytest.mark.usefixtures("untouched")
def test_shaping_is_changed_in_place(files: Path, tmp_path: Path) -> None:
    file = tmp_path / "netem.yaml"
    text = (files / "netem.yaml").read_text()
    file.write_text(text)
    try:
        done("apply", file)
        index = index_of("slow", "eth0")
        file.write_text(text.replace("delay: 200ms", "delay: 20ms").replace("within 900ms", "within 150ms"))
        done("apply", file)
        done("check", file)
        assert index_of("slow", "eth0") == index
    finally:
        done("down", file)


def index_of(namespace: str, interface: str) -> str:
    return ip(f"-n {namespace} -o link show {interface}").split(":")[0]


@pytest.mark.usefixtures("untouched")
def test_a_card_comes_back_when_its_namespace_was_deleted_by_hand(files: Path) -> None:
    file = files / "device.yaml"
    try:
        done("apply", file)
        assert "eth0" not in ip("-o link")
        run("ip", "netns", "delete", "red")
    finally:
        done("down", file)
