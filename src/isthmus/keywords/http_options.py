"""The `option` lines of proxies that are about HTTP."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_network

from isthmus.config import Word
from isthmus.keywords.changes import changed
from isthmus.keywords.codes import BAD_VALUE
from isthmus.keywords.draft import ProxyDraft
from isthmus.keywords.expressions import parse_expression
from isthmus.keywords.http_lines import header_name
from isthmus.keywords.row import Keyword, RefusedError, Sense, Use, Where, takes_all
from isthmus.keywords.values import choice, unknown
from isthmus.keywords.vocabulary import Place
from isthmus.model.expression import Expression
from isthmus.model.http import AddressHeader, Connection, Forwarded, RestrictNames
from isthmus.records import replace

Row = Keyword[ProxyDraft]

_FRONTEND = Where.DEFAULTS | Where.FRONTEND
_BACKEND = Where.DEFAULTS | Where.BACKEND


def change(use: Use[ProxyDraft], **changes: object) -> None:
    """Change some of the proxy's HTTP settings."""
    use.draft.settings = replace(use.draft.settings, http=changed(use.draft.settings.http, **changes))


def _switch(name: str, where: Where, about: str, field: str, *, http: bool = True) -> Row:
    def read(use: Use[ProxyDraft]) -> None:
        change(use, **{field: use.sense is Sense.SET})

    switches = field if http else ""
    return Keyword(f"option {name}", where, "", about, read, negatable=True, http=http, switches=switches)


def _connection(mode: Connection, about: str) -> Row:
    """Return the row of a mode: the last one said holds, and `no` undoes its own only."""

    def read(use: Use[ProxyDraft]) -> None:
        if use.sense is Sense.SET:
            change(use, connection=mode)
        elif use.draft.settings.http.connection is mode:
            change(use, connection=Connection.KEEP_ALIVE)

    return Keyword(f"option {mode.value}", Where.PROXY, "", about, read, negatable=True)


def _network(word: Word) -> str:
    """Return an address or network in the form `address/bits`."""
    try:
        return str(ip_network(word.text, strict=False))
    except ValueError:
        raise RefusedError(
            BAD_VALUE,
            f"`{word.text}` is no address and no network",
            word.span,
            expected="an address, or a network as `10.0.0.0/8`",
        ) from None


def _address_header(field: str, default: str, options: tuple[str, ...]) -> Callable[[Use[ProxyDraft]], None]:
    def read(use: Use[ProxyDraft]) -> None:
        found = AddressHeader(default, span=use.line.span)
        while use.words:
            word = use.words.take("an option")
            if word.text not in options:
                raise unknown(word, options, f"an option of `{use.row.name}`")
            if word.text == "header":
                found = replace(found, name=header_name(use))
            elif word.text == "if-none":
                found = replace(found, if_none=True)
            else:
                network = _network(use.words.take("an address or a network"))
                # One of each family is kept, as in HAProxy: the last.
                others = (each for each in found.excluded if (":" in each) != (":" in network))
                found = replace(found, excluded=(*others, network))
        change(use, **{field: found})

    return read


_NODES = ("host", "by", "by_port", "for", "for_port")


def _forwarded(use: Use[ProxyDraft]) -> None:
    """`option forwarded`: without any parameter, those that are on by default (RFC 7239 by hand)."""
    if use.sense is not Sense.SET:
        change(use, forwarded=None)
        return
    nodes: dict[str, Expression | bool] = {}
    place = Place.BACKEND_HTTP_REQUEST
    known = ("proto", *_NODES, *(f"{each}-expr" for each in _NODES))
    while use.words:
        word = use.words.take("a parameter")
        if word.text not in known:
            raise unknown(word, known, "a parameter of `option forwarded`")
        name = word.text.removesuffix("-expr")
        if name == word.text:
            nodes[name] = True
            continue
        expression = parse_expression(use.words.take("an expression"), place, use.draft.context)
        if expression is not None:
            nodes[name] = expression
    said = nodes or {"proto": True, "for": True}
    change(use, forwarded=Forwarded(tuple(said.items()), use.line.span))


