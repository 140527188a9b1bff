"""Steps in words: what `plan` shows like a diff, and `apply` as it goes. Thinking only."""

from __future__ import annotations

from collections.abc import Iterator

from isthmus.network.difference import Step
from isthmus.network.filtering import in_words
from isthmus.network.model import Route, Rule, Shaping
from isthmus.network.objects import (
    Address,
    Interface,
    NeighbourObject,
    Object,
    Queue,
    RouteObject,
    RuleObject,
    Ruleset,
    ServiceObject,
    SpaceObject,
    Sysctl,
)

# Of a digest nobody learns anything either.
_SECRET = ("private_key", "peers", "endpoints")
_KBIT, _MBIT, _GBIT = 1_000, 1_000_000, 1_000_000_000
_MILLISECOND = 1_000
_MAIN_TABLE = 254


def sign(step: Step) -> str:
    """Return `+` for what is made, `-` for what is removed, `~` for what is changed."""
    if step.old is None:
        return "+"
    return "-" if step.new is None else "~"


def describe(step: Step) -> str:
    """Say in one line what a step does, without its sign."""
    if step.old is not None and step.new is not None:
        return f"{name(step.new)}: {', '.join(_changes(step.old, step.new)) or 'made again'}"
    subject = step.subject
    details = ", ".join(_details(subject))
    return f"{name(subject)} {details}".rstrip()


def details_of_change(step: Step) -> tuple[str, ...]:
    """Return the lines of a new ruleset, or of a changed one those that differ, each with its sign."""
    match step.old, step.new:
        case Ruleset(text=old), Ruleset(text=new):
            import difflib

            lines = difflib.ndiff(old.splitlines(), new.splitlines())
            return tuple(f"{line[:2]}{in_words(line[2:])}" for line in lines if line[:1] in "+-")
        case None, Ruleset(text=new):
            return tuple(f"+ {in_words(line)}" for line in new.splitlines())
        case _:
            return ()


def name(subject: Object) -> str:
    """Name an object: what it is, and where."""
    match subject:
        case SpaceObject(space):
            return f"namespace {space.name}"
        case Sysctl(namespace, setting):
            return f"{namespace}: {setting}"
        case Interface(namespace, interface):
            return f"{namespace}/{interface}"
        case Address(namespace, interface, address):
            return f"{namespace}/{interface}: address {address}"
        case RouteObject(namespace, route):
            return f"{namespace}: {_route_name(route)}"
        case RuleObject(namespace, rule):
            return f"{namespace}: rule {rule.priority}{' (IPv6)' if rule.family == 6 else ''}"
        case NeighbourObject(namespace, neighbour):
            return f"{namespace}/{neighbour.device}: neighbour {neighbour.address}"
        case Queue(namespace, interface):
            return f"{namespace}/{interface}: shaping"
        case Ruleset(namespace):
            return f"{namespace}: nftables rules"
        case ServiceObject(service):
            return f"service {service}"


def _details(subject: Object) -> Iterator[str]:
    match subject:
        case SpaceObject(_, str(hostname)):
            yield f"with host name {hostname}"
        case Sysctl(value=value):
            yield f"= {value}"
        case Interface():
            yield from _interface_details(subject)
        case RouteObject(route=route):
            yield from _route_details(route)
        case RuleObject(rule=rule):
            yield from _rule_details(rule)
        case NeighbourObject(neighbour=neighbour):
            yield f"at {neighbour.mac}"
        case Queue(shaping=shaping):
            yield _shaping(shaping)
        case Ruleset(text=text):
            yield f"({len(text.splitlines())} lines)"
        case ServiceObject(namespace=namespace):
            yield f"in {namespace}"
        case _:
            return


def _interface_details(interface: Interface) -> Iterator[str]:
    yield interface.kind
    if interface.peer is not None:
        yield f"to {'/'.join(interface.peer)}"
    if interface.parent is not None:
        yield f"on {'/'.join(interface.parent)}"
    if interface.origin is not None:
        yield f"from {'/'.join(interface.origin)}"
    for setting, value in interface.settings:
        if value not in (None, False) and setting not in _SECRET:
            yield setting.replace("_", "-") if value is True else f"{setting.replace('_', '-')} {value}"
    if interface.master is not None:
        yield f"port of {interface.master}"
    if interface.port is not None:
        tagged = " ".join(map(str, interface.port.tagged))
        yield f"vlan {interface.port.untagged or '-'} untagged" + (f", {tagged} tagged" if tagged else "")
    if interface.mac is not None:
        yield interface.mac
    if interface.mtu is not None:
        yield f"mtu {interface.mtu}"
    if not interface.up:
        yield "down"


