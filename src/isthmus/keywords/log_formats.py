"""Log formats: literals, aliases, `%[expression]` and flags (manual 8.2.6), wherever they may stand."""

from __future__ import annotations

import re
from enum import Enum

from isthmus.config import Word, register
from isthmus.keywords.context import Context, did_you_mean
from isthmus.keywords.expressions import NOT_IMPLEMENTED, MalformedError, parse_expression_at
from isthmus.keywords.log_aliases import ALIASES, HTTP_ONLY, LATE_FETCHES
from isthmus.keywords.log_encodings import ENCODINGS, Item, Label, assemble, take_label
from isthmus.keywords.vocabulary import Place
from isthmus.model.log import Alias, Format, FormatItem, Literal, LogWhen, Sample
from isthmus.records import dataclass, field

UNKNOWN_ALIAS = register(
    "E0340",
    "unknown alias in a log format",
    """A percent sign begins an alias (%ci), an expression (%[src]) or flags (%{+Q}s). To write the sign
    itself, double it: %%.""",
    'log-format "%ci:%cp 100%%"',
)
HTTP_ALIAS = register(
    "E0341",
    "alias of a log format needs HTTP",
    """The alias stands for a part of an HTTP exchange, and the proxy is not in mode http.""",
)
BAD_FORMAT = register(
    "E0342",
    "malformed log format",
    """Flags stand between %{ and }, each with + or - before it, and an alias or an expression follows.
    Expressions stand between %[ and ].""",
    'log-format "%{+Q}o %ci %[fe_name]"',
)
UNKNOWN_FLAG = register(
    "W0343",
    "unknown flag in a log format",
    """Flags are Q (quotes), E (escapes), X (hexadecimal), M (a dash where there is no value), json and cbor
    (encodings) and, in %o alone, bin (bytes as they are), each with + or - before it. As in HAProxy, others
    change nothing.""",
)
STRAY_PERCENT = register(
    "W0345",
    "a percent sign that does nothing",
    """Before a character that begins nothing, HAProxy drops the percent sign. To write it, double it: %%.""",
)


class FormatKind(Enum):
    """What a format is for: whether runs of spaces count as one, and whether a dash stands for no value."""

    LOG = (True, True)
    UNIQUE_ID = (True, False)
    VALUE = (False, False)

    @property
    def merges_spaces(self) -> bool:
        """Whether spaces are merged, and those at the start dropped."""
        return self.value[0]

    @property
    def flags(self) -> frozenset[str]:
        """The flags that are on at the start."""
        return frozenset("M") if self.value[1] else frozenset()


_FLAGS = ("E", "M", "Q", "X", "bin", *ENCODINGS)
_ALIAS = re.compile(r"[A-Za-z]+")
_FLAG = re.compile(r"[+-][A-Za-z]+|[^,+-]+")


@dataclass(slots=True)
class _Builder:
    """A format under construction. `flags` are those that `%o` set for all that follows."""

    kind: FormatKind
    flags: frozenset[str]
    text: list[str] = field(default_factory=list)
    items: list[Literal | Item] = field(default_factory=list)
    failed: bool = False

    def literal(self, text: str) -> None:
        if self.kind.merges_spaces and text == " ":
            before = self.text[-1] if self.text else None
            if before == " " or (before is None and not self.items):
                return
        self.text.append(text)

    def flush(self) -> None:
        if self.text:
            self.items.append(Literal("".join(self.text)))
            self.text.clear()

    def add(self, item: Item) -> None:
        self.flush()
        self.items.append(item)


def parse_format(word: Word, kind: FormatKind, place: Place, context: Context) -> Format | None:
    """Read a word as a log format, or collect everything that is wrong with it and return None.

    `place` says which fetches have a value where the format is evaluated: logs, or the rule it is in.
    """
    builder = _Builder(kind, kind.flags)
    if not word.text and kind is not FormatKind.VALUE:
        context.alert(BAD_FORMAT, "the format is empty", word.span, expected="text, aliases or expressions")
        return None
    pos = 0
    while pos < len(word.text):
        if word.text[pos] == "%":
            pos = _directive(word, pos, builder, place, context)
        else:
            builder.literal(word.text[pos])
            pos += 1
    builder.flush()
    if builder.failed:
        return None
    items, when = assemble(builder.items, builder.flags, word.span, context)
    return Format(items, when, word.span)


