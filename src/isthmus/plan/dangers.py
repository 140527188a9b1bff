"""What may be unsafe in the rules of HTTP mode; told in diagnostic mode (`isthmus check`, `-dD`) alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from isthmus.config import Diagnostics, Span, register
from isthmus.model.expression import Condition
from isthmus.model.http import RestrictNames
from isthmus.model.http_rule import Answer, Auth, ChangeHeader, HttpAction, HttpRule, NormalizeUri
from isthmus.model.proxy import Proxy
from isthmus.model.rule import Reject, SilentDrop

RAW_PATH = register(
    "D0460",
    "rule denies by a path that was not normalized",
    """`/admin`, `//admin`, `/./admin` and `/%61dmin` are one path for many servers, and four for a rule that
    compares text. http-request normalize-uri before the rule makes one of them.""",
    "http-request normalize-uri path-merge-slashes\nhttp-request deny if { path_beg /admin }",
)
SPOOFABLE_HEADER = register(
    "D0461",
    "header that rules set has an alias",
    """Many servers hand `X-Real-IP` and `X_Real_IP` to applications under one name, so a client may send the
    second to be taken for the first, which the rule sets. The option removes or refuses such headers.""",
    "option http-restrict-req-hdr-names delete",
)

_PATHS = frozenset({"base", "baseq", "path", "pathq", "url"})
# What these do does not change which path it is for a server.
_NO_NORMALIZERS = frozenset({"fragment-encode", "fragment-strip", "query-sort-by-name"})
# Statuses by which `return` refuses.
_REFUSALS = range(400, 500)


class Dangers:
    """Tells what may be unsafe in proxies; a line of defaults that many follow is told of once."""

    def __init__(self, diagnostics: Diagnostics) -> None:
        self._diagnostics = diagnostics
        self._told: set[tuple[str, Span | None]] = set()

    def tell(self, proxy: Proxy, users: Iterable[Proxy]) -> None:
        """Tell about a proxy; `users` are the frontends that send it requests."""
        if proxy.settings.mode != "http" or proxy.settings.disabled:
            return
        raw = next(_raw_paths(proxy.settings.http_rules.request), None)
        if raw is not None:
            message = "this rule denies by path, and no rule above it normalizes the URI"
            hint = "write `http-request normalize-uri path-merge-slashes` and its like above it"
            self._once(RAW_PATH, message, raw, hint)
        if _restricts(proxy) or (not proxy.is_frontend and all(map(_restricts, users))):
            return
        for name, span in _set_headers(proxy):
            alias = name.replace("-", "_")
            message = f"servers that take `{alias}` for `{name}` may believe a client's header instead"
            self._once(SPOOFABLE_HEADER, message, span, "write `option http-restrict-req-hdr-names delete`")

    def _once(self, code: str, message: str, span: Span | None, hint: str) -> None:
        if (code, span) not in self._told:
            self._told.add((code, span))
            self._diagnostics.diag(code, message, span, hint=hint)


def _restricts(proxy: Proxy) -> bool:
    return proxy.settings.http.restrict_names is not RestrictNames.PRESERVE


def _raw_paths(rules: Iterable[HttpRule]) -> Iterator[Span]:
    """Give each rule that denies by path above the first one that normalizes."""
    for rule in rules:
        if isinstance(rule.action, NormalizeUri) and rule.action.normalizer not in _NO_NORMALIZERS:
            return
        if _denies(rule.action) and rule.condition is not None and _asks_for_path(rule.condition):
            yield rule.span


def _denies(action: HttpAction) -> bool:
    if isinstance(action, Answer):
        return action.how in ("deny", "tarpit") or action.reply.status in _REFUSALS
    return isinstance(action, Reject | SilentDrop | Auth)


def _asks_for_path(condition: Condition) -> bool:
    terms = (term for terms in condition.any_of for term in terms)
    return any(test.expression.fetch.name in _PATHS for term in terms for test in term.acl.tests)


def _set_headers(proxy: Proxy) -> Iterator[tuple[str, Span | None]]:
    """Give each header with a hyphen that requests get here, once, and where it is said."""
    seen: set[str] = set()
    said = proxy.settings.http
    for rule in proxy.settings.http_rules.request:
        action = rule.action
        if isinstance(action, ChangeHeader) and action.how in ("add-header", "set-header"):
            if "-" in action.name and action.name.lower() not in seen:
                yield action.name, rule.span
            seen.add(action.name.lower())
    for option in (said.forwardfor, said.originalto):
        if option is not None and "-" in option.name:
            yield option.name, option.span
    name = said.unique_id_header
    if name is not None and "-" in name:
        yield name, said.unique_id_header_span
