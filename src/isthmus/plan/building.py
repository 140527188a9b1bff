"""Model to plan: names resolved, settings spread over the two sides, rules lowered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from isthmus.config import Diagnostic, Diagnostics
from isthmus.keywords.codes import (
    BACKEND_LOOP,
    DUPLICATE_ID,
    MISSING_TIMEOUTS,
    NO_BIND,
    UNKNOWN_BACKEND,
)
from isthmus.keywords.global_tuning import TOO_MANY_THREADS
from isthmus.keywords.values import suggest
from isthmus.keywords.world import World
from isthmus.model.configuration import Configuration, Global
from isthmus.model.proxy import Proxy
from isthmus.plan import document
from isthmus.plan.addresses import source_address
from isthmus.plan.backends import algorithm, automatic_maxconn, backend_options, fullconn
from isthmus.plan.built import Built, Check, Health
from isthmus.plan.capabilities import warn_of_capabilities
from isthmus.plan.dangers import Dangers
from isthmus.plan.expressions import UNKNOWN_PROXY, Names
from isthmus.plan.frontends import binds, frontend_options
from isthmus.plan.guids import guids
from isthmus.plan.health import checks
from isthmus.plan.http import HttpSides, http_caches, http_global
from isthmus.plan.http_replies import Replies
from isthmus.plan.http_rules import Parts
from isthmus.plan.logs import GlobalLogs, LogPolicies
from isthmus.plan.modes import check_modes, switches, warn_of_http
from isthmus.plan.names import Namespaces, Numbers, Proxies, origin
from isthmus.plan.process import process, runtime
from isthmus.plan.resolvers import accepting
from isthmus.plan.rules import backend_rules, frontend_rules
from isthmus.plan.servers import host_names, servers
from isthmus.plan.tls import Tls
from isthmus.plan.variables import variable, variable_limits

_DEFAULT_MAXACCEPT = 64
_DEFAULT_MAXPOLLEVENTS = 200


def build(configuration: Configuration, world: World, diagnostics: Diagnostics) -> Built:
    """Return what a configuration comes to.

    Errors and warnings go to `diagnostics`; where it has `failed` afterwards, the plan is not to be used.
    """
    return _Builder(configuration, world, diagnostics).build()


def unknown_names(configuration: Configuration, world: World) -> list[Diagnostic]:
    """Return the messages about proxies that no section declares, for a configuration that has other errors.

    What else building it would say may follow from those errors, and is left out.
    """
    found = Diagnostics()
    build(configuration, world, found)
    return [each for each in found if each.code in (UNKNOWN_BACKEND, UNKNOWN_PROXY)]


class _Builder:
    def __init__(self, configuration: Configuration, world: World, diagnostics: Diagnostics) -> None:
        self._configuration = configuration
        self._world = world
        self._diagnostics = diagnostics
        self._namespaces = Namespaces()
        self._proxies = Proxies(configuration.proxies)
        self._users = _users(self._proxies.frontends)
        self._ids = self._numbered()
        self._checks: list[Check] = []
        counters = configuration.global_.stick_counters
        self._names = Names(
            self._proxies, diagnostics, configuration.userlists, counters, configuration.resolvers
        )
        self._parts = Parts(
            configuration.caches,
            (each.name for each in configuration.global_.services.registered),
            diagnostics,
        )
        replies = Replies(configuration.http_errors, self._names, diagnostics)
        self._http = HttpSides(replies, self._names, self._parts, configuration.global_.http.cookie_len)
        said = configuration.global_
        logs = GlobalLogs(said.log_lines, said.log_tag, said.log_send_hostname is not None)
        self._logs = LogPolicies(logs, self._names, self._namespaces, world, diagnostics)
        self._maxconn = configuration.global_.maxconn or automatic_maxconn(world.open_files())
        self._dangers = Dangers(diagnostics)
        self._tls = Tls(said.tls, diagnostics)

    def build(self) -> Built:
        """Build every part, in the order in which HAProxy looks at them."""
        for proxy in self._configuration.proxies:
            self._warn(proxy)
        warn_of_capabilities(self._configuration, self._world, self._diagnostics)
        listed = tuple(self._namespaces.index(each) for each in self._configuration.namespace_list)
        frontends = tuple(self._frontend(proxy) for proxy in self._proxies.frontends)
        backends = tuple(self._backend(proxy) for proxy in self._proxies.backends)
        self._tls.files.tokens(self._configuration.loaded, self._configuration.tokens)
        said = self._configuration.global_
        settings = self._global(said)
        self._names.lists.warn_of_unread()
        file_numbers, line_numbers = self._names.lists.numbered()
        plan = document.Plan(
            version=document.VERSION,
            global_=settings,
            namespaces=self._namespaces.all(),
            namespace_list=listed,
            lists=self._names.lists.documents(file_numbers),
            userlists=self._names.userlists.documents(),
            tables=self._names.tables.documents(),
            acls=self._names.acls(line_numbers),
            frontends=frontends,
            backends=backends,
            tls=self._tls.documents(),
        )
        return Built(
            engine=plan,
            health=Health(tuple(self._checks), said.spread_checks, said.max_spread_checks, said.never_local),
            runtime=runtime(said, self._world.host_name()),
            process=process(said),
            diagnostics=self._diagnostics,
            host_names=host_names(self._configuration.proxies),
            files=self._names.lists.files(),
            configuration=self._configuration,
            resolvers=accepting(self._names.resolvers.used, said),
            guids=guids(self._configuration.proxies, frontends, self._diagnostics),
            tls_spans=self._tls.files.spans(),
        )

    def _numbered(self) -> dict[int, int]:
        """Return the id of each proxy, by the proxy's place in the configuration."""
        proxies = self._configuration.proxies
        taken: dict[int, Proxy] = {}
        for proxy in proxies:
            other = taken.setdefault(proxy.id, proxy)
            if proxy.id and other is not proxy:
                message = (
                    f"{proxy.kind} `{proxy.name}` has the same id as {other.kind} `{other.name}` "
                    f"at {origin(other.span)}"
                )
                self._diagnostics.alert(DUPLICATE_ID, message, proxy.id_span)
        # Where there is a stats socket, the number 1 is its own frontend's, named GLOBAL.
        first = 2 if self._configuration.global_.stats_sockets else 1
        numbers = Numbers((proxy.id for proxy in proxies), first)
        return {id(proxy): numbers.number(proxy.id) for proxy in proxies}

    def _warn(self, proxy: Proxy) -> None:
        """Collect what is probably not meant."""
        if proxy.settings.disabled:
            return
        warn_of_http(proxy, self._proxies, self._diagnostics)
        self._dangers.tell(proxy, self._users.get(proxy.name, ()))
        if proxy.is_frontend and not proxy.binds:
            message = f"{proxy.kind} `{proxy.name}` has no `bind` line: nothing can connect to it"
            hint = "declare it as a backend if that is what was meant"
            self._diagnostics.warning(NO_BIND, message, proxy.span, hint=hint)
        timeouts = proxy.settings.timeouts
        missing: list[str] = []
        if proxy.is_frontend and timeouts.client is None:
            missing.append("timeout client")
        if proxy.is_backend and proxy.servers:
            missing += [
                f"timeout {name}"
                for name, value in (("connect", timeouts.connect), ("server", timeouts.server))
                if value is None
            ]
        if missing:
            message = f"{proxy.kind} `{proxy.name}` has no {' and no '.join(f'`{each}`' for each in missing)}"
            self._diagnostics.warning(MISSING_TIMEOUTS, message, proxy.span)

    def _global(self, said: Global) -> document.Global:
        host_name = self._world.host_name()
        return document.Global(
            nbthread=self._threads(said),
            maxconn=said.maxconn or 0,
            maxconnrate=said.maxconnrate,
            maxsessrate=said.maxsessrate,
            maxsslconn=said.maxsslconn,
            maxsslrate=said.maxsslrate,
            log_hostname=host_name if said.log_send_hostname == "" else said.log_send_hostname or "",
            hostname=host_name,
            bufsize=said.bufsize,
            maxaccept=_DEFAULT_MAXACCEPT if said.maxaccept is None else max(0, said.maxaccept),
            maxpollevents=said.maxpollevents or _DEFAULT_MAXPOLLEVENTS,
            pipesize=said.pipesize,
            socket_buffers=(
                said.receive_buffer_client,
                said.send_buffer_client,
                said.receive_buffer_server,
                said.send_buffer_server,
            ),
            unsent=(said.unsent_client, said.unsent_server),
            reject_privileged_ports=said.reject_privileged_ports,
            splice=said.splice,
            netns_unlisted_ignore=any(
                proxy.settings.options.netns_unlisted_ignore for proxy in self._proxies.frontends
            ),
            hard_stop_after=said.hard_stop_after or 0,
            http=replace(
                http_global(said),
                caches=http_caches(self._configuration.caches),
                services=self._parts.services(),
                service_queue=said.services.queue,
                service_timeout=said.services.timeout,
            ),
            variables=tuple((name, variable(value, self._names)) for name, value in said.variables),
            variable_limits=variable_limits(said.variable_limits),
        )

    def _threads(self, said: Global) -> int:
        """Return the number of workers, 0 for one a processor; the process keeps that below the limit."""
        wanted = said.nbthread or 0
        if said.thread_limit is None or wanted <= said.thread_limit:
            return wanted
        message = f"`nbthread {wanted}` is more than `thread-hard-limit {said.thread_limit}`, which holds"
        self._diagnostics.warning(TOO_MANY_THREADS, message, said.thread_limit_span)
        return said.thread_limit

    def _frontend(self, proxy: Proxy) -> document.Frontend:
        said = proxy.settings
        self._names.tables.section = proxy.name
        check_modes(proxy, self._proxies, self._diagnostics)
        own = self._proxies.backend(proxy.name) if proxy.is_backend else None
        rules = frontend_rules(said.rules, own, self._names)
        becomes_http = switches(proxy, self._proxies)
        return document.Frontend(
            name=proxy.name,
            id=self._ids[id(proxy)],
            disabled=said.disabled,
            maxconn=said.maxconn or 0,
            rate_limit=said.rate_limit,
            binds=binds(proxy, self._namespaces, self._tls, self._configuration.global_),
            timeout_client=said.timeouts.client,
            timeout_client_fin=said.timeouts.client_fin,
            timeout_client_hs=said.timeouts.client_hs,
            inspect_delay=said.rules.inspect_delay,
            connection_rules=rules.connection,
            session_rules=rules.session,
            content_rules=rules.content,
            backend_choices=rules.backends,
            default_backend=self._default_backend(proxy),
            captures=rules.captures,
            log=self._logs.policy(proxy, frontend=True),
            options=frontend_options(proxy),
            http=self._http.frontend(proxy, switches=becomes_http),
            switches=becomes_http,
        )

    def _default_backend(self, proxy: Proxy) -> int | None:
        """Return the backend where no rule chose one: the named one, else a listen's own servers."""
        own = self._proxies.backend(proxy.name) if proxy.is_backend else None
        name = proxy.settings.default_backend
        if name is None:
            return own
        found = self._proxies.backend(name.text)
        if found is None and not proxy.settings.disabled:
            near = suggest(name.text, (each.name for each in self._proxies.backends))
            message = f"{proxy.kind} `{proxy.name}`: there is no backend `{name.text}`"
            self._diagnostics.alert(UNKNOWN_BACKEND, message, name.span, hint=near)
        elif found is not None and found == own:
            message = f"`{proxy.name}` is its own default backend"
            self._diagnostics.alert(BACKEND_LOOP, message, name.span)
        return found

    def _backend(self, proxy: Proxy) -> document.Backend:
        said = proxy.settings
        self._names.tables.section = proxy.name
        found = servers(proxy, self._names, self._namespaces, self._world, self._diagnostics, self._tls)
        rules = backend_rules(said.rules, self._proxies.backend(proxy.name) or 0, self._names)
        self._checks += checks(proxy, found, self._diagnostics)
        return document.Backend(
            name=proxy.name,
            id=self._ids[id(proxy)],
            disabled=said.disabled,
            algorithm=algorithm(said.balance, said.mode, self._names),
            servers=found,
            fullconn=fullconn(proxy, self._users.get(proxy.name, ()), self._maxconn),
            timeout_connect=said.timeouts.connect,
            timeout_server=said.timeouts.server,
            timeout_server_fin=said.timeouts.server_fin,
            timeout_queue=said.timeouts.queue or said.timeouts.connect,
            timeout_tunnel=said.timeouts.tunnel,
            retries=said.retries,
            redispatch=said.options.redispatch,
            inspect_delay=said.rules.inspect_delay,
            content_rules=rules.content,
            server_choices=rules.servers,
            stick_rules=rules.sticks,
            source=source_address(said.source, self._names),
            log=self._logs.policy(proxy, frontend=False),
            options=backend_options(proxy),
            http=self._http.backend(proxy),
        )


def _users(frontends: Iterable[Proxy]) -> Mapping[str, list[Proxy]]:
    """Return the frontends that may send traffic to each backend, as far as names tell."""
    users: dict[str, list[Proxy]] = {}
    for frontend in frontends:
        for name in _targets(frontend):
            users.setdefault(name, []).append(frontend)
    return users


def _targets(proxy: Proxy) -> set[str]:
    """Return the backends that a frontend's lines name."""
    said = proxy.settings
    named = {choice.target for choice in said.rules.backends if isinstance(choice.target, str)}
    if said.default_backend is not None:
        named.add(said.default_backend.text)
    elif proxy.is_backend:
        named.add(proxy.name)
    return named
