"""The network's table in the kernel: read and replaced, in the namespace of the calling thread."""

from __future__ import annotations

import json
from collections.abc import Iterator

from isthmus.network.filtering.canonical import Json, canonical_text, commands, listed_objects
from isthmus.network.filtering.former import former_settings
from isthmus.network.filtering.nft import FilteringError, run
from isthmus.network.filtering.ruleset import FAMILY, table_name

_ABSENT = "No such file or directory"


def read_ruleset(network: str) -> str | None:
    """Return the canonical text of the network's table here, None where there is none.

    Equal to the wanted text where nobody changed the table. FilteringError where nft fails.
    """
    objects = _listed(network)
    return canonical_text(objects) if objects else None


def read_former(network: str) -> dict[str, str]:
    """Return the sysctls that the network's table keeps for down, by name. FilteringError where nft fails."""
    return former_settings(_listed(network))


def apply_ruleset(text: str | None, network: str) -> None:
    """Replace the network's table by the one that a canonical text describes, or remove it (None).

    All of it or nothing, in one transaction; other tables are not touched. FilteringError says what
    nft said, and of which rule.
    """
    present = bool(_listed(network))
    if text is None and not present:
        return
    replacing = [*_start(network, present), *(commands(text) if text is not None else [])]
    try:
        run(_document(replacing))
    except FilteringError as error:
        raise FilteringError(error.said, _culprit(replacing)) from error


def try_ruleset(text: str, network: str) -> None:
    """Have the kernel check the table that a canonical text describes, here where nothing is; it makes none.

    FilteringError says what was refused, and of which rule.
    """
    making = [*_start(network, False), *commands(text)]
    try:
        run(_document(making), dry=True)
    except FilteringError as error:
        raise FilteringError(error.said, _culprit(making)) from error


def expressions(text: str) -> frozenset[str]:
    """Return what kinds of expression the rules of a canonical text are made of: each may need a module."""
    rules = (each["add"]["rule"] for each in commands(text) if "rule" in each.get("add", {}))
    return frozenset(kind for rule in rules for part in rule.get("expr", ()) for kind in _kinds(part))


def _kinds(part: object) -> Iterator[str]:
    if isinstance(part, dict):
        yield from part
        for each in part.values():
            yield from _kinds(each)
    elif isinstance(part, list):
        for each in part:
            yield from _kinds(each)


def _listed(network: str) -> list[Json]:
    try:
        return listed_objects(run(_document([{"list": _table(network)}])))
    except FilteringError as error:
        if _ABSENT in error.said:
            return []
        raise


def _table(network: str) -> Json:
    return {"table": {"family": FAMILY, "name": table_name(network)}}


def _start(network: str, present: bool) -> list[Json]:
    # Only where there is one: the kernel waits 12 ms for a table that goes to be unused. Creating
    # fails where somebody was quicker than we, rather than adding to what they made.
    return [{"delete": _table(network)}] if present else [{"create": _table(network)}]


def _document(chosen: list[Json]) -> str:
    return json.dumps({"nftables": chosen})


def _culprit(replacing: list[Json]) -> str | None:
    """Return the command that the kernel or nft refuses; nft does not say which of a JSON text it is."""
    passing, failing = 0, len(replacing)
    if _accepted(replacing):
        return None
    while failing - passing > 1:
        middle = (passing + failing) // 2
        passing, failing = (middle, failing) if _accepted(replacing[:middle]) else (passing, middle)
    return _named(replacing[failing - 1])


def _accepted(chosen: list[Json]) -> bool:
    try:
        run(_document(chosen), dry=True)
    except FilteringError:
        return False
    return True


def _named(command: Json) -> str | None:
    body = next(iter(command.values()))
    kind, what = next(iter(body.items()))
    if kind == "rule":
        return f"a rule of chain {what['chain']}: {json.dumps(what['expr'])}"
    return f"{kind} {what['name']}" if kind == "chain" else None
