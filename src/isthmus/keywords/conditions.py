"""Conditions: `if` or `unless`, then ACLs with `or`, `||`, `!` and tests between braces (manual 7.2)."""

from __future__ import annotations

from collections.abc import Iterable

from isthmus.config import Word, register
from isthmus.keywords.acls import AclScope, parse_anonymous
from isthmus.keywords.context import Context, after, did_you_mean
from isthmus.keywords.vocabulary import Place
from isthmus.model.expression import Acl, Condition, Term

UNKNOWN_ACL = register(
    "E0330",
    "no such ACL",
    """A condition names ACLs that are declared above it in the same section, or predefined ones (TRUE,
    LOCALHOST, WAIT_END and so on). Case matters. A test may also stand between braces, each brace a word of
    its own.""",
    "use_backend static if { src 10.0.0.0/8 } || LOCALHOST",
)
UNCLOSED_BRACE = register(
    "E0331",
    "a brace is not closed",
    """The braces of an anonymous ACL are words of their own: spaces stand before and behind each.""",
    "tcp-request connection reject if { src 192.0.2.0/24 }",
)
NOT_A_CONDITION = register(
    "E0332",
    "expected a condition",
    """Behind the arguments of a rule only a condition may follow, which begins with if or unless.""",
    "tcp-request connection reject if { src 192.0.2.0/24 }",
)
EMPTY_CONDITION = register(
    "W0333",
    "a condition holds no ACL",
    """HAProxy reads such a condition, and it never holds: if does nothing then, and unless always does.""",
)
INCOMPATIBLE_ACL = register(
    "W0334",
    "an ACL never matches here",
    """All that the ACL looks at has no value in this kind of rule: contents before any were read, or the
    server's answer before there is a server.""",
)

_OR = ("or", "||")


def parse_condition(
    words: tuple[Word, ...],
    acls: AclScope,
    place: Place,
    context: Context,
    offered: tuple[str, ...] = (),
) -> Condition | None:
    """Read what stands behind a rule's arguments: nothing, or a condition for a rule of `place`.

    `offered` are words that could have stood there too: one may have been meant. None comes back where
    nothing stands there, and where an error was collected.
    """
    if not words:
        return None
    head = words[0]
    if head.text not in ("if", "unless"):
        hint = did_you_mean(head.text, ("if", "unless", *offered))
        message = f"`{head.text}` cannot stand here"
        context.alert(NOT_A_CONDITION, message, head.span, expected="`if`, `unless` or nothing", hint=hint)
        return None
    any_of = tuple(_alternatives(words, acls, place, context))
    if not any_of:
        message = f"no ACL stands behind `{head.text}`, and so the condition never holds"
        context.warning(EMPTY_CONDITION, message, head.span)
    return Condition(any_of, unless=head.text == "unless")


def _alternatives(
    words: tuple[Word, ...], acls: AclScope, place: Place, context: Context
) -> Iterable[tuple[Term, ...]]:
    """Give the terms between one `or` and the next; empty alternatives are dropped, as in HAProxy."""
    terms: list[Term] = []
    negate = False
    pos = 1
    while pos < len(words):
        word = words[pos]
        pos += 1
        bare = word.text.lstrip("!")
        negate ^= (len(word.text) - len(bare)) % 2 == 1
        if bare.lower() in _OR:
            if terms:
                yield tuple(terms)
            else:
                context.warning(EMPTY_CONDITION, f"no ACL stands before `{word.text}`", word.span)
            terms, negate = [], False
        elif bare:
            close = _closing(words, pos) if bare == "{" else pos
            acl = _acl(word, bare, words[pos:close], words[close : close + 1], acls, context)
            pos = close + 1 if bare == "{" else pos
            _check_place(acl, word, place, context)
            terms.append(Term(acl, negate))
            negate = False
    if terms:
        yield tuple(terms)
    elif words[-1].text.lower() in _OR:
        context.warning(EMPTY_CONDITION, f"no ACL stands behind `{words[-1].text}`", after(words[-1]))


def _closing(words: tuple[Word, ...], pos: int) -> int:
    for at in range(pos, len(words)):
        if words[at].text == "}":
            return at
    return len(words)


def _acl(
    word: Word,
    name: str,
    inside: tuple[Word, ...],
    closing: tuple[Word, ...],
    acls: AclScope,
    context: Context,
) -> Acl:
    """Return an ACL by its name or its words; where an error was collected, one without tests."""
    if name == "{":
        if not closing:
            message = "this brace is never closed"
            context.alert(UNCLOSED_BRACE, message, word.span, expected="a `}` as a word of its own")
            return Acl(name, (), word.span)
        return parse_anonymous(inside, word.span.to(closing[0].span), context)
    found = acls.find(name, word.span, context)
    if found is None:
        _unknown(word, name, acls, context)
    return found or Acl(name, (), word.span)


def _unknown(word: Word, name: str, acls: AclScope, context: Context) -> None:
    if name.startswith("{") or name.endswith("}"):
        hint: str | None = "braces are words of their own: put spaces around them"
    elif name in acls.names():
        hint = f"`{name}` is declared below this line; declare it above"
    else:
        hint = did_you_mean(name, acls.names())
    span = context.part(word, len(word.text) - len(name), len(name))
    context.alert(UNKNOWN_ACL, f"no such ACL: `{name}`", span, hint=hint)


def _check_place(acl: Acl, word: Word, place: Place, context: Context) -> None:
    fetches = [context.vocabulary.fetches.get(test.expression.fetch.name) for test in acl.tests]
    if fetches and not any(fetch is None or fetch.valid_in(place) for fetch in fetches):
        message = f"ACL `{acl.name}` never matches in: {place.wording}"
        context.warning(
            INCOMPATIBLE_ACL, message, acl.span if word.text.endswith("{") and acl.span else word.span
        )
