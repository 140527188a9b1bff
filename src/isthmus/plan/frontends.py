"""The client side of the plan."""

from __future__ import annotations

from msgspec import structs

from isthmus.model.address import Inet
from isthmus.model.bind import Bind, UnixBind
from isthmus.model.configuration import Global
from isthmus.model.proxy import Proxy
from isthmus.model.settings import KeepAlive, Options
from isthmus.plan import document
from isthmus.plan.addresses import listen_address
from isthmus.plan.names import Namespaces, Numbers, origin
from isthmus.plan.tls import Tls


def binds(proxy: Proxy, namespaces: Namespaces, tls: Tls, process: Global) -> tuple[document.Bind, ...]:
    """Return a proxy's binds, each with its number; what they leave open is as section `global` says."""
    numbers = Numbers(bind.settings.id for bind in proxy.binds)
    planned = (_bind(bind, proxy, numbers, namespaces, tls) for bind in proxy.binds)
    return tuple(
        _owned(structs.replace(each, shards=_shards(bind, process.default_shards)), process.unix_bind)
        for each, bind in zip(planned, proxy.binds, strict=True)
    )


def _bind(bind: Bind, proxy: Proxy, numbers: Numbers, namespaces: Namespaces, tls: Tls) -> document.Bind:
    said = bind.settings
    return document.Bind(
        id=numbers.number(said.id),
        name=said.name,
        address=listen_address(bind.address),
        origin=origin(bind.span),
        namespace=None if said.namespace is None else namespaces.index(said.namespace),
        accept_proxy=said.accept_proxy,
        accept_proxy_from=said.accept_proxy_from,
        backlog=said.backlog or proxy.settings.backlog,
        defer_accept=said.defer_accept,
        interface=said.interface,
        maxconn=said.maxconn,
        mss=said.mss,
        threads=said.threads,
        tcp_user_timeout=said.tcp_user_timeout,
        tfo=said.tfo,
        congestion=said.congestion,
        transparent=said.transparent,
        v6only=said.v6only,
        mode=said.mode,
        uid=said.uid,
        gid=said.gid,
        h2=said.h2,
        tls=tls.bind(bind, proxy),
    )


def _owned(bind: document.Bind, unix: UnixBind) -> document.Bind:
    """Return a bind with what `unix-bind` says of it."""
    if not isinstance(bind.address, document.Unix):
        return bind
    said = unix.settings
    return structs.replace(
        bind,
        address=document.Unix(unix.prefix + bind.address.path),
        mode=said.mode if bind.mode is None else bind.mode,
        uid=said.uid if bind.uid is None else bind.uid,
        gid=said.gid if bind.gid is None else bind.gid,
    )


def _shards(bind: Bind, usual: int) -> document.Shards:
    """Return how many sockets share the address; unless it is said, the usual number, 0 for each worker."""
    wanted = usual if bind.settings.shards is None else bind.settings.shards
    if not isinstance(bind.address, Inet):
        return document.Count(1)
    return document.Count(wanted) if wanted else document.ByThread()


def keep_alive(settings: KeepAlive) -> document.KeepAlive:
    """Return keep-alive settings, 0 for what is left to the kernel."""
    return document.KeepAlive(
        settings.enabled, settings.count or 0, settings.idle or 0, settings.interval or 0
    )


def splice(options: Options) -> document.Splice:
    """Return when data is forwarded inside the kernel."""
    return document.Splice(options.splice_auto, options.splice_request, options.splice_response)


def frontend_options(proxy: Proxy) -> document.FrontendOptions:
    """Return a frontend's `option` lines."""
    settings = proxy.settings
    return document.FrontendOptions(
        keepalive=keep_alive(settings.client_keepalive),
        nolinger=settings.options.nolinger,
        independent_streams=settings.options.independent_streams,
        splice=splice(settings.options),
    )
