"""Networks that need a kernel of their own, from their files: made, checked, changed, taken away."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from isthmus.cli import main
from isthmus.network.netlink.channel import Channel

from .ground import echoes, ip, run
from .state import everything, interfaces

DELAY = "{delay: 200ms, jitter: 80ms}"
RATE = "{rate: 10mbit, burst: 32k}"


def net(command: str, *words: str | Path) -> tuple[int, str]:
    """The status of the command and what it says. Another process would take seconds to start."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        status = main(["net", command, *map(str, words)])
    return status, said.getvalue()


def done(command: str, file: Path) -> str:
    """The command, which must succeed."""
    status, said = net(command, file)
    assert status == 0, f"{command} {file.name}:\n{said}"
    return said


class Network:
    """A file's network; what the file says can be changed."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.text = file.read_text()

    def apply(self) -> None:
        """Make the network so: then nothing differs any more, and all that is expected holds."""
        done("apply", self.file)
        done("diff", self.file)
        done("check", self.file)

    def change(self, old: str, new: str) -> None:
        assert old in self.text
        self.text = self.text.replace(old, new)
        self.file.write_text(self.text)

    def assert_unchanged_by_applying_again(self) -> None:
        before, writes = everything(), Channel.writes
        done("apply", self.file)
        assert Channel.writes == writes
        assert everything() == before


@pytest.fixture
def network(request: pytest.FixtureRequest, files: Path, tmp_path: Path) -> Iterator[Network]:
    """The network of the file that the test's parameter names. It leaves the machine as it was."""
    before = everything()
    copy = tmp_path / f"{request.param}.yaml"
    copy.write_text((files / copy.name).read_text())
    yield Network(copy)
    done("down", copy)
    assert everything() == before


def of(name: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("network", [name], indirect=True)


@pytest.mark.parametrize("network", ["vlan", "ipvlan", "vrf"], indirect=True)
def test_a_network_is_made_holds_what_it_promises_and_is_not_made_again(network: Network) -> None:
    network.apply()
    network.assert_unchanged_by_applying_again()


@of("netem")
def test_a_line_is_as_slow_as_it_is_told_and_changes_in_place(network: Network) -> None:
    network.apply()
    network.assert_unchanged_by_applying_again()
    index = index_of("slow", "eth0")
    numbers, seconds = zip(*echoes("red", "10.0.1.2", 20), strict=True)
    assert len(numbers) == 20
    assert min(seconds) >= 0.12
    assert list(numbers) != sorted(numbers), "jitter lets packets overtake each other"
    assert 4 <= len(echoes("red", "10.0.3.2", 40, wait=1)) <= 36
    # What passes and what is too slow, measured by the checks themselves: expectations that fail.
    network.change("within 900ms", "within 100ms")
    network.change("at 5mbit", "at 20mbit")
    status, said = net("check", network.file)
    assert status == 1
    assert "best round trip" in said, said
    assert "under 20 Mbit/s" in said, said
    network.change(DELAY, "{delay: 20ms}")
    network.change(RATE, "{rate: 200mbit}")
    # Another discipline in the place of the one that is there.
    network.change("{loss: 100%}", "{rate: 100mbit}")
    network.change("cannot ping lost", "can ping lost")
    network.apply()
    numbers, seconds = zip(*echoes("red", "10.0.1.2", 20), strict=True)
    assert list(numbers) == list(range(20))
    assert min(seconds) >= 0.02
    assert index_of("slow", "eth0") == index


def index_of(namespace: str, interface: str) -> str:
    return ip(f"-n {namespace} -o link show {interface}").split(":")[0]


@of("device")
def test_a_card_comes_back_even_when_its_namespace_was_deleted_by_hand(network: Network) -> None:
    network.apply()
    network.assert_unchanged_by_applying_again()
    assert not {"eth0", "eth1"} & interfaces()
    run("ip", "netns", "delete", "red")
