"""Files of `crt-list`: a certificate on each line, options between brackets, names for which it is shown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from posixpath import join

from isthmus.config import Span, Word
from isthmus.keywords.option_row import Option, OptionTable, OptionUse, options
from isthmus.keywords.row import Reading, RefusedError, Words
from isthmus.keywords.tls_codes import BAD_CRT_LIST, CANNOT
from isthmus.keywords.tls_files import Parts
from isthmus.keywords.tls_options import lifted
from isthmus.keywords.values import choice
from isthmus.model.tls import Certificate, Entry, EntrySettings
from isthmus.records import dataclass, field, replace

_WORD = re.compile(r"\S+")
_FILTER = re.compile(r"!?(\*|(\*\.)?[A-Za-z0-9_-][A-Za-z0-9_.-]*)")


@dataclass(frozen=True, slots=True)
class LineSettings:
    """What the brackets of a line say: settings of its own, and files that belong to the certificate."""

    entry: EntrySettings = field(default_factory=EntrySettings)
    parts: Parts = field(default_factory=Parts)


def part(field_name: str) -> Option[LineSettings]:
    """Return the row of a file that belongs to a certificate (`key`, `ocsp`, `issuer`, `sctl`)."""

    def read(use: OptionUse[LineSettings]) -> LineSettings:
        parts = replace(use.settings.parts, **{field_name: use.words.take("a file").text})
        return replace(use.settings, parts=parts)

    return Option(field_name, "<file>", f"The certificate's {field_name}", read)


def ocsp_update(use: OptionUse[LineSettings]) -> LineSettings:
    """Read `ocsp-update`, which can only be off: nothing asks responders."""
    if choice(use.words, ("on", "off"), "a switch") == "on":
        message = "OCSP responses are not fetched"
        hint = "let a timer write the response beside the certificate, as `site.pem.ocsp`, and reload"
        raise RefusedError(CANNOT, message, use.word.span, hint=hint)
    return use.settings


PARTS: tuple[Option[LineSettings], ...] = (
    *(part(name) for name in ("key", "ocsp", "issuer", "sctl")),
    Option("ocsp-update", "{ on | off }", "Fetch OCSP responses", ocsp_update),
)


class CrtLists:
    """Reads crt-lists; `rows` are the options that may stand between the brackets."""

    def __init__(self, rows: tuple[Option[EntrySettings], ...]) -> None:
        self._table = OptionTable("bind", "crt-list", BAD_CRT_LIST, options(*lifted(rows, "entry"), *PARTS))

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
                entries += self._line(words, reading)
            except RefusedError as refusal:
                refusal.report(reading.diagnostics)
        return tuple(entries)

    def _line(self, words: tuple[Word, ...], reading: Reading) -> Iterator[Entry]:
        inside, behind = _bracketed(words[1:])
        said = LineSettings()
        if inside:
            end = Span(inside[-1].span.file, inside[-1].span.line, inside[-1].span.end, inside[-1].span.end)
            taken = Words("crt-list", inside, end)
            said = self._table.read(taken, said, reading, reading.context())
        filters = tuple(_filter(word) for word in behind)
        own = tuple(each for each in filters if each != "*")
        for certificate in self._certificates(words[0], said.parts, reading):
            yield Entry(certificate, said.entry, own, default="*" in filters)

    def _certificates(self, word: Word, parts: Parts, reading: Reading) -> tuple[Certificate, ...]:
        if parts == Parts():
            return reading.tls.certificates(word, reading.world, reading.diagnostics)
        path = join(reading.tls.crt_base, word.text)
        return (reading.tls.certificate(path, word.span, reading.world, reading.diagnostics, parts),)


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
