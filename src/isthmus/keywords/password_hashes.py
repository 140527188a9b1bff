"""Hashes of crypt(3) behind `password` in a userlist (manual 3.4): which the engine can compare."""

from __future__ import annotations

import re
from enum import Enum

_LENGTHS = {"1": 22, "5": 43, "6": 86}
_SHA_OR_MD5 = re.compile(r"\$([156])\$(?:rounds=[0-9]{1,18}\$)?[^$:\n]*\$([./0-9A-Za-z]*)")
_BCRYPT = re.compile(r"\$2[abxy]\$(?:0[4-9]|[12][0-9]|3[01])\$[./0-9A-Za-z]{53}")
_YESCRYPT = re.compile(r"\$y\$([./0-9A-Za-z]{3,48})\$[./0-9A-Za-z]{0,86}\$[./0-9A-Za-z]{43}")
_DES = re.compile(r"[./0-9A-Za-z]{13}")
_DIGITS = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
MOST_MEMORY = 64 << 20
"""Bytes that comparing one password may take (`crates/sample/src/password/yescrypt.rs`)."""


_MOST_LANES = 16
_FLAVORS = (0, 1, 0x2F)
"""Kinds of yescrypt: scrypt's own, write once and read many, and read and write."""


class Hash(Enum):
    """What a text behind `password` is: comparable, weak, too demanding, or none."""

    GOOD = 1
    DES = 2
    GREEDY = 3
    UNKNOWN = 4


def judge(text: str) -> Hash:
    """Return what a text is."""
    if _BCRYPT.fullmatch(text):
        return Hash.GOOD
    if match := _SHA_OR_MD5.fullmatch(text):
        return Hash.GOOD if len(match[2]) == _LENGTHS[match[1]] else Hash.UNKNOWN
    if match := _YESCRYPT.fullmatch(text):
        memory = _memory(match[1])
        if memory is None:
            return Hash.UNKNOWN
        return Hash.GOOD if memory <= MOST_MEMORY else Hash.GREEDY
    return Hash.DES if _DES.fullmatch(text) else Hash.UNKNOWN


def _memory(parameters: str) -> int | None:
    """Return the bytes that comparing with yescrypt takes: `2**N` blocks of 128 times `r` bytes.

    None for parameters that the engine does not read (`crates/sample/src/password/yescrypt.rs`).
    """
    try:
        flavor, rest = _number(parameters, 0)
        cost, rest = _number(rest, 1)
        size, rest = _number(rest, 1)
        more, rest = _number(rest, 1) if rest else (0, "")
        lanes = _number(rest, 2)[0] if more & 1 else 1
    except IndexError:
        return None
    if flavor not in _FLAVORS or lanes > _MOST_LANES:
        return None
    return 128 * size << cost if cost < 64 else MOST_MEMORY + 1


def _number(text: str, least: int) -> tuple[int, str]:
    """Take a number as yescrypt writes it: the first digit says how many there are.

    Raises IndexError where the text ends before it.
    """
    digit, rest = _DIGITS.index(text[0]), text[1:]
    value, start, end, bits = least, 0, 47, 0
    while digit > end:
        value += (end + 1 - start) << bits
        start, end, bits = end + 1, end + 1 + (62 - end) // 2, bits + 6
    value += (digit - start) << bits
    while bits:
        bits -= 6
        value += _DIGITS.index(rest[0]) << bits
        rest = rest[1:]
    return value, rest
