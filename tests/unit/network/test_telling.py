"""What is printed: plans, summaries, progress, and where in the file a step stands."""

from __future__ import annotations

import errno
from io import StringIO
from ipaddress import ip_interface
from pathlib import Path

from isthmus.config import Span
from isthmus.network import telling
from isthmus.network.difference import Step
from isthmus.network.model import End, Link, Namespace, Network, Veth
from isthmus.network.objects import Address, Ruleset, SpaceObject, Sysctl
from isthmus.network.spaces import Space

RED = Step(None, SpaceObject(Space("red", Path("/run/netns/red"))))
ADDRESS = Step(Address("red", "eth0", ip_interface("10.0.0.2/24")), None)
RULES = Step(Ruleset("red", "old\n"), Ruleset("red", "new\n"))


def test_a_plan_is_a_line_a_step_and_the_lines_of_rules_beneath() -> None:
    assert list(telling.plan_lines([RED, ADDRESS, RULES], colour=False)) == [
        "+ namespace red",
        "- red/eth0: address 10.0.0.2/24",
        "~ red: nftables rules: changed",
        "    - old",
        "    + new",
    ]


def test_colours_are_those_of_the_signs() -> None:
    coloured = list(telling.plan_lines([RED, ADDRESS, RULES], colour=True))
    assert coloured[0] == "\033[32m+ namespace red\033[0m"
    assert [line.lstrip()[:5] for line in coloured[1:3]] == ["\033[31m", "\033[33m"]


def test_the_summary_counts_what_there_is_to_do() -> None:
    assert telling.summary("net", []) == "net: nothing to do"
    assert telling.summary("net", [RED, RED, RULES]) == "net: 2 to make, 1 to change, 0 to remove"


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def told(stream: StringIO, *, quiet: bool = False) -> str:
    progress = telling.Progress(2, stream, quiet=quiet)
    for what in (RED, "service web started", ADDRESS):
        progress(what)
    progress.end()
    return stream.getvalue()


def test_progress_is_a_line_a_step_or_one_that_is_written_over() -> None:
    lines = "+ namespace red\nservice web started\n- red/eth0: address 10.0.0.2/24\n"
    assert told(StringIO()) == lines
    over = "\r\033[K"
    assert told(Terminal()) == (
        f"{over}[1/2] + namespace red"
        f"{over}service web started\n"
        f"{over}[2/2] - red/eth0: address 10.0.0.2/24{over}"
    )
    assert told(Terminal(), quiet=True) == ""


class Broken(StringIO):
    writes = 0

    def write(self, text: str) -> int:
        self.writes += 1
        raise OSError(errno.ENOSPC, "No space left on device")


def test_progress_that_cannot_be_written_is_given_up() -> None:
    stream = Broken()
    told(stream)
    assert stream.writes == 1


def test_a_step_stands_where_its_interface_or_its_namespace_stands() -> None:
    namespace, end, link = (Span("net.yaml", line, 1, 4) for line in (2, 4, 5))
    network = Network(
        "net",
        (Namespace("red", span=namespace), Namespace("blue")),
        (Link(End("red", "eth0", span=end), Veth(End("red", "eth1")), span=link),),
    )
    for step, place in (
        (RED, namespace),
        (ADDRESS, end),
        (Step(None, Address("red", "eth1", ip_interface("10.0.0.3/24"))), link),
        (Step(None, Sysctl("red", "net.ipv4.ip_forward", "1")), namespace),
        (Step(None, Sysctl("blue", "net.ipv4.ip_forward", "1")), None),
    ):
        assert telling.place_of(step, network) == place
