"""What a proxy's mode allows: which backends a frontend may use, and what is left out in TCP mode."""

from __future__ import annotations

from collections.abc import Iterator

from isthmus.config import Diagnostics, Span, register
from isthmus.keywords.http_options import HTTP_OPTIONS
from isthmus.keywords.log_aliases import HTTP_ONLY
from isthmus.keywords.log_formats import CLFLOG, HTTP_ALIAS, HTTPLOG, TCPLOG
from isthmus.keywords.row import Where
from isthmus.model.log import Alias, Format
from isthmus.model.proxy import Proxy
from isthmus.model.rule import Rule, SwitchMode
from isthmus.plan.backends import NEEDS_REQUEST
from isthmus.plan.names import Proxies, origin

MODE_MISMATCH = register(
    "E0185",
    "frontend and backend of different modes",
    """A frontend in mode http makes requests, and a backend in mode tcp takes a connection; write the same
    `mode` in both, best in `defaults`.""",
)
NEEDS_HTTP = register(
    "W0181",
    "keyword without effect in TCP mode",
    """The line is about HTTP, and the proxy is not in `mode http`. As in HAProxy, it is not used.""",
)
NO_HTTP_BACKEND = register(
    "W0186",
    "connections become HTTP and have no backend",
    """`switch-mode http` makes requests of a connection, and only a backend in mode http takes these; a
    connection that became HTTP cannot become TCP again.""",
    "use_backend web if HTTP",
)
PROTO_NEEDS_HTTP = register(
    "E0187",
    "version of HTTP on a bind line in TCP mode",
    """`proto` says what clients speak of HTTP, and in mode tcp a connection is no HTTP when it begins; the
    rule that lets it become HTTP may name the version.""",
    "tcp-request content switch-mode http proto h2",
)
REDIRECT_NEEDS_HTTP = register(
    "E0183",
    "server redirects in TCP mode",
    "`redir` answers requests, and a proxy in mode tcp has none.",
)


_NEVER_SWITCHED = "option disable-h2-upgrade"
_SWITCHES = {
    field: tuple(row for row in HTTP_OPTIONS if row.switches == field)
    for field in dict.fromkeys(row.switches for row in HTTP_OPTIONS if row.switches)
}
"""The options that are on or off in mode http alone, by the fields that they set."""
"""An option of HTTP that does not hold for connections that become HTTP."""


def check_modes(proxy: Proxy, proxies: Proxies, diagnostics: Diagnostics) -> None:
    """Collect an error for each backend that a frontend names and that is of another mode."""
    if proxy.settings.disabled:
        return
    _check_protocols(proxy, diagnostics)
    for name, span, how in _targets(proxy):
        at = proxies.backend(name)
        target = None if at is None else proxies.backends[at]
        if target is None or target.settings.mode == proxy.settings.mode or target.settings.disabled:
            continue
        if proxy.settings.mode == "tcp":
            continue  # a connection may become HTTP, and never TCP again
        message = (
            f"{proxy.kind} `{proxy.name}` is in mode {proxy.settings.mode}, and {how} `{name}` "
            f"at {origin(target.span)} in mode {target.settings.mode}"
        )
        hint = (
            f"write `mode http` in {target.kind} `{name}`; a frontend in mode tcp tells HTTP from the "
            "rest by `tcp-request content switch-mode http if HTTP`"
        )
        diagnostics.alert(MODE_MISMATCH, message, span, hint=hint)
    _check_switching(proxy, proxies, diagnostics)


def _check_protocols(proxy: Proxy, diagnostics: Diagnostics) -> None:
    """Refuse a version of HTTP on bind lines of a frontend in mode tcp."""
    for bind in proxy.binds:
        if proxy.settings.mode == "http" or bind.settings.h2 is None:
            continue
        proto = "h2" if bind.settings.h2 else "h1"
        message = f"`proto {proto}` needs mode http, and {proxy.kind} `{proxy.name}` is in mode tcp"
        hint = f"write `tcp-request content switch-mode http proto {proto}`, or `mode http`"
        diagnostics.alert(PROTO_NEEDS_HTTP, message, bind.span, hint=hint)


def switches(proxy: Proxy, proxies: Proxies) -> bool:
    """Whether connections of a frontend in mode tcp may become HTTP, by a rule or by their backend's mode."""
    if proxy.settings.mode == "http" or not proxy.is_frontend:
        return False
    return _switch_rule(proxy) is not None or _reaches_http(proxy, proxies)


def _switch_rule(proxy: Proxy) -> Rule | None:
    found = (rule for rule in proxy.settings.rules.content if isinstance(rule.action, SwitchMode))
    return next(found, None)


def _reaches_http(proxy: Proxy, proxies: Proxies) -> bool:
    """Whether a rule or `default_backend` may choose a backend in mode http."""
    if any(isinstance(choice.target, Format) for choice in proxy.settings.rules.backends):
        return any(each.settings.mode == "http" for each in proxies.backends)
    named = (proxies.backend(name) for name, _, _ in _targets(proxy))
    return any(proxies.backends[at].settings.mode == "http" for at in named if at is not None)


