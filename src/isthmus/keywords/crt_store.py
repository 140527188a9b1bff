"""Sections `crt-store`: certificates by names of their own (manual 3.12)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import partial
from posixpath import join

from isthmus.config import Section, Span, Word
from isthmus.keywords.acme import need_library
from isthmus.keywords.codes import DUPLICATE_NAME, EXTRA_ARGUMENT, NOT_IMPLEMENTED
from isthmus.keywords.crt_list import PARTS, LineSettings
from isthmus.keywords.named_section import read_lines
from isthmus.keywords.option_row import OptionTable, OptionUse, options
from isthmus.keywords.row import Reading, RefusedError, Words, place
from isthmus.keywords.tls_codes import BAD_CRT_STORE
from isthmus.keywords.values import suggest, switch
from isthmus.keywords.world import World
from isthmus.model.acme import Authority, Ordered
from isthmus.model.tls import Certificate, CertificateFiles
from isthmus.records import replace

_DOMAIN = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,62})(\.[a-z0-9]([a-z0-9-]{0,62}))*")
_PARTS = OptionTable("section", "load", BAD_CRT_STORE, options(*PARTS))
_LATER = ("generate-dummy",)
"""What a `load` line may say in HAProxy 3.5 and cannot here."""


class CrtStores:
    """The sections read so far; their certificates are kept with all files of TLS."""

    @staticmethod
    def keywords() -> tuple[str, ...]:
        """Return the words that lines of such a section begin with."""
        return tuple(_LINES)

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._names: dict[str, Span] = {}

    def check(self, known: Iterable[Authority]) -> None:
        """Collect an error for each certificate whose section `acme` is not there."""
        names = [each.name for each in known]
        for each in self._reading.tls.aliases.values():
            if each.ordered is not None and each.ordered.section not in names:
                message = f"there is no section `acme {each.ordered.section}`"
                near = suggest(each.ordered.section, names)
                self._reading.diagnostics.alert(BAD_CRT_STORE, message, each.ordered.span, hint=near)

    def read(self, section: Section) -> None:
        """Read one section, with a name or without."""
        name = section.name.text if section.name else ""
        if section.rest:
            word = section.rest[0]
            raise RefusedError(EXTRA_ARGUMENT, f"unexpected argument `{word.text}` of `crt-store`", word.span)
        if name in self._names:
            message = f"there is a section `crt-store {name}` at {place(self._names[name])} already"
            raise RefusedError(DUPLICATE_NAME, message, section.header.span)
        self._names[name] = section.header.span
        files = self._reading.tls
        kept = files.crt_base, files.key_base
        store = _Store(name, self._reading)
        readers = {name: partial(read, store) for name, read in _LINES.items()}
        read_lines(section, readers, self._reading)
        files.crt_base, files.key_base = kept


def _ordered(section: Word | None, domains: Word | None) -> Ordered | None:
    if section is None:
        if domains is not None:
            message = "`domains` are for certificates that an authority issues"
            raise RefusedError(BAD_CRT_STORE, message, domains.span, expected="`acme <section>` beside it")
        return None
    if domains is None:
        message = "the line does not say for which names its certificate is"
        raise RefusedError(BAD_CRT_STORE, message, section.span, expected="domains <name>[,<name>]*")
    names = tuple(domains.text.lower().split(","))
    for each in names:
        if not _DOMAIN.fullmatch(each):
            message = f"`{each}` is no name for which a certificate can be issued"
            hint = "wildcards need DNS-01, which is not there" if each.startswith("*") else None
            raise RefusedError(BAD_CRT_STORE, message, domains.span, hint=hint)
    return Ordered(section.text, names, section.span)


def _is_there(path: str, world: World) -> bool:
    try:
        world.read_bytes(path)
    except FileNotFoundError:
        return False
    except (OSError, ValueError):
        return True
    return True


def _interim(files: CertificateFiles, span: Span, ordered: Ordered) -> Certificate:
    """Return what is shown until the first certificate is issued."""
    from isthmus.acme.proving import interim_certificate

    chain, key = interim_certificate(ordered.domains)
    return Certificate(files.path, chain, key, span, files=files, ordered=replace(ordered, interim=True))


class _Store:
    """One section: its folders hold until it ends."""

    def __init__(self, name: str, reading: Reading) -> None:
        self._name = name
        self._reading = reading
        self._loads = False

    def crt_base(self, words: Words) -> None:
        self._reading.tls.crt_base = self._folder(words)

    def key_base(self, words: Words) -> None:
        self._reading.tls.key_base = self._folder(words)

    def _folder(self, words: Words) -> str:
        word = words.take("a folder")
        if self._loads:
            message = f"`{words.what}` stands behind `load` lines, which it would not be for"
            raise RefusedError(BAD_CRT_STORE, message, word.span, hint="write it above them")
        return word.text

    def load(self, words: Words) -> None:
        self._loads = True
        said, crt, alias = LineSettings(), None, None
        section: Word | None = None
        domains: Word | None = None
        tokens = False
        while words:
            option = words.take("an option")
            if option.text == "crt":
                crt = words.take("a file with a certificate")
            elif option.text == "alias":
                alias = words.take("a name")
            elif option.text == "acme":
                section = words.take("the name of a section `acme`")
                need_library(section.span)
            elif option.text == "domains":
                domains = words.take("names between commas")
            elif option.text == "jwt":
                tokens = switch(words)
            elif option.text in _LATER:
                message = f"`{option.text}` of a certificate is known to HAProxy, and not implemented yet"
                raise RefusedError(NOT_IMPLEMENTED, message, option.span)
            elif option.text in _PARTS.rows:
                rest = Words(option.text, words.rest, words.end)
                use = OptionUse(option, rest, said, self._reading, self._reading.context())
                said = _PARTS.rows[option.text].read(use)
                words.skip_to(rest)
            else:
                known = ", ".join(("crt", "alias", "acme", "domains", "jwt", *_PARTS.rows))
                message = f"unknown option `{option.text}` of `load`"
                raise RefusedError(BAD_CRT_STORE, message, option.span, expected=f"one of {known}")
        if crt is None:
            raise RefusedError(BAD_CRT_STORE, "`load` names no certificate", words.end, expected="crt <file>")
        name = self._keep(crt, alias, said, _ordered(section, domains))
        if tokens:
            self._reading.tls.tokens.add(name)

    def _keep(self, crt: Word, alias: Word | None, said: LineSettings, ordered: Ordered | None) -> str:
        files = self._reading.tls
        path = join(files.crt_base, crt.text)
        world, diagnostics = self._reading.world, self._reading.diagnostics
        if ordered is not None and not _is_there(path, world):
            found = _interim(CertificateFiles(path, said.parts, files.bases), crt.span, ordered)
        else:
            found = files.certificate(path, crt.span, world, diagnostics, said.parts)
            found = replace(found, ordered=ordered)
        found = replace(found, ocsp_update=said.ocsp_update)
        word = alias or crt
        name = f"@{self._name}/{word.text}"
        if self._name or alias:
            found = replace(found, name=name)
        if name in files.aliases:
            raise RefusedError(DUPLICATE_NAME, f"there is a certificate `{name}` already", word.span)
        if not self._name and not alias:
            # As in HAProxy, `crt` may name it as any file.
            files.know({path: found}, {}, {})
        files.aliases[name] = found
        return found.name


_LINES: dict[str, Callable[[_Store, Words], None]] = {
    "crt-base": _Store.crt_base,
    "key-base": _Store.key_base,
    "load": _Store.load,
}
