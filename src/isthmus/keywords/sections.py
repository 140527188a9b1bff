"""The loop over the lines of a section: finds each line's row, or says what is wrong with its first words."""

from __future__ import annotations

from collections.abc import Mapping

from isthmus.config import Line, Span, Word
from isthmus.keywords import inventory
from isthmus.keywords.codes import (
    IGNORED_HERE,
    MISSING_ARGUMENT,
    NO_EFFECT,
    NOT_IMPLEMENTED,
    NOT_NEGATABLE,
    REMOVED,
    UNKNOWN_KEYWORD,
    UNKNOWN_OPTION,
    WRONG_SECTION,
)
from isthmus.keywords.row import Draft, Keyword, Reading, RefusedError, Sense, Use, Where, Words
from isthmus.keywords.values import suggest

Table = Mapping[str, Keyword[Draft]]
"""The rows of a section by the words that they begin with."""


def table(*groups: tuple[Keyword[Draft], ...]) -> Table[Draft]:
    """Return the rows of some modules as one table."""
    rows = {row.name: row for group in groups for row in group}
    if len(rows) != sum(map(len, groups)):
        raise ValueError("two rows have the same name")
    return rows


def read_line(
    line: Line, rows: Table[Draft], draft: Draft, where: Where, kind: str, reading: Reading
) -> None:
    """Read one line into the draft of its section, and collect what is wrong with it."""
    try:
        sense, words = _sense(line)
        row, used = _find(words, rows, where, kind)
        if sense is not Sense.SET and not row.negatable:
            _refuse_sense(words[0], row)
        if not _stands_here(row, words[0], where, kind, reading):
            return
        if row.inert:
            reading.diagnostics.warning(NO_EFFECT, f"`{row.name}` has no effect: {row.inert}", words[0].span)
        rest = Words(row.name, tuple(words[used:]), line.end)
        row.read(Use(row, line, rest, sense, draft, reading))
        rest.finish()
    except RefusedError as refusal:
        refusal.report(reading.diagnostics)


def _sense(line: Line) -> tuple[Sense, tuple[Word, ...]]:
    """Split `no` or `default` off a line."""
    first = line.keyword
    if first.text not in ("no", "default"):
        return Sense.SET, line.words
    if not line.arguments:
        raise RefusedError(MISSING_ARGUMENT, f"`{first.text}` needs a keyword behind it", line.end)
    return Sense(first.text), line.arguments


def _find(words: tuple[Word, ...], rows: Table[Draft], where: Where, kind: str) -> tuple[Keyword[Draft], int]:
    """Return the row with the most words, and how many they are."""
    for count in (3, 2, 1):
        row = rows.get(" ".join(word.text for word in words[:count])) if len(words) >= count else None
        if row is not None:
            return row, count
    raise _no_such_keyword(words, rows, where, kind)


def _no_such_keyword(words: tuple[Word, ...], rows: Table[Draft], where: Where, kind: str) -> RefusedError:
    """Return why no row fits: not implemented, of another section, removed, or unknown."""
    first = words[0]
    seconds = sorted({name.split()[1] for name in rows if name.startswith(first.text + " ")})
    family = "global" if where is Where.GLOBAL else "proxy"
    removed = inventory.removed(family)
    if len(words) > 1:
        pair = f"{first.text} {words[1].text}"
        span = first.span.to(words[1].span)
        if pair in removed:
            message = f"`{pair}` no longer exists in HAProxy"
            return RefusedError(REMOVED, message, span, hint=removed[pair])
        if inventory.knows(family, pair):
            return _not_implemented(pair, span)
        if any(name.startswith(pair + " ") for name in rows):
            thirds = sorted(name.split()[2] for name in rows if name.startswith(pair + " "))
            end = Span(span.file, span.line, span.end, span.end)
            message = f"`{pair}` needs a word behind it"
            return RefusedError(MISSING_ARGUMENT, message, end, expected=f"one of {', '.join(thirds)}")
        if seconds:
            known = [*seconds, *inventory.second_words(family, first.text)]
            what = "option" if first.text == "option" else f"`{first.text}`"
            return RefusedError(
                UNKNOWN_OPTION if first.text == "option" else UNKNOWN_KEYWORD,
                f"unknown {what} `{words[1].text}`"
                if first.text == "option"
                else f"unknown keyword `{words[1].text}` behind {what}",
                words[1].span,
                hint=suggest(words[1].text, known),
            )
    elif seconds:
        end = Span(first.span.file, first.span.line, first.span.end, first.span.end)
        expected = f"one of {', '.join(seconds)}"
        return RefusedError(
            MISSING_ARGUMENT, f"`{first.text}` needs a word behind it", end, expected=expected
        )
    replacement = removed.get(first.text)
    if replacement:
        return RefusedError(
            REMOVED, f"`{first.text}` no longer exists in HAProxy", first.span, hint=replacement
        )
    if inventory.knows(family, first.text):
        return _not_implemented(first.text, first.span)
    other = "proxy" if family == "global" else "global"
    if inventory.knows(other, first.text):
        place = "`global`" if other == "global" else "`defaults`, `frontend`, `backend` or `listen`"
        return RefusedError(
            WRONG_SECTION,
            f"`{first.text}` does not belong in a {kind} section",
            first.span,
            hint=f"it belongs in {place}",
        )
    near = suggest(first.text, [*(name.split()[0] for name in rows), *inventory.first_words(family)])
    return RefusedError(
        UNKNOWN_KEYWORD, f"unknown keyword `{first.text}` in a {kind} section", first.span, hint=near
    )


def _not_implemented(name: str, span: Span) -> RefusedError:
    message = f"`{name}` is known to HAProxy, and not implemented yet"
    return RefusedError(NOT_IMPLEMENTED, message, span)


def _refuse_sense(word: Word, row: Keyword[Draft]) -> None:
    raise RefusedError(NOT_NEGATABLE, f"`no` and `default` have no meaning before `{row.name}`", word.span)


def _stands_here(row: Keyword[Draft], word: Word, where: Where, kind: str, reading: Reading) -> bool:
    """Whether the keyword has a meaning in this section; says so where it has none."""
    if row.where & where:
        return True
    if row.strict or where is Where.DEFAULTS:
        raise RefusedError(WRONG_SECTION, f"`{row.name}` does not belong in a {kind} section", word.span)
    side = "frontend" if where is Where.BACKEND else "backend"
    reading.diagnostics.warning(
        IGNORED_HERE, f"`{row.name}` is ignored: a {kind} has no {side} side", word.span
    )
    return False
