"""One text for one table: what we write and what the kernel gives back, brought to the same form.

nft lists what it was told in words of its own: handles are added, sets are sorted and adjacent
ranges merged, a set of one becomes its element, a range that is a prefix becomes one. Here both
sides take the same form, so comparing is comparing strings, and whatever else stands in the table (a
rule more, fewer, changed or moved, a set, a chain) is a difference. No digest is kept: it would tell what was
wanted, and not what is there.

One JSON command a line, in the order of the listing: table, chains, their rules.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address
from typing import Any

# JSON as it comes from nft: anything may stand anywhere, and what is not understood stays as it is.
Json = Any
Interval = tuple[int, int]

_ADDRESSES = {"saddr", "daddr"}
_PORTS = {"sport", "dport"}


def canonical_text(objects: Iterable[Json]) -> str:
    """Return the text of a table's objects, each {"table" | "chain" | "rule" | ...: {...}}."""
    return "\n".join(_line(kind, body) for each in objects for kind, body in each.items())


def listed_objects(listing: str) -> list[Json]:
    """Return the objects in the answer to `nft -j list table`; ValueError where it is not JSON."""
    return [each for each in json.loads(listing)["nftables"] if "metainfo" not in each]


def commands(text: str) -> list[Json]:
    """Return a canonical text as the commands that make it."""
    return [json.loads(line) for line in text.splitlines()]


def _line(kind: str, body: Json) -> str:
    kept = {key: value for key, value in body.items() if key != "handle"}
    if "expr" in kept:
        kept["expr"] = [_statement(each) for each in kept["expr"]]
    return json.dumps({"add": {kind: kept}}, sort_keys=True, separators=(",", ":"))


def _statement(statement: Json) -> Json:
    if not isinstance(statement, dict) or "match" not in statement:
        return statement
    condition = statement["match"]
    return {"match": {**condition, "right": _right(condition["left"], condition["right"])}}


def _right(left: Json, right: Json) -> Json:
    elements = _elements(right)
    payload = left.get("payload", {}) if isinstance(left, dict) else {}
    field = payload.get("field")
    try:
        if field in _ADDRESSES:
            kind = IPv4Address if payload["protocol"] == "ip" else IPv6Address
            elements = [_address_element(each, kind) for each in _merged(_intervals(elements, kind))]
        elif field in _PORTS:
            elements = [_port_element(each) for each in _merged(_intervals(elements, int))]
        else:
            elements = sorted(elements, key=str)
    except (ValueError, TypeError, KeyError):
        # A foreign rule: a named set, an expression. It differs from ours in whatever form.
        return right
    if len(elements) == 1:
        return elements[0]
    return elements if isinstance(right, list) else {"set": elements}


def _elements(right: Json) -> list[Json]:
    if isinstance(right, list):
        return right
    if isinstance(right, dict) and isinstance(right.get("set"), list):
        return list(right["set"])
    return [right]


def _intervals(elements: list[Json], kind: type) -> Iterator[Interval]:
    for element in elements:
        if not isinstance(element, dict):
            yield int(kind(element)), int(kind(element))
        elif "range" in element:
            first, last = element["range"]
            yield int(kind(first)), int(kind(last))
        else:
            first = int(kind(element["prefix"]["addr"]))
            bits = kind(0).max_prefixlen - element["prefix"]["len"]
            yield first, first + (1 << bits) - 1


def _merged(intervals: Iterable[Interval]) -> list[Interval]:
    merged: list[Interval] = []
    for first, last in sorted(intervals):
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
        else:
            merged.append((first, last))
    return merged


def _port_element(interval: Interval) -> Json:
    first, last = interval
    return first if first == last else {"range": [first, last]}


def _address_element(interval: Interval, kind: type) -> Json:
    first, last = interval
    size = last - first + 1
    if size == 1:
        return str(kind(first))
    if size & (size - 1) == 0 and first % size == 0:
        length = kind(0).max_prefixlen - (size.bit_length() - 1)
        return {"prefix": {"addr": str(kind(first)), "len": length}}
    return {"range": [str(kind(first)), str(kind(last))]}
