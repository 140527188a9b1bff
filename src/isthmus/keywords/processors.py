"""`cpu-set`, `cpu-map`: which processors the process and its workers run on (manual 3.1)."""

from __future__ import annotations

import re

from isthmus.config import Word
from isthmus.keywords.changes import changed
from isthmus.keywords.codes import BAD_VALUE
from isthmus.keywords.draft import GlobalDraft
from isthmus.keywords.row import Keyword, RefusedError, Use, Where
from isthmus.keywords.values import unknown
from isthmus.model.processors import CpuChoice, CpuMap, CpuPart

_RANGE = re.compile(r"([0-9]{1,4})(?:(-)([0-9]{1,4})?)?\Z")
_HIGHEST = 1023
"""The highest processor that an open range (`4-`) goes to."""
_THREADS = 64
"""The last thread that an open range of threads goes to, as in HAProxy."""


def _numbers(word: Word, text: str, low: int, high: int) -> list[int]:
    """Return the numbers of ranges between commas, in order. `8-` goes to the highest."""
    found: set[int] = set()
    for each in text.split(","):
        match = _RANGE.match(each)
        first = int(match[1]) if match else low - 1
        last = int(match[3] or (high if match[2] else first)) if match else 0
        if not low <= first <= last:
            message = f"`{each or word.text}` is no number and no range"
            expected = f"a number from {low}, or two as `{low}-{low + 3}`, or `{low}-`"
            raise RefusedError(BAD_VALUE, message, word.span, expected=expected)
        found |= set(range(first, last + 1))
    return sorted(found)


def _cpu_set(use: Use[GlobalDraft]) -> None:
    choices: list[CpuChoice] = []
    while use.words or not choices:
        word = use.words.take("a directive")
        if word.text == "reset":
            choices.append(CpuChoice(None, False))
            continue
        how, _, what = word.text.partition("-")
        parts = {each.value: each for each in CpuPart}
        if how not in ("drop", "only") or what not in parts:
            known = ("reset", *(f"{each}-{part}" for each in ("drop", "only") for part in parts))
            raise unknown(word, known, "a directive of `cpu-set`")
        numbers = use.words.take("a set of numbers, as `0-3`")
        chosen = frozenset(_numbers(numbers, numbers.text, 0, _HIGHEST))
        choices.append(CpuChoice(parts[what], how == "only", chosen))
    said = use.draft.settings
    use.draft.settings = changed(said, cpu_set=(*said.cpu_set, *choices))


def _cpu_map(use: Use[GlobalDraft]) -> None:
    word = use.words.take("threads and processors, as `1/1-4 0-3`")
    text = word.text.removeprefix("auto:")
    auto = text != word.text
    group, slash, threads = text.partition("/")
    groups = _threads(word, group, auto=False)
    wanted = _threads(word, threads, auto) if slash else None
    if not use.words:
        use.words.take("a set of processors, as `0-3`")
    cpus = sorted({n for each in use.words.take_all() for n in _numbers(each, each.text, 0, _HIGHEST)})
    if auto:
        cpus = cpus[:_THREADS]
        if wanted is None or len(wanted) != len(cpus):
            message = f"`{word.text}` names another number of threads than there are processors"
            raise RefusedError(BAD_VALUE, message, word.span, expected="as many of each, as `auto:1/1-4 0-3`")
    # All workers are one group: what is said of others has nobody to hold for, as in HAProxy.
    if groups is None or 1 in groups:
        said = use.draft.settings
        made = CpuMap(None if wanted is None else tuple(wanted), tuple(cpus), auto)
        use.draft.settings = changed(said, cpu_map=(*said.cpu_map, made))


def _threads(word: Word, text: str, auto: bool) -> list[int] | None:
    """Return numbers from 1, or None for all; where each gets a processor of its own, all are 64."""
    if text in ("odd", "even"):
        return list(range(1 + (text == "even"), _THREADS + 1, 2))
    if text == "all":
        return list(range(1, _THREADS + 1)) if auto else None
    return _numbers(word, text, 1, _THREADS)


PROCESSORS: tuple[Keyword[GlobalDraft], ...] = (
    Keyword(
        "cpu-map",
        Where.GLOBAL,
        "[auto:]<group>[/<threads>] <processors> [...]",
        "Which processors each worker runs on",
        _cpu_map,
    ),
    Keyword(
        "cpu-set",
        Where.GLOBAL,
        "{ reset | { drop | only }-{ cpu | node | cluster | core | thread } <set> } ...",
        "Which processors the process runs on",
        _cpu_set,
    ),
)
"""The two of them."""