_BUILT_IN = re.compile(r"(%(?:\{[+-]Q\})?[A-Za-z]+)")


def _built_in(text: str, when: LogWhen, flags: str = "M") -> Format:
    """Return a format that the language itself has: text, and aliases that may be quoted or not."""
    items: list[FormatItem] = []
    for part in _BUILT_IN.split(text):
        if part.startswith("%"):
            on = {"{+Q}": "MQ", "{-Q}": "M"}.get(part[1:5], flags)
            items.append(Alias(part.rpartition("}")[2].removeprefix("%"), on))
        elif part:
            items.append(Literal(part))
    return Format(tuple(items), when)


DEFAULT_TCP = _built_in("Connect from %ci:%cp to %fi:%fp (%f/TCP)", LogWhen.ACCEPT)
"""The line of a proxy without any log format, in TCP mode: written as soon as a client is accepted."""

DEFAULT_HTTP = _built_in("Connect from %ci:%cp to %fi:%fp (%f/HTTP)", LogWhen.ACCEPT)
"""The same in HTTP mode."""

TCPLOG = _built_in("%ci:%cp [%t] %ft %b/%s %Tw/%Tc/%Tt %B %ts %ac/%fc/%bc/%sc/%rc %sq/%bq", LogWhen.END)
"""What `option tcplog` stands for (manual 8.2.2)."""

HTTPLOG = _built_in(
    "%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc "
    "%ac/%fc/%bc/%sc/%rc %sq/%bq %hr %hs %{+Q}r",
    LogWhen.END,
)
"""What `option httplog` stands for (manual 8.2.3)."""

HTTPSLOG = (
    "%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc "
    "%ac/%fc/%bc/%sc/%rc %sq/%bq %hr %hs %{+Q}r "
    "%[fc_err]/%[ssl_fc_err,hex]/%[ssl_c_err]/%[ssl_c_ca_err]/%[ssl_fc_is_resumed] %[ssl_fc_sni]/%sslv/%sslc"
)
"""The text that `option httpslog` stands for (manual 8.2.4)."""

CLFLOG = _built_in(
    '%{-Q}ci - - [%trg] %r %ST %B "" "" %cp %ms %ft %b %s %TR %Tw %Tc %Tr %Ta %tsc %ac %fc '
    "%bc %sc %rc %sq %bq %CC %CS %hrl %hsl",
    LogWhen.END,
    "MQ",
)
"""What `option httplog clf` stands for; its empty words leave room for what the common format has."""


def _directive(word: Word, start: int, builder: _Builder, place: Place, context: Context) -> int:
    """Read what a percent sign begins; return the offset behind it."""
    text, pos = word.text, start + 1
    following = text[pos : pos + 1]
    if following == "%":
        builder.literal("%")
        return pos + 1
    label, pos = take_label(word, pos, context)
    if label is None:
        builder.failed, label = True, Label()
    flags: frozenset[str] | None = None
    if text[pos : pos + 1] == "{":
        end = text.find("}", pos)
        if end < 0:
            span = context.part(word, pos, len(text) - pos)
            context.alert(BAD_FORMAT, "these flags are not closed", span, expected="a `}` behind the flags")
            builder.failed = True
            return len(text)
        flags, pos = _flags(word, pos, end, builder, context), end + 1
    if text[pos : pos + 1] == "[":
        on = builder.flags if flags is None else flags
        return _expression(word, pos, builder, (label, on), place, context)
    alias = _ALIAS.match(text, pos)
    if alias:
        _alias(word, alias, builder, (label, flags), context)
        return alias.end()
    if flags is None and following and following != " ":
        message = f"the percent sign before `{following}` does nothing"
        context.warning(
            STRAY_PERCENT, message, context.part(word, start, 2), hint="write `%%` for a percent sign"
        )
        return start + 1
    what = "flags" if flags is not None else "a percent sign"
    context.alert(
        BAD_FORMAT,
        f"{what} without an alias or an expression behind",
        context.part(word, start, pos - start),
        expected="an alias as `%ci`, an expression as `%[src]`, or `%%` for a percent sign",
    )
    builder.failed = True
    return max(pos, start + 1)


