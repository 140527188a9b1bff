"""examples/veth-pair: two unnamed namespaces joined by one veth, each with a host name of its own."""

from __future__ import annotations

import sys
from pathlib import Path

from .examples import CLIENT, LISTENER, Reader, told_by_everybody, waiting
from .story import holds_its_ground


def two_namespaces_talk_and_the_host_sees_neither(reader: Reader, examples: Path) -> None:
    file = examples / "veth-pair" / "network.yaml"
    with holds_its_ground(reader, file) as again:
        assert reader.inside("red", "hostname") == "red-host\n"
        assert reader.inside("blue", "uname", "-n") == "blue-host\n"
        assert reader.inside("host", "hostname") not in ("red-host\n", "blue-host\n")
        for name, other in (("red", "10.0.0.2"), ("blue", "10.0.0.1")):
            assert "1 received" in reader.inside(name, "ping", "-c1", "-W5", other)
            assert [each["ifname"] for each in reader.listing(name, "link")] == ["lo", "eth0"]
        assert reader.inside("host", "ip", "netns") == "", "unnamed: ip netns does not know them"
        assert [each["ifname"] for each in reader.listing("host", "link")] == ["lo"]
        changed_under_a_connection(reader, file)
        again()


def changed_under_a_connection(reader: Reader, file: Path) -> None:
    """Give one side an MTU and one more address: only that is done, and who talks goes on talking."""
    text = file.read_text()
    address = "10.0.0.2/24"
    assert address in text
    listener = reader.start_inside("blue", sys.executable, "-P", "-c", LISTENER, "10.0.0.2", "7000")
    with waiting(listener, "ready"):
        talking = reader.start_inside("red", sys.executable, "-P", "-c", CLIENT, "10.0.0.2", "7000")
        with waiting(talking, "blue-host sees 10.0.0.1"):
            file.write_text(text.replace(address, "[10.0.0.2/24, 'fd00::2/64'], mtu: 1400"))
            assert reader.net("apply", str(file)).splitlines() == [
                "~ blue/eth0: mtu 1500 → 1400",
                "+ blue/eth0: address fd00::2/64",
                "veth-pair: done (1 to make, 1 to change, 0 to remove)",
            ]
            assert talking.stdin is not None
            assert talking.stdout is not None
            talking.stdin.write("still there?\n")
            talking.stdin.flush()
            assert talking.stdout.readline() == "still there?\n"
    file.write_text(text)
    reader.net("apply", str(file))


def with_lo_down_a_namespace_does_not_reach_itself_and_check_says_why(reader: Reader, examples: Path) -> None:
    folder = examples / "veth-pair"
    file = folder / "lo-down.yaml"
    reader.begin(file)
    before = reader.snapshot()
    reader.net("apply", str(folder / "network.yaml"))
    assert "1 received" in reader.inside("blue", "ping", "-c1", "-W5", "10.0.0.2")
    assert reader.net("apply", str(file)).splitlines() == [
        "~ blue/lo: state up → down",
        "veth-pair: done (0 to make, 1 to change, 0 to remove)",
    ]
    assert "0 received" in reader.inside("blue", "ping", "-c1", "-W1", "10.0.0.2", status=1)
    assert "1 received" in reader.inside("red", "ping", "-c1", "-W5", "10.0.0.2")
    told = reader.net("check", str(file), status=1)
    assert "FAILED  blue can ping 10.0.0.2" in told
    assert "why: lo is down in blue: a namespace reaches even its own addresses only through lo" in told
    assert "3 expectations, 1 FAILED" in told
    assert "DOWN" in reader.net("show", "veth-pair")
    file.write_text(file.read_text().replace("blue can ping 10.0.0.2", "blue cannot ping 10.0.0.2"))
    assert "3 expectations, all hold" in reader.net("check", str(file))
    reader.net("down", str(file))
    assert reader.snapshot() == before


test_two_namespaces_talk_and_the_host_sees_neither = told_by_everybody(
    two_namespaces_talk_and_the_host_sees_neither
)
test_with_lo_down_a_namespace_does_not_reach_itself_and_check_says_why = told_by_everybody(
    with_lo_down_a_namespace_does_not_reach_itself_and_check_says_why
)
