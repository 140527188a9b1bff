"""Which bind a described connection comes to, and what happens at the bind before any rule."""

from __future__ import annotations

from ipaddress import ip_address

from msgspec.structs import replace as changed

from isthmus.engine import explain as seam
from isthmus.explaining.connection import Connection
from isthmus.explaining.places import Place, address, binds
from isthmus.explaining.report import Certificate, Hop, Unknown
from isthmus.explaining.walking import Rules, Walk
from isthmus.plan import document
from isthmus.records import dataclass, replace

WHERE = "--bind NAME, ADDRESS:PORT or PORT: where the client connects to"


@dataclass(frozen=True, slots=True)
class Door:
    """Where a client says that it connects: a bind's name, address or port; a namespace; else a port."""

    bind: str | None
    namespace: str | None
    port: int


def find(plan: document.Plan, door: Door) -> Place | Unknown:
    """Return the bind for a client; or what is missing where several would do, or none."""
    names = [each.name for each in plan.namespaces]

    def namespace(bind: document.Bind) -> str | None:
        return None if bind.namespace is None else names[bind.namespace]

    known = [
        (place, bind)
        for place, _, bind in binds(plan)
        if door.namespace is None or namespace(bind) == door.namespace
    ]
    wanted = door.bind if door.bind is not None else str(door.port)
    fitting = [(place, bind) for place, bind in known if _fits(bind, wanted)]
    if len({place[0] for place, _ in fitting}) == 1 and len({bind.namespace for _, bind in fitting}) == 1:
        return fitting[0][0]
    several = fitting or known
    told = [f"{address(bind.address)} ({bind.origin})" for _, bind in several]
    if door.bind is not None and not fitting:
        needs = [f"another --bind: none of these is {door.bind}"]
    else:
        needs = [WHERE] if door.bind is None else ["--namespace NAME: which of these"]
    return Unknown(needs, told)


def _fits(bind: document.Bind, wanted: str) -> bool:
    if wanted in {bind.name, address(bind.address)} - {""}:
        return True
    if not isinstance(bind.address, document.Inet):
        return False
    host, _, port = wanted.rpartition(":")
    if port != str(bind.address.port):
        return False
    try:
        given = ip_address(host.strip("[]")) if host.strip("[]*") else None
    except ValueError:
        return False
    own = ip_address(bind.address.ip)
    return given is None or own == given or own.is_unspecified


def accepted(bind: document.Bind, connection: Connection, said: str | None) -> Connection:
    """Return a client's connection once it is accepted: where it arrived."""
    if bind.accept_proxy:
        needs = "the destination in the PROXY header"
        said_by_header = seam.DescribedEnd(ip_needs=needs, port_needs=needs)
        return replace(connection, dst=said_by_header, proxied=True)
    if not isinstance(bind.address, document.Inet):
        return replace(connection, src=seam.DescribedEnd())
    host = (said or "").rpartition(":")[0].strip("[]*")
    bound = ip_address(bind.address.ip)
    ip = bind.address.ip if not bound.is_unspecified else host or None
    needs = "" if ip else "--bind ADDRESS:PORT: the address that the client connects to"
    dst = seam.DescribedEnd(ip, bind.address.port, ip_needs=needs)
    return replace(connection, dst=dst)


def terminate(rules: Rules, walk: Walk, hop: Hop, bind: document.Bind, *, http: bool) -> None:
    """End the client's TLS where the bind does, and tell where it and the client do not fit."""
    wire = walk.connection.wire
    if bind.tls is None:
        if http and isinstance(wire, seam.Hello):
            walk.answer = "TLS is no HTTP: answered with 400"
        elif http and isinstance(wire, seam.Bytes):
            walk.answer = "answered with 400 unless the bytes are a request"
        elif http:
            request = walk.connection.request
            spoken = request.version if request is not None and bind.h2 is None else None
            walk.connection = _spoken(walk.connection, spoken or (2 if bind.h2 else 1))
        return
    if isinstance(wire, seam.Request | seam.Bytes):
        walk.answer = "the handshake fails: the client does not speak TLS"
    elif isinstance(wire, seam.Unknown):
        walk.answer = f"unknown: needs {wire.needs}"
    else:
        _handshake(rules, walk, hop, bind, bind.tls, wire)


def _handshake(
    rules: Rules, walk: Walk, hop: Hop, bind: document.Bind, tls: document.tls.BindTls, wire: seam.Hello
) -> None:
    said = rules.ask(seam.AskCertificate(walk.place[0], walk.place[1], wire.sni))
    hop.certificate = Certificate(str(said.found), list(said.certificates))
    if said.found is seam.Found.REFUSED:
        walk.answer = "the handshake is refused: no certificate has the name (alert unrecognized_name)"
        return
    alike = len(tls.settings) == 1
    ours = tls.settings[0].alpn if alike else ()
    if ours and wire.alpn and not set(ours) & set(wire.alpn):
        walk.answer = "the handshake is refused: no protocol in common (alert no_application_protocol)"
        return
    protocol = _protocol(ours, wire.alpn or ())
    if wire.alpn == () or (alike and not ours):
        protocol = ""
    host = dict(walk.connection.request.fields).get("host", "") if walk.connection.request else ""
    if not alike and host.partition(":")[0].lower() != (wire.sni or "").lower():
        hop.notes.append(
            "answered with 421 if the host's certificate has other rules for clients than the name's"
        )
    asks = any(each.client.verify is not document.tls.ClientVerification.NONE for each in tls.settings)
    version = None if protocol is None else {"h2": 2, "http/1.1": 1, "": 1}.get(protocol)
    if bind.h2 is not None:
        version = 2 if bind.h2 else 1
    hop.protocol = protocol
    ended = seam.DescribedTls(wire.sni, protocol, asks)
    connection = _spoken(replace(walk.connection, tls=ended), version)
    inner: seam.Request | seam.Unknown = seam.Unknown("--url: what is requested")
    if connection.request is not None:
        inner = seam.Request()
    walk.connection = replace(connection, wire=inner)


def _protocol(ours: tuple[str, ...], offered: tuple[str, ...]) -> str | None:
    """Return what is agreed upon; None where it is not known."""
    return next((name for name in ours if name in offered), None)


def _spoken(connection: Connection, version: int | None) -> Connection:
    if connection.request is None:
        return connection
    return replace(connection, request=changed(connection.request, version=version))
