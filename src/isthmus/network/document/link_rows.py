"""table: the keys of links, and the model's links made of them."""

from __future__ import annotations

import stat
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from isthmus.config import Span
from isthmus.network.document.codes import (
    BAD_KEY_FILE,
    BAD_VALUE,
    CLASHING_KEYS,
    OPEN_KEY_FILE,
    SAME_PEER,
    WRONG_SHAPE,
)
from isthmus.network.document.kinds import (
    BAD,
    TEMPLATE,
    Bad,
    Either,
    Json,
    Many,
    Meant,
    Reader,
    Row,
    Table,
    Values,
    Word,
    wrong_shape,
)
from isthmus.network.document.nodes import Node, Sequence
from isthmus.network.document.places import FilePath
from isthmus.network.document.words import (
    ADDRESS,
    BOOLEAN,
    ENDPOINT,
    FILE_NAME,
    INTERFACE,
    INTERFACE_ADDRESS,
    KEY,
    MAC,
    MICROSECONDS,
    PERCENT,
    PREFIX,
    RATE,
    SIZE,
    WHOLE_SECONDS,
    choice,
    integer,
)
from isthmus.network.model import (
    HOST,
    Bridge,
    BridgePort,
    Device,
    Dummy,
    End,
    GeneratedMac,
    Ipvlan,
    Link,
    LinkKind,
    Macvlan,
    Shaping,
    Veth,
    Vlan,
    Vrf,
    Vxlan,
    Wireguard,
    WireguardPeer,
)
from isthmus.records import dataclass

VLAN_ID = integer(1, 4094, "a VLAN")
PORT = integer(1, 65535, "a port")
ROUTING_TABLE = integer(1, 2**32 - 1, "a routing table")

GENERATED_MAC = Table(
    "generated MAC",
    "The address 02:VV:VV:CC:CC:NN of VLAN, context and index: locally administered, unicast.",
    (
        Row("vlan", integer(0, 65535), "The first two octets behind 02.", required=True),
        Row("context", integer(0, 65535), "The next two octets.", required=True),
        Row("index", integer(0, 255), "The last octet.", required=True),
    ),
    lambda values, _: str(GeneratedMac(values["vlan"], values["context"], values["index"])),
)


def _port(values: Values, reader: Reader) -> BridgePort | Bad:
    untagged, tagged = values["untagged"], values["tagged"]
    if len(set(tagged)) != len(tagged) or untagged in tagged:
        reader.report.alert(CLASHING_KEYS, "the same VLAN twice on one port", values.at("tagged"))
        return BAD
    return BridgePort(untagged, tagged)


BRIDGE_PORT = Table(
    "bridge port",
    "Which VLANs of its bridge a port carries; the bridge has `vlan-filtering: true`.",
    (
        Row("untagged", VLAN_ID, "The VLAN of frames without a tag."),
        Row("tagged", Many(VLAN_ID, single=True), "The VLANs that pass with their tags.", default=()),
    ),
    _port,
)


def _shaping(values: Values, reader: Reader) -> Shaping | Bad:
    if values["burst"] is not None and values["rate"] is None:
        reader.report.alert(CLASHING_KEYS, "`burst` needs `rate`", values.at("burst"))
        return BAD
    if values["jitter"] is not None and values["delay"] is None:
        reader.report.alert(CLASHING_KEYS, "`jitter` needs `delay`", values.at("jitter"))
        return BAD
    return Shaping(**values.found)


SHAPING = Table(
    "shaping",
    "What is done to packets that leave by the interface.",
    (
        Row("rate", RATE, "At most so many bits per second."),
        Row("burst", SIZE, "How many bytes may pass at once, beyond the rate."),
        Row("delay", MICROSECONDS, "How long every packet is held (netem)."),
        Row("jitter", MICROSECONDS, "By how much the delay varies (netem)."),
        Row("loss", PERCENT, "How many packets are lost (netem)."),
    ),
    _shaping,
)

END_ROWS = (
    Row("in", FILE_NAME, "The namespace that the interface is in.", default=HOST),
    Row("name", INTERFACE, "The interface's name.", required=True),
    Row("addresses", Many(INTERFACE_ADDRESS, single=True), "Its addresses, each with a prefix.", default=()),
    Row("mac", Either(MAC, GENERATED_MAC), "Its link address.", shown="the kernel's choice"),
    Row("mtu", integer(68, 65535, "an MTU"), "The largest packet in bytes.", shown="the kernel's choice"),
    Row("up", BOOLEAN, "Whether the interface is up.", default=True),
    Row("master", INTERFACE, "The bridge or VRF in the same namespace that it is a port of."),
    Row("vlan", BRIDGE_PORT, "The VLANs that it carries as a port."),
    Row("shaping", SHAPING, "Rate, delay and loss on the way out."),
)