def _check_switching(proxy: Proxy, proxies: Proxies, diagnostics: Diagnostics) -> None:
    """Warn where connections become HTTP for which there is no backend."""
    rule = _switch_rule(proxy)
    if rule is None or proxy.settings.mode == "http" or _reaches_http(proxy, proxies):
        return
    message = (
        f"connections that become HTTP here are closed: {proxy.kind} `{proxy.name}` chooses no backend in "
        "mode http, and they cannot go to one in mode tcp"
    )
    hint = "name a backend in mode http by `use_backend` or `default_backend`"
    diagnostics.warning(NO_HTTP_BACKEND, message, rule.span, hint=hint)


def _targets(proxy: Proxy) -> Iterator[tuple[str, Span, str]]:
    for choice in proxy.settings.rules.backends:
        if isinstance(choice.target, str):
            yield choice.target, choice.span, "this rule's backend"
    default = proxy.settings.default_backend
    if default is not None:
        yield default.text, default.span, "its default backend"


def log_format(proxy: Proxy, diagnostics: Diagnostics) -> Format | None:
    """Return the format of a proxy's lines; one that needs HTTP is refused, or replaced, in TCP mode."""
    found = proxy.settings.log.format
    if found is None or proxy.settings.mode == "http" or not proxy.is_frontend:
        return found
    if found.items[: len(HTTPLOG.items)] == HTTPLOG.items or found.items == CLFLOG.items:
        option = "httplog" if found.items in (HTTPLOG.items, CLFLOG.items) else "httpslog"
        message = (
            f"`option {option}` needs mode http: {proxy.kind} `{proxy.name}` logs as with `option tcplog`"
        )
        diagnostics.warning(NEEDS_HTTP, message, found.span)
        return TCPLOG
    refuse_http_aliases(found, proxy, diagnostics)
    return found


def refuse_http_aliases(found: Format | None, proxy: Proxy, diagnostics: Diagnostics) -> None:
    """Collect an error for each alias that has no value in TCP mode: the defaults do not know the mode."""
    if found is None or proxy.settings.mode == "http" or not proxy.is_frontend:
        return
    for item in found.values():
        if isinstance(item, Alias) and item.name in HTTP_ONLY:
            message = f"alias `%{item.name}` has a value in mode http only, and `{proxy.name}` is in mode tcp"
            diagnostics.alert(HTTP_ALIAS, message, found.span)


def warn_of_http(proxy: Proxy, proxies: Proxies, diagnostics: Diagnostics) -> None:
    """Warn of each kind of line that a proxy in TCP mode does not use."""
    if proxy.settings.mode == "http":
        return
    # What becomes HTTP is treated as this section says, save for what HAProxy leaves out then too.
    unused = _never_switched(proxy) if switches(proxy, proxies) else _unused(proxy)
    for what, span in unused:
        message = f"{what} of {proxy.kind} `{proxy.name}` is not used: the proxy is not in mode http"
        diagnostics.warning(NEEDS_HTTP, message, span or proxy.span)
    balance = proxy.settings.balance
    if proxy.is_backend and balance.algorithm in NEEDS_REQUEST:
        message = (
            f"`balance {balance.algorithm.value}` needs mode http: "
            f"{proxy.kind} `{proxy.name}` balances by roundrobin"
        )
        diagnostics.warning(NEEDS_HTTP, message, balance.span or proxy.span)
    for server in proxy.servers:
        name = f"server `{proxy.name}/{server.name}`"
        if server.settings.http.redir is not None:
            message = f"{name} cannot redirect clients: `{proxy.name}` is not in mode http"
            diagnostics.alert(REDIRECT_NEEDS_HTTP, message, server.span)
        if server.settings.http.cookie is not None:
            message = f"`cookie` of {name} is not used: `{proxy.name}` is not in mode http"
            diagnostics.warning(NEEDS_HTTP, message, server.span)


def _unused(proxy: Proxy) -> Iterator[tuple[str, Span | None]]:
    """Give what a proxy says about HTTP, each kind once, where HAProxy warns of it too."""
    rules, said = proxy.settings.http_rules, proxy.settings.http
    for name, lines in (
        ("http-request", rules.request),
        ("http-response", rules.response),
        ("http-after-response", rules.after_response),
        ("redirect", rules.redirects),
    ):
        if lines:
            yield f"`{name}`", lines[0].span
    if proxy.is_frontend and (rules.request_captures or rules.response_captures or said.capture_cookie):
        yield "`capture`", None
    for field, rows in _SWITCHES.items():
        sides, names = rows[0].where, [row.name for row in rows]
        here = (proxy.is_frontend and Where.FRONTEND in sides) or (
            proxy.is_backend and Where.BACKEND in sides
        )
        if here and getattr(said, field) and _NEVER_SWITCHED not in names:
            yield " or ".join(f"`{name}`" for name in names), None
    if said.forwardfor is not None:
        yield "`option forwardfor`", said.forwardfor.span
    if said.originalto is not None:
        yield "`option originalto`", said.originalto.span
    yield from _never_switched(proxy)


def _never_switched(proxy: Proxy) -> Iterator[tuple[str, Span | None]]:
    """Give what does not hold for connections that become HTTP either."""
    said = proxy.settings.http
    if proxy.is_frontend and said.monitor_uri is not None:
        yield "`monitor-uri`", said.monitor_uri_span
    if proxy.is_frontend and said.no_h2_upgrade:
        yield f"`{_NEVER_SWITCHED}`", None
    if proxy.is_backend and said.cookie is not None:
        yield "`cookie`", said.cookie.span
