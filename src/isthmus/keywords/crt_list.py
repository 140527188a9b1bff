"""Files of `crt-list`: a certificate on each line, options between brackets, names for which it is shown."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from posixpath import join

from isthmus.config import Span, Word
from isthmus.keywords.option_row import Option, OptionTable, OptionUse, options
from isthmus.keywords.row import Reading, RefusedError, Words
from isthmus.keywords.tls_codes import BAD_CRT_LIST, CANNOT
from isthmus.keywords.tls_options import lifted
from isthmus.keywords.values import switch
from isthmus.model.tls import Certificate, Entry, EntrySettings, ListLine, Parts
from isthmus.records import dataclass, field, replace

_WORD = re.compile(r"\S+")
_FILTER = re.compile(r"!?(\*|(\*\.)?[A-Za-z0-9_-][A-Za-z0-9_.-]*)")


@dataclass(frozen=True, slots=True)
class LineSettings:
    """What the brackets of a line say: settings of its own, and files that belong to the certificate."""

    entry: EntrySettings = field(default_factory=EntrySettings)
    parts: Parts = field(default_factory=Parts)
    ocsp_update: bool | None = None


def part(field_name: str) -> Option[LineSettings]:
    """Return the row of a file that belongs to a certificate (`key`, `ocsp`, `issuer`, `sctl`)."""

    def read(use: OptionUse[LineSettings]) -> LineSettings:
        word = use.words.take("a file")
        spans = use.settings.parts.spans | {field_name: word.span}
        parts = replace(use.settings.parts, spans=spans, **{field_name: word.text})
        return replace(use.settings, parts=parts)

    return Option(field_name, "<file>", f"The certificate's {field_name}", read)


def ocsp_update(use: OptionUse[LineSettings]) -> LineSettings:
    """Read `ocsp-update`, which needs the library that verifies responses."""
    on = switch(use.words)
    if on:
        need_library(use.word.span)
    return replace(use.settings, ocsp_update=on)


def need_library(span: Span) -> None:
    """Refuse a line that needs the library that verifies OCSP responses where it is not installed."""
    if find_spec("cryptography") is None:
        message = "OCSP responses cannot be verified: the Python package `cryptography` is not installed"
        raise RefusedError(CANNOT, message, span, hint="`pip install 'isthmus[ocsp]'`")


PARTS: tuple[Option[LineSettings], ...] = (
    *(part(name) for name in ("key", "ocsp", "issuer", "sctl")),
    Option("ocsp-update", "{ on | off }", "Fetch OCSP responses", ocsp_update),
)


class CrtLists:
    """Reads crt-lists; `rows` are the options that may stand between the brackets."""

    def __init__(self, rows: tuple[Option[EntrySettings], ...]) -> None:
        self.table = OptionTable("bind", "crt-list", BAD_CRT_LIST, options(*lifted(rows, "entry"), *PARTS))

    def read(self, word: Word, reading: Reading) -> tuple[Entry, ...]:
        """Return the entries of a file, and collect what is wrong with each line."""
        path = join(reading.tls.crt_base, word.text)
        try:
            text = reading.world.read_bytes(path).decode("utf-8", "surrogateescape")
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "there is no such file"
            message = f"crt-list `{path}` cannot be read: {reason}"
            raise RefusedError(BAD_CRT_LIST, message, word.span) from None
        lines = tuple(text.split("\n"))
        reading.diagnostics.keep_source(path, lines)
        entries: list[Entry] = []
        for number, line in enumerate(lines, 1):
            words = tuple(_words(line, path, number))
            if not words or words[0].text.startswith("#"):
                continue
            try:
                entries += self._entries(self._line(words, path, number, reading), reading)
            except RefusedError as refusal:
                refusal.report(reading.diagnostics)
        return tuple(entries)

    def added(
        self, text: str, name: str, number: int, known: Mapping[str, Certificate], reading: Reading
    ) -> Entry:
        """Return the entry of a line that is added to a list while running, its certificate a known one.

        Raises RefusedError.
        """
        words = tuple(_words(text, "crt-list", 1))
        if not words:
            raise RefusedError(BAD_CRT_LIST, "the line names no certificate", Span("crt-list", 1, 1, 1))
        line = self._line(words, name, number, reading)
        certificate = known.get(words[0].text)
        if certificate is None:
            message = f"there is no certificate `{words[0].text}`"
            raise RefusedError(BAD_CRT_LIST, message, words[0].span)
        return line.entry(certificate)

    def _line(self, words: tuple[Word, ...], name: str, number: int, reading: Reading) -> _Line:
        inside, behind = _bracketed(words[1:])
        said = LineSettings()
        if inside:
            end = Span(inside[-1].span.file, inside[-1].span.line, inside[-1].span.end, inside[-1].span.end)
            taken = Words("crt-list", inside, end)
            said = self.table.read(taken, said, reading, reading.context())
        filters = tuple(_filter(word) for word in behind)
        options_text = " ".join(word.text for word in inside)
        return _Line(words[0], said, ListLine(name, number, options_text, filters))

    def _entries(self, line: _Line, reading: Reading) -> Iterator[Entry]:
        parts = line.said.parts
        if parts == Parts():
            found = reading.tls.certificates(line.crt, reading.world, reading.diagnostics)
        else:
            path = join(reading.tls.crt_base, line.crt.text)
            found = (reading.tls.certificate(path, line.crt.span, reading.world, reading.diagnostics, parts),)
        return (line.entry(certificate) for certificate in found)


@dataclass(frozen=True, slots=True)
class _Line:
    """A line of a list: which certificate it names, and what it says about it."""

    crt: Word
    said: LineSettings
    line: ListLine

    def entry(self, certificate: Certificate) -> Entry:
        """Return the line as an entry of a bind line."""
        own = tuple(each for each in self.line.filters if each != "*")
        if self.said.ocsp_update is not None:
            certificate = replace(certificate, ocsp_update=self.said.ocsp_update)
        return Entry(certificate, self.said.entry, own, default="*" in self.line.filters, line=self.line)


def _words(line: str, file: str, number: int) -> Iterator[Word]:
    for match in _WORD.finditer(line.rstrip("\r")):
        yield Word(match[0], Span(file, number, match.start() + 1, match.end() + 1))


def _bracketed(words: tuple[Word, ...]) -> tuple[tuple[Word, ...], tuple[Word, ...]]:
    """Split the words behind a certificate into those between brackets and those behind them."""
    if not words or not words[0].text.startswith("["):
        return (), words
    for at, word in enumerate(words):
        if word.text.endswith("]"):
            inside = [*words[: at + 1]]
            inside[0] = Word(inside[0].text[1:], _cut(inside[0].span, 1, 0))
            inside[-1] = Word(inside[-1].text[:-1], _cut(inside[-1].span, 0, 1))
            return tuple(each for each in inside if each.text), words[at + 1 :]
    message = "the bracket of this line is not closed"
    raise RefusedError(BAD_CRT_LIST, message, words[0].span, expected="`]` behind the options")


def _cut(span: Span, before: int, behind: int) -> Span:
    return Span(span.file, span.line, span.column + before, span.end - behind)


def _filter(word: Word) -> str:
    if not _FILTER.fullmatch(word.text):
        message = f"`{word.text}` is no name for which a certificate can be shown"
        raise RefusedError(
            BAD_CRT_LIST, message, word.span, expected="www.example.org, *.example.org or !name"
        )
    return word.text
