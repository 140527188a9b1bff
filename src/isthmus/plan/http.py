"""What HTTP mode adds to the plan: settings of proxies, servers and the process."""

from __future__ import annotations

from isthmus.model.configuration import Global
from isthmus.model.http import ServerHttp
from isthmus.model.proxy import Proxy
from isthmus.plan import document
from isthmus.plan.expressions import byte_string

http = document.http

_IDLE_SHARE = 4
"""The part of the descriptors that idle server connections may hold (`tune.pool-high-fd-ratio` is 25 %)."""


def http_frontend(proxy: Proxy) -> document.http.HttpFrontend | None:
    """Return what a frontend does with HTTP; None in TCP mode."""
    if proxy.settings.mode != "http":
        return None
    return http.HttpFrontend(common=_common(proxy))


def http_backend(proxy: Proxy) -> document.http.HttpBackend | None:
    """Return what a backend does with HTTP; None in TCP mode."""
    if proxy.settings.mode != "http":
        return None
    return http.HttpBackend(common=_common(proxy))


def _common(proxy: Proxy) -> document.http.HttpProxy:
    timeouts = proxy.settings.timeouts
    return http.HttpProxy(
        timeout_tarpit=timeouts.tarpit or timeouts.connect,
        timeout_request=timeouts.http_request,
        timeout_keep_alive=timeouts.http_keep_alive,
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
