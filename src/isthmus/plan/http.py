"""What HTTP mode adds to the plan: settings of proxies, servers and the process."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from isthmus.config import register
from isthmus.model.configuration import Global
from isthmus.model.expression import Condition, Expression, ProxyArg
from isthmus.model.http import (
    AddressHeader,
    BandwidthLimit,
    Cache,
    Compression,
    Connection,
    Forwarded,
    HttpSettings,
    ServerHttp,
)
from isthmus.model.proxy import Proxy
from isthmus.plan import document
from isthmus.plan.expressions import Names
from isthmus.plan.http_replies import Replies
from isthmus.plan.http_rules import HttpRules, Parts
from isthmus.plan.names import byte_string

CAPTURE_CUT = register(
    "W0456",
    "captured cookie is cut",
    "No more bytes of a cookie are kept than `tune.http.cookielen` says, 63 unless it is set.",
    "tune.http.cookielen 200",
)

http = document.http


_CONNECTIONS = {
    Connection.KEEP_ALIVE: http.ConnectionMode.KEEP_ALIVE,
    Connection.SERVER_CLOSE: http.ConnectionMode.SERVER_CLOSE,
    Connection.CLOSE: http.ConnectionMode.CLOSE,
}
_RETRIES: dict[str, document.http.RetryOn] = {
    "conn-failure": http.ConnFailure(),
    "empty-response": http.EmptyResponse(),
    "junk-response": http.JunkResponse(),
    "response-timeout": http.ResponseTimeout(),
    "0rtt-rejected": http.EarlyDataRejected(),
}


class HttpSides:
    """Makes the HTTP side of each proxy."""

    def __init__(self, replies: Replies, names: Names, parts: Parts, cookie_len: int) -> None:
        self._replies = replies
        self._parts = parts
        self._names = names
        self._cookie_len = cookie_len
        self._commons: dict[int, document.http.HttpProxy] = {}

    def frontend(self, proxy: Proxy, *, switches: bool) -> document.http.HttpFrontend | None:
        """Return what a frontend does with HTTP; None in TCP mode, unless connections may become HTTP."""
        if proxy.settings.mode != "http" and not switches:
            return None
        rules, said = proxy.settings.http_rules, proxy.settings.http
        return http.HttpFrontend(
            common=self._common(proxy),
            monitor_uri=None if switches else _bytes(said.monitor_uri),
            monitor_fail=self._conditions(rules.monitor_fail),
            ignore_probes=said.ignore_probes,
            no_h2_upgrade=said.no_h2_upgrade,
            use_proxy_header=said.use_proxy_header,
            accept_unsafe=said.accept_unsafe_request,
            adjust_case=said.adjust_case_client,
            drop_response_trailers=said.drop_response_trailers,
            idle_close_on_response=said.idle_close_on_response,
            unique_id_header=said.unique_id_header,
            request_captures=tuple((each.name, each.slot) for each in rules.request_captures),
            response_captures=tuple((each.name, each.slot) for each in rules.response_captures),
            response_slots=rules.response_slots,
            capture_cookie=self._cookie_capture(proxy),
        )

    def backend(self, proxy: Proxy) -> document.http.HttpBackend | None:
        """Return what a backend does with HTTP; None in TCP mode."""
        if proxy.settings.mode != "http":
            return None
        rules, said = proxy.settings.http_rules, proxy.settings.http
        return http.HttpBackend(
            common=self._common(proxy),
            forwarded=self._forwarded(said.forwarded),
            reuse=http.Reuse(said.reuse.value),
            retry_on=tuple(_RETRIES.get(each) or http.RetryStatus(int(each)) for each in said.retry_on),
            accept_unsafe=said.accept_unsafe_response,
            adjust_case=said.adjust_case_server,
            pretend_keepalive=said.pretend_keepalive,
            drop_request_trailers=said.drop_request_trailers,
            max_keep_alive_queue=said.max_keep_alive_queue,
            prefer_last_server=said.prefer_last_server,
            name_header=said.name_header,
            cookie=_cookie(said),
            persist=said.persist,
            force_persist=self._conditions(rules.force_persist),
            ignore_persist=self._conditions(rules.ignore_persist),
            check_cache=said.check_cache,
        )

    def _conditions(self, conditions: Iterable[Condition]) -> tuple[document.Condition, ...]:
        found = (self._names.condition(each) for each in conditions)
        return tuple(each for each in found if each is not None)

    def _common(self, proxy: Proxy) -> document.http.HttpProxy:
        # Both sides of a `listen` have the same, and what is wrong with it is said once.
        if id(proxy) not in self._commons:
            self._commons[id(proxy)] = self._lowered(proxy)
        return self._commons[id(proxy)]

    def _lowered(self, proxy: Proxy) -> document.http.HttpProxy:
        timeouts, rules, said = proxy.settings.timeouts, proxy.settings.http_rules, proxy.settings.http
        for name, span in said.cache_filters:
            self._parts.cache(name, span)
        lower = HttpRules(proxy, self._names, self._replies, self._parts).lowered
        return http.HttpProxy(
            request_rules=lower((*rules.request, *rules.redirects)),
            response_rules=lower(rules.response),
            after_response_rules=lower(rules.after_response),
            connection=_CONNECTIONS[said.connection],
            buffer_request=said.buffer_request,
            forwardfor=_address_header(said.forwardfor),
            originalto=_address_header(said.originalto),
            timeout_tarpit=timeouts.tarpit or timeouts.connect,
            timeout_request=timeouts.http_request,
            timeout_keep_alive=timeouts.http_keep_alive,
            errors=self._replies.errors(proxy),
            restrict_names=http.RestrictNames(said.restrict_names.value),
            compression=_compression(said.compression),
            bandwidth_limits=tuple(self._bandwidth_limit(each) for each in said.bandwidth_limits),
        )

    def _bandwidth_limit(self, said: BandwidthLimit) -> document.http.BandwidthLimit:
        limited: document.http.Limited = http.StreamLimit(said.limit, said.period)
        if said.key is not None:
            rate = "bytes_in_rate" if said.incoming else "bytes_out_rate"
            at = self._names.tables.rated(ProxyArg("table", said.table, said.key.span), said.key, rate)
            limited = http.KeyLimit(said.limit, self._names.expression(said.key), at)
        return http.BandwidthLimit(said.name, said.incoming, limited, said.minimum)

    def _forwarded(self, said: Forwarded | None) -> document.http.Forwarded | None:
        if said is None:
            return None
        nodes = {
            name: document.http.ForwardedNode(
                self._names.expression(value) if isinstance(value, Expression) else None
            )
            for name, value in said.nodes
        }
        return http.Forwarded(
            proto="proto" in nodes,
            host=nodes.get("host"),
            by=nodes.get("by"),
            by_port=nodes.get("by_port"),
            for_=nodes.get("for"),
            for_port=nodes.get("for_port"),
        )

    def _cookie_capture(self, proxy: Proxy) -> document.http.CookieCapture | None:
        said = proxy.settings.http.capture_cookie
        if said is None:
            return None
        if said.length > self._cookie_len:
            message = f"{proxy.kind} `{proxy.name}` captures {self._cookie_len} bytes of its cookie"
            hint = "`tune.http.cookielen` allows more"
            self._names.diagnostics.warning(CAPTURE_CUT, message, said.span, hint=hint)
        return http.CookieCapture(said.name, said.prefix, min(said.length, self._cookie_len))


def _bytes(text: str | None) -> str | None:
    return None if text is None else byte_string(text)


def _compression(said: Compression | None) -> document.http.Compression | None:
    if said is None:
        return None
    requests, responses = said.direction != "response", said.direction != "request"
    return http.Compression(
        response=said.response if responses else (),
        request=said.request if requests else None,
        response_types=said.response_types,
        request_types=said.request_types,
        offload=said.offload,
        response_minimum=said.response_minimum,
        request_minimum=said.request_minimum,
    )


def _address_header(said: AddressHeader | None) -> document.http.AddressHeader | None:
    return None if said is None else http.AddressHeader(said.name, said.excluded, said.if_none)


def _cookie(said: HttpSettings) -> document.http.Cookie | None:
    cookie = said.cookie
    if cookie is None:
        return None
    return http.Cookie(
        name=byte_string(cookie.name),
        mode=http.CookieMode(cookie.mode),
        indirect=cookie.indirect,
        nocache=cookie.nocache,
        postonly=cookie.postonly,
        preserve=cookie.preserve,
        httponly=cookie.httponly,
        secure=cookie.secure,
        domains=tuple(byte_string(each) for each in cookie.domains),
        max_idle=cookie.max_idle,
        max_life=cookie.max_life,
        attributes=tuple(byte_string(each) for each in cookie.attributes),
        dynamic_key=_bytes(said.dynamic_key) if cookie.dynamic else None,
    )


def http_server(said: ServerHttp, alpn: tuple[str, ...]) -> document.http.HttpServer:
    """Return what a server line says about HTTP; `alpn` is what TLS offers on it."""
    protocol = said.protocol or ("negotiated" if "h2" in alpn else "h1")
    # With `ws auto` a WebSocket goes over HTTP/1 where TLS can agree on that.
    apart = said.websockets == "auto" and protocol == "negotiated" and "http/1.1" in alpn
    return http.HttpServer(
        protocol=http.ServerProtocol(protocol),
        websockets=http.WebSocketProtocol("h1" if apart or said.websockets == "h1" else "same"),
        cookie=_bytes(said.cookie),
        redir=_bytes(said.redir),
        pool_max=said.pool_max,
        pool_low=said.pool_low,
        pool_purge=said.pool_purge,
        max_reuse=said.max_reuse,
    )


def _or(own: int | None, usual: int) -> int:
    return usual if own is None else own


def http_caches(caches: Iterable[Cache]) -> tuple[document.http.Cache, ...]:
    """Return the sections `cache`."""
    return tuple(
        http.Cache(each.name, each.size, each.largest, each.max_age, each.vary, each.variants)
        for each in caches
    )


def _ranges(numbers: frozenset[int]) -> Iterator[tuple[int, int]]:
    """Give the runs of numbers that follow each other: the first and the last of each."""
    rest = sorted(numbers)
    while rest:
        run = [number for at, number in enumerate(rest) if number == rest[0] + at]
        yield run[0], run[-1]
        rest = rest[len(run) :]


def http_global(said: Global) -> document.http.HttpGlobal:
    """Return the process-wide settings."""
    own = said.http
    return http.HttpGlobal(
        # Half of a buffer at least must be left for what is received (manual `tune.maxrewrite`).
        maxrewrite=min(own.maxrewrite, said.bufsize // 2),
        maxhdr=own.maxhdr,
        loguri_len=own.loguri_len,
        case_adjust=own.case_adjust,
        payload_any_method=own.payload_any_method,
        compression_level=own.compression_level,
        pool_low=own.pool_low,
        pool_high=own.pool_high,
        share_idle=own.share_idle,
        compression_rate=own.compression_rate,
        compression_cpu=own.compression_cpu,
        compression_memory=own.compression_memory,
        error_codes=tuple(_ranges(own.error_codes)),
        failure_codes=tuple(_ranges(own.failure_codes)),
        h2=http.H2(
            own.h2.header_table,
            _or(own.h2.client_window, own.h2.window),
            _or(own.h2.client_streams, own.h2.streams),
            own.h2.frame,
            own.h2.client_glitches,
            own.h2.total_streams,
            _or(own.h2.server_window, own.h2.window),
            _or(own.h2.server_streams, own.h2.streams),
            own.h2.server_glitches,
        ),
    )
