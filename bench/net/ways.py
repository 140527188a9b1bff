"""The three ways in which the same tenants are made and removed: Isthmus, `ip -batch`, one `ip` a command.

A tenant is a namespace with `lo` up, a veth pair into a bridge on the host, an IPv4 and an IPv6 address
(no duplicate address detection anywhere) and a default route.  The files of each way are written before
anything is measured; what is measured is one process, from its start to the end state.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
BRIDGE = "bench0"
BRIDGE_ADDRESSES = ("10.77.0.1/16", "fd77::1/64")

DOCUMENT = """\
network: bench
links:
  - bridge: {{name: {bridge}, addresses: [{four}, "{six}"]}}
for:
  - each: {{i: 0..{last}}}
    namespaces:
      "t${{i}}": {{routes: [{{to: default, via: 10.77.0.1}}]}}
    links:
      - veth:
          - {{in: "t${{i}}", name: eth0,
             addresses: ["10.77.${{1 + i // 250}}.${{i % 250 + 1}}/16", "fd77::1:${{i:x}}/64"]}}
          - {{name: "v${{i}}", master: {bridge}}}
"""


@dataclass(frozen=True)
class Way:
    """A way to make the tenants, and to remove them: two commands."""

    name: str
    up: tuple[str, ...]
    down: tuple[str, ...]


def isthmus(folder: Path, tenants: int) -> Way:
    file = folder / "network.yaml"
    four, six = BRIDGE_ADDRESSES
    file.write_text(DOCUMENT.format(bridge=BRIDGE, four=four, six=six, last=tenants - 1))
    command = (sys.executable, "-m", "isthmus.cli", "net")
    return Way("isthmus", (*command, "apply", "-q", str(file)), (*command, "down", "-q", str(file)))


def batch(folder: Path, tenants: int) -> Way:
    """As few processes as ip allows: one for all that the host sees, one for the inside of each namespace."""
    folder = folder / "batch"
    folder.mkdir()
    host = [*_bridge(), *(line for i in range(tenants) for line in _outside(i))]
    (folder / "up").write_text("\n".join(host) + "\n")
    for i in range(tenants):
        (folder / f"t{i}").write_text("\n".join(_inside(i)) + "\n")
    removal = [*(f"netns del t{i}" for i in range(tenants)), f"link del {BRIDGE}"]
    (folder / "down").write_text("\n".join(removal) + "\n")
    up = [f"ip -batch {folder}/up", *(f"ip -n t{i} -batch {folder}/t{i}" for i in range(tenants))]
    return _scripted("ip -batch", folder, up, [f"ip -batch {folder}/down"])


def script(folder: Path, tenants: int) -> Way:
    """A shell script as people write it: one process for each command."""
    folder = folder / "script"
    folder.mkdir()
    up = [f"ip {line}" for line in _bridge()]
    for i in range(tenants):
        up += [f"ip {line}" for line in _outside(i)]
        up += [f"ip -n t{i} {line}" for line in _inside(i)]
    down = [*(f"ip netns del t{i}" for i in range(tenants)), f"ip link del {BRIDGE}"]
    return _scripted("script", folder, up, down)


WAYS: dict[str, Callable[[Path, int], Way]] = {"isthmus": isthmus, "ip -batch": batch, "script": script}


def _bridge() -> list[str]:
    addresses = [f"addr add {address} dev {BRIDGE} nodad" for address in BRIDGE_ADDRESSES[1:]]
    return [
        f"link add {BRIDGE} type bridge",
        f"addr add {BRIDGE_ADDRESSES[0]} broadcast + dev {BRIDGE}",
        *addresses,
        f"link set {BRIDGE} up",
    ]


def _outside(i: int) -> list[str]:
    return [
        f"netns add t{i}",
        f"link add v{i} type veth peer name eth0 netns t{i}",
        f"link set v{i} master {BRIDGE} up",
    ]


def _inside(i: int) -> list[str]:
    return [
        "link set lo up",
        "link set eth0 up",
        f"addr add {address_of(i)} broadcast + dev eth0",
        f"addr add fd77::1:{i:x}/64 dev eth0 nodad",
        "route add default via 10.77.0.1",
    ]


def address_of(i: int) -> str:
    return f"10.77.{1 + i // 250}.{i % 250 + 1}/16"


def _scripted(name: str, folder: Path, up: list[str], down: list[str]) -> Way:
    for kind, lines in (("up.sh", up), ("down.sh", down)):
        (folder / kind).write_text("set -e\n" + "\n".join(lines) + "\n")
    return Way(name, ("sh", str(folder / "up.sh")), ("sh", str(folder / "down.sh")))
