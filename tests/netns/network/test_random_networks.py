"""Random networks, made, made into others, broken off and taken down, as the kernel tells of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from unittest import mock

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from isthmus.network import building, operating
from isthmus.network.applying import ApplyError
from isthmus.network.desired import spaces
from isthmus.network.difference import Step
from isthmus.network.machine import machine
from isthmus.network.model import Bridge, Link, Macvlan, Namespace, Network, Veth, Vxlan
from isthmus.network.netlink.channel import Channel

from . import kernel_facts
from .kernel_facts import Facts
from .random_networks import NAME, SETTINGS, ends, networks
from .world import run_in_world


def apply(network: Network) -> int:
    """Apply a network and return how many changes the kernel was asked for."""
    before = Channel.writes
    with machine(spaces(network).values()) as opened:
        comparison = building.compare(network, opened)
        assert comparison.conflicts == {}
        building.build(network, comparison, opened, lambda _: None)
    return Channel.writes - before


def down(network: Network) -> None:
    with machine(spaces(network).values()) as opened:
        assert building.dismantle(network, opened, lambda _: None) == []


def facts() -> dict[str, Facts]:
    return kernel_facts.world(NAME, SETTINGS)


def differences(network: Network, found: dict[str, Facts]) -> Iterator[str]:
    """Compare what a network asks for with what the kernel tells, word by word."""
    wanted = {each.name for each in network.namespaces} | {"host"}
    if set(found) != wanted:
        yield f"namespaces {set(found)}, not {wanted}"
        return
    for namespace in network.namespaces:
        have = found[namespace.name]
        pairs = (
            ("interfaces", set(have.interfaces), {"lo"} | {each.name for _, each in at(network, namespace)}),
            ("addresses", have.addresses, addresses(network, namespace)),
            ("routes", told_routes(have, namespace), routes(namespace)),
            ("rules", have.rules, rules(namespace)),
            ("neighbours", have.neighbours, neighbours(namespace)),
            ("queues", have.queues, queues(network, namespace)),
            ("host name", have.hostname, namespace.hostname),
            ("lo", have.interfaces["lo"]["up"], namespace.loopback_up),
        )
        for what, told, asked in pairs:
            if told != asked:
                both = isinstance(told, set) and isinstance(asked, set)
                told, asked = (told - asked, asked - told) if both else (told, asked)
                yield f"{namespace.name}: {what} {told}, not {asked}"
        for link, end in at(network, namespace):
            for what, told, asked in interface(have, link, end):
                if told != asked:
                    yield f"{namespace.name}/{end.name}: {what} {told}, not {asked}"
        for name, value in namespace.sysctls:
            path = f"/proc/sys/{name.replace('.', '/')}"
            if have.settings[path] != value:
                yield f"{namespace.name}: {name} {have.settings[path]}, not {value}"
        yield from filtering(namespace, have.nft)


def at(network: Network, namespace: Namespace) -> list[tuple[Link, object]]:
    return [(link, each) for link in network.links for each in ends(link) if each.namespace == namespace.name]


def interface(have: Facts, link: Link, end) -> Iterator[tuple[str, object, object]]:
    found = have.interfaces.get(end.name)
    if found is None:
        return
    data, kind = found["data"], link.kind
    yield "kind", found["kind"], type(kind).__name__.lower()
    yield "up", found["up"], end.up
    yield "master", found["master"], end.master
    yield "alias", found["alias"], f"isthmus:{NAME}{what_is_given(end, kind)}"
    if end.mtu is not None or isinstance(kind, Veth):
        yield "mtu", found["mtu"], end.mtu or 1500
    if end.mac is not None:
        yield "mac", found["mac"], end.mac
    match kind:
        case Veth(peer):
            other = link.end if end is peer else peer
            yield "peer", (other.namespace, other.name) in have.beneath[end.name], True
        case Bridge(stp=stp, forward_delay=delay):
            yield "stp", bool(data["stp_state"]), stp
            yield "delay", data["forward_delay"] if delay else 0, (delay or 0) * 100
        case Macvlan(namespace, parent, mode):
            yield "mode", data["mode"], mode
            yield "parent", (namespace, parent) in have.beneath[end.name], True
        case Vxlan(identifier, remote, local, port):
            yield "id", data["id"], identifier
            yield "port", data["port"], port
            yield "remote", data.get("remote") or data.get("remote6"), str(remote)
            yield "local", data.get("local") or data.get("local6"), str(local) if local else None


def what_is_given(end, kind: object) -> str:
    """What the alias says of what the file gives."""
    properties = (
        ("forward_delay", getattr(kind, "forward_delay", None)),
        ("mac", end.mac),
        ("mtu", end.mtu),
    )
    names = [name for name, value in properties if value is not None]
    return f" given {','.join(names)}" if names else ""


def addresses(network: Network, namespace: Namespace) -> set[tuple[str, str]]:
    return {(end.name, str(each)) for _, end in at(network, namespace) for each in end.addresses}


def routes(namespace: Namespace) -> set[tuple[object, ...]]:
    return {
        (
            str(each.to),
            each.kind,
            str(each.via) if each.via else None,
            each.device,
            str(each.source) if each.source else None,
            each.table,
            each.metric,
            each.on_link,
        )
        for each in namespace.routes
    }


def told_routes(have: Facts, namespace: Namespace) -> set[tuple[object, ...]]:
    """The kernel's routes; a device that the file leaves open is left out (the kernel finds the one)."""
    open_ones = {(str(each.to), each.table, each.metric) for each in namespace.routes if not each.device}
    return {
        (*each[:3], None, *each[4:]) if (each[0], each[5], each[6]) in open_ones else each
        for each in have.routes
    }