def _end(values: Values) -> End:
    return End(
        namespace=values["in"],
        name=values["name"],
        addresses=values["addresses"],
        mac=values["mac"],
        mtu=values["mtu"],
        up=values["up"],
        master=values["master"],
        port=values["vlan"],
        shaping=values["shaping"],
        span=values.at("name"),
    )


END = Table("interface", "One interface.", END_ROWS, lambda values, _: _end(values))


@dataclass(frozen=True, slots=True)
class _Pair:
    """The two ends of a veth."""

    words: str = "a list of two interfaces"

    def read(self, node: Node, reader: Reader) -> Meant:
        if not isinstance(node, Sequence):
            return wrong_shape(node, self.words, reader)
        if len(node.items) != 2:
            reader.report.alert(WRONG_SHAPE, f"a veth has two ends, not {len(node.items)}", node.span)
            return BAD
        near, far = (END.read(item, reader) for item in node.items)
        return BAD if near is BAD or far is BAD else Link(near, Veth(far), near.span)

    def schema(self, definitions: Json) -> Json:
        ends = {"type": "array", "items": END.schema(definitions), "minItems": 2, "maxItems": 2}
        return {"anyOf": [ends, TEMPLATE]}


Make = Callable[[Values, Reader], LinkKind | Bad]


def _kind(
    title: str, text: str, rows: tuple[Row, ...], make: Make, exclusive: tuple[tuple[str, ...], ...] = ()
) -> Table:
    def build(values: Values, reader: Reader) -> Link | Bad:
        kind = make(values, reader)
        return BAD if isinstance(kind, Bad) else Link(_end(values), kind, values.at("name"))

    return Table(title, text, (*END_ROWS, *rows), build, exclusive)


def _parent_name(text: str) -> tuple[str | None, str]:
    namespace, slash, name = text.rpartition("/")
    return (FILE_NAME.parse(namespace) if slash else None), INTERFACE.parse(name)


_PARENT_TEXT = "The interface beneath: NAME in the same namespace, or NAMESPACE/NAME."
_PARENT = Row("parent", Word("NAME or NAMESPACE/NAME", _parent_name), _PARENT_TEXT, required=True)


def _parent(values: Values) -> tuple[str, str]:
    namespace, name = values["parent"]
    return namespace or values["in"], name


def _wireguard_key(values: Values, name: str, reader: Reader) -> str | Bad | None:
    if values[name] is not None:
        return str(values[name])
    file = values[f"{name}-file"]
    return None if file is None else _read_key(file, values.at(f"{name}-file"), reader)


def _read_key(file: Path, span: Span, reader: Reader) -> str | Bad:
    try:
        with file.open("rb") as opened:
            text = opened.read(4096).decode("ascii", "replace").strip()
            mode = stat.S_IMODE(file.stat().st_mode)
        key: str = KEY.parse(text)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or f"not {KEY.words}"
        reader.report.alert(BAD_KEY_FILE, f"cannot use the key file `{file}`: {reason}", span)
        return BAD
    if mode & 0o077:
        reader.report.warning(
            OPEN_KEY_FILE, f"others may read the key file `{file}`", span, hint=f"chmod 0600 {file}"
        )
    return key


def _peer(values: Values, reader: Reader) -> WireguardPeer | Bad:
    secret = _wireguard_key(values, "preshared-key", reader)
    if isinstance(secret, Bad):
        return BAD
    return WireguardPeer(
        values["public-key"], values["endpoint"], values["allowed"], values["keepalive"], secret
    )


def _keepalive(text: str) -> int:
    seconds: int = WHOLE_SECONDS.parse(text)
    if seconds > 65535:
        raise ValueError("at most 65535s")
    return seconds


PEER = Table(
    "wireguard peer",
    "Who may speak through the tunnel. `preshared-key` and `preshared-key-file` exclude one another.",
    (
        Row("public-key", KEY, "The peer's public key.", required=True),
        Row("endpoint", ENDPOINT, "Where the peer is found."),
        Row("allowed", Many(PREFIX, single=True), "What the peer may carry.", default=()),
        Row("keepalive", Word("a time in whole seconds", _keepalive), "How often something is sent."),
        Row("preshared-key", KEY, "A secret that both ends have."),
        Row("preshared-key-file", FilePath(), "The file that holds it."),
    ),
    _peer,
)


def _wireguard(values: Values, reader: Reader) -> Wireguard | Bad:
    key = _wireguard_key(values, "private-key", reader)
    if key is None or isinstance(key, Bad):
        return BAD
    peers: tuple[WireguardPeer, ...] = values["peers"]
    keys = [f"the public key {peer.public_key}" for peer in peers]
    networks = [f"`allowed: {network}`" for peer in peers for network in peer.allowed]
    for several in (keys, networks):
        twice = [each for each, count in Counter(several).items() if count > 1]
        if twice:
            reader.report.alert(SAME_PEER, f"{twice[0]} is there twice", values.at("peers"))
    return Wireguard(key, values["listen-port"], values["fwmark"], peers)


