"""The lines of proxies that hold rules: `acl`, `tcp-request`, `use_backend` and `use-server`.

What they mean is read by `tcp_rules`; the ACLs of a section were declared before its first line.
"""

from __future__ import annotations

from isthmus.keywords.codes import WRONG_SECTION
from isthmus.keywords.draft import ProxyDraft
from isthmus.keywords.row import Keyword, RefusedError, Use, Where


def _acl(use: Use[ProxyDraft]) -> None:
    refuse_unnamed(use)
    use.words.take_all()


def _tcp_request(use: Use[ProxyDraft]) -> None:
    refuse_unnamed(use)
    use.draft.rules.tcp_request(use.line)
    use.words.take_all()


def _use_backend(use: Use[ProxyDraft]) -> None:
    use.draft.rules.use_backend(use.line)
    use.words.take_all()


def _use_server(use: Use[ProxyDraft]) -> None:
    use.draft.rules.use_server(use.line)
    use.words.take_all()


def _stick(use: Use[ProxyDraft]) -> None:
    use.draft.rules.stick(use.line)
    use.words.take_all()


def refuse_unnamed(use: Use[ProxyDraft]) -> None:
    """Refuse rules in defaults without a name: who follows those is easily overlooked."""
    if use.draft.where is Where.DEFAULTS and not use.draft.name:
        raise RefusedError(
            WRONG_SECTION,
            f"`{use.row.name}` cannot stand in a defaults section without a name",
            use.line.keyword.span,
            hint="name the section, and let proxies follow it with `from NAME`",
        )


RULES: tuple[Keyword[ProxyDraft], ...] = (
    Keyword("acl", Where.PROXY, "<name> <criterion> [<flags>] [<operator>] <value> ...", "A test", _acl),
    Keyword(
        "stick",
        Where.BACKEND,
        "{ on | match | store-request | store-response } <pattern> [table <table>] [{ if | unless } ...]",
        "Lead a client to the server that a table remembers, or remember one",
        _stick,
    ),
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
