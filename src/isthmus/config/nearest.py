"""The right word nearest to a wrong one, for "did you mean"."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(word: str, candidates: Iterable[str]) -> str | None:
    """Return the candidate that `word` most likely was meant to be, or None if none is near.

    Near means at most one slip (a character missing, added, changed, or two swapped) for every
    three characters of the word. Ties go to the candidate that shares the first letter, then to
    the one that comes first in the alphabet, so that the answer does not depend on their order.
    """
    limit = max(1, len(word) // 3)
    folded = word.lower()
    best: tuple[int, bool, str] | None = None
    for candidate in candidates:
        if candidate == word or abs(len(candidate) - len(word)) > limit:
            continue
        slips = _slips(folded, candidate.lower(), limit)
        if slips > limit or slips >= len(candidate):
            continue
        rank = (slips, candidate[:1].lower() != folded[:1], candidate)
        if best is None or rank < best:
            best = rank
    return best[2] if best else None


def _slips(left: str, right: str, limit: int) -> int:
    """Count the slips between two words (optimal string alignment), giving up above `limit`."""
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        older, before, row = before, row, [i]
        for j, b in enumerate(right, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == right[j - 2] and left[i - 2] == b:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
        if min(row) > limit:
            return limit + 1
    return row[-1]
