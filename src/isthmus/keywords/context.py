"""What a line with expressions is read with: the vocabulary, the collector of messages, the proxy."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address

from isthmus.config import Diagnostics, Span, Word, nearest
from isthmus.keywords.vocabulary import Vocabulary
from isthmus.records import dataclass, field


def no_resolver(_name: str) -> IPv4Address | IPv6Address | None:
    """Resolve nothing: the resolver where none was given."""
    return None


def no_certificates(path: str, _span: Span) -> bool:
    """Load nothing: the certificates where none were given."""
    raise FileNotFoundError(path)


def no_files(path: str) -> bytes:
    """Read nothing: the files where none were given."""
    raise FileNotFoundError(path)


@dataclass(frozen=True, slots=True)
class Context:
    """The surroundings of a line.

    `proxy` is the name of the section's proxy (empty in global and defaults), `frontend` and `backend` its
    capabilities, `http` whether its mode is HTTP. Host names are looked up through `resolve`, files are read
    through `read_bytes`, which raises OSError. `certificate` loads one that tokens are judged with, and says
    whether they may use it; it raises RefusedError.
    """

    vocabulary: Vocabulary
    diagnostics: Diagnostics
    proxy: str = ""
    frontend: bool = True
    backend: bool = False
    http: bool = False
    resolve: Callable[[str], IPv4Address | IPv6Address | None] = field(default=no_resolver)
    read_bytes: Callable[[str], bytes] = field(default=no_files)
    certificate: Callable[[str, Span], bool] = field(default=no_certificates)

    def alert(
        self, code: str, message: str, span: Span, *, hint: str | None = None, expected: str | None = None
    ) -> None:
        """Collect an error."""
        self.diagnostics.alert(code, message, span, hint=hint, expected=expected)

    def warning(self, code: str, message: str, span: Span, *, hint: str | None = None) -> None:
        """Collect a warning."""
        self.diagnostics.warning(code, message, span, hint=hint)

    def part(self, word: Word, start: int, length: int) -> Span:
        """Return where a part of a word's text is written, `length` characters from offset `start`.

        It is exact behind quotes and escapes as well; where a variable stands in the word, it is the whole
        word's span.
        """
        size = word.span.end - word.span.column
        if size == len(word.text):
            return word.span.part(start, length)
        source = self.diagnostics.source_line(word.span)
        places = _places(source[word.span.column - 1 : word.span.end - 1]) if source else range(1, size)
        if len(places) != len(word.text) + 1:
            return word.span
        end = min(start + length, len(word.text))
        first = word.span.column + places[start]
        return Span(word.span.file, word.span.line, first, max(word.span.column + places[end], first))


def _places(raw: str) -> Sequence[int]:
    """Return where each character of a word stands in its source, and where the last one ends."""
    places: list[int] = []
    quote, at = "", 0
    while at < len(raw):
        character = raw[at]
        if character == quote or (not quote and character in "\"'"):
            quote = "" if quote else character
            at += 1
            continue
        places.append(at)
        escaped = character == "\\" and quote != "'"
        at += (4 if raw[at + 1 : at + 2] == "x" else 2) if escaped else 1
    return [*places, places[-1] + 1 if places else 0]


def did_you_mean(word: str, candidates: Iterable[str]) -> str | None:
    """Return the hint that names the nearest right word, or None if none is near."""
    near = nearest(word, candidates)
    return f"did you mean `{near}`?" if near else None


def after(word: Word) -> Span:
    """Return the empty place behind a word, where a missing argument belongs."""
    return Span(word.span.file, word.span.line, word.span.end, word.span.end)
