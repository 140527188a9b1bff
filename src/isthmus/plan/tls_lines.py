"""The TLS of a plan's lines put anew, after other files or another server came in while running."""

from __future__ import annotations

from msgspec.structs import replace

from isthmus.config import Diagnostics
from isthmus.model.configuration import Configuration
from isthmus.model.proxy import Proxy
from isthmus.model.tls import ServerTls
from isthmus.plan import document
from isthmus.plan.names import Proxies
from isthmus.plan.tls import Tls


def with_lines(
    plan: document.Plan, said: Configuration, diagnostics: Diagnostics
) -> tuple[document.Plan, Tls]:
    """Return the plan with the files that a configuration's lines have now, and what gathered them.

    Servers that the plan does not have are left out.
    """
    tls = Tls(said.global_.tls, diagnostics)
    proxies = Proxies(said.proxies)
    frontends = tuple(
        replace(frontend, binds=_binds(frontend, proxy, tls))
        for frontend, proxy in zip(plan.frontends, proxies.frontends, strict=True)
    )
    backends = tuple(
        replace(backend, servers=_servers(backend, proxy, tls))
        for backend, proxy in zip(plan.backends, proxies.backends, strict=True)
    )
    tls.files.tokens(said.loaded, said.tokens)
    return replace(plan, frontends=frontends, backends=backends, tls=tls.documents()), tls


def _binds(frontend: document.Frontend, proxy: Proxy, tls: Tls) -> tuple[document.Bind, ...]:
    lines = zip(frontend.binds, proxy.binds, strict=True)
    return tuple(replace(bind, tls=tls.bind(said, proxy)) for bind, said in lines)


def _servers(backend: document.Backend, proxy: Proxy, tls: Tls) -> tuple[document.Server, ...]:
    lines = {each.name: each.settings.tls for each in proxy.servers}

    def changed(server: document.Server) -> document.Server:
        said = lines.get(server.name)
        if said is None:
            return server
        return replace(
            server, tls=_filed(server.tls, said, tls), check_tls=_filed(server.check_tls, said, tls)
        )

    return tuple(changed(each) for each in backend.servers)


def _filed(line: document.tls.ServerTls | None, said: ServerTls, tls: Tls) -> document.tls.ServerTls | None:
    if line is None:
        return None
    own = said.certificate
    return replace(
        line,
        authorities=tls.files.authorities(said.authorities),
        revocations=tls.files.revocations(said.revocations),
        certificate=None if own is None else tls.files.certificate(own),
    )
