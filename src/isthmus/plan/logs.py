"""Log formats, targets and policies in the plan's terms."""

from __future__ import annotations

from isthmus.config import Diagnostics, Word, register
from isthmus.keywords.log_formats import DEFAULT_HTTP, DEFAULT_TCP
from isthmus.keywords.namespaces import resolved
from isthmus.keywords.row import RefusedError
from isthmus.keywords.world import World
from isthmus.model.log import (
    Alias,
    Encoded,
    FdLog,
    Format,
    FormatItem,
    Framing,
    Literal,
    LogAddress,
    LogGlobal,
    LogLine,
    LogTarget,
    LogWhen,
    Record,
    Sample,
    UdpLog,
    UnixLog,
)
from isthmus.model.proxy import Proxy
from isthmus.plan import document
from isthmus.plan.expressions import Names
from isthmus.plan.modes import log_format, refuse_http_aliases
from isthmus.plan.names import Namespaces, byte_string
from isthmus.records import dataclass

UNRESOLVED_LOG = register(
    "E0430",
    "host name of a log target does not resolve",
    """The address of a log target is looked up when the configuration is read.""",
)
NO_TARGET = register(
    "W0431",
    "log format without a log target",
    """The proxy says what its lines look like, and no `log` line says where they go: nothing is logged.""",
    "log stderr format raw local0",
)

_TAG = "haproxy"
"""The tag where none is given: what those who read the logs of a HAProxy configuration look for."""

_WHEN = {
    LogWhen.ACCEPT: document.LogWhen.ACCEPT,
    LogWhen.CONNECT: document.LogWhen.CONNECT,
    LogWhen.END: document.LogWhen.END,
}


def format_items(found: Format, names: Names) -> tuple[document.FormatItem, ...]:
    """Return the items of a format."""
    return tuple([_item(item, names) for item in found.items])


def _item(item: FormatItem, names: Names) -> document.FormatItem:
    match item:
        case Literal(text):
            return document.Literal(byte_string(text))
        case Alias() | Sample():
            return _value(item, names)
        case Encoded(encoding, kind, inner):
            encoded = _value(inner, names)
            return document.Encoded(document.Encoding(encoding.value), document.ItemType(kind.value), encoded)
        case Record(encoding, binary, found):
            fields = [
                document.Field(
                    byte_string(each.name), document.ItemType(each.type.value), _value(each.item, names)
                )
                for each in found
            ]
            return document.Record(document.Encoding(encoding.value), binary, tuple(fields))


def _value(item: Alias | Sample, names: Names) -> document.Alias | document.FormatExpression:
    if isinstance(item, Alias):
        return document.Alias(item.name, item.flags)
    return document.FormatExpression(names.expression(item.expression), item.flags)


@dataclass(frozen=True, slots=True)
class GlobalLogs:
    """What the global section says: its `log` lines, its `log-tag`, whether host names are sent."""

    lines: tuple[LogLine, ...] = ()
    tag: str | None = None
    send_hostname: bool = False


class LogPolicies:
    """Makes the log policy of each proxy."""

    def __init__(
        self, said: GlobalLogs, names: Names, namespaces: Namespaces, world: World, diagnostics: Diagnostics
    ) -> None:
        self._global = said
        self._names = names
        self._namespaces = namespaces
        self._world = world
        self._diagnostics = diagnostics
        self._targets: dict[int, document.LogTarget | None] = {}

    def policy(self, proxy: Proxy, *, frontend: bool) -> document.LogPolicy:
        """Return what one side of a proxy logs, when, and where."""
        log, options = proxy.settings.log, proxy.settings.options
        plain = DEFAULT_HTTP if proxy.settings.mode == "http" else DEFAULT_TCP
        chosen = plain
        if frontend:
            chosen = log_format(proxy, self._diagnostics) or plain
            for each in (log.error_format, log.structured_data, log.unique_id):
                refuse_http_aliases(each, proxy, self._diagnostics)
        when = LogWhen.CONNECT if options.logasap and chosen.when is LogWhen.END else chosen.when
        targets = self._all_targets(log.lines)
        if frontend and (log.format or log.structured_data) and not targets:
            message = "the log format is not used: no `log` line says where lines go"
            self._diagnostics.warning(NO_TARGET, message, proxy.span)
        tag = log.tag if log.tag is not None else self._global.tag
        return document.LogPolicy(
            targets=targets,
            tag=byte_string(_TAG if tag is None else tag),
            format=self._items(chosen),
            when=_WHEN[when],
            error_format=None if log.error_format is None else self._items(log.error_format),
            structured_data=self._items(log.structured_data),
            unique_id=self._items(log.unique_id),
            dontlognull=options.dontlognull,
            dontlog_normal=options.dontlog_normal,
            separate_errors=options.log_separate_errors,
            steps=tuple(document.LogStep(each.value) for each in log.steps) if frontend else (),
        )

    def _items(self, found: Format | None) -> tuple[document.FormatItem, ...]:
        return () if found is None else format_items(found, self._names)

    def _all_targets(self, lines: tuple[LogLine, ...]) -> tuple[document.LogTarget, ...]:
        targets: list[document.LogTarget] = []
        # A second `log global`, from defaults and from the proxy, adds nothing to the first.
        for line in dict.fromkeys(lines):
            here = self._global.lines if isinstance(line, LogGlobal) else (line,)
            lowered = (self._target(each) for each in here if isinstance(each, LogTarget))
            targets += [each for each in lowered if each is not None]
        return tuple(targets)

    def _target(self, target: LogTarget) -> document.LogTarget | None:
        # A line of the global section serves many proxies, and is wrong only once.
        if id(target) not in self._targets:
            self._targets[id(target)] = self._lowered(target)
        return self._targets[id(target)]

    def _lowered(self, target: LogTarget) -> document.LogTarget | None:
        address = self._address(target.address)
        if address is None:
            return None
        framing = target.framing or (Framing.RFC3164 if self._global.send_hostname else Framing.LOCAL)
        sampling = target.sampling
        return document.LogTarget(
            address=address,
            format=document.LogFormat(framing.value),
            facility=target.facility,
            level=target.level,
            min_level=target.min_level,
            max_len=target.max_length,
            sampling=None if sampling is None else document.LogSampling(sampling.ranges, sampling.size),
        )

    def _address(self, address: LogAddress) -> document.LogAddress | None:
        match address:
            case UnixLog(path):
                return document.LogUnix(path)
            case FdLog(fd):
                return document.LogFd(fd)
            case UdpLog(host, port, _, span):
                ip = self._world.resolve(host, None) if isinstance(host, str) else host
                if ip is None:
                    message = f"the address of `{host}` was not found"
                    self._diagnostics.alert(UNRESOLVED_LOG, message, span)
                    return None
                return document.LogUdp(str(ip), port, self._namespace(address))

    def _namespace(self, address: UdpLog) -> int | None:
        if address.namespace is None:
            return None
        try:
            return self._namespaces.index(resolved(Word(address.namespace, address.span), self._world))
        except RefusedError as refusal:
            refusal.report(self._diagnostics)
            return None
