"""The options of `server`, `default-server` and `server-template` lines (manual 5.2)."""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import ip_address as parse_ip

from isthmus.config import Word
from isthmus.keywords.addresses import ip_address
from isthmus.keywords.changes import changed
from isthmus.keywords.codes import BAD_VALUE, UNKNOWN_SERVER_OPTION
from isthmus.keywords.congestion import congestion
from isthmus.keywords.guid import guid
from isthmus.keywords.log_formats import FormatKind, parse_format
from isthmus.keywords.namespaces import namespace
from isthmus.keywords.option_row import Option, OptionTable, OptionUse, options, refused
from isthmus.keywords.row import RefusedError
from isthmus.keywords.source import source
from isthmus.keywords.tls_options import lifted
from isthmus.keywords.tls_server import TLS_SERVER
from isthmus.keywords.values import choice, integer, time, unknown
from isthmus.keywords.vocabulary import Place
from isthmus.model.address import ClientNamespace, Ip
from isthmus.model.server import InitAddress, InitState, ProxyTlv, ServerSettings
from isthmus.records import replace

Read = Callable[[OptionUse[ServerSettings]], ServerSettings]
PROXY_V2_OPTIONS = (
    "ssl",
    "cert-cn",
    "ssl-cipher",
    "cert-sig",
    "cert-key",
    "crc32c",
    "unique-id",
    "authority",
)
"""What `proxy-v2-options` may add to a header of version 2."""


_TLV = re.compile(r"[^(]*\((0[xX][0-9a-fA-F]{1,2}|[0-9]{1,3})\)")


def _flag(**changes: bool) -> Read:
    return lambda use: changed(use.settings, **changes)


def _number(field: str, low: int = 0, high: int = 2**31 - 1) -> Read:
    return lambda use: changed(use.settings, **{field: integer(use.words, low, high)})


def _time(field: str) -> Read:
    return lambda use: changed(use.settings, **{field: time(use.words)})


def _checked(enabled: bool) -> Read:
    def read(use: OptionUse[ServerSettings]) -> ServerSettings:
        return replace(use.settings, check=replace(use.settings.check, enabled=enabled, span=use.word.span))

    return read


def _check_header(sent: bool | None) -> Read:
    def read(use: OptionUse[ServerSettings]) -> ServerSettings:
        return replace(use.settings, check=replace(use.settings.check, send_proxy=sent))

    return read


def _check_proto(use: OptionUse[ServerSettings]) -> ServerSettings:
    """Read `check-proto`: a check that only connects, and shakes hands, speaks nothing else."""
    word = use.words.take("a protocol")
    if word.text in ("h1", "h2", "fcgi"):
        message = f"`check-proto {word.text}` is for checks by HTTP, and this one only connects"
        raise RefusedError(BAD_VALUE, message, word.span, hint="leave it out, or write `check-proto none`")
    if word.text != "none":
        raise unknown(word, ("none",), "a protocol of health checks")
    return use.settings


def _check_number(field: str, low: int, high: int = 2**31 - 1) -> Read:
    def read(use: OptionUse[ServerSettings]) -> ServerSettings:
        value = integer(use.words, low, high)
        return replace(use.settings, check=changed(use.settings.check, **{field: value}))

    return read


def _check_time(field: str) -> Read:
    def read(use: OptionUse[ServerSettings]) -> ServerSettings:
        word = use.words.rest[:1]
        value = time(use.words)
        if not value:
            raise RefusedError(BAD_VALUE, f"`{use.words.what}` cannot be 0", word[0].span)
        return replace(use.settings, check=changed(use.settings.check, **{field: value}))

    return read


def _header(**changes: bool) -> Read:
    def read(use: OptionUse[ServerSettings]) -> ServerSettings:
        header = changed(use.settings.proxy_header, **changes)
        return replace(use.settings, proxy_header=header)

    return read


