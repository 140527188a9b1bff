"""A line of a canonical text in nft's own words (nft(8)), for people who read a plan. Thinks only.

What is not known here (a foreign rule, for instance) stays JSON.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from isthmus.network.filtering.canonical import Json

_OPERATORS = {"==": "", "in": "", "!=": "!= "}
_PLAIN = ("iifname", "oifname")


def in_words(line: str) -> str:
    """Return a command of a canonical text as nft would be told it."""
    try:
        ((kind, body),) = json.loads(line)["add"].items()
        return _object(kind, body)
    except (ValueError, KeyError, TypeError, AttributeError):
        return line


def _object(kind: str, body: Json) -> str:
    if kind == "rule":
        words = [_statement(each) for each in body.get("expr", ())]
        comment = [f'comment "{body["comment"]}"'] if "comment" in body else []
        return f"{body['chain']}: {' '.join([*words, *comment])}"
    if kind == "chain" and "hook" in body:
        place = f"type {body['type']} hook {body['hook']} priority {body['prio']}"
        return f"chain {body['name']} ({place}, policy {body['policy']})"
    if kind in ("table", "chain"):
        return f"{kind} {body['name']}"
    raise ValueError(kind)


def _statement(statement: Json) -> str:
    ((kind, body),) = statement.items()
    match kind:
        case "match":
            return f"{_left(body['left'])} {_OPERATORS[body['op']]}{_value(body['right'])}"
        case "accept" | "drop" | "return" | "masquerade" if body is None:
            return str(kind)
        case "mangle":
            return f"{_left(body['key'])} set {_value(body['value'])}"
        case "dnat" | "tproxy":
            return " ".join([kind, *_family(body), f"to {_endpoint(body)}"])
        case _:
            raise ValueError(kind)


def _left(left: Json) -> str:
    ((kind, body),) = left.items()
    match kind:
        case "meta":
            return str(body["key"]) if body["key"] in _PLAIN else f"meta {body['key']}"
        case "payload":
            return f"{body['protocol']} {body['field']}"
        case "ct" | "socket":
            return f"{kind} {body['key']}"
        case "fib":
            return f"fib {' . '.join(body['flags'])} {body['result']}"
        case _:
            raise ValueError(kind)


def _value(value: Json) -> str:
    if isinstance(value, list):
        return ",".join(map(_value, value))
    if not isinstance(value, dict):
        return str(value)
    ((kind, body),) = value.items()
    match kind:
        case "set":
            return f"{{ {', '.join(map(_value, body))} }}"
        case "prefix":
            return f"{body['addr']}/{body['len']}"
        case "range":
            return f"{body[0]}-{body[1]}"
        case _:
            raise ValueError(kind)


def _family(body: Json) -> Iterator[str]:
    if "family" in body:
        yield body["family"]


def _endpoint(body: Json) -> str:
    address = str(body.get("addr", ""))
    if "port" not in body:
        return address
    return f"[{address}]:{body['port']}" if ":" in address else f"{address}:{body['port']}"