def _vxlan(values: Values, reader: Reader) -> Vxlan | Bad:
    remote, local = values["remote"], values["local"]
    if remote and local and remote.version != local.version:
        reader.report.alert(BAD_VALUE, "`remote` and `local` are of one family", values.at("local"))
        return BAD
    return Vxlan(values["id"], remote, local, values["port"], values["parent"])


_MODES = choice("bridge", "private", "vepa", "passthru")

VETH = _Pair()
BRIDGE = _kind(
    "bridge",
    "A switch.",
    (
        Row("stp", BOOLEAN, "Whether it speaks the spanning tree protocol.", default=False),
        Row("vlan-filtering", BOOLEAN, "Whether ports carry only their VLANs.", default=False),
        Row("forward-delay", WHOLE_SECONDS, "How long a new port learns only.", shown="the kernel's choice"),
    ),
    lambda values, _: Bridge(values["stp"], values["vlan-filtering"], values["forward-delay"]),
)
MACVLAN = _kind(
    "macvlan",
    "An interface with a link address of its own on its parent's wire.",
    (_PARENT, Row("mode", _MODES, "Who it speaks with.", default="bridge")),
    lambda values, _: Macvlan(*_parent(values), values["mode"]),
)
IPVLAN = _kind(
    "ipvlan",
    "An interface that shares its parent's link address.",
    (
        _PARENT,
        Row("mode", choice("l2", "l3", "l3s"), "Where packets are told apart.", default="l2"),
        Row("flag", choice("bridge", "private", "vepa"), "Who it speaks with.", default="bridge"),
    ),
    lambda values, _: Ipvlan(*_parent(values), values["mode"], values["flag"]),
)
VLAN = _kind(
    "vlan",
    "One VLAN of its parent.",
    (
        _PARENT,
        Row("id", VLAN_ID, "The VLAN's number.", required=True),
        Row("protocol", choice("802.1Q", "802.1ad"), "The tag's protocol.", default="802.1Q"),
    ),
    lambda values, _: Vlan(*_parent(values), values["id"], values["protocol"]),
)
VXLAN = _kind(
    "vxlan",
    "A layer 2 network over UDP.",
    (
        Row("id", integer(0, 2**24 - 1, "a network identifier"), "The network's number.", required=True),
        Row("remote", ADDRESS, "The other end, or a multicast group."),
        Row("local", ADDRESS, "The address that it sends from."),
        Row("port", PORT, "The UDP port.", default=4789),
        Row("parent", INTERFACE, "The interface in the same namespace that it sends by."),
    ),
    _vxlan,
)
DUMMY = _kind("dummy", "An interface on no wire, for addresses.", (), lambda _values, _reader: Dummy())
WIREGUARD = _kind(
    "wireguard",
    "A wireguard tunnel.",
    (
        Row("private-key", KEY, "The private key."),
        Row("private-key-file", FilePath(), "The file that holds it; its mode should be 0600."),
        Row("listen-port", PORT, "The UDP port.", shown="the kernel's choice"),
        Row("fwmark", integer(0, 2**32 - 1), "The mark of packets sent."),
        Row("peers", Many(PEER), "Who may speak through it.", default=()),
    ),
    _wireguard,
    exclusive=(("private-key", "private-key-file"),),
)
VRF = _kind(
    "vrf",
    "A routing domain: interfaces that have it as master use its table.",
    (Row("table", ROUTING_TABLE, "Its routing table.", required=True),),
    lambda values, _: Vrf(values["table"]),
)
DEVICE = _kind(
    "device",
    "A device that exists and is moved in; `down` moves it back, with its addresses and routes.",
    (
        Row("device", INTERFACE, "Its name where it comes from.", required=True),
        Row("from", FILE_NAME, "The namespace that it comes from.", default=HOST),
    ),
    lambda values, _: Device(values["from"], values["device"]),
)


def _link(values: Values, reader: Reader) -> Link:
    found: Link = next(value for value in values.found.values() if value is not None)
    return found


LINK = Table(
    "link",
    "One link: exactly one of these keys.",
    (
        Row("veth", VETH, "A pair of interfaces: what enters one leaves at the other."),
        Row("bridge", BRIDGE, BRIDGE.text),
        Row("macvlan", MACVLAN, MACVLAN.text),
        Row("ipvlan", IPVLAN, IPVLAN.text),
        Row("vlan", VLAN, VLAN.text),
        Row("vxlan", VXLAN, VXLAN.text),
        Row("dummy", DUMMY, DUMMY.text),
        Row("wireguard", WIREGUARD, WIREGUARD.text),
        Row("vrf", VRF, VRF.text),
        Row("device", DEVICE, DEVICE.text),
    ),
    _link,
    exclusive=(
        ("veth", "bridge", "macvlan", "ipvlan", "vlan", "vxlan", "dummy", "wireguard", "vrf", "device"),
    ),
)
