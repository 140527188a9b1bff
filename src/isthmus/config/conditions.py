"""Conditions of `.if`, `.elif` and `-cc` (manual 2.4): integers, predicates, `!`, `&&`, `||`, `()`.

The whole condition must parse even where its outcome is already known. What the predicates ask
about is an argument (`Features`, the environment), so nothing here looks at this process.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from isthmus.config.arguments import ArgumentError, split_arguments
from isthmus.config.nearest import nearest
from isthmus.config.versions import Version, parse_version
from isthmus.records import dataclass

_INTEGER = re.compile(r"[+-]?(?:0[xX][0-9a-fA-F]+|[0-9]+)")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_WORD = re.compile(r"[A-Za-z0-9_]+")
_JOINING = frozenset({"&", "|", "and", "or"})
_SPACES = re.compile(r"[ \t\v\f\r\n]*")
_DEEPEST = 100
"""How deep parentheses may nest: far beyond use, and safely below Python's recursion limit."""


@dataclass(frozen=True, slots=True)
class Features:
    """What conditions may ask about the program.

    `version` is the HAProxy version whose language is spoken; `features` the names that `-vv` lists
    with a plus; `enabled` the options that are in force (POLL, SPLICE, ...); `ssl_library` and
    `openssl_version` name the TLS library as `-vv` does; `awslc_api` is AWS-LC's API number, or None
    without that library.
    """

    version: str
    features: frozenset[str] = frozenset()
    enabled: frozenset[str] = frozenset()
    ssl_library: str = ""
    openssl_version: str = ""
    awslc_api: int | None = None


