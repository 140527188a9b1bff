"""table: the keys of nat, firewall and tproxy, and the model's parts made of them."""

from __future__ import annotations

from isthmus.network.document.codes import CLASHING_KEYS, MIXED_FAMILIES
from isthmus.network.document.kinds import BAD, Bad, Either, Many, Reader, Row, Table, Values, Word
from isthmus.network.document.places import NetworkNames
from isthmus.network.document.words import (
    ADDRESS,
    BOOLEAN,
    FORWARD_TARGET,
    INTERFACE,
    PORTS,
    choice,
    integer,
)
from isthmus.network.model import Chain, Firewall, FirewallRule, Interception, Masquerade, Nat, PortForward
from isthmus.records import replace

_SOURCES = NetworkNames()

MASQUERADE = Table(
    "masquerade",
    "What leaves gets the address of the interface that it leaves by.",
    (
        Row("out", INTERFACE, "The interface that it leaves by.", shown="any"),
        Row("from", _SOURCES, "The networks that it comes from.", default=(), shown="any"),
    ),
    lambda values, _: Masquerade(values["out"], values["from"], values.span),
)


def _masquerade_word(text: str) -> Masquerade:
    if text == "true":
        return Masquerade()
    if text == "false":
        raise ValueError("leave the key out")
    return Masquerade(out=INTERFACE.parse(text))


_MASQUERADE_WORD = Word(
    "true or an interface", _masquerade_word, {"type": ["string", "boolean"]}, boolean=True
)


def _forward(values: Values, reader: Reader) -> PortForward | Bad:
    to, port = values["to"]
    address = values["address"]
    if address is not None and address.version != to.version:
        reader.report.alert(
            MIXED_FAMILIES, "`address` and `to` are of different families", values.at("address")
        )
        return BAD
    return PortForward(values["port"], to, port, values["in"], address, values.span)


FORWARD = Table(
    "port forward",
    "Connections to a port of this namespace go to another address.",
    (
        Row("port", PORTS, "The port or range, with its protocol.", required=True),
        Row("to", FORWARD_TARGET, "Where they go.", required=True),
        Row("in", INTERFACE, "Only what enters by this interface."),
        Row("address", ADDRESS, "Only connections to this address of the namespace."),
    ),
    _forward,
)

NAT = Table(
    "nat",
    "Translation of addresses.",
    (
        Row(
            "masquerade",
            Many(Either(_MASQUERADE_WORD, MASQUERADE), single=True),
            "What leaves with the namespace's address: true, an interface, or more exactly.",
            default=(),
        ),
        Row("forward", Many(FORWARD), "Ports that lead to other addresses.", default=()),
    ),
    lambda values, _: Nat(values["masquerade"], values["forward"]),
)


def _rule(values: Values, reader: Reader) -> FirewallRule | Bad:
    if values["icmp"] and values["port"]:
        reader.report.alert(CLASHING_KEYS, "`icmp` and `port` exclude one another", values.at("port"))
        return BAD
    return FirewallRule(
        True,
        values["from"],
        values["to"],
        values["port"],
        values["icmp"],
        values["in"],
        values["out"],
        values.span,
    )


MATCH = Table(
    "firewall match",
    "What a rule is about; a key left out matches all.",
    (
        Row("from", _SOURCES, "The networks that it comes from.", default=()),
        Row("to", _SOURCES, "The networks that it goes to.", default=()),
        Row("port", Many(PORTS, single=True), "Ports or ranges, with their protocols.", default=()),
        Row("icmp", BOOLEAN, "ICMP and ICMPv6 in place of ports.", default=False),
        Row("in", INTERFACE, "The interface that it enters by."),
        Row("out", INTERFACE, "The interface that it leaves by."),
    ),
    _rule,
    empty=True,
)


def _decided(values: Values, reader: Reader) -> FirewallRule:
    allowed, denied = values["allow"], values["deny"]
    rule: FirewallRule = allowed or denied
    return rule if allowed else replace(rule, allow=False)


FIREWALL_RULE = Table(
    "firewall rule",
    "One rule: the first that matches decides.",
    (
        Row("allow", MATCH, "Let pass what matches."),
        Row("deny", MATCH, "Drop what matches."),
    ),
    _decided,
    exclusive=(("allow", "deny"),),
)

CHAIN = Table(
    "chain",
    "One direction of a firewall.",
    (
        Row("default", choice("allow", "deny"), "What happens where no rule matches.", default="allow"),
        Row("rules", Many(FIREWALL_RULE), "The rules, in order.", default=()),
    ),
    lambda values, _: Chain(values["default"] == "allow", values["rules"]),
)

FIREWALL = Table(
    "firewall",
    "What may enter, pass and leave. Loopback and neighbour discovery always may.",
    (
        Row("input", CHAIN, "What is for the namespace itself."),
        Row("forward", CHAIN, "What passes through."),
        Row("output", CHAIN, "What the namespace sends."),
        Row("stateful", BOOLEAN, "Whether answers to what was allowed are allowed.", default=True),
    ),
    lambda values, _: Firewall(
        values["input"], values["forward"], values["output"], values["stateful"], values.span
    ),
)


def _interception(values: Values, reader: Reader) -> Interception:
    return Interception(
        values["port"],
        values["to"],
        values["address"],
        values["from"],
        values["destination"],
        values["in"],
        values["mark"],
        values["table"],
        values.span,
    )


TPROXY = Table(
    "tproxy",
    "Connections that pass through reach a transparent listener here.",
    (
        Row("port", PORTS, "The ports that are intercepted.", required=True),
        Row("to", integer(1, 65535, "a port"), "The listener's port.", required=True),
        Row("address", ADDRESS, "The listener's address.", shown="the wildcard"),
        Row("from", _SOURCES, "Only what comes from these networks.", default=()),
        Row("destination", _SOURCES, "Only what goes to these networks.", default=()),
        Row("in", INTERFACE, "Only what enters by this interface."),
        Row("mark", integer(1, 2**32 - 1), "The mark that selects the table.", default=1),
        Row("table", integer(1, 2**32 - 1), "The routing table that delivers here.", default=100),
    ),
    _interception,
)
