"""Line `stick-table`: what a proxy remembers of keys (manual 4.2)."""

from __future__ import annotations

import re

from isthmus.config import Span, Word, register
from isthmus.config.values import parse_integer, parse_time
from isthmus.keywords.codes import MISSING_ARGUMENT, NOT_IMPLEMENTED
from isthmus.keywords.draft import ProxyDraft
from isthmus.keywords.row import Keyword, RefusedError, Use, Where, Words
from isthmus.keywords.tracking import MOST_ELEMENTS
from isthmus.keywords.values import choice, integer, parsed, size, suggest, time
from isthmus.model.table import KeyKind, StickTable, StoredData
from isthmus.records import dataclass, field, replace

SECOND_TABLE = register(
    "E0542",
    "a second stick-table in one section",
    """A proxy has one table at most. Another one can stand in a backend of its own, and be named.""",
    "http-request track-sc1 src table other",
)
STRANGE_DATA = register(
    "E0543",
    "bad data type of a stick-table",
    """Behind store stand names of data types. Rates say over which time they are taken, arrays how long they
    are, and an array replaces its first elements' own names.""",
    "stick-table type ip size 1m expire 10m store gpc(2),conn_rate(10s)",
)
NEVER_EXPIRES = register(
    "W0540",
    "a full table would stay so for ever",
    """With nopurge no entry makes room for a new one, and without expire none ever goes.""",
    "stick-table type ip size 1m nopurge expire 30m",
)

_COUNTED = ("bytes_in", "bytes_out", "conn", "glitch", "http_err", "http_fail", "http_req", "sess")
_COUNTERS = frozenset(
    {f"{each}_cnt" for each in _COUNTED} | {"conn_cur", "gpc0", "gpc1", "gpt0", "server_id", "server_key"}
)
_RATES = frozenset({f"{each}_rate" for each in (*_COUNTED, "gpc0", "gpc1")})
_ARRAYS = {"gpc": ("gpc0", "gpc1"), "gpt": ("gpt0",), "gpc_rate": ("gpc0_rate", "gpc1_rate")}
"""Arrays, and the names of their own that they replace."""

_DATA = sorted(_COUNTERS | _RATES | frozenset(_ARRAYS))
_OPTIONS = (
    *("type", "size", "expire", "nopurge", "store", "srvkey", "netns", "peers"),
    *("brates-factor", "recv-only", "write-to"),
)
_LENGTH = 32
"""Bytes of strings and binary keys where the line does not say."""

_FIXED = {KeyKind.IP: 4, KeyKind.IPV6: 16, KeyKind.INTEGER: 4}


@dataclass(slots=True)
class _Draft:
    """What the line has said so far."""

    key: KeyKind | None = None
    length: int = 0
    size: int = 0
    expire: int | None = None
    nopurge: bool = False
    by_namespace: bool | None = None
    by_address: bool = False
    stored: list[StoredData] = field(default_factory=list)


def _type(words: Words, said: _Draft) -> None:
    said.key = KeyKind(choice(words, [each.value for each in KeyKind], "a type of keys"))
    said.length = _FIXED.get(said.key, _LENGTH)
    if said.key in (KeyKind.STRING, KeyKind.BINARY) and words.peek == "len":
        words.take("`len`")
        said.length = integer(words, 1, 65535, "a number of bytes")


_LIST = re.compile(r"(?:[^,()]+(?:\([^()]*\))?(?:,|\Z))+\Z")
_ONE = re.compile(r"[^,()]+(?:\([^()]*\))?")
"""One type: a comma within its parentheses is its own."""


def _store(words: Words, said: _Draft) -> None:
    word = words.take("types of data, separated by commas")
    if not _LIST.match(word.text):
        raise RefusedError(STRANGE_DATA, f"`{word.text}` is no list of types", word.span)
    for text in _ONE.findall(word.text):
        said.stored.append(_data(text, word, said))


