"""What HTTP mode adds to the plan: settings of proxies, servers and the process."""

from __future__ import annotations

from collections.abc import Iterable

from isthmus.model.configuration import Global
from isthmus.model.expression import Condition
from isthmus.model.http import ServerHttp
from isthmus.model.proxy import Proxy
from isthmus.plan import document
from isthmus.plan.expressions import Names, byte_string
from isthmus.plan.http_replies import Replies
from isthmus.plan.http_rules import HttpRules

http = document.http

_IDLE_SHARE = 4
"""The part of the descriptors that idle server connections may hold (`tune.pool-high-fd-ratio` is 25 %)."""


class HttpSides:
    """Makes the HTTP side of each proxy."""

    def __init__(self, replies: Replies, names: Names) -> None:
        self._replies = replies
        self._names = names

    def frontend(self, proxy: Proxy) -> document.http.HttpFrontend | None:
        """Return what a frontend does with HTTP; None in TCP mode."""
        if proxy.settings.mode != "http":
            return None
        rules = proxy.settings.http_rules
        return http.HttpFrontend(
            common=self._common(proxy),
            monitor_fail=self._conditions(rules.monitor_fail),
            request_captures=tuple((each.name, each.slot) for each in rules.request_captures),
            response_captures=tuple((each.name, each.slot) for each in rules.response_captures),
            response_slots=rules.response_slots,
        )

    def backend(self, proxy: Proxy) -> document.http.HttpBackend | None:
        """Return what a backend does with HTTP; None in TCP mode."""
        if proxy.settings.mode != "http":
            return None
        rules = proxy.settings.http_rules
        return http.HttpBackend(
            common=self._common(proxy),
            force_persist=self._conditions(rules.force_persist),
            ignore_persist=self._conditions(rules.ignore_persist),
        )

    def _conditions(self, conditions: Iterable[Condition]) -> tuple[document.Condition, ...]:
        found = (self._names.condition(each) for each in conditions)
        return tuple(each for each in found if each is not None)

    def _common(self, proxy: Proxy) -> document.http.HttpProxy:
        timeouts, rules = proxy.settings.timeouts, proxy.settings.http_rules
        lower = HttpRules(proxy, self._names, self._replies).lowered
        return http.HttpProxy(
            request_rules=lower((*rules.request, *rules.redirects)),
            response_rules=lower(rules.response),
            after_response_rules=lower(rules.after_response),
            timeout_tarpit=timeouts.tarpit or timeouts.connect,
            timeout_request=timeouts.http_request,
            timeout_keep_alive=timeouts.http_keep_alive,
            errors=self._replies.errors(proxy),
        )


def http_server(said: ServerHttp) -> document.http.HttpServer:
    """Return what a server line says about HTTP."""
    return http.HttpServer(
        cookie=None if said.cookie is None else byte_string(said.cookie),
        redir=None if said.redir is None else byte_string(said.redir),
        pool_max=said.pool_max,
        pool_low=said.pool_low,
        pool_purge=said.pool_purge,
        max_reuse=said.max_reuse,
    )


def http_global(said: Global, open_files: int, workers: int) -> document.http.HttpGlobal:
    """Return the process-wide settings; `workers` share the descriptors for idle connections."""
    own = said.http
    share = max(1, open_files // _IDLE_SHARE // max(1, workers))
    return http.HttpGlobal(
        maxrewrite=own.maxrewrite,
        maxhdr=own.maxhdr,
        loguri_len=own.loguri_len,
        cookie_len=own.cookie_len,
        case_adjust=own.case_adjust,
        payload_any_method=own.payload_any_method,
        keep_insecure_coding=own.keep_insecure_coding,
        idle_most=share if own.idle_most is None else own.idle_most,
        compression_level=own.compression_level,
        splice_bodies=own.splice_bodies,
    )
