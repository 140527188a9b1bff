"""The networks that the picture's tests draw, as states, in few words each."""

from __future__ import annotations

from ipaddress import ip_address, ip_interface
from pathlib import Path

from isthmus.network.model import BridgePort, Route, Shaping
from isthmus.network.objects import (
    Address,
    Interface,
    Object,
    Queue,
    RouteObject,
    Ruleset,
    ServiceObject,
    SpaceObject,
    State,
    Sysctl,
)
from isthmus.network.spaces import Space


class Drawing:
    """Collects the objects of one state."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.objects: list[Object] = []

    def space(self, *names: str, hostname: str | None = None) -> None:
        self.objects += [SpaceObject(Space(name, Path("/run/netns") / name), hostname) for name in names]

    def interface(self, place: str, kind: str, *addresses: str, **settings: object) -> None:
        namespace, name = place.split("/", 1)
        self.objects.append(Interface(namespace, name, kind, **settings))
        self.objects += [Address(namespace, name, ip_interface(each)) for each in addresses]

    def veth(
        self, one: str, other: str, *addresses: str, master: str | None = None, **settings: object
    ) -> None:
        """A pair; the first end carries the addresses, the other is the port of a master."""
        self.interface(one, "veth", *addresses, peer=tuple(other.split("/", 1)), **settings)
        self.interface(other, "veth", peer=tuple(one.split("/", 1)), master=master)

    def default(self, namespace: str, via: str, device: str | None = None) -> None:
        self.objects.append(RouteObject(namespace, Route(None, via=ip_address(via), device=device)))

    def service(self, name: str, namespace: str, state: str = "running") -> None:
        self.objects.append(ServiceObject(name, namespace, "", state))

    def ruleset(self, namespace: str, text: str) -> None:
        self.objects.append(Ruleset(namespace, text))

    def sysctl(self, namespace: str, name: str, value: str) -> None:
        self.objects.append(Sysctl(namespace, name, value))

    def state(self) -> State:
        return State(self.name, {each.key: each for each in self.objects})


def nothing() -> State:
    drawing = Drawing("nothing")
    drawing.space("red")
    return drawing.state()


def pair() -> State:
    drawing = Drawing("pair")
    drawing.space("red", hostname="alpha")
    drawing.space("blue", hostname="beta")
    drawing.interface("red/lo", "loopback", up=False)
    drawing.veth("red/eth0", "blue/eth0", "10.0.0.1/24", "fd00::1/64")
    drawing.objects.append(Address("blue", "eth0", ip_interface("10.0.0.2/24")))
    return drawing.state()


def switch() -> State:
    drawing = Drawing("switch")
    drawing.space("red", "blue", "switch")
    drawing.interface("switch/br0", "bridge", settings=(("stp", True),))
    for index, name in enumerate(("red", "blue"), 1):
        drawing.veth(f"{name}/eth0", f"switch/{name}", f"10.0.0.{index}/24", master="br0")
    return drawing.state()


def natted() -> State:
    drawing = Drawing("two-servers")
    drawing.space("web", "database")
    drawing.interface("host/br0", "bridge", "10.0.0.1/24", "fd00::1/64")
    for index, name in enumerate(("web", "database"), 2):
        drawing.veth(f"{name}/eth0", f"host/veth-{name}"[:20], f"10.0.0.{index}/24", master="br0", mtu=1400)
        drawing.default(name, "10.0.0.1", "eth0")
    drawing.sysctl("host", "net.ipv4.ip_forward", "1")
    drawing.ruleset(
        "host", '{"add":{"rule":{"expr":[{"masquerade":null}]}}}\n{"add":{"rule":{"expr":[{"dnat":{}}]}}}'
    )
    drawing.service("nginx", "web")
    drawing.service("postgres", "database", "failed")
    drawing.objects.append(Queue("database", "eth0", Shaping(rate=10_000_000, delay=10_000, jitter=1_000)))
    return drawing.state()


def zones() -> State:
    drawing = Drawing("zones")
    for vlan in (10, 20, 30):
        drawing.interface(f"host/eth0.{vlan}", "vlan", parent=("host", "eth0"), settings=(("id", vlan),))
        for letter in "ab" if vlan != 30 else "abc":
            name = f"zone{vlan}{letter}"
            drawing.space(name)
            drawing.interface(
                f"{name}/eth0",
                "macvlan",
                f"10.{vlan}.0.{ord(letter) - 96}/24",
                parent=("host", f"eth0.{vlan}"),
                settings=(("mode", "private"),),
                mac=f"02:00:{vlan:02x}:00:01:{ord(letter) - 96:02x}",
            )
            drawing.service(f"app-{vlan}{letter}", name)
    return drawing.state()


def tenants() -> State:
    drawing = Drawing("multi-tenant")
    drawing.interface("host/br0", "bridge", settings=(("vlan_filtering", True),))
    for vlan in (1, 2, 3):
        drawing.space(f"tenant{vlan}", f"client{vlan}")
        drawing.veth(f"tenant{vlan}/eth0", f"host/tenant{vlan}", "10.0.0.1/24", master="br0")
        drawing.veth(f"client{vlan}/eth0", f"tenant{vlan}/client", "192.168.0.2/24")
        drawing.objects.append(Address(f"tenant{vlan}", "client", ip_interface("192.168.0.1/24")))
        drawing.ruleset(f"tenant{vlan}", '{"add":{"rule":{"expr":[{"tproxy":{"port":3129}}]}}}')
    drawing.interface("host/trunk", "veth", master="br0", port=BridgePort(1, (2, 3)))
    drawing.interface("host/vx42", "vxlan", settings=(("id", 42), ("remote", "192.0.2.9")), master="br0")
    drawing.service("legacy", "outside")
    drawing.service("isthmus", "outside")
    return drawing.state()


def many(count: int = 200, odd: int | None = None) -> State:
    drawing = Drawing("many")
    drawing.space("switch")
    drawing.interface("switch/br0", "bridge", "10.0.255.254/16")
    for index in range(1, count + 1):
        drawing.space(f"t{index}")
        addresses = (f"10.0.{index // 250}.{index % 250 + 1}/16", "192.168.0.1/24")
        drawing.veth(f"t{index}/eth0", f"switch/t{index}", *addresses, master="br0", up=index != odd)
        drawing.default(f"t{index}", "10.0.255.254", "eth0")
        drawing.service(f"web{index}", f"t{index}")
    return drawing.state()


SAMPLES = {
    "nothing": nothing,
    "pair": pair,
    "switch": switch,
    "natted": natted,
    "zones": zones,
    "tenants": tenants,
    "many": many,
}


def tangle() -> State:
    """What nobody draws on purpose: circles, links past a row, two hubs, an interface of nobody's."""
    drawing = Drawing('tangle & <"quotes">')
    drawing.space("a", "b", "c", "d", "lonely")
    drawing.veth("a/x", "b/x")
    drawing.veth("b/y", "c/y")
    drawing.veth("c/z", "host/z")
    drawing.veth("a/h", "host/h", "10.9.9.9/32")
    drawing.veth("a/own", "a/self")
    drawing.veth("d/eth0", "b/d")
    drawing.interface("b/m1", "macvlan", parent=("b", "m2"))
    drawing.interface("b/m2", "macvlan", parent=("b", "m1"))
    drawing.interface("c/br1", "bridge")
    drawing.interface("c/br2", "bridge", mtu=9000)
    drawing.veth("c/patch1", "c/patch2", master="br1")
    drawing.interface("d/vrf", "vrf", settings=(("table", 10),))
    drawing.interface("d/v", "veth", master="vrf", up=False)
    return drawing.state()


SAMPLES["tangle"] = tangle
