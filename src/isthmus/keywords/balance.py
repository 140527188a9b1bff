"""`balance`, `hash-type` and `hash-balance-factor`."""

from __future__ import annotations

import re
from dataclasses import replace

from isthmus.keywords.codes import NOT_IMPLEMENTED, OUT_OF_RANGE
from isthmus.keywords.draft import ProxyDraft
from isthmus.keywords.expressions import parse_expression
from isthmus.keywords.row import Keyword, RefusedError, Use, Where
from isthmus.keywords.values import choice, integer, unknown
from isthmus.keywords.vocabulary import Place
from isthmus.model.balance import Algorithm, Balance, HashType

_RANDOM = re.compile(r"random(?:\(([0-9]{1,9})\))?\Z")
_HTTP = ("uri", "url_param", "hdr", "rdp-cookie", "log-hash", "sticky")
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
    if name.partition("(")[0] in _HTTP:
        raise RefusedError(
            NOT_IMPLEMENTED, f"`balance {name}` is known to HAProxy, and not implemented yet", word.span
        )
    if name not in tuple(Algorithm):
        raise unknown(word, (*Algorithm, "random(<draws>)"), "an algorithm")
    algorithm = Algorithm(name)
    if algorithm is Algorithm.HASH:
        context = use.draft.context
        expression = parse_expression(use.words.take("an expression"), Place.SERVER_CHOICE, context)
        if expression is not None:
            _set(use, replace(before, algorithm=algorithm, expression=expression, span=use.line.span))
    else:
        _set(use, replace(before, algorithm=algorithm, span=use.line.span))


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
