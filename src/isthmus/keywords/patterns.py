"""Patterns of ACLs: text to the form that the plan carries, by matching method (manual 7.1.1 to 7.1.6).

Called by `isthmus.keywords.acls` for each pattern of a line and for each line of a pattern file.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import AddressValueError, IPv4Address, IPv6Address

from isthmus.model.expression import MatchMethod

OPERATORS = ("eq", "ge", "gt", "le", "lt")
"""Comparisons that may stand before integers; each holds until the next one."""

_LOWEST, _HIGHEST = -(2**63), 2**63 - 1
_EVERYTHING = f"{_LOWEST}:"
_NUMBER = re.compile(r"-?[0-9]{1,20}\Z")
_RANGE = re.compile(r"([0-9]{0,20}):([0-9]{0,20})\Z")
_DOTTED = re.compile(r"([0-9]{1,5})(?:\.([0-9]{1,5}))?\Z")
_BITS = re.compile(r"[0-9]{1,3}\Z")
_PART = re.compile(r"[0-9]{1,10}\Z")


class WrongPatternError(ValueError):
    """A pattern that does not suit its matching method; the message says what was expected."""


def read_integers(text: str, operator: str = "eq", *, dotted: bool = False) -> str:
    """Return an integer or range under an operator as `N`, `N:M`, `N:` or `:M`.

    With an operator, a range stands for all its values: `gt 5:9` is true above 5, as it is above at least
    one of them. `dotted` numbers have a major and a minor part (`3.1`). Raises WrongPatternError.
    """
    low, high = _bounds(text, dotted)
    if operator == "eq":
        return str(low) if low == high else f"{_shown(low)}:{_shown(high)}"
    if operator in ("gt", "ge"):
        return _EVERYTHING if low is None else f"{low + (operator == 'gt')}:"
    return _EVERYTHING if high is None else f":{high - (operator == 'lt')}"


def _shown(number: int | None) -> str:
    return "" if number is None else str(number)


def _bounds(text: str, dotted: bool) -> tuple[int | None, int | None]:
    low: int | None
    high: int | None
    if dotted:
        parts = [_version(part) for part in text.split(":")]
        low, high = parts[0], parts[-1]
        if len(parts) > 2 or (low is None and high is None):
            raise WrongPatternError("a version as `3.1`, or two of them with a colon between")
    elif _NUMBER.match(text):
        low = high = int(text)
    else:
        found = _RANGE.match(text)
        if not found or text == ":":
            raise WrongPatternError("a number, or a range as `1024:65535`, `1024:` or `:1023`")
        low, high = (int(part) if part else None for part in found.groups())
    if any(each is not None and not _LOWEST < each < _HIGHEST for each in (low, high)):
        raise WrongPatternError("a number of 64 bits")
    if low is not None and high is not None and low > high:
        raise WrongPatternError("a range whose first number is the smaller one")
    return low, high


def _version(text: str) -> int | None:
    found = _DOTTED.match(text)
    if found:
        return int(found[1]) << 16 | int(found[2] or 0)
    if text:
        raise WrongPatternError("a version as `3.1`, or two of them with a colon between")
    return None


def read_network(text: str, resolve: Callable[[str], IPv4Address | IPv6Address | None] | None) -> str:
    """Return an address or network as `address` or `address/bits`.

    IPv4 may be abbreviated as HAProxy does (`10.12/8` is 10.0.0.12/8) and take a dotted mask. Host names
    are looked up through `resolve`; None forbids that (`-n`). Raises WrongPatternError.
    """
    address, slash, mask = text.partition("/")
    expected = "an IPv4 or IPv6 address, or a network as `10.0.0.0/8`"
    if ":" in address:
        return _network6(address, slash, mask, expected)
    ipv4 = _abbreviated(address)
    if ipv4 is None:
        found = resolve(address) if resolve and address else None
        if not isinstance(found, IPv4Address):
            raise WrongPatternError(expected)
        ipv4 = found
    return f"{ipv4}/{_mask4(mask, expected)}" if slash else str(ipv4)


def _network6(address: str, slash: str, mask: str, expected: str) -> str:
    try:
        ipv6 = IPv6Address(address)
    except AddressValueError:
        raise WrongPatternError(expected) from None
    if not slash:
        return str(ipv6)
    if not (_BITS.match(mask) and int(mask) <= 128):
        raise WrongPatternError("a number of bits from 0 to 128 behind the slash")
    return f"{ipv6}/{int(mask)}"


def _abbreviated(text: str) -> IPv4Address | None:
    """Read one to four numbers; the last one fills the rest of the address, as inet_aton(3) does."""
    parts = text.split(".")
    if len(parts) > 4 or not all(_PART.match(part) for part in parts):
        return None
    *leading, last = (int(part) for part in parts)
    rest = 8 * (4 - len(leading))
    if any(part > 255 for part in leading) or last >= 1 << rest:
        return None
    value = 0
    for part in leading:
        value = value << 8 | part
    return IPv4Address(value << rest | last)


def _mask4(mask: str, expected: str) -> str:
    """Return a mask as a number of bits, or as it is written where its ones do not stand together."""
    if _BITS.match(mask):
        if int(mask) <= 32:
            return str(int(mask))
        raise WrongPatternError("a number of bits from 0 to 32 behind the slash")
    try:
        address = IPv4Address(mask)
    except AddressValueError:
        raise WrongPatternError(expected) from None
    bits = int(address).bit_count()
    return str(bits) if int(address) == ((1 << bits) - 1) << (32 - bits) else str(address)


def read_text(text: str, method: MatchMethod) -> str:
    """Return a pattern of any method that compares text or bytes. Raises WrongPatternError."""
    if method is MatchMethod.BIN:
        bad = re.search(r"[^0-9A-Fa-f]", text)
        if bad:
            raise WrongPatternError(f"hexadecimal digits, not `{bad.group()}`")
        if len(text) % 2:
            raise WrongPatternError("an even number of hexadecimal digits")
    if method is MatchMethod.REG:
        _check_regex(text)
    return text


def _check_regex(text: str) -> None:
    """Compile it as the engine will, which alone knows what is one."""
    from isthmus.engine import check_regex

    wrong = check_regex(text.encode("utf-8", "surrogateescape"))
    if wrong is not None:
        raise WrongPatternError(f"a regular expression ({wrong})")