def _route_name(route: Route) -> str:
    default = route.to is None or route.to.prefixlen == 0
    version = route.to.version if route.to else (route.via.version if route.via else 4)
    to = ("default" if version == 4 else "default (IPv6)") if default else str(route.to)
    return f"route {to}" if route.kind == "unicast" else f"{route.kind} route {to}"


def _route_details(route: Route) -> Iterator[str]:
    words = []
    if route.via is not None:
        words.append(f"via {route.via}")
    if route.device is not None:
        words.append(f"dev {route.device}")
    if route.source is not None:
        words.append(f"src {route.source}")
    if route.table != _MAIN_TABLE:
        words.append(f"table {route.table}")
    if route.metric is not None:
        words.append(f"metric {route.metric}")
    yield " ".join(words)


def _rule_details(rule: Rule) -> Iterator[str]:
    words = []
    for word, value in (
        ("from", rule.source),
        ("to", rule.destination),
        ("iif", rule.incoming),
        ("oif", rule.outgoing),
    ):
        if value is not None:
            words.append(f"{word} {value}")
    if rule.mark is not None:
        words.append(f"fwmark {rule.mark:#x}" + (f"/{rule.mask:#x}" if rule.mask is not None else ""))
    words.append(f"lookup {rule.table}" if rule.action == "lookup" else rule.action)
    yield " ".join(words)


def _shaping(shaping: Shaping) -> str:
    words = []
    if shaping.rate is not None:
        words.append(f"rate {_rate(shaping.rate)}")
    if shaping.delay is not None:
        words.append(f"delay {_time(shaping.delay)}")
    if shaping.jitter is not None:
        words.append(f"jitter {_time(shaping.jitter)}")
    if shaping.loss is not None:
        words.append(f"loss {shaping.loss:g}%")
    return " ".join(words)


def _rate(bits: int) -> str:
    for unit, text in ((_GBIT, "gbit"), (_MBIT, "mbit"), (_KBIT, "kbit")):
        if bits % unit == 0 and bits:
            return f"{bits // unit}{text}"
    return f"{bits}bit"


def _time(microseconds: int) -> str:
    if microseconds % _MILLISECOND == 0:
        return f"{microseconds // _MILLISECOND}ms"
    return f"{microseconds}us"


def _changes(old: Object, new: Object) -> Iterator[str]:
    """Yield the properties that differ, as `what: before → after`."""
    match old, new:
        case Interface(), Interface():
            yield from _interface_changes(old, new)
        case SpaceObject(hostname=before), SpaceObject(hostname=after):
            changed = f"host name {before or 'not its own'} → {after or 'not its own'}"
            yield changed if before != after else "what a crash left of a host name is removed"
        case Ruleset(), Ruleset():
            yield "changed"
        case ServiceObject(), ServiceObject():
            yield (
                "restarted with its new definition" if old.fingerprint != new.fingerprint else "started again"
            )
        case _:
            was, is_now = ", ".join(_details(old)), ", ".join(_details(new))
            if was != is_now:
                yield f"{was or 'nothing'} → {is_now or 'nothing'}"


def _interface_changes(old: Interface, new: Interface) -> Iterator[str]:
    pairs: list[tuple[str, object, object]] = [
        ("address", old.mac, new.mac),
        ("mtu", old.mtu, new.mtu),
        ("port of", old.master or "nothing", new.master or "nothing"),
        ("vlan", old.port or "default", new.port or "default"),
        ("state", "up" if old.up else "down", "up" if new.up else "down"),
    ]
    if old.begun:
        yield "finished"
    have = dict(old.settings)
    pairs += [(setting.replace("_", "-"), have.get(setting), value) for setting, value in new.settings]
    yield from _left_open(old, new)
    for what, before, after in pairs:
        if after is not None and before != after:
            yield f"{what} changed" if what.replace("-", "_") in _SECRET else f"{what} {before} → {after}"


def _left_open(old: Interface, new: Interface) -> Iterator[str]:
    """Yield what the file gives no more, and what it gives now as it is already."""
    have, want = dict(old.settings), dict(new.settings)
    choice = "what it was before" if old.origin is not None else "the kernel's choice"
    for what, before, after in (
        ("mac", old.mac, new.mac),
        ("mtu", old.mtu, new.mtu),
        ("forward_delay", have.get("forward_delay"), want.get("forward_delay")),
    ):
        word = "address" if what == "mac" else what.replace("_", "-")
        if what in old.given - new.given and after is None:
            yield f"{word} {before} → {choice}"
        elif what in new.given - old.given and before == after:
            yield f"{word} {before} is the file's now"
        elif what in old.given - new.given and before == after:
            yield f"{word} {before} is the kernel's choice again"