def _send_with_certificate(use: OptionUse[ServerSettings]) -> ServerSettings:
    header = use.settings.proxy_header
    header = replace(header, v2=True, ssl=True, options=header.options | {"cert-cn"})
    return replace(use.settings, proxy_header=header)


def _without_certificate(use: OptionUse[ServerSettings]) -> ServerSettings:
    header = use.settings.proxy_header
    header = replace(header, v2=False, ssl=False, options=header.options - {"cert-cn"})
    return replace(use.settings, proxy_header=header)


def _slowstart(use: OptionUse[ServerSettings]) -> ServerSettings:
    """Read a time, and round it up to whole seconds as HAProxy does."""
    return replace(use.settings, slowstart=-(-time(use.words) // 1000) * 1000)


def _proxy_v2_options(use: OptionUse[ServerSettings]) -> ServerSettings:
    word = use.words.take("options")
    chosen = word.text.split(",")
    for each in chosen:
        if each not in PROXY_V2_OPTIONS:
            raise unknown(Word(each, word.span), PROXY_V2_OPTIONS, "an option of PROXY version 2")
    header = use.settings.proxy_header
    ssl = header.ssl or bool({"ssl", "cert-cn", "ssl-cipher", "cert-sig", "cert-key"} & set(chosen))
    header = replace(header, ssl=ssl, options=header.options | set(chosen))
    return replace(use.settings, proxy_header=header)


def _tlv(use: OptionUse[ServerSettings]) -> ServerSettings:
    """Read `set-proxy-v2-tlv-fmt(<id>) <format>`."""
    inside = _TLV.fullmatch(use.word.text)
    number = int(inside[1], 0) if inside else 256
    if number > 255:
        raise RefusedError(
            BAD_VALUE,
            "the type of a TLV is missing",
            use.word.span,
            expected="a number up to 0xFF in parentheses",
        )
    found = parse_format(use.words.take("a format"), FormatKind.VALUE, Place.SERVER_CHOICE, use.context)
    header = use.settings.proxy_header
    tlvs = (*header.tlvs, ProxyTlv(number, found)) if found else header.tlvs
    return replace(use.settings, proxy_header=replace(header, tlvs=tlvs))


def _namespace(use: OptionUse[ServerSettings]) -> ServerSettings:
    if use.words.peek == "*":
        return replace(use.settings, namespace=ClientNamespace(use.words.take("a namespace").span))
    return replace(use.settings, namespace=namespace(use.words, use.reading.world))


def _check_namespace(use: OptionUse[ServerSettings]) -> ServerSettings:
    where = namespace(use.words, use.reading.world)
    return replace(use.settings, check=replace(use.settings.check, namespace=where))


def _check_address(use: OptionUse[ServerSettings]) -> ServerSettings:
    ip = ip_address(use.words.take("an address"), use.reading.world)
    return replace(use.settings, check=replace(use.settings.check, address=ip))


def _track(use: OptionUse[ServerSettings]) -> ServerSettings:
    word = use.words.take("[<backend>/]<server>")
    backend, slash, server = word.text.rpartition("/")
    return replace(use.settings, track=(backend if slash else "", server, word.span))


def _source(use: OptionUse[ServerSettings]) -> ServerSettings:
    return replace(use.settings, source=source(use.words, use.reading, ranges=True))


def _init_addr(use: OptionUse[ServerSettings]) -> ServerSettings:
    word = use.words.take("methods")
    methods: list[InitAddress | Ip] = []
    for text in word.text.split(","):
        try:
            methods.append(InitAddress(text) if text in _METHODS else parse_ip(text))
        except ValueError:
            raise unknown(Word(text, word.span), (*_METHODS, "an IP address"), "a way to find it") from None
    return replace(use.settings, init_addr=tuple(methods))


def _init_state(use: OptionUse[ServerSettings]) -> ServerSettings:
    said = choice(use.words, tuple(each.value for each in InitState), "a state")
    return replace(use.settings, check=replace(use.settings.check, initial=InitState(said)))


def _http(field: str, read: Callable[[OptionUse[ServerSettings]], object]) -> Read:
    def change(use: OptionUse[ServerSettings]) -> ServerSettings:
        return replace(use.settings, http=changed(use.settings.http, **{field: read(use)}))

    return change


def _http_text(field: str, what: str) -> Read:
    return _http(field, lambda use: use.words.take(what).text)


def _proto(use: OptionUse[ServerSettings]) -> str:
    return choice(use.words, ("h1", "h2"), "a protocol")


def _ws(use: OptionUse[ServerSettings]) -> str:
    return choice(use.words, ("auto", "h1", "h2"), "a protocol of WebSockets")


def _prefix(use: OptionUse[ServerSettings]) -> str:
    word = use.words.take("a prefix")
    if not word.text:
        raise RefusedError(BAD_VALUE, "`redir` needs a prefix", word.span, expected="a URL without a path")
    return word.text


def _http_number(field: str, low: int) -> Read:
    return _http(field, lambda use: integer(use.words, low))


def _on_mark(action: str, field: str) -> Read:
    """Read what is done when the server's state changes: HAProxy knows one action for each direction."""

    def read(use: OptionUse[ServerSettings]) -> ServerSettings:
        word = use.words.take("an action")
        if word.text != action:
            raise unknown(word, (action,), f"an action of `{use.words.what}`")
        return changed(use.settings, **{field: True})

    return read


_METHODS = tuple(each.value for each in InitAddress)

_ROWS: tuple[Option[ServerSettings], ...] = (
    Option("addr", "<addr>", "Address to check, where it is not the server's", _check_address),
    Option("backup", "", "Used only when no other server is", _flag(backup=True)),
    congestion(),
    Option("check", "", "Check the server's health", _checked(True)),
    Option("check-namespace", "<name> [optional]", "Network namespace to check from", _check_namespace),
    Option("check-proto", "none", "Protocol of the check", _check_proto),
    Option("check-send-proxy", "", "Send a PROXY header with the check", _check_header(True)),
    Option("no-check-send-proxy", "", "Undo `check-send-proxy`", _check_header(None)),
    Option("cookie", "<value>", "Value of the persistence cookie", _http_text("cookie", "a value")),
    Option("disabled", "", "Start in maintenance", _flag(disabled=True)),
    Option("downinter", "<delay>", "Time between checks of a server that is down", _check_time("downinter")),
    Option("enabled", "", "Start in service", _flag(disabled=False)),
    Option("fall", "<count>", "Failed checks after which a server is down", _check_number("fall", 1)),
    Option("fastinter", "<delay>", "Time between checks while the state changes", _check_time("fastinter")),
    Option(
        "guid",
        "<guid>",
        "What the server is told from all else by",
        lambda use: replace(use.settings, guid=guid(use.words)),
    ),
    Option("id", "<id>", "Number in statistics and hashes", _number("id", 1)),
    Option(
        "init-addr", "{last | libc | none | <ip>},[...]*", "How the address is found at start", _init_addr
    ),
    Option(
        "init-state",
        "{ fully-up | up | down | fully-down }",
        "Whether the server is in service before its first checks",
        _init_state,
    ),
    Option("inter", "<delay>", "Time between checks", _check_time("inter")),
    Option(
        "maxconn", "<maxconn>", "Most connections to the server; more wait in its queue", _number("maxconn")
    ),
    Option(
        "max-reuse",
        "<count>",
        "How often a connection is reused, -1 without a limit",
        _http_number("max_reuse", -1),
    ),
    Option("maxqueue", "<maxqueue>", "Most sessions in the server's queue", _number("maxqueue")),
    Option(
        "minconn", "<minconn>", "Limit of connections when the backend has little load", _number("minconn")
    ),
    Option("namespace", "{ * | <name> [optional] }", "Connect in a network namespace", _namespace),
    Option("no-backup", "", "Undo `backup`", _flag(backup=False)),
    Option("no-check", "", "Undo `check`", _checked(False)),
    Option("no-send-proxy", "", "Undo `send-proxy`", _header(v1=False)),
    Option("no-send-proxy-v2", "", "Undo `send-proxy-v2`", _header(v2=False)),
    Option("no-send-proxy-v2-ssl", "", "Undo `send-proxy-v2-ssl`", _header(v2=False, ssl=False)),
    Option("no-send-proxy-v2-ssl-cn", "", "Undo `send-proxy-v2-ssl-cn`", _without_certificate),
    Option("no-tfo", "", "Undo `tfo`", _flag(tfo=False)),
    Option("non-stick", "", "Not remembered by stick tables", _flag(non_stick=True)),
    Option(
        "on-marked-down",
        "shutdown-sessions",
        "End the server's sessions when it goes down",
        _on_mark("shutdown-sessions", "shut_on_down"),
    ),
    Option(
        "on-marked-up",
        "shutdown-backup-sessions",
        "End the backups' sessions when the server comes up",
        _on_mark("shutdown-backup-sessions", "shut_backups_on_up"),
    ),
    Option(
        "pool-low-conn",
        "<max>",
        "Idle connections below which no other thread's is used",
        _http_number("pool_low", 0),
    ),
    Option(
        "pool-max-conn",
        "<max>",
        "Most idle connections to the server, -1 without a limit",
        _http_number("pool_max", -1),
    ),
    Option(
        "pool-purge-delay",
        "<delay>",
        "Time after which half of the idle connections are closed",
        _http("pool_purge", lambda use: time(use.words)),
    ),
    Option("port", "<port>", "Port to check, where it is not the server's", _check_number("port", 1, 65535)),
    Option(
        "proto", "{ h1 | h2 }", "What the server speaks, whatever it agrees on", _http("protocol", _proto)
    ),
    Option("proxy-v2-options", "<option>[,<option>]*", "Parts of a PROXY header 2", _proxy_v2_options),
    Option("redir", "<prefix>", "Send clients there instead", _http("redir", _prefix)),
    Option("rise", "<count>", "Passed checks after which a server is up", _check_number("rise", 1)),
    Option("send-proxy", "", "Send a PROXY header of version 1", _header(v1=True)),
    Option("send-proxy-v2", "", "Send a PROXY header of version 2", _header(v2=True)),
    Option("send-proxy-v2-ssl", "", "Send a PROXY header 2 with the SSL block", _header(v2=True, ssl=True)),
    Option("send-proxy-v2-ssl-cn", "", "The same with the client's name", _send_with_certificate),
    Option("set-proxy-v2-tlv-fmt(", "<format>", "Add a field to a PROXY header 2", _tlv),
    Option("slowstart", "<delay>", "Time in which a server that came up takes its full load", _slowstart),
    Option(
        "source",
        "<addr>[:<pl>[-<ph>]] [usesrc { <addr>[:<port>] | client | clientip }] [interface <name>]",
        "Local address of connections",
        _source,
    ),
    Option("tcp-ut", "<delay>", "How long sent data may stay unacknowledged", _time("tcp_user_timeout")),
    Option("stick", "", "Undo `non-stick`", _flag(non_stick=False)),
    Option("tfo", "", "Send data in the first packet (TCP Fast Open)", _flag(tfo=True)),
    Option("track", "[<backend>/]<server>", "Share the health of another server", _track),
    Option("ws", "{ auto | h1 | h2 }", "What WebSockets go over", _http("websockets", _ws)),
    refused("usesrc", "", "is a part of `source`", "write `source 0.0.0.0 usesrc clientip`"),
    Option("weight", "<weight>", "Share of the load, 0 to 256", _number("weight", 0, 256)),
)

SERVER_OPTIONS = OptionTable(
    "server", "server", UNKNOWN_SERVER_OPTION, options(*_ROWS, *lifted(TLS_SERVER, "tls"))
)
"""Everything that may stand on a server or default-server line."""
