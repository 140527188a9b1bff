"""What a network needs of the machine, looked for before anything is touched.

The kernel is asked in a scratch namespace that nobody sees: it makes one interface of each kind that is
needed, one queueing discipline of each, and is gone.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

from isthmus import kernel
from isthmus.network import filtering
from isthmus.network.difference import Step
from isthmus.network.machine import Machine, machine, open_here
from isthmus.network.model import Shaping
from isthmus.network.netlink import interfaces, queues
from isthmus.network.netlink.kinds import KINDS
from isthmus.network.netlink.queues import discipline
from isthmus.network.objects import Interface, Queue, Ruleset, Setting
from isthmus.network.spaces import OUTSIDE_PATH, Space

_CAP_NET_ADMIN = 12
_CAP_SYS_ADMIN = 21
_QUEUE_MODULES = {"netem": "sch_netem", "tbf": "sch_tbf"}

_SCRATCH = "scratch"
_PARENT = ("scratch", "below")

# What an interface of a kind cannot be made without; addresses are of RFC 5737.
_SETTINGS: dict[str, tuple[tuple[str, Setting], ...]] = {
    "macvlan": (("mode", "bridge"),),
    "ipvlan": (("flag", "bridge"), ("mode", "l2")),
    "vlan": (("identifier", 2), ("protocol", "802.1Q")),
    "vxlan": (("identifier", 2), ("port", 4789), ("remote", "192.0.2.1")),
    "vrf": (("table", 100),),
}
_WITH_PARENT = frozenset({"macvlan", "ipvlan", "vlan"})


def lacking(steps: Iterable[Step], network: str) -> list[str]:
    """Return what the steps need and the machine has not, each as a sentence with what to do."""
    made = [step.new for step in steps if step.new is not None]
    if not made:
        return []
    refusals = list(_privileges())
    if refusals:
        return refusals
    rulesets = [each for each in made if isinstance(each, Ruleset)]
    if rulesets:
        reason = filtering.missing_reason()
        if reason is not None:
            refusals.append(reason)
            rulesets = []
    kinds = {each.kind for each in made if isinstance(each, Interface) and each.kind in KINDS}
    filters = any(isinstance(each, Interface) and dict(each.settings).get("vlan_filtering") for each in made)
    disciplines = {discipline(each.shaping) for each in made if isinstance(each, Queue)}
    refusals += _scratch_refusals(kinds, disciplines, filters=filters)
    # A thread that has left never returns; Space.call gives one that ends.
    return refusals + (Space(_SCRATCH, OUTSIDE_PATH).call(_try_rules, rulesets, network) if rulesets else [])


def _try_rules(rulesets: Iterable[Ruleset], network: str) -> list[str]:
    """Try those rulesets that have expressions which none before them had: one of many tenants' is enough."""
    kernel.unshare(kernel.CLONE_NEWNET)
    known: frozenset[str] = frozenset()
    refusals: list[str] = []
    for each in rulesets:
        kinds = filtering.expressions(each.text)
        if kinds <= known and known:
            continue
        known |= kinds
        try:
            filtering.try_ruleset(each.text, network)
        except filtering.FilteringError as error:
            refusals.append(f"this kernel refuses the rules of {each.namespace}: {error}")
    return refusals


def absent_devices(steps: Iterable[Step], opened: Machine) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the keys of devices that are to be moved in and are not there, each with a sentence.

    What is moved back before, under another name for instance, will be there.
    """
    steps = tuple(steps)
    returning = {step.old.origin for step in steps if step.new is None and isinstance(step.old, Interface)}
    for step in steps:
        each = step.new
        if step.old is not None or not isinstance(each, Interface) or each.origin is None:
            continue
        if each.origin in returning:
            continue
        namespace, name = each.origin
        try:
            index = opened.channel(namespace).index_of(name)
        except OSError:
            index = None
        if index is None:
            yield each.key, f"there is no device {name} in {namespace} to move to {each.namespace}"


def _privileges() -> Iterator[str]:
    status = Path("/proc/self/status").read_text()
    effective = int(status.split("CapEff:")[1].split()[0], 16)
    for number, text in ((_CAP_NET_ADMIN, "CAP_NET_ADMIN"), (_CAP_SYS_ADMIN, "CAP_SYS_ADMIN")):
        if not effective >> number & 1:
            yield f"{text} is missing: run as root, or with --rootless in a lab of your own"
            return


def _scratch_refusals(kinds: set[str], disciplines: set[str], *, filters: bool) -> list[str]:
    if not kinds - {"veth"} and not disciplines:
        return []
    # A thread that has left never returns; Space.call gives one that ends.
    return Space(_SCRATCH, OUTSIDE_PATH).call(_try_all, kinds, disciplines, filters)


def _try_all(kinds: set[str], disciplines: set[str], filters: bool) -> list[str]:
    kernel.unshare(kernel.CLONE_NEWNET)
    with machine([]) as opened:
        opened.adopt(Space(_SCRATCH, Path("/proc/thread-self/ns/net")), open_here())
        below = Interface(_SCRATCH, _PARENT[1], "veth", peer=(_SCRATCH, "other"))
        peer = Interface(_SCRATCH, "other", "veth", peer=_PARENT)
        refusals = list(_try("veth", lambda: interfaces.creation(below, peer, 0, opened), opened))
        if refusals:
            return refusals
        for kind in sorted(kinds - {"veth"}):
            wanted = Interface(
                _SCRATCH,
                f"try-{kind}",
                kind,
                _SETTINGS.get(kind, ()),
                parent=_PARENT if kind in _WITH_PARENT else None,
            )
            refusals += _try(kind, partial(interfaces.creation, wanted, None, 0, opened), opened)
        if filters:
            wanted = Interface(_SCRATCH, "try-filtering", "bridge", (("vlan_filtering", True),))
            creation = partial(interfaces.creation, wanted, None, 0, opened)
            refusals += _try("CONFIG_BRIDGE_VLAN_FILTERING", creation, opened)
        for each in sorted(disciplines):
            shaping = Shaping(rate=1_000_000) if each == "tbf" else Shaping(delay=1_000)
            queue = Queue(_SCRATCH, _PARENT[1], shaping)
            module = _QUEUE_MODULES[each]
            refusals += _try(module, partial(queues.setting, queue, opened, replace=True), opened)
        return refusals


def _try(what: str, request: Callable[[], bytes], opened: Machine) -> Iterator[str]:
    refusal = opened.channel(_SCRATCH).change([request()])[0]
    if refusal is None:
        return
    module = KINDS[what].module if what in KINDS else what
    if refusal.number in (errno.EOPNOTSUPP, errno.ENOENT, errno.EAFNOSUPPORT):
        if what.startswith("CONFIG_"):
            yield f"this kernel was built without {what}: use one that has it"
        else:
            yield f"this kernel has no {what}: load its module {module}, or use a kernel that has it"
    else:
        yield f"this kernel refuses {what} (module {module}): {refusal}"