class ConditionError(ValueError):
    """A condition that does not parse: `length` characters from `offset` are at fault."""

    def __init__(self, message: str, offset: int, length: int = 1, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset
        self.length = length
        self.hint = hint


def evaluate(condition: str, features: Features, environment: Mapping[str, str]) -> bool:
    """Return whether a condition holds; an empty one does not. Raises ConditionError."""
    if not condition.strip(" \t\v\f\r\n"):
        return False
    return _Parser(condition, features, environment).whole()


class _Parser:
    def __init__(self, text: str, features: Features, environment: Mapping[str, str]) -> None:
        self.text = text
        self.features = features
        self.environment = environment
        self.pos = 0
        self.depth = 0

    def whole(self) -> bool:
        value = self._either()
        if self.pos < len(self.text):
            run = _WORD.match(self.text, self.pos)
            found = run.group() if run else self.text[self.pos]
            hint = "conditions are joined with && and ||" if found.lower() in _JOINING else None
            raise ConditionError(f"unexpected `{found}` behind the condition", self.pos, len(found), hint)
        return value

    def _skip_spaces(self) -> None:
        found = _SPACES.match(self.text, self.pos)
        self.pos = found.end() if found else self.pos

    def _operator(self, sign: str) -> bool:
        """Take `&&` or `||` if it comes next."""
        self._skip_spaces()
        if not self.text.startswith(sign, self.pos):
            return False
        self.pos += 2
        return True

    def _either(self) -> bool:
        value = self._both()
        while self._operator("||"):
            value = self._both() or value
        return value

    def _both(self) -> bool:
        value = self._term()
        while self._operator("&&"):
            value = self._term() and value
        return value

    def _term(self) -> bool:
        negated = False
        self._skip_spaces()
        while self.text.startswith("!", self.pos):
            negated = not negated
            self.pos += 1
            self._skip_spaces()
        return self._atom() is not negated

    def _atom(self) -> bool:
        if self.text.startswith("(", self.pos):
            return self._group()
        integer = _INTEGER.match(self.text, self.pos)
        if integer:
            self.pos = integer.end()
            return bool(integer.group().strip("+-0xX"))
        name = _NAME.match(self.text, self.pos)
        if name:
            return self._predicate(name.group())
        if self.pos >= len(self.text):
            raise ConditionError("a condition is missing here", self.pos, 0)
        raise ConditionError("a number, a predicate or a parenthesis is expected here", self.pos)

    def _group(self) -> bool:
        opened = self.pos
        self.depth += 1
        if self.depth > _DEEPEST:
            raise ConditionError(f"parentheses nest deeper than {_DEEPEST}", opened)
        self.pos += 1
        value = self._either()
        self.depth -= 1
        if not self.text.startswith(")", self.pos):
            raise ConditionError("this parenthesis is never closed", opened)
        self.pos += 1
        return value

    def _predicate(self, name: str) -> bool:
        start = self.pos
        predicate = PREDICATES.get(name)
        if predicate is None:
            near = nearest(name, PREDICATES)
            hint = f"did you mean `{near}`?" if near else f"known are: {', '.join(PREDICATES)}"
            raise ConditionError(f"unknown predicate `{name}`", start, len(name), hint)
        if not self.text.startswith("(", start + len(name)):
            raise ConditionError(
                f"`{name}` needs its arguments right behind it", start, len(name), f"write {predicate.usage}"
            )
        try:
            arguments, self.pos = split_arguments(self.text, start + len(name))
        except ArgumentError as error:
            raise ConditionError(error.message, error.offset) from None
        if len(arguments) != predicate.arguments:
            message = f"`{name}` takes {predicate.arguments} argument(s), not {len(arguments)}"
            hint = f"write {predicate.usage}; a comma within an argument needs two levels of quotes"
            raise ConditionError(message, start, self.pos - start, hint)
        self._skip_spaces()
        try:
            return predicate.holds(self, *(each.text for each in arguments))
        except ValueError as error:
            raise ConditionError(
                str(error), arguments[0].start, arguments[0].end - arguments[0].start
            ) from None


@dataclass(frozen=True, slots=True)
class Predicate:
    """A predicate: how it is written, how many arguments it takes, and when it holds.

    `holds` raises ValueError where an argument makes no sense.
    """

    usage: str
    arguments: int
    holds: Callable[..., bool]


def _version(text: str) -> Version:
    version = parse_version(text)
    if version is None:
        raise ValueError(f"`{text}` is not a version such as 2.6 or 3.2-dev1")
    return version


def _api_number(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise ValueError(f"`{text}` is not an API number")
    return int(text)


def _running(parser: _Parser) -> Version:
    return _version(parser.features.version)


def _openssl(parser: _Parser) -> Version:
    return _version(parser.features.openssl_version or "0")


def _awslc(parser: _Parser, holds: Callable[[int], bool]) -> bool:
    return parser.features.awslc_api is not None and holds(parser.features.awslc_api)


PREDICATES: dict[str, Predicate] = {
    "defined": Predicate("defined(NAME)", 1, lambda p, name: name in p.environment),
    "feature": Predicate("feature(NAME)", 1, lambda p, name: name in p.features.features),
    "enabled": Predicate("enabled(OPTION)", 1, lambda p, name: name in p.features.enabled),
    "streq": Predicate("streq(STRING,STRING)", 2, lambda _, a, b: a == b),
    "strneq": Predicate("strneq(STRING,STRING)", 2, lambda _, a, b: a != b),
    "strstr": Predicate("strstr(STRING,PART)", 2, lambda _, a, b: b in a),
    "version_atleast": Predicate("version_atleast(VERSION)", 1, lambda p, v: _running(p) >= _version(v)),
    "version_before": Predicate("version_before(VERSION)", 1, lambda p, v: _running(p) < _version(v)),
    "openssl_version_atleast": Predicate(
        "openssl_version_atleast(VERSION)", 1, lambda p, v: _openssl(p) >= _version(v)
    ),
    "openssl_version_before": Predicate(
        "openssl_version_before(VERSION)", 1, lambda p, v: _openssl(p) < _version(v)
    ),
    "ssllib_name_startswith": Predicate(
        "ssllib_name_startswith(NAME)", 1, lambda p, name: p.features.ssl_library.startswith(name)
    ),
    "awslc_api_atleast": Predicate(
        "awslc_api_atleast(NUMBER)", 1, lambda p, n: _awslc(p, lambda api: api >= _api_number(n))
    ),
    "awslc_api_before": Predicate(
        "awslc_api_before(NUMBER)", 1, lambda p, n: _awslc(p, lambda api: api < _api_number(n))
    ),
}
"""Every predicate by name."""
