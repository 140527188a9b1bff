"""Which servers of a backend a connection may go to, and how it arrives where one leads back here."""

from __future__ import annotations

from isthmus.engine import explain as seam
from isthmus.explaining.connection import Connection, Wire
from isthmus.explaining.places import address
from isthmus.explaining.report import BackendFound, ServerFound
from isthmus.explaining.walking import Rules, Walk
from isthmus.plan import document
from isthmus.records import replace


def candidates(
    rules: Rules, walk: Walk, found: BackendFound, backend: document.Backend
) -> list[document.Server]:
    """Return the servers of which one is chosen, and say how."""
    by_rule, certain = _by_rule(rules, walk, backend)
    if certain:
        return by_rule
    kept = _by_cookie(rules, walk, found, backend)
    if kept is not None:
        return [kept]
    if any(rule.what is document.Stick.MATCH for rule in backend.stick_rules):
        found.notes.append("unknown: the stick table may hold another server for this client")
    usable = [server for server in backend.servers if not server.disabled and server.weight > 0]
    first = [server for server in usable if not server.backup] or usable
    if len(first) > 1:
        found.choice = f"one of them, by balance {type(backend.algorithm).__name__.lower()}"
    return [*by_rule, *(server for server in first if server not in by_rule)]


def _by_rule(rules: Rules, walk: Walk, backend: document.Backend) -> tuple[list[document.Server], bool]:
    """Return the servers that `use-server` lines may choose, and whether one of them is sure."""
    possible: list[document.Server] = []
    for choice in backend.server_choices:
        step = rules.step(walk, choice.origin, choice.condition)
        if step.holds is False:
            continue
        match choice.target:
            case document.FixedServer(index):
                server = backend.servers[index]
            case document.DynamicServer(text):
                said = rules.ask(seam.AskFormat(walk.described(), text))
                named = [each for each in backend.servers if each.name == said.text]
                if said.text is None:
                    step.holds, step.needs = None, list(said.needs)
                if not named:
                    continue
                server = named[0]
        if not server.disabled:
            possible.append(server)
            if step.holds is True:
                return possible, True
    return possible, False


def _by_cookie(
    rules: Rules, walk: Walk, found: BackendFound, backend: document.Backend
) -> document.Server | None:
    """Return the server that the client's cookie keeps it on."""
    cookie = backend.http and backend.http.cookie
    request = walk.connection.request
    if not cookie or request is None:
        return None
    fields = dict(request.fields)
    for condition in backend.http.ignore_persist if backend.http else ():
        said = rules.ask(seam.AskCondition(walk.described(), condition))
        if said.holds is None:
            found.notes.append(f"unknown: ignore-persist needs {', '.join(said.needs)}")
        if said.holds is not False:
            return None
    if "cookie" not in fields:
        if "cookie" not in request.absent:
            found.notes.append(f"unknown: needs --cookie {cookie.name}=VALUE, or '' for none")
        return None
    pairs = (pair.strip().partition("=") for pair in fields["cookie"].split(";"))
    value = next((value for name, _, value in pairs if name == cookie.name), None)
    if value is None or cookie.dynamic_key is not None:
        return None
    kept = [each for each in backend.servers if each.http.cookie == value.partition("|")[0]]
    if kept and not kept[0].disabled:
        found.choice = f"by the cookie {cookie.name}"
        return kept[0]
    return None


def told(rules: Rules, walk: Walk, server: document.Server) -> ServerFound:
    """Describe a server."""
    found = ServerFound(server.name, address(server.address), server.origin)
    found.proxy_header = server.proxy_header.version if server.proxy_header else 0
    if server.tls is not None:
        found.tls = True
        wire = _hello(rules, walk, server.tls)
        found.sni = wire.sni if isinstance(wire, seam.Hello) else None
        if isinstance(wire, seam.Unknown):
            found.notes.append(f"sni is unknown: needs {wire.needs}")
        if not server.tls.verify:
            found.notes.append("its certificate is not verified")
    if server.http.redir is not None and walk.connection.request is not None:
        found.notes.append(f"GET and HEAD are redirected to {server.http.redir} instead")
    if server.checked:
        found.notes.append("as long as its health check holds")
    return found


def _hello(rules: Rules, walk: Walk, tls: document.tls.ServerTls) -> Wire:
    if tls.sni is None:
        return seam.Hello(None, tls.alpn)
    said = rules.ask(seam.AskExpression(walk.described(), tls.sni))
    if said.needs:
        return seam.Unknown(", ".join(said.needs))
    name = said.value.value if isinstance(said.value, seam.StrSample) else None
    return seam.Hello(name, tls.alpn)


def arrived(
    rules: Rules, walk: Walk, server: document.Server, found: ServerFound, bind: document.Bind
) -> Connection:
    """Return the connection as it arrives at a bind of this configuration."""
    now = walk.connection
    wire = now.wire if server.tls is None else _hello(rules, walk, server.tls)
    if server.proxy_header is None:
        inet = isinstance(bind.address, document.Inet)
        needs = "the address from which the proxy connects" if inet else ""
        end = seam.DescribedEnd(ip_needs=needs, port_needs=needs)
        now = replace(now, src=end, dst=seam.DescribedEnd(ip_needs=needs, port_needs=needs))
    expects = bind.accept_proxy
    if expects and server.proxy_header is None and not bind.accept_proxy_from:
        found.notes.append(f"{bind.origin} expects a PROXY header, and none is sent: it is closed")
    if server.proxy_header is not None and not expects:
        found.notes.append(f"{bind.origin} expects no PROXY header: what is sent is taken for the client's")
    return replace(now, wire=wire, tls=None, variables={}, proxied=expects, told=False)