def rules(namespace: Namespace) -> set[tuple[object, ...]]:
    return {
        (
            each.priority,
            each.family,
            str(each.source) if each.source else None,
            each.mark,
            each.mask,
            each.incoming,
            each.table,
            each.action,
        )
        for each in namespace.rules
    }


def neighbours(namespace: Namespace) -> set[tuple[str, str, str]]:
    return {(each.device, str(each.address), each.mac) for each in namespace.neighbours}


def queues(network: Network, namespace: Namespace) -> dict[str, int]:
    return {end.name: end.shaping.rate for _, end in at(network, namespace) if end.shaping}


def filtering(namespace: Namespace, text: str) -> Iterator[str]:
    lines = Counter(line.strip().split(" comment")[0] for line in text.splitlines())
    nat, firewall = namespace.nat, namespace.firewall
    masquerades = sum(count for line, count in lines.items() if line.endswith("masquerade"))
    if (nat is not None) != (masquerades > 0):
        yield f"{namespace.name}: {masquerades} rules masquerade, {nat}"
    for each in nat.forwards if nat else ():
        end = f"dnat ip to {each.to}" + (f":{each.to_port}" if each.to_port else "")
        if not any(f"tcp dport {each.listen.first} " in line and line.endswith(end) for line in lines):
            yield f"{namespace.name}: nothing forwards {each}"
    for hook in ("input", "forward", "output"):
        chain = getattr(firewall, hook, None)
        told = [line for line in lines if line.startswith(f"type filter hook {hook} ")]
        policy = None if chain is None else "accept" if chain.allow_by_default else "drop"
        if [line.rsplit(" ", 1)[1] for line in told] != ([f"{policy};"] if policy else []):
            yield f"{namespace.name}: {hook} is {told}, not {policy}"
        for rule in chain.rules if chain else ():
            words = [f"ip saddr {each}" for each in rule.sources]
            for ports in rule.ports:
                last = f"-{ports.last}" if ports.last != ports.first else ""
                words.append(f"{ports.protocol} dport {ports.first}{last}")
            line = " ".join([*words, "accept" if rule.allow else "drop"])
            if line not in lines:
                yield f"{namespace.name}: {hook} lacks {line}"


def same(network: Network, found: dict[str, Facts]) -> None:
    told = list(differences(network, found))
    assert not told, "\n".join(told)


def alike(now: dict[str, Facts], before: dict[str, Facts]) -> None:
    """Say what is not as it was."""
    assert set(now) == set(before)
    told = [
        f"{name}: {what} is {have}, was {had}"
        for name in now
        for what, have, had in _pairs(now[name], before[name])
        if have != had
    ]
    assert not told, "\n".join(told)


def _pairs(now: Facts, before: Facts) -> Iterator[tuple[str, object, object]]:
    for name in {*now.interfaces, *before.interfaces}:
        yield name, now.interfaces.get(name), before.interfaces.get(name)
    for what in ("addresses", "routes", "rules", "neighbours", "queues", "settings", "nft", "hostname"):
        have, had = getattr(now, what), getattr(before, what)
        both = isinstance(have, set)
        yield what, have - had if both else have, had - have if both else had


class InjectedError(OSError):
    """A failure that the test makes."""


def live(one: Network, other: Network, place: float) -> None:
    """A network made, made again, half made into another, made into it, and taken down."""
    before = facts()
    apply(one)
    made = facts()
    same(one, made)
    assert apply(one) == 0, "the second apply changed something"
    if fail(other, place):
        alike(facts(), made)
    apply(other)
    same(other, facts())
    assert apply(other) == 0, "the second apply of the changed file changed something"
    down(other)
    alike(facts(), before)


def fail(network: Network, place: float) -> bool:
    """Apply a network with a step, so far along, that cannot be done; False where there is no step."""
    with machine(spaces(network).values()) as opened:
        total = len(building.compare(network, opened).steps)
    original = operating.Operator.work
    works: list[Step] = []

    def work(self: operating.Operator, step: Step, phase: int) -> object:
        works.append(step)
        if len(works) == 1 + int(total * place):
            raise InjectedError("injected")
        return original(self, step, phase)

    try:
        with mock.patch.object(operating.Operator, "work", work):
            apply(network)
    except ApplyError as error:
        left = error.left
    else:
        return False
    assert left == []
    return True


def examples(number: int, *, rootless: bool) -> None:
    """Live through five pairs of networks, the same in every run; a failure is told as it is found."""

    @seed(number)
    @settings(
        max_examples=5,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(networks(), networks(), st.floats(0, 0.99))
    def every(one: Network, other: Network, place: float) -> None:
        run_in_world(lambda: live(one, other, place), rootless=rootless)

    every()


@pytest.mark.parametrize("number", range(5))
def test_the_kernel_has_what_any_network_asks_for_and_nothing_after_it(number) -> None:
    examples(number, rootless=False)


def test_without_root_the_kernel_has_what_any_network_asks_for_too() -> None:
    examples(5, rootless=True)