def _data(text: str, word: Word, said: _Draft) -> StoredData:
    name, _, inside = text.partition("(")
    given = [each.strip() for each in inside.removesuffix(")").split(",")] if inside else []
    if name not in _DATA:
        hint = suggest(name, _DATA)
        raise RefusedError(STRANGE_DATA, f"`{name}` is no type of data", word.span, hint=hint)
    if any(name == each.data for each in said.stored):
        raise RefusedError(STRANGE_DATA, f"`{name}` is stored already", word.span)
    wanted = {"gpc": 1, "gpt": 1, "gpc_rate": 2}.get(name, 1 if name in _RATES else 0)
    form = {"gpc_rate": "gpc_rate(<nb>,<period>)"}.get(name, f"{name}(<nb>)" if name in _ARRAYS else name)
    form = f"{name}(<period>)" if name in _RATES else form
    if len(given) != wanted:
        raise RefusedError(STRANGE_DATA, f"`{text}` has the wrong arguments", word.span, expected=form)
    count = period = 1
    if name in _ARRAYS:
        count = parsed(replace(word, text=given[0]), _elements)
    if name in _RATES or name == "gpc_rate":
        period = parsed(replace(word, text=given[-1]), parse_time).milliseconds
        if not period:
            raise RefusedError(STRANGE_DATA, f"the period of `{text}` is no time", word.span)
    return StoredData(name, count, period if "rate" in name else 0)


def _elements(text: str) -> int:
    return parse_integer(text, minimum=1, maximum=MOST_ELEMENTS)


def _refuse_clashes(said: _Draft, span: Span) -> None:
    names = {each.data for each in said.stored}
    for array, own in _ARRAYS.items():
        for name in own:
            if array in names and name in names:
                message = f"`{name}` cannot be stored beside `{array}`, whose element it is"
                raise RefusedError(STRANGE_DATA, message, span)


def _option(words: Words, said: _Draft) -> None:
    word = words.rest[0]
    match choice(words, _OPTIONS, "an option of `stick-table`"):
        case "type":
            _type(words, said)
        case "size":
            said.size = size(words, 1, what="a number of entries")
        case "expire":
            said.expire = time(words) or None
        case "nopurge":
            said.nopurge = True
        case "store":
            _store(words, said)
        case "srvkey":
            said.by_address = choice(words, ("name", "addr"), "what servers are known by") == "addr"
        case "netns":
            said.by_namespace = choice(words, ("shared", "separate"), "a choice") == "separate"
        case option:
            message = f"`{option}` of `stick-table` is known to HAProxy, and not implemented yet"
            hint = "tables of one process are kept across reloads" if option == "peers" else None
            raise RefusedError(NOT_IMPLEMENTED, message, word.span, hint=hint)


def _stick_table(use: Use[ProxyDraft]) -> None:
    if use.draft.settings.table is not None:
        raise RefusedError(SECOND_TABLE, "this section has a stick-table already", use.line.keyword.span)
    said = _Draft()
    while use.words:
        _option(use.words, said)
    _refuse_clashes(said, use.line.span)
    if said.key is None or not said.size:
        missing = "`type`" if said.key is None else "`size`"
        message = f"`stick-table` does not say its {missing}"
        raise RefusedError(MISSING_ARGUMENT, message, use.words.end, expected="type <type> size <size>")
    if said.nopurge and said.expire is None:
        message = "a full table would stay so for ever: `nopurge` without `expire`"
        use.reading.diagnostics.warning(NEVER_EXPIRES, message, use.line.span)
    address = said.key in (KeyKind.IP, KeyKind.IPV6)
    found = StickTable(
        key=said.key,
        length=said.length,
        size=said.size,
        expire=said.expire,
        nopurge=said.nopurge,
        by_namespace=address if said.by_namespace is None else said.by_namespace,
        by_address=said.by_address,
        stored=tuple(said.stored),
        span=use.line.span,
    )
    use.draft.settings = replace(use.draft.settings, table=found)


STICK_TABLE: Keyword[ProxyDraft] = Keyword(
    "stick-table",
    Where.LISTEN,
    "type <type> size <size> [expire <time>] [nopurge] [srvkey { name | addr }] "
    "[netns { shared | separate }] [store <data_type>[,...]] ...",
    "What is remembered of keys, for rules and for persistence",
    _stick_table,
)
"""The row."""
