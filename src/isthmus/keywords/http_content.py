"""Keywords of proxies about bodies: `compression` and `filter`."""

from __future__ import annotations

from isthmus.config import Word
from isthmus.keywords.codes import BAD_VALUE, IGNORED_HERE, MISSING_ARGUMENT, NOT_IMPLEMENTED
from isthmus.keywords.draft import ProxyDraft
from isthmus.keywords.expressions import parse_expression
from isthmus.keywords.http_options import change
from isthmus.keywords.row import Keyword, RefusedError, Use, Where
from isthmus.keywords.values import choice, size, time, unknown
from isthmus.keywords.vocabulary import Place
from isthmus.model.expression import Expression
from isthmus.model.http import BandwidthLimit, Compression
from isthmus.records import replace

Row = Keyword[ProxyDraft]

_ALGORITHMS = ("gzip", "deflate", "raw-deflate", "identity")
_PARTS = (
    *("algo", "algo-req", "algo-res", "type", "type-req", "type-res"),
    *("direction", "minsize-req", "minsize-res", "offload"),
)

FILTERS = {
    "bwlim-in": "BWLIM",
    "bwlim-out": "BWLIM",
    "cache": "CACHE",
    "comp-req": "COMP",
    "comp-res": "COMP",
    "compression": "COMP",
}
"""The filters that there are, with the kind that `-dK` lists each under."""


def _compression(use: Use[ProxyDraft]) -> None:
    found = use.draft.settings.http.compression or Compression()
    match choice(use.words, _PARTS, "a part of `compression`"):
        case "algo" | "algo-res":
            found = replace(found, response=_algorithms(use))
        case "algo-req":
            found = replace(found, request=choice(use.words, _ALGORITHMS, "an algorithm"))
        case "type" | "type-res":
            found = replace(found, response_types=_types(use))
        case "type-req":
            found = replace(found, request_types=_types(use))
        case "direction":
            directions = ("request", "response", "both")
            found = replace(found, direction=choice(use.words, directions, "a direction"))
        case "minsize-req":
            found = replace(found, request_minimum=size(use.words))
        case "minsize-res":
            found = replace(found, response_minimum=size(use.words))
        case _ if use.draft.where is Where.DEFAULTS:
            message = "`compression offload` has no effect in a defaults section"
            use.draft.context.warning(IGNORED_HERE, message, use.line.span)
        case _:
            found = replace(found, offload=True)
    change(use, compression=found)


def _algorithms(use: Use[ProxyDraft]) -> tuple[str, ...]:
    chosen = [choice(use.words, _ALGORITHMS, "an algorithm")]
    while use.words:
        chosen.append(choice(use.words, _ALGORITHMS, "an algorithm"))
    return tuple(chosen)


def _types(use: Use[ProxyDraft]) -> tuple[str, ...]:
    first = use.words.take("a media type")
    return tuple(word.text for word in (first, *use.words.take_all()))


_OTHER_FILTERS = ("fcgi-app", "opentracing", "otel", "spoe", "trace")
_LIMIT_WORDS = ("default-limit", "default-period", "limit", "key", "table", "min-size")


def _filter(use: Use[ProxyDraft]) -> None:
    kind = use.words.take("a filter")
    if kind.text in _OTHER_FILTERS:
        message = f"`filter {kind.text}` is known to HAProxy, and not implemented yet"
        raise RefusedError(NOT_IMPLEMENTED, message, kind.span)
    if kind.text not in FILTERS:
        raise unknown(kind, FILTERS, "a filter")
    if kind.text in ("bwlim-in", "bwlim-out"):
        _bandwidth_limit(use, kind)
    elif kind.text.startswith("comp-"):
        _direction(use, "request" if kind.text == "comp-req" else "response")
    elif kind.text == "cache":
        # The order of filters is fixed here, so the line says nothing that rules do not.
        name = use.words.take("the name of a cache")
        change(use, cache_filters=(*use.draft.settings.http.cache_filters, (name.text, name.span)))


def _direction(use: Use[ProxyDraft], direction: str) -> None:
    """`filter comp-req`, `filter comp-res`: the direction of that name, and with the other one both."""
    found = use.draft.settings.http.compression or Compression()
    filters = found.filters | {direction}
    direction = "both" if len(filters) > 1 else direction
    change(use, compression=replace(found, filters=filters, direction=direction))


def _bandwidth_limit(use: Use[ProxyDraft], kind: Word) -> None:
    name = use.words.take("a name")
    numbers: dict[str, int] = {}
    key: Expression | None = None
    table = ""
    while use.words:
        option = choice(use.words, _LIMIT_WORDS, f"an option of `filter {kind.text}`")
        if option == "key":
            places = Place.FRONTEND_HTTP_REQUEST | Place.BACKEND_HTTP_REQUEST
            key = parse_expression(use.words.take("an expression"), places, use.draft.context)
        elif option == "table":
            table = use.words.take("the name of a table").text
        else:
            numbers[option] = time(use.words) if option == "default-period" else size(use.words)
    own = numbers.keys() & {"default-limit", "default-period"}
    shared = "limit" in numbers or key is not None
    if own and shared:
        message = "a limit is of each stream (`default-limit`), or of a key (`limit`), not both"
        raise RefusedError(BAD_VALUE, message, name.span)
    if not (len(own) == 2 or ("limit" in numbers and key is not None)):
        message = f"`filter {kind.text} {name.text}` does not say how much"
        expected = "default-limit <size> default-period <time>, or limit <size> key <expression>"
        raise RefusedError(MISSING_ARGUMENT, message, use.words.end, expected=expected)
    limit = BandwidthLimit(
        name=name.text,
        incoming=kind.text == "bwlim-in",
        limit=numbers["limit"] if shared else numbers["default-limit"],
        period=numbers.get("default-period", 0),
        key=key,
        table=table or use.draft.name,
        minimum=numbers.get("min-size", 0),
    )
    known = use.draft.settings.http.bandwidth_limits
    change(use, bandwidth_limits=(*known, limit))


HTTP_CONTENT: tuple[Row, ...] = (
    Keyword(
        "compression",
        Where.PROXY,
        "{ algo <algorithm> ... | type <type> ... | offload | direction <side> | minsize-res <size> ... }",
        "Compress bodies",
        _compression,
    ),
    Keyword("filter", Where.LISTEN, "<filter> [<option> ...]", "What bodies go through", _filter),
)
"""Keywords about bodies."""
