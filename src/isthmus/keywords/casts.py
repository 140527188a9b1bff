"""Which type of sample can stand where another is asked for: the implicit casts of manual 7.1 and 7.3.

The table is what HAProxy accepts when it reads a converter; whether the cast succeeds for a given
sample (`"abc"` as an integer) is found out when it is evaluated.
"""

from __future__ import annotations

from isthmus.model.expression import MatchMethod, SampleType

_B, _I, _A, _4, _6 = SampleType.BOOL, SampleType.INT, SampleType.ADDR, SampleType.IPV4, SampleType.IPV6
_S, _X, _M = SampleType.STR, SampleType.BIN, SampleType.METH

_INTO: dict[SampleType, frozenset[SampleType]] = {
    _B: frozenset({_B, _I, _S, _X}),
    _I: frozenset({_B, _I, _A, _4, _6, _S, _X}),
    _A: frozenset({_I, _A, _4, _6, _S, _X}),
    _4: frozenset({_I, _A, _4, _6, _S, _X}),
    _6: frozenset({_A, _4, _6, _S, _X}),
    _S: frozenset({_B, _I, _A, _4, _6, _S, _X, _M}),
    _X: frozenset({_S, _X}),
    _M: frozenset({_S, _X, _M}),
}


def can_cast(given: SampleType, wanted: SampleType) -> bool:
    """Whether a sample of one type can be changed into another."""
    if SampleType.ANY in (given, wanted) or SampleType.SAME in (given, wanted):
        return True
    return wanted in _INTO[given]


_PATTERN_TYPE = {MatchMethod.BOOL: _B, MatchMethod.INT: _I, MatchMethod.IP: _A}


def can_match(given: SampleType, method: MatchMethod) -> bool:
    """Whether a sample of a type can be compared by a matching method."""
    wanted = _PATTERN_TYPE.get(method)
    if method is MatchMethod.BOOL and given in (_A, _4):
        return True  # an IPv4 address is an integer first, and that is a boolean
    return wanted is None or can_cast(given, wanted)


_DEFAULT_METHOD = {
    _B: MatchMethod.BOOL,
    _I: MatchMethod.INT,
    _A: MatchMethod.IP,
    _4: MatchMethod.IP,
    _6: MatchMethod.IP,
    _S: MatchMethod.STR,
}


def default_method(given: SampleType) -> MatchMethod | None:
    """Return how a sample of a type is compared where no `-m` says so; None if `-m` is needed."""
    return _DEFAULT_METHOD.get(given)