def _restrict(use: Use[ProxyDraft]) -> None:
    how = choice(use.words, tuple(RestrictNames), "what to do")
    change(use, restrict_names=RestrictNames(how), restrict_names_said=True)


_REQUEST = "Take requests that break the grammar without being dangerous"
_RESPONSE = "Take answers that break the grammar without being dangerous"

HTTP_OPTIONS: tuple[Row, ...] = (
    *(
        _switch(name, _FRONTEND, _REQUEST, "accept_unsafe_request")
        for name in ("accept-invalid-http-request", "accept-unsafe-violations-in-http-request")
    ),
    *(
        _switch(name, _BACKEND, _RESPONSE, "accept_unsafe_response")
        for name in ("accept-invalid-http-response", "accept-unsafe-violations-in-http-response")
    ),
    _switch("checkcache", _BACKEND, "Refuse answers with cookies that caches could keep", "check_cache"),
    Keyword(
        "option forwarded",
        _BACKEND,
        "[proto] [{ host | host-expr <expr> }] [{ by | by-expr <expr> }] [{ for | for-expr <expr> }] ...",
        "Tell servers about the client in a header `forwarded` (RFC 7239)",
        _forwarded,
        negatable=True,
    ),
    Keyword(
        "option forwardfor",
        Where.PROXY,
        "[except <network>] [header <name>] [if-none]",
        "Tell servers the client's address in a header",
        _address_header("forwardfor", "X-Forwarded-For", ("except", "header", "if-none")),
    ),
    _switch(
        "h1-case-adjust-bogus-client",
        _FRONTEND,
        "Write names for clients as `h1-case-adjust` says",
        "adjust_case_client",
        http=False,
    ),
    _switch(
        "h1-case-adjust-bogus-server",
        _BACKEND,
        "Write names for servers as `h1-case-adjust` says",
        "adjust_case_server",
        http=False,
    ),
    _switch("http-buffer-request", Where.PROXY, "Wait for the request's body", "buffer_request"),
    _switch(
        "disable-h2-upgrade", _FRONTEND, "Let no connection of HTTP/1 turn out to be HTTP/2", "no_h2_upgrade"
    ),
    _switch("http-drop-request-trailers", _BACKEND, "Send servers no trailers", "drop_request_trailers"),
    _switch("http-drop-response-trailers", _FRONTEND, "Send clients no trailers", "drop_response_trailers"),
    _switch("http-ignore-probes", _FRONTEND, "Say nothing about connections without one", "ignore_probes"),
    _connection(Connection.KEEP_ALIVE, "Keep connections of both sides for further requests"),
    Keyword(
        "option http-no-delay",
        Where.PROXY,
        "",
        "Send each piece at once",
        takes_all,
        negatable=True,
        inert="each piece is sent at once in any case",
    ),
    _switch(
        "http-pretend-keepalive",
        _BACKEND,
        "Do not tell servers that a connection closes",
        "pretend_keepalive",
    ),
    Keyword(
        "option http-restrict-req-hdr-names",
        Where.PROXY,
        "{ preserve | delete | reject }",
        "What becomes of headers whose names hold other characters than letters, digits and hyphens",
        _restrict,
    ),
    _connection(Connection.SERVER_CLOSE, "Keep connections of clients only"),
    _switch(
        "http-use-proxy-header",
        _FRONTEND,
        "Read `Proxy-Connection` where `Connection` is meant",
        "use_proxy_header",
    ),
    _connection(Connection.CLOSE, "Close connections of both sides behind each exchange"),
    _switch(
        "idle-close-on-response",
        _FRONTEND,
        "Let idle clients be when the process stops, up to their next response",
        "idle_close_on_response",
    ),
    Keyword(
        "option originalto",
        Where.PROXY,
        "[except <network>] [header <name>]",
        "Tell servers the address that the client connected to in a header",
        _address_header("originalto", "X-Original-To", ("except", "header")),
    ),
    _switch("persist", _BACKEND, "Use the server of a cookie though it is down", "persist", http=False),
    _switch(
        "prefer-last-server", _BACKEND, "Use the server of the client's last request", "prefer_last_server"
    ),
)
"""Options of HTTP mode."""
