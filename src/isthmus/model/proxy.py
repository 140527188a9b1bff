"""Frontends and backends. A `listen` is one of each, of the same name and id."""

from __future__ import annotations

from isthmus.config import Span, Word
from isthmus.model.balance import Balance
from isthmus.model.bind import Bind, BindSettings
from isthmus.model.http import HttpRules, HttpSettings
from isthmus.model.log import Format, LogLine, LogStep
from isthmus.model.rule import RuleSets
from isthmus.model.server import Server, ServerSettings, Source
from isthmus.model.settings import KeepAlive, Options, Timeouts
from isthmus.model.table import StickTable
from isthmus.records import dataclass, field


@dataclass(frozen=True, slots=True)
class LogSettings:
    """What a proxy logs: `lines` in order, the formats, and `log-tag` (None: the program's name)."""

    lines: tuple[LogLine, ...] = ()
    tag: str | None = None
    format: Format | None = None
    error_format: Format | None = None
    structured_data: Format | None = None
    unique_id: Format | None = None
    steps: tuple[LogStep, ...] = ()


@dataclass(frozen=True, slots=True)
class ProxySettings:
    """What a proxy is told by its own lines and by the `defaults` that it follows. `mode` is tcp or http."""

    mode: str = "tcp"
    disabled: bool = False
    description: str = ""
    maxconn: int | None = None
    fullconn: int | None = None
    backlog: int = 0
    rate_limit: int = 0
    retries: int = 3
    default_backend: Word | None = None
    default_bind: BindSettings = field(default_factory=BindSettings)
    default_server: ServerSettings = field(default_factory=ServerSettings)
    source: Source | None = None
    balance: Balance = field(default_factory=Balance)
    timeouts: Timeouts = field(default_factory=Timeouts)
    options: Options = field(default_factory=Options)
    client_keepalive: KeepAlive = field(default_factory=KeepAlive)
    server_keepalive: KeepAlive = field(default_factory=KeepAlive)
    log: LogSettings = field(default_factory=LogSettings)
    rules: RuleSets = field(default_factory=RuleSets)
    table: StickTable | None = None
    http: HttpSettings = field(default_factory=HttpSettings)
    http_rules: HttpRules = field(default_factory=HttpRules)


@dataclass(frozen=True, slots=True)
class Proxy:
    """A section that moves traffic.

    `kind` is frontend, backend or listen; an `id` of 0 is still to be given; `id_span` is the `id` line's.
    """

    kind: str
    name: str
    id: int
    settings: ProxySettings
    binds: tuple[Bind, ...]
    servers: tuple[Server, ...]
    span: Span
    id_span: Span | None = None
    guid: str | None = None

    @property
    def is_frontend(self) -> bool:
        """Whether it takes connections from clients."""
        return self.kind != "backend"

    @property
    def is_backend(self) -> bool:
        """Whether it makes connections to servers."""
        return self.kind != "frontend"
