"""Verdicts as text: who reaches whom as a table, then a line for each expectation; and as JSON. Pure."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence

from isthmus.lab.picture import Paint
from isthmus.network.expecting.judging import words_for
from isthmus.network.expecting.verdict import Verdict
from isthmus.network.model import Ping, Reach

_WIDEST = 24
"""Columns that the table may have: beyond, the list alone is readable."""

_SYMBOLS = {(True, True): "✓", (True, False): "✗", (False, True): "·", (False, False): "!"}
_ASCII = {(True, True): "+", (True, False): "X", (False, True): ".", (False, False): "!"}


def matrix(verdicts: Sequence[Verdict], paint: Paint | None = None, ascii_only: bool | None = None) -> str:
    """Draw a table of sources and targets, then list all expectations and count those that failed.

    Colour is off unless the caller, who knows whether it writes to a terminal, gives a Paint that is
    on; symbols are ASCII where standard output holds no others.
    """
    brush = paint or Paint(False)
    symbols = _ASCII if (not _speaks_unicode() if ascii_only is None else ascii_only) else _SYMBOLS
    failed = sum(not verdict.ok for verdict in verdicts)
    many = "" if len(verdicts) == 1 else "s"
    summary = f"{len(verdicts)} expectation{many}, {f'{failed} FAILED' if failed else 'all hold'}"
    parts = [_table(verdicts, symbols, brush), _lines(verdicts, brush), summary]
    return "\n\n".join(part for part in parts if part)


def _speaks_unicode() -> bool:
    try:
        "".join(_SYMBOLS.values()).encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True


Symbols = dict[tuple[bool, bool], str]


def _table(verdicts: Sequence[Verdict], symbols: Symbols, paint: Paint) -> str:
    cells: dict[tuple[str, str], list[Verdict]] = {}
    for verdict in verdicts:
        meaning = verdict.expectation.meaning
        if isinstance(meaning, Ping | Reach):
            cells.setdefault((meaning.source, _column(meaning)), []).append(verdict)
    columns = list(dict.fromkeys(column for _, column in cells))
    rows = list(dict.fromkeys(row for row, _ in cells))
    if not cells or len(columns) > _WIDEST:
        return ""
    first = max(len(row) for row in rows)
    heading = " " * first + "".join(f"  {column}" for column in columns)
    lines = [
        row.ljust(first)
        + "".join(_cell(cells.get((row, column), ()), column, symbols, paint) for column in columns)
        for row in rows
    ]
    key = f"{symbols[True, True]} can  {symbols[False, True]} cannot, as expected"
    told = f"{symbols[True, False]} cannot, but should  {symbols[False, False]} can, but should not"
    return "\n".join([heading, *(line.rstrip() for line in lines), f"{key}  {told}"])


def _column(meaning: Ping | Reach) -> str:
    target = words_for(meaning.target)
    if isinstance(meaning, Ping):
        return target
    shown = f"[{target}]" if ":" in target else target
    return f"{shown}:{meaning.port}/{meaning.protocol}"


def _cell(verdicts: Iterable[Verdict], column: str, symbols: Symbols, paint: Paint) -> str:
    # Of several expectations about one cell, one that failed is shown.
    ordered = sorted(verdicts, key=lambda verdict: verdict.ok)
    if not ordered:
        return " " * (len(column) + 2)
    shown = ordered[0]
    possible = getattr(shown.expectation.meaning, "possible", True)
    symbol = paint(symbols[possible, shown.ok], "ok" if shown.ok else "FAILED")
    left = len(column) // 2
    return "  " + " " * left + symbol + " " * (len(column) - left - 1)


def _lines(verdicts: Sequence[Verdict], paint: Paint) -> str:
    width = max((len(verdict.expectation.sentence) for verdict in verdicts), default=0)
    lines: list[str] = []
    for verdict in verdicts:
        word = "ok" if verdict.ok else "FAILED"
        sentence = verdict.expectation.sentence.ljust(min(width, 60))
        lines.append(f"  {paint(word.ljust(6), word)}  {sentence}  {verdict.observed}".rstrip())
        if verdict.why:
            lines.append(f"          why: {verdict.why}")
    return "\n".join(lines)


def verdicts_as_json(verdicts: Sequence[Verdict]) -> str:
    """Write the verdicts as a JSON list, one object for each expectation."""
    return json.dumps([_as_map(verdict) for verdict in verdicts], indent=2, ensure_ascii=False)


def _as_map(verdict: Verdict) -> dict[str, object]:
    span = verdict.expectation.span
    return {
        "expectation": verdict.expectation.sentence,
        "at": f"{span.file}:{span.line}" if span is not None else None,
        "ok": verdict.ok,
        "observed": verdict.observed,
        "why": verdict.why,
    }
