"""Health checks: what is connected to, and how often."""

from __future__ import annotations

from isthmus.config import Diagnostics
from isthmus.keywords.codes import CHECK_WITHOUT_NAMESPACE, NO_CHECK_ADDRESS, NO_CHECK_PORT
from isthmus.model.address import ClientNamespace, Ip, Namespace
from isthmus.model.proxy import Proxy
from isthmus.model.server import Server, ServerSettings
from isthmus.plan import document
from isthmus.plan.built import Check, CheckTarget, CheckTls
from isthmus.plan.names import origin


def checks(proxy: Proxy, servers: tuple[document.Server, ...], diagnostics: Diagnostics) -> tuple[Check, ...]:
    """Return the checks of a backend's servers."""
    pairs = zip(proxy.servers, servers, strict=True)
    return tuple(
        check(server, planned, proxy, diagnostics)
        for server, planned in pairs
        if server.settings.check.enabled
    )


def check(server: Server, planned: document.Server, proxy: Proxy, diagnostics: Diagnostics) -> Check:
    """Return the check of one server."""
    said = server.settings.check
    return Check(
        backend=proxy.name,
        server=server.name,
        target=_target(server, planned, proxy, diagnostics),
        inter=said.inter,
        fastinter=said.fastinter or said.inter,
        downinter=said.downinter or said.inter,
        rise=said.rise,
        fall=said.fall,
        connect_timeout=proxy.settings.timeouts.connect,
        timeout=proxy.settings.timeouts.check,
        log=proxy.settings.options.log_health_checks,
        origin=origin(server.span),
        tls=CheckTls(server.settings.tls.check_sni) if checks_by_tls(server.settings) else None,
        initial=said.initial,
        header=_header(server.settings),
    )


def checks_by_tls(settings: ServerSettings) -> bool:
    """Return whether a server's check shakes hands by TLS."""
    if not settings.check.enabled:
        return False
    said = settings.tls.check
    return settings.tls.on and not _elsewhere(settings) if said is None else said


def _header(settings: ServerSettings) -> int:
    """Return the version of the PROXY header that a check sends, 0 for none."""
    header, said = settings.proxy_header, settings.check.send_proxy
    if said is None and not _elsewhere(settings):
        return 2 if header.v2 else int(header.v1)
    return (2 if header.v2 else 1) if said else 0


def _elsewhere(settings: ServerSettings) -> bool:
    """Whether a check goes to another address or port, so that it may speak something else there."""
    return settings.check.address is not None or settings.check.port is not None


def _target(
    server: Server, planned: document.Server, proxy: Proxy, diagnostics: Diagnostics
) -> CheckTarget | None:
    where = _namespace(server, proxy, diagnostics)
    said = server.settings.check
    match planned.address:
        case document.ServerLocal(address) if said.address is None:
            return CheckTarget(address, where)
        case document.ServerInet(ip, port):
            host: str | None = ip
        case document.ServerUnresolved(_, port):
            host = None
        case document.ServerLocal():
            host, port = None, document.ClientPort(0)
    host = _text(said.address) or host
    number = said.port or (port.port if isinstance(port, document.FixedPort) else None)
    if isinstance(planned.address, document.ServerInet) and host is None:
        message = f"server `{proxy.name}/{server.name}` is wherever its clients went, and cannot be checked"
        hint = "write `addr ADDRESS port N` behind `check`"
        diagnostics.alert(NO_CHECK_ADDRESS, message, said.span, hint=hint)
    elif number is None:
        message = f"server `{proxy.name}/{server.name}` has neither a port of its own nor one to check"
        diagnostics.alert(NO_CHECK_PORT, message, said.span, hint="write `port N` behind `check`")
    return None if host is None or number is None else CheckTarget(document.Inet(host, number), where)


def _text(address: Ip | None) -> str | None:
    return None if address is None else str(address)


def _namespace(server: Server, proxy: Proxy, diagnostics: Diagnostics) -> str | None:
    """Return the file of the namespace that a server is checked in."""
    said = server.settings
    if said.check.namespace is not None:
        return said.check.namespace.path
    if isinstance(said.namespace, Namespace):
        return said.namespace.path
    if isinstance(said.namespace, ClientNamespace):
        diagnostics.warning(
            CHECK_WITHOUT_NAMESPACE,
            f"server `{proxy.name}/{server.name}` is checked in the default namespace",
            said.check.span,
            hint="say where to check: `check-namespace NAME`",
        )
    return None