def _flags(word: Word, start: int, end: int, builder: _Builder, context: Context) -> frozenset[str]:
    """Read `{+Q,-E}` and return the flags that are on behind it."""
    flags = set(builder.flags)
    for found in _FLAG.finditer(word.text, start + 1, end):
        sign, name = found.group()[0], found.group()[1:]
        span = context.part(word, found.start(), len(found.group()))
        if name not in _FLAGS or sign not in "+-":
            hint = f"+{found.group()}" if found.group() in _FLAGS else None
            context.warning(
                UNKNOWN_FLAG,
                f"`{found.group()}` is no flag of a log format, and changes nothing",
                span,
                hint=f"did you mean `{hint}`?" if hint else None,
            )
        elif sign == "+":
            # One encoding at a time: the one that was named last.
            flags -= ENCODINGS.keys() if name in ENCODINGS else set()
            flags.add(name)
        else:
            flags.discard(name)
    return frozenset(flags)


def _alias(
    word: Word,
    found: re.Match[str],
    builder: _Builder,
    said: tuple[Label, frozenset[str] | None],
    context: Context,
) -> None:
    name, (label, flags) = found.group(), said
    span = context.part(
        word, found.start() - 1 if flags is None else found.start(), len(name) + (flags is None)
    )
    if name == "o":
        builder.flags = builder.flags if flags is None else flags
        return
    when = ALIASES.get(name)
    if when is None:
        near = did_you_mean(name, ALIASES) or "write `%%` for a percent sign"
        context.alert(UNKNOWN_ALIAS, f"unknown alias `%{name}` in a log format", span, hint=near)
        builder.failed = True
        return
    if name in HTTP_ONLY and not context.http:
        context.alert(HTTP_ALIAS, f"alias `%{name}` has a value in mode http only", span)
        builder.failed = True
        return
    known = context.vocabulary.aliases
    if known and name not in known:
        context.alert(NOT_IMPLEMENTED, f"alias `%{name}` is not implemented yet", span)
        builder.failed = True
        return
    on = builder.flags if flags is None else flags
    builder.add(Item(Alias(name, _letters(on)), when, label, on))


def _expression(
    word: Word,
    start: int,
    builder: _Builder,
    said: tuple[Label, frozenset[str]],
    place: Place,
    context: Context,
) -> int:
    """Read `[expression]`; return the offset behind, or behind the word where it is given up."""
    try:
        expression, end = parse_expression_at(word, start + 1, place, context)
    except MalformedError:
        builder.failed = True
        closing = word.text.find("]", start)
        return closing + 1 if closing >= 0 else len(word.text)
    if word.text[end : end + 1] != "]":
        found = f"`{word.text[end]}` stands" if end < len(word.text) else "nothing stands"
        context.alert(
            BAD_FORMAT,
            f"{found} behind the expression",
            context.part(word, end, 1),
            expected="`]` or a converter",
        )
        builder.failed = True
        closing = word.text.find("]", end)
        return closing + 1 if closing >= 0 else len(word.text)
    when = LogWhen.END if expression.fetch.name in LATE_FETCHES else LogWhen.CONNECT
    label, flags = said
    builder.add(Item(Sample(expression, _letters(flags)), when, label, flags))
    return end + 1


def _letters(flags: frozenset[str]) -> str:
    """Return the flags of one letter; the others are the whole item's, or the whole format's."""
    return "".join(sorted(each for each in flags if len(each) == 1))
