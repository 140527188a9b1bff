"""Namespaces and settings that were there before: used by a network, and given back as they were."""

from __future__ import annotations

import subprocess
from pathlib import Path

from .net_command import DEADLINE, done, ip, until, write
from .world import in_world, snapshot

SHOWN = ("link", "address", "route", "rule", "-6 route")


def described(*space: str) -> list[str]:
    return [ip(*space, *what.split()) for what in SHOWN]


def held() -> subprocess.Popen[bytes]:
    """A process with a network namespace of its own."""
    process = subprocess.Popen(["unshare", "-n", "sleep", "600"])
    own = Path("/proc/self/ns/net").readlink()
    until(lambda: Path(f"/proc/{process.pid}/ns/net").readlink() != own, "the namespace")
    return process


ATTACHED = """
network: used
namespaces:
  held:
    attach: {{pid: {pid}}}
    sysctl: {{net.ipv4.ip_forward: 1}}
    routes: [{{to: default, via: 10.0.0.1}}]
  kept:
    attach: {{path: /run/netns/keep}}
    firewall: {{input: {{default: deny}}}}
    rules: [{{priority: 100, from: 10.3.0.0/16, table: 7}}]
  own: {{}}
links:
  - veth: [{{in: held, name: eth0, addresses: [10.0.0.2/24]}}, {{in: own, name: h, addresses: [10.0.0.1/24]}}]
  - veth: [{{in: kept, name: eth0, addresses: [10.1.0.2/24]}}, {{in: held, name: eth1}}]
  - bridge: {{in: kept, name: br0}}
"""


@in_world()
def test_attached_namespaces_are_used_and_left_as_they_were() -> None:
    process = held()
    ip("netns", "add", "keep")
    ip("-n", "keep", "link", "add", "theirs", "type", "bridge")
    inside = ("nsenter", f"--target={process.pid}", "--net")

    def facts() -> list[object]:
        forward = subprocess.check_output([*inside, "cat", "/proc/sys/net/ipv4/ip_forward"])
        held_links = [subprocess.check_output([*inside, "ip", *what.split()]) for what in SHOWN]
        nft = subprocess.check_output(["ip", "netns", "exec", "keep", "nft", "list", "ruleset"])
        return [forward, held_links, described("-n", "keep"), nft, snapshot()]

    before = facts()
    file = write(ATTACHED.format(pid=process.pid))
    done("apply", file)
    assert done("apply", file) == "used: nothing to do\n"
    subprocess.run([*inside, "ping", "-qc1", "-W5", "10.0.0.1"], check=True, stdout=subprocess.DEVNULL)
    assert "eth0" in ip("-n", "keep", "link")
    assert facts()[0] == b"1\n"
    done("down", file)
    assert facts() == before
    process.kill()
    process.wait(DEADLINE)
    done("down", file)


SETTINGS = {
    "net.ipv4.ip_forward": "1",
    "net.ipv6.conf.all.forwarding": "1",
    "net.ipv4.conf.card.rp_filter": "2",
    "net.ipv6.conf.card.accept_ra": "0",
    "net.ipv4.ip_local_port_range": "20000 30000",
}


def values() -> dict[str, str]:
    folder = Path("/proc/sys")
    return {each: " ".join((folder / each.replace(".", "/")).read_text().split()) for each in SETTINGS}


def host_with(settings: list[str]) -> str:
    lines = "".join(f"\n      {each}: {SETTINGS[each]}" for each in settings)
    return write(f"network: set\nnamespaces:\n  host:\n    sysctl: {{}}{lines}\n".replace("{}\n ", "\n "))


@in_world()
def test_settings_of_the_host_are_as_they_were_when_their_lines_or_the_network_go() -> None:
    ip("link", "add", "card", "type", "veth", "peer", "name", "wire")
    before = values()
    every = list(SETTINGS)
    done("apply", host_with(every))
    assert values() == SETTINGS
    assert done("apply", host_with(every)) == "set: nothing to do\n"
    done("apply", host_with(every[:2]))
    assert values() == {**before, **{each: SETTINGS[each] for each in every[:2]}}
    done("apply", host_with(every[1:]))
    assert values() == {**SETTINGS, every[0]: before[every[0]]}
    done("down", "set")
    assert values() == before
