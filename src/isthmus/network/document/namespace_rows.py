"""table: the keys of namespaces, and the model's namespaces made of them."""

from __future__ import annotations

from pathlib import Path

from isthmus.config import Span
from isthmus.network.document.codes import MISSING_KEY, MIXED_FAMILIES
from isthmus.network.document.filtering_rows import FIREWALL, NAT, TPROXY
from isthmus.network.document.kinds import BAD, Bad, Many, Named, Reader, Row, Table, Values, Word
from isthmus.network.document.words import (
    ADDRESS,
    BOOLEAN,
    DESTINATION,
    HOSTNAME,
    INTERFACE,
    MAC,
    MARK,
    PATH,
    PREFIX,
    SYSCTL,
    TEXT,
    choice,
    integer,
)
from isthmus.network.model import AttachedPath, AttachedProcess, Namespace, Neighbour, Route, Rule

_TABLES = {"main": 254, "local": 255, "default": 253}
_NUMBERED = integer(1, 2**32 - 1, "a routing table")


def _table(text: str) -> int:
    return _TABLES[text] if text in _TABLES else int(_NUMBERED.parse(text))


ROUTING_TABLE = Word("a routing table: a number, main, local or default", _table)
_NUMBER = integer(0, 2**32 - 1)
_GATEWAYLESS = ("blackhole", "unreachable", "prohibit", "throw")


def _one_family(values: Values, names: tuple[str, ...], reader: Reader) -> bool:
    given = [(name, values[name]) for name in names if values[name] is not None]
    for name, value in given[1:]:
        if value.version != given[0][1].version:
            text = f"`{name}` is IPv{value.version} and `{given[0][0]}` IPv{given[0][1].version}"
            reader.report.alert(MIXED_FAMILIES, text, values.at(name))
            return False
    return True


def _route(values: Values, reader: Reader) -> Route | Bad:
    if not _one_family(values, ("to", "via", "src"), reader):
        return BAD
    plain = values["type"] in _GATEWAYLESS
    if not plain and values["via"] is None and values["dev"] is None:
        reader.report.alert(MISSING_KEY, "a route needs `via` or `dev`", values.span)
        return BAD
    return Route(
        values["to"],
        values["via"],
        values["dev"],
        values["src"],
        values["table"],
        values["metric"],
        values["type"],
        values["onlink"],
        values.span,
    )


ROUTE = Table(
    "route",
    "One route (ip-route(8)).",
    (
        Row("to", DESTINATION, "Where it leads: `default`, an address or a network.", required=True),
        Row("via", ADDRESS, "The gateway."),
        Row("dev", INTERFACE, "The interface."),
        Row("src", ADDRESS, "The address preferred as source."),
        Row("table", ROUTING_TABLE, "Its routing table.", default=254, shown="main"),
        Row("metric", _NUMBER, "Its rank: lower is preferred."),
        Row("type", choice("unicast", "local", *_GATEWAYLESS), "What happens to packets.", default="unicast"),
        Row("onlink", BOOLEAN, "Whether the gateway is taken to be on the link.", default=False),
    ),
    _route,
)


def _rule(values: Values, reader: Reader) -> Rule | Bad:
    if not _one_family(values, ("from", "to"), reader):
        return BAD
    if values["action"] == "lookup" and values["table"] is None:
        reader.report.alert(MISSING_KEY, "a rule that looks up needs `table`", values.span)
        return BAD
    chosen = values["from"] or values["to"]
    family = int(values["family"] or (chosen.version if chosen else 4))
    if chosen and family != chosen.version:
        reader.report.alert(
            MIXED_FAMILIES, f"`family: {family}` with IPv{chosen.version} addresses", values.at("family")
        )
        return BAD
    mark, mask = values["fwmark"]
    return Rule(
        values["priority"],
        family,
        values["from"],
        values["to"],
        mark,
        mask,
        values["iif"],
        values["oif"],
        values["table"],
        values["action"],
        values.span,
    )


_ACTIONS = choice("lookup", "blackhole", "unreachable", "prohibit")

RULE = Table(
    "rule",
    "One routing policy rule (ip-rule(8)).",
    (
        Row("priority", _NUMBER, "Its rank: lower is asked first.", required=True),
        Row("family", choice("4", "6"), "IPv4 or IPv6.", shown="that of the addresses, else 4"),
        Row("from", PREFIX, "Packets from here."),
        Row("to", PREFIX, "Packets to here."),
        Row("fwmark", MARK, "Packets with this mark, and mask.", default=(None, None)),
        Row("iif", INTERFACE, "Packets that came in here."),
        Row("oif", INTERFACE, "Packets of sockets bound to this interface."),
        Row("table", ROUTING_TABLE, "The table that is asked."),
        Row("action", _ACTIONS, "What happens.", default="lookup"),
    ),
    _rule,
)

NEIGHBOUR = Table(
    "neighbour",
    "A permanent entry of the neighbour table.",
    (
        Row("address", ADDRESS, "The neighbour's address.", required=True),
        Row("dev", INTERFACE, "The interface that it is behind.", required=True),
        Row("mac", MAC, "Its link address.", required=True),
    ),
    lambda values, _: Neighbour(values["address"], values["dev"], values["mac"], values.span),
)


def _attach(values: Values, reader: Reader) -> AttachedProcess | AttachedPath:
    if values["pid"] is not None:
        return AttachedProcess(values["pid"])
    return AttachedPath(Path(values["path"]))


ATTACH = Table(
    "attach",
    "A namespace that exists: it is used, and neither made nor removed.",
    (
        Row("pid", integer(1, 2**22), "The namespace of this process."),
        Row("path", PATH, "The namespace that this file is, such as /proc/1234/ns/net."),
    ),
    _attach,
    exclusive=(("pid", "path"),),
)


def _setting(name: str, value: str, span: Span, reader: Reader) -> tuple[str, str]:
    return name.replace("/", "."), " ".join(_BOOLEANS.get(value, value).split())


_BOOLEANS = {"true": "1", "false": "0"}


def _namespace(values: Values, reader: Reader) -> Namespace:
    return Namespace(
        name="",
        named=values["named"],
        attach=values["attach"],
        loopback_up=values["lo"] == "up",
        hostname=values["hostname"],
        sysctls=values["sysctl"],
        routes=values["routes"],
        rules=values["rules"],
        neighbours=values["neighbours"],
        nat=values["nat"],
        firewall=values["firewall"],
        interceptions=values["tproxy"],
        span=values.span,
    )


NAMESPACE = Table(
    "namespace",
    "One namespace; with nothing in it, it is made by `apply` and has lo up.",
    (
        Row("hostname", HOSTNAME, "A host name of its own (a UTS namespace)."),
        Row("named", BOOLEAN, "Whether it is under /run/netns, where `ip netns` sees it.", default=True),
        Row("attach", ATTACH, "Which namespace it is, where it exists already."),
        Row("lo", choice("up", "down"), "Whether the loopback interface is up.", default="up"),
        Row("sysctl", Named(SYSCTL, TEXT, _setting), "Settings under /proc/sys/net.", default=()),
        Row("routes", Many(ROUTE), "Its routes.", default=()),
        Row("rules", Many(RULE), "Its routing policy.", default=()),
        Row("neighbours", Many(NEIGHBOUR), "Permanent neighbours.", default=()),
        Row("nat", NAT, "Masquerading and port forwarding."),
        Row("firewall", FIREWALL, "What may enter, pass and leave."),
        Row("tproxy", Many(TPROXY), "Interception of connections that pass through.", default=()),
    ),
    _namespace,
    empty=True,
)
