"""`balance`, `hash-type` and `hash-balance-factor`."""

from __future__ import annotations

import re

from isthmus.config import Word
from isthmus.keywords.codes import BAD_VALUE, NOT_IMPLEMENTED, OUT_OF_RANGE
from isthmus.keywords.draft import ProxyDraft
from isthmus.keywords.expressions import parse_expression
from isthmus.keywords.row import Keyword, RefusedError, Use, Where
from isthmus.keywords.values import choice, integer, unknown
from isthmus.keywords.vocabulary import Place
from isthmus.model.balance import Algorithm, Balance, HashedPart, HashType
from isthmus.records import replace

_RANDOM = re.compile(r"random(?:\(([0-9]{1,9})\))?\Z")
_NOT_YET = ("log-hash", "sticky")
_NAMED = re.compile(r"(hdr|rdp-cookie)(?:\(([^()]*)\))?\Z")
_FUNCTIONS = ("sdbm", "djb2", "wt6", "crc32", "none")


def _balance(use: Use[ProxyDraft]) -> None:
    before = use.draft.settings.balance
    if not use.words:
        # HAProxy takes a lone `balance` for roundrobin.
        _set(use, replace(before, algorithm=Algorithm.ROUNDROBIN, span=use.line.span))
        return
    word = use.words.take("an algorithm")
    name = word.text
    draws = _RANDOM.match(name)
    if draws:
        count = int(draws[1]) if draws[1] else 2
        if count < 1:
            raise RefusedError(OUT_OF_RANGE, "`random` draws at least one server", word.span)
        _set(use, replace(before, algorithm=Algorithm.RANDOM, draws=count, span=use.line.span))
        return
    if _of_request(use, word):
        return
    if name in _NOT_YET:
        raise RefusedError(
            NOT_IMPLEMENTED, f"`balance {name}` is known to HAProxy, and not implemented yet", word.span
        )
    if name not in _BY_NAME:
        raise unknown(word, (*_BY_NAME, "random(<draws>)", *_OF_REQUEST), "an algorithm")
    algorithm = Algorithm(name)
    if algorithm is Algorithm.HASH:
        context = use.draft.context
        expression = parse_expression(use.words.take("an expression"), Place.SERVER_CHOICE, context)
        if expression is not None:
            _set(use, replace(before, algorithm=algorithm, expression=expression, span=use.line.span))
    else:
        _set(use, replace(before, algorithm=algorithm, span=use.line.span))


_BY_NAME = tuple(each.value for each in Algorithm if each not in (Algorithm.HEADER, Algorithm.RDP_COOKIE))
_OF_REQUEST = ("hdr(<name>)", "rdp-cookie(<name>)")


def _of_request(use: Use[ProxyDraft], word: Word) -> bool:
    """Read an algorithm that hashes a part of the request; returns whether it is one."""
    named = _NAMED.match(word.text)
    if word.text == "uri":
        algorithm, part = Algorithm.URI, _uri(use)
    elif word.text == "url_param":
        algorithm, part = Algorithm.URL_PARAM, _url_param(use)
    elif named and named[1] == "hdr":
        if not named[2]:
            raise RefusedError(BAD_VALUE, "`hdr` does not say which", word.span, expected="hdr(<name>)")
        only = use.words.peek == "use_domain_only"
        if use.words:
            choice(use.words, ("use_domain_only",), "an option of `balance hdr`")
        algorithm, part = Algorithm.HEADER, HashedPart(named[2], flag=only)
    elif named:
        # The cookie that Microsoft's clients send is called so (manual `balance rdp-cookie`).
        algorithm, part = Algorithm.RDP_COOKIE, HashedPart(named[2] or "mstshash")
    else:
        return False
    before = use.draft.settings.balance
    _set(use, replace(before, algorithm=algorithm, part=part, span=use.line.span))
    return True


def _uri(use: Use[ProxyDraft]) -> HashedPart:
    part = HashedPart()
    while use.words:
        option = choice(use.words, ("len", "depth", "whole", "path-only"), "an option of `balance uri`")
        match option:
            case "len":
                part = replace(part, length=integer(use.words, 1))
            case "depth":
                part = replace(part, depth=integer(use.words, 1))
            case "whole":
                part = replace(part, whole=True)
            case _:
                part = replace(part, flag=True)
    return part


def _url_param(use: Use[ProxyDraft]) -> HashedPart:
    name = use.words.take("the name of a parameter").text
    posted = bool(use.words)
    if posted:
        choice(use.words, ("check_post",), "an option of `balance url_param`")
        if use.words:
            integer(
                use.words
            )  # once a number of bytes to wait for; HAProxy reads it and does nothing with it
    return HashedPart(name, flag=posted)


def _hash_type(use: Use[ProxyDraft]) -> None:
    method = choice(use.words, ("map-based", "consistent"), "a method")
    function = "sdbm"
    # Consistent hashing without a named function mixes what sdbm gives: HAProxy was seen to.
    avalanche = method == "consistent" and not use.words
    if use.words:
        function = choice(use.words, _FUNCTIONS, "a hash function")
    if use.words:
        choice(use.words, ("avalanche",), "a modifier")
        avalanche = True
    hashed = HashType(method == "consistent", function, avalanche)
    _set(use, replace(use.draft.settings.balance, hash=hashed))


def _hash_balance_factor(use: Use[ProxyDraft]) -> None:
    word = use.words.rest[:1]
    factor = integer(use.words, 0, 65535)
    if 0 < factor <= 100:
        raise RefusedError(
            OUT_OF_RANGE, f"{factor} is out of range", word[0].span, expected="0, or more than 100"
        )
    _set(use, replace(use.draft.settings.balance, factor=factor))


def _set(use: Use[ProxyDraft], balance: Balance) -> None:
    use.draft.settings = replace(use.draft.settings, balance=balance)


_HERE = Where.DEFAULTS | Where.BACKEND

BALANCE: tuple[Keyword[ProxyDraft], ...] = (
    Keyword("balance", _HERE, "<algorithm> [<arguments>]", "How a server is chosen", _balance),
    Keyword(
        "hash-balance-factor",
        _HERE,
        "<factor>",
        "Most load of a server under a consistent hash, in percent of the average",
        _hash_balance_factor,
    ),
    Keyword(
        "hash-type", _HERE, "<method> [<function> [avalanche]]", "How a hash leads to a server", _hash_type
    ),
)
