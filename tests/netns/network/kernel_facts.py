"""What the kernel says of a world, read with iproute2 and nft: nothing of Isthmus' own reading is used."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_NOT_SET_BY_US = ("kernel", "ra")
_TOLD = ("stp_state", "forward_delay", "mode", "id", "port", "remote", "remote6", "local", "local6")
_NUMBERS = {"main": 254, "default": 253, "local": 255}


@dataclass
class Facts:
    """One namespace. Comparable: numbers that differ with every making are left out or resolved."""

    interfaces: dict[str, dict[str, Any]] = field(default_factory=dict)
    addresses: set[tuple[str, str]] = field(default_factory=set)
    routes: set[tuple[Any, ...]] = field(default_factory=set)
    rules: set[tuple[Any, ...]] = field(default_factory=set)
    neighbours: set[tuple[str, str, str]] = field(default_factory=set)
    queues: dict[str, int] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)
    nft: str = ""
    hostname: str | None = None
    beneath: dict[str, set[tuple[str, str]]] = field(default_factory=dict, compare=False)


def world(network: str, settings: tuple[str, ...]) -> dict[str, Facts]:
    """Everything in the host's namespace and in every other that has a file, by name."""
    files = {"host": Path("/proc/self/ns/net")}
    for folder in (Path("/run/netns"), Path("/run/isthmus/net") / network):
        files.update({path.name: path for path in sorted(folder.glob("*"))})
    found = {name: _raw(path, settings) for name, path in files.items()}
    facts = {name: _facts(raw) for name, raw in found.items()}
    for name, each in facts.items():
        hostname = Path("/run/isthmus/uts") / network / name
        if hostname.exists():
            done = ("nsenter", f"--uts={hostname}", "hostname")
            each.hostname = subprocess.run(done, capture_output=True, text=True, check=True).stdout.strip()
    _resolve(found, facts)
    return facts


def _raw(path: Path, settings: tuple[str, ...]) -> dict[str, Any]:
    """Ask in one shell, in one namespace: processes are what this costs."""
    wanted = " ".join(f"/proc/sys/{each.replace('.', '/')}" for each in settings)
    script = (
        'printf "address\\nneighbour show nud permanent\\n" | ip -d -j -batch -; echo ==; '
        'for family in 4 6; do printf "route show table all\\nrule\\n" | ip -$family -d -j -batch -; done; '
        "echo ==; tc -j qdisc show; echo; echo ==; nft list ruleset; echo ==; "
        f"for each in {wanted} /proc/sys/net/ipv4/conf/*/rp_filter; do echo $each $(cat $each); done"
    )
    entered = ("nsenter", f"--net={path}", "sh", "-c", script)
    done = subprocess.run(entered, capture_output=True, text=True, check=True)
    links, ways, queues, nft, values = done.stdout.split("==\n")
    addresses, neighbours = (json.loads(line) for line in links.splitlines() if line)
    routes, rules, routes_six, rules_six = (json.loads(line) for line in ways.splitlines() if line)
    return {
        "addresses": addresses,
        "routes": [*((4, each) for each in routes), *((6, each) for each in routes_six)],
        "rules": [*((4, each) for each in rules), *((6, each) for each in rules_six)],
        "neighbours": neighbours,
        "queues": json.loads(queues),
        "nft": nft,
        "settings": dict(line.split(" ", 1) for line in values.splitlines()),
    }


def _facts(raw: dict[str, Any]) -> Facts:
    facts = Facts(nft=raw["nft"], settings=raw["settings"])
    for each in raw["addresses"]:
        facts.interfaces[each["ifname"]] = _interface(each)
        for one in each["addr_info"]:
            # What the kernel gives by itself: link-local addresses, and those of lo.
            if one["scope"] != "link" and each["ifname"] != "lo":
                facts.addresses.add((each["ifname"], f"{one['local']}/{one['prefixlen']}"))
    for family, each in raw["routes"]:
        if each.get("protocol") not in _NOT_SET_BY_US:
            facts.routes.add(_route(family, each))
    for family, each in raw["rules"]:
        if each["priority"] not in (0, 32766, 32767):
            facts.rules.add(_rule(family, each))
    for each in raw["neighbours"]:
        facts.neighbours.add((each["dev"], each["dst"], each["lladdr"]))
    for each in raw["queues"]:
        if each.get("root") and each["kind"] == "tbf":
            facts.queues[each["dev"]] = each["options"]["rate"] * 8
    return facts


def _interface(each: dict[str, Any]) -> dict[str, Any]:
    information = each.get("linkinfo", {})
    return {
        "kind": information.get("info_kind"),
        "data": {key: value for key, value in information.get("info_data", {}).items() if key in _TOLD},
        "up": "UP" in each["flags"],
        "mtu": each["mtu"],
        "mac": each.get("address"),
        "master": each.get("master"),
        "alias": each.get("ifalias"),
    }


def _route(family: int, each: dict[str, Any]) -> tuple[Any, ...]:
    table = each.get("table", "main")
    to = each["dst"]
    if to == "default":
        to = "0.0.0.0/0" if family == 4 else "::/0"
    if "/" not in to:
        to += "/32" if family == 4 else "/128"
    metric = each.get("metric")
    if family == 6 and metric == 1024:
        metric = None
    kind = each.get("type", "unicast")
    return (
        to,
        kind,
        each.get("gateway"),
        # The kernel hangs a route that refuses on lo.
        each.get("dev") if kind == "unicast" else None,
        each.get("prefsrc"),
        _NUMBERS.get(table) or int(table),
        metric,
        "onlink" in each.get("flags", ()),
    )


def _rule(family: int, each: dict[str, Any]) -> tuple[Any, ...]:
    source = None if each["src"] == "all" else each["src"]
    if source is not None:
        source += f"/{each.get('srclen', 32 if family == 4 else 128)}"
    table = each.get("table")
    return (
        each["priority"],
        family,
        source,
        int(each["fwmark"], 16) if "fwmark" in each else None,
        int(each["fwmask"], 16) if "fwmask" in each else None,
        each.get("iif"),
        None if table is None else _NUMBERS.get(table) or int(table),
        each.get("action", "lookup"),
    )


def _resolve(found: dict[str, Any], facts: dict[str, Facts]) -> None:
    """Say of each interface which others its peer or parent may be: the kernel tells an index."""
    known = [(name, each) for name, raw in found.items() for each in raw["addresses"]]
    for name, each in known:
        index, near = each.get("link_index"), each.get("link")
        facts[name].beneath[each["ifname"]] = {
            (other, candidate["ifname"])
            for other, candidate in known
            if (candidate["ifindex"] == index and each.get("link_netnsid") is not None)
            or (candidate["ifname"] == near and other == name)
        }
