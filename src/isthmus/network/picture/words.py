"""How parts of a network are said in few words: what an interface is beyond its kind, a shaping, a gateway.

Settings are picked one by one, by kind: keys and secrets never get into a picture.
"""

from __future__ import annotations

from collections.abc import Iterator

from isthmus.network.model import BridgePort, Shaping
from isthmus.network.objects import Interface, RouteObject, Setting, Sysctl
from isthmus.network.picture.shape import Gateway, printable

_MAIN_TABLE = 254


def _setting(interface: Interface, *names: str) -> Setting:
    """Return the first of the settings that is there, whichever way its name is written."""
    settings = {name.replace("_", "-"): value for name, value in interface.settings}
    return next((settings[name] for name in names if settings.get(name) is not None), None)


def remotes(interface: Interface) -> Iterator[str]:
    """Name the far ends of a tunnel."""
    if interface.kind == "vxlan":
        remote = _setting(interface, "remote", "group")
        if remote is not None:
            yield str(remote)
    if interface.kind == "wireguard":
        peers = _setting(interface, "peers")
        for peer in peers if isinstance(peers, tuple) else ():
            endpoint = getattr(peer, "endpoint", None)
            if isinstance(endpoint, tuple) and len(endpoint) == 2:
                host = f"[{endpoint[0]}]" if ":" in str(endpoint[0]) else str(endpoint[0])
                yield f"{host}:{endpoint[1]}"


def detail(interface: Interface) -> tuple[str, ...]:
    """Say what an interface is beyond its kind."""
    number = _setting(interface, "id", "identifier", "vni", "vlan-id")
    match interface.kind:
        case "vlan":
            tag = "" if _setting(interface, "protocol") in (None, "802.1Q", 0x8100) else " (802.1ad)"
            return (f"{number}{tag}",) if number is not None else ()
        case "vxlan":
            return (f"{number}",) if number is not None else ()
        case "macvlan" | "ipvlan":
            flag = _setting(interface, "flag")
            words = (_setting(interface, "mode"), flag if flag != "bridge" else None)
            return tuple(printable(str(word)) for word in words if word is not None)
        case "bridge":
            names = (("stp", "STP"), ("vlan-filtering", "VLAN filtering"))
            return tuple(word for name, word in names if _setting(interface, name) in (True, 1))
        case "vrf":
            table = _setting(interface, "table")
            return (f"table {table}",) if table is not None else ()
        case "wireguard":
            port = _setting(interface, "listen-port")
            return (f"port {port}",) if port else ()
        case _:
            return ()


def port_words(port: BridgePort) -> str | None:
    """Say which VLANs a bridge port belongs to."""
    words = [] if port.untagged is None else [f"untagged {port.untagged}"]
    if port.tagged:
        words.append("tagged " + " ".join(str(each) for each in port.tagged))
    return ", ".join(words) or None


def sysctl_words(sysctl: Sysctl) -> str:
    """Say a setting the short way."""
    name = sysctl.name.removeprefix("net.ipv4.").removeprefix("net.")
    return printable(f"{name}={sysctl.value}")


def gateway_words(each: RouteObject) -> Gateway:
    """Return what a default route leads to."""
    route = each.route
    via, device = route.via, route.device
    table = route.table if route.table != _MAIN_TABLE else None
    return Gateway(str(via) if via else None, printable(device) if device else None, table)


def shaping_words(shaping: Shaping) -> str:
    """Say what a link's way out is slowed down to."""
    words = [] if shaping.rate is None else [_scaled(shaping.rate, ("bit", "kbit", "mbit", "gbit"))]
    if shaping.delay is not None:
        jitter = f" ±{_scaled(shaping.jitter, ('us', 'ms', 's'))}" if shaping.jitter else ""
        words.append(f"{_scaled(shaping.delay, ('us', 'ms', 's'))}{jitter}")
    if shaping.loss is not None:
        words.append(f"{shaping.loss:g}% loss")
    return " ".join(words)


def _scaled(value: int, units: tuple[str, ...]) -> str:
    amount: float = value
    unit, *larger = units
    while larger and amount >= 1000:
        amount, unit, larger = amount / 1000, larger[0], larger[1:]
    return f"{amount:g}{unit}"
