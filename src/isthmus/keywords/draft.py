"""Sections under construction: what the readers of keywords change."""

from __future__ import annotations

from isthmus.config import Span
from isthmus.keywords.context import Context
from isthmus.keywords.http_rules import HttpRuleReader
from isthmus.keywords.row import Where
from isthmus.keywords.tcp_rules import RuleReader
from isthmus.model.bind import Bind
from isthmus.model.configuration import Global
from isthmus.model.http import HttpRules
from isthmus.model.proxy import Proxy, ProxySettings
from isthmus.model.rule import RuleSets
from isthmus.model.server import Server
from isthmus.model.tls import BindTls
from isthmus.records import dataclass, field, replace


@dataclass(slots=True)
class GlobalDraft:
    """Section `global`, which may stand several times and is one."""

    settings: Global = field(default_factory=Global)


@dataclass(slots=True)
class ProxyDraft:
    """A defaults, frontend, backend or listen section.

    `span` is the header's; `context` is what its expressions are read with, `rules` and `http` are what
    reads its rules. `certificates` are those for bind lines that name none (`ssl-f-use`), which the line at
    `certificates_span` begins.
    """

    kind: str
    name: str
    span: Span
    settings: ProxySettings
    context: Context
    rules: RuleReader
    http: HttpRuleReader
    id: int = 0
    id_span: Span | None = None
    guid: str | None = None
    binds: list[Bind] = field(default_factory=list)
    certificates: BindTls = field(default_factory=BindTls)
    certificates_span: Span | None = None
    servers: list[Server] = field(default_factory=list)
    server_names: dict[str, Server] = field(default_factory=dict)
    server_ids: dict[int, Server] = field(default_factory=dict)
    dispatches: bool = False

    @property
    def where(self) -> Where:
        """Which keywords have a meaning here."""
        return KINDS[self.kind]

    def add_server(self, server: Server) -> None:
        """Add a server, whose name and id are known to be free."""
        self.servers.append(server)
        self.server_names[server.name] = server
        if server.settings.id:
            self.server_ids[server.settings.id] = server

    def with_rules(self) -> ProxySettings:
        """Return the settings with the section's own rules behind those of the defaults."""
        given, own = self.settings.rules, self.rules.finish()
        rules = RuleSets(
            connection=given.connection + own.connection,
            session=given.session + own.session,
            content=given.content + own.content,
            backends=own.backends,
            servers=own.servers,
            sticks=given.sticks + own.sticks,
            inspect_delay=own.inspect_delay or given.inspect_delay,
            acls=given.acls + own.acls,
            slots=given.slots + own.slots,
        )
        return replace(self.settings, rules=rules, http_rules=self._http_rules())

    def _http_rules(self) -> HttpRules:
        given, own = self.settings.http_rules, self.http.finish()
        return HttpRules(*(getattr(given, each) + getattr(own, each) for each in HttpRules.__match_args__))

    def _binds(self) -> tuple[Bind, ...]:
        return tuple(bind.with_certificates(self.certificates) for bind in self.binds)

    def finish(self) -> Proxy:
        """Return the proxy as it stands."""
        return Proxy(
            kind=self.kind,
            name=self.name,
            id=self.id,
            id_span=self.id_span,
            guid=self.guid,
            settings=self.with_rules(),
            binds=self._binds(),
            servers=tuple(self.servers),
            span=self.span,
        )


KINDS = {
    "defaults": Where.DEFAULTS,
    "frontend": Where.FRONTEND,
    "backend": Where.BACKEND,
    "listen": Where.LISTEN,
}
"""Which keywords have a meaning in a kind of section."""
