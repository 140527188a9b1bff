"""The sentences of `expect:` and what they mean. An error points at the word that is wrong.

NAME can|cannot ping TARGET [within TIME]
NAME can|cannot reach TARGET:PORT[/tcp|/udp] [within TIME] [at RATE]
NAME reaches TARGET:PORT[/tcp|/udp] as ADDRESS
"""

from __future__ import annotations

import re

from isthmus.config import nearest
from isthmus.network.document.codes import BAD_SENTENCE
from isthmus.network.document.kinds import BAD, TEMPLATE, Json, Meant, Reader, wrong_shape
from isthmus.network.document.nodes import Node, Scalar
from isthmus.network.document.words import FILE_NAME, parse_address, parse_duration, parse_rate
from isthmus.network.model import Bound, Expectation, Ping, Reach, ReachAs, Target
from isthmus.records import dataclass

FORMS = (
    "`NAME can|cannot ping TARGET [within TIME]`",
    "`NAME can|cannot reach TARGET:PORT/tcp [within TIME] [at RATE]`",
    "`NAME reaches TARGET:PORT as ADDRESS`",
)
_WORD = re.compile(r"\S+")


class SentenceError(Exception):
    """What is wrong at which characters of a sentence, and what belongs there."""

    def __init__(self, message: str, start: int, length: int, expected: str) -> None:
        super().__init__(message)
        self.start = start
        self.length = length
        self.expected = expected


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    start: int

    def wrong(self, message: str, expected: str) -> SentenceError:
        return SentenceError(message, self.start, len(self.text), expected)


class _Words:
    """The words of a sentence, taken one after the other."""

    def __init__(self, sentence: str) -> None:
        self._words = [_Token(match[0], match.start()) for match in _WORD.finditer(sentence)]
        self._at = 0
        self._end = len(sentence)

    def take(self, expected: str) -> _Token:
        if self._at == len(self._words):
            raise SentenceError("the sentence ends too early", self._end, 1, expected)
        self._at += 1
        return self._words[self._at - 1]

    def one_of(self, *choices: str) -> str:
        expected = " or ".join(f"`{choice}`" for choice in choices)
        token = self.take(expected)
        if token.text in choices:
            return token.text
        near = nearest(token.text, choices)
        raise token.wrong(f"`{token.text}` cannot stand here", f"`{near}`" if near else expected)

    @property
    def left(self) -> bool:
        return self._at < len(self._words)


def parse_sentence(sentence: str) -> Ping | Reach | ReachAs:
    """Return what a sentence means; names are not looked up. Raises SentenceError."""
    words = _Words(sentence)
    source = _name(words.take("the name of a namespace"))
    verb = words.one_of("can", "cannot", "reaches")
    if verb == "reaches":
        target, port, protocol = _service(words.take("TARGET:PORT"))
        words.one_of("as")
        seen = _address(words.take("an address"))
        _end(words)
        return ReachAs(source, target, port, seen, protocol)
    possible = verb == "can"
    if words.one_of("ping", "reach") == "ping":
        where = _target(words.take("a namespace or an address"))
        return Ping(source, where, possible, _bound(words, possible, ("within",)))
    target, port, protocol = _service(words.take("TARGET:PORT/tcp"))
    rates = ("within", "at") if protocol == "tcp" else ("within",)
    return Reach(source, target, protocol, port, possible, _bound(words, possible, rates))


def _name(token: _Token) -> str:
    try:
        return str(FILE_NAME.parse(token.text))
    except ValueError:
        raise token.wrong(f"`{token.text}` is no namespace's name", FILE_NAME.words) from None


def _address(token: _Token) -> Meant:
    try:
        return parse_address(token.text)
    except ValueError:
        raise token.wrong(f"`{token.text}` is no address", "an IPv4 or IPv6 address") from None


def _target(token: _Token) -> Target:
    text = token.text
    try:
        return Target(address=parse_address(text.strip("[]") if text.startswith("[") else text))
    except ValueError:
        return Target(name=_name(token))


def _service(token: _Token) -> tuple[Target, int, str]:
    where, slash, protocol = token.text.partition("/")
    if slash and protocol not in ("tcp", "udp"):
        at = _Token(protocol or "/", token.start + len(where) + bool(protocol))
        raise at.wrong(f"`{protocol}` is no protocol", "tcp or udp")
    name, colon, port = where.rpartition(":")
    if not colon:
        raise token.wrong(f"`{token.text}` has no port", "TARGET:PORT, such as blue:5432/tcp")
    at = _Token(port or ":", token.start + len(name) + bool(port))
    if not (port.isascii() and port.isdecimal() and len(port) <= 5 and 0 < int(port) < 65536):
        raise at.wrong(f"`{port}` is no port", "1 to 65535")
    if ":" in name and not (name.startswith("[") and name.endswith("]")):
        raise token.wrong("an IPv6 address before a port stands in brackets", f"[{name}]:{port}")
    return _target(_Token(name, token.start)), int(port), protocol or "tcp"


def _bound(words: _Words, possible: bool, allowed: tuple[str, ...]) -> Bound:
    found: dict[str, float] = {}
    while words.left:
        if not possible:
            _end(words)
        word = words.one_of(*(each for each in allowed if each not in found))
        token = words.take("a time, such as 5ms" if word == "within" else "a rate, such as 100mbit")
        parse, example = (parse_duration, "5ms") if word == "within" else (parse_rate, "100mbit")
        try:
            found[word] = parse(token.text)
        except ValueError as error:
            reason = f": {error}" if str(error) else ""
            raise token.wrong(f"bad value `{token.text}`{reason}", f"such as {example}") from None
        if len(found) == len(allowed):
            _end(words)
    return Bound(found.get("within"), found.get("at"))


def _end(words: _Words) -> None:
    if words.left:
        token = words.take("")
        raise token.wrong(f"`{token.text}` is one word too many", "the end of the sentence")


_SHAPE = r"^\s*\S+\s+((can|cannot)\s+(ping|reach)\s+\S.*|reaches\s+\S+\s+as\s+\S+\s*)$"
"""What every sentence looks like, for editors."""


class Sentence:
    """One line of `expect:`."""

    words = ", or ".join(FORMS)

    def read(self, node: Node, reader: Reader) -> Meant:
        """Return the expectation."""
        if not isinstance(node, Scalar) or node.value is None or node.broken:
            return wrong_shape(node, self.words, reader)
        try:
            return Expectation(node.text, parse_sentence(node.text), node.span)
        except SentenceError as error:
            span = node.span.part(error.start + (not node.plain), error.length)
            reader.report.alert(
                BAD_SENTENCE, str(error), span, expected=error.expected, hint=f"forms are {self.words}"
            )
            return BAD

    def schema(self, definitions: Json) -> Json:
        """Return a text's schema."""
        shape = {"type": "string", "description": self.words, "pattern": _SHAPE}
        return {"anyOf": [shape, TEMPLATE]}
