"""The lines of proxies that hold rules: `acl`, `tcp-request`, `use_backend` and `use-server`.

What they mean is read by `tcp_rules`; the ACLs of a section were declared before its first line.
"""

from __future__ import annotations

from isthmus.keywords.codes import NOT_IMPLEMENTED, WRONG_SECTION
from isthmus.keywords.draft import ProxyDraft
from isthmus.keywords.row import Keyword, RefusedError, Use, Where
from isthmus.keywords.values import integer, unknown


def _acl(use: Use[ProxyDraft]) -> None:
    _refuse_unnamed(use)
    use.words.take_all()


def _tcp_request(use: Use[ProxyDraft]) -> None:
    _refuse_unnamed(use)
    use.draft.rules.tcp_request(use.line)
    use.words.take_all()


def _declare_capture(use: Use[ProxyDraft]) -> None:
    if use.draft.where is Where.BACKEND:
        raise RefusedError(
            WRONG_SECTION, "captures belong to a frontend, and this section is none", use.line.keyword.span
        )
    side = use.words.take("`request` or `response`")
    if side.text == "response":
        message = "`declare capture response` is known to HAProxy, and not implemented yet"
        raise RefusedError(NOT_IMPLEMENTED, message, use.line.keyword.span.to(side.span))
    if side.text != "request":
        raise unknown(side, ("request", "response"), "a side of a capture")
    keyword = use.words.take("`len`")
    if keyword.text != "len":
        raise unknown(keyword, ("len",), "a word of `declare capture`")
    use.draft.rules.declare_capture(integer(use.words, 1, 65535))


def _use_backend(use: Use[ProxyDraft]) -> None:
    use.draft.rules.use_backend(use.line)
    use.words.take_all()


def _use_server(use: Use[ProxyDraft]) -> None:
    use.draft.rules.use_server(use.line)
    use.words.take_all()


def _refuse_unnamed(use: Use[ProxyDraft]) -> None:
    """Refuse rules in defaults without a name: who follows those is easily overlooked."""
    if use.draft.where is Where.DEFAULTS and not use.draft.name:
        raise RefusedError(
            WRONG_SECTION,
            f"`{use.row.name}` cannot stand in a defaults section without a name",
            use.line.keyword.span,
            hint="name the section, and let proxies follow it with `from NAME`",
        )


RULES: tuple[Keyword[ProxyDraft], ...] = (
    Keyword(
        "declare capture",
        Where.LISTEN,
        "{ request } len <length>",
        "Add a capture slot, for `capture-req`",
        _declare_capture,
    ),
    Keyword("acl", Where.PROXY, "<name> <criterion> [<flags>] [<operator>] <value> ...", "A test", _acl),
    Keyword(
        "tcp-request",
        Where.PROXY,
        "{ connection | session | content } <action> [{ if | unless } <condition>] | inspect-delay <timeout>",
        "What is done with connections, sessions and what clients send first",
        _tcp_request,
    ),
    Keyword(
        "use-server",
        Where.BACKEND,
        "<server> { if | unless } <condition>",
        "Choose a server whatever the algorithm says",
        _use_server,
    ),
    Keyword(
        "use_backend",
        Where.FRONTEND,
        "<backend> [{ if | unless } <condition>]",
        "Choose a backend",
        _use_backend,
    ),
)
