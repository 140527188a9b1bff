"""Options of bind and server lines about handshakes, which `ssl-default-*-options` take as well."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from isthmus.config import Word
from isthmus.keywords.changes import changed
from isthmus.keywords.option_row import Option, OptionUse
from isthmus.keywords.row import RefusedError
from isthmus.keywords.tls_codes import BAD_ALPN, NO_VERSION_LEFT, OLD_VERSION
from isthmus.keywords.tls_names import ciphers, ciphersuites, curves, signature_algorithms
from isthmus.keywords.values import unknown
from isthmus.model.tls import Handshake, Version
from isthmus.records import replace

Outer = TypeVar("Outer")
Inner = TypeVar("Inner")
Row = Option[Handshake]
Read = Callable[[OptionUse[Handshake]], Handshake]
_VERSIONS = {each.label: each for each in Version}


def lifted(rows: tuple[Option[Inner], ...], field: str, scope: str = "") -> tuple[Option[Outer], ...]:
    """Return rows that read a part of larger settings, which has this name there.

    `scope` is the option that they all belong to, if there is one.
    """
    return tuple(_lifted(row, field, "" if row.name == scope else scope) for row in rows)


def _lifted(row: Option[Inner], field: str, scope: str) -> Option[Outer]:
    def read(use: OptionUse[Outer]) -> Outer:
        part = OptionUse(use.word, use.words, getattr(use.settings, field), use.reading, use.context)
        return changed_part(use.settings, field, row.read(part))

    return Option(row.name, row.syntax, row.about, read, row.inert, scope)


def changed_part(settings: Outer, field: str, value: object) -> Outer:
    """Return settings with one part changed."""
    return replace(settings, **{field: value})  # type: ignore[type-var]


def protocols(word: Word) -> tuple[str, ...]:
    """Return the names of protocols between commas (`alpn`)."""
    names = [each for each in word.text.split(",") if each]
    if any(len(each.encode("utf-8", "surrogateescape")) > 255 for each in names):
        raise RefusedError(BAD_ALPN, "the name of a protocol has at most 255 bytes", word.span)
    return tuple(names)


def _alpn(use: OptionUse[Handshake]) -> Handshake:
    return replace(use.settings, alpn=protocols(use.words.take("names of protocols between commas")))


def _flag(**changes: object) -> Read:
    return lambda use: changed(use.settings, **changes)


def _without(version: Version) -> Read:
    def read(use: OptionUse[Handshake]) -> Handshake:
        said = use.settings.versions
        said = replace(said, without=said.without | {version}, span=use.word.span)
        return replace(use.settings, versions=said)

    return read


def _only(version: Version) -> Read:
    def read(use: OptionUse[Handshake]) -> Handshake:
        if version < Version.TLSV1_2:
            message = f"`{use.word.text}` cannot be done: {version.label} is not there"
            hint = "write `force-tlsv12`, or `ssl-min-ver TLSv1.2` for that and what is newer"
            raise RefusedError(NO_VERSION_LEFT, message, use.word.span, hint=hint)
        said = replace(use.settings.versions, lowest=version, highest=version, span=use.word.span)
        return replace(use.settings, versions=said)

    return read


def _bound(field: str) -> Read:
    def read(use: OptionUse[Handshake]) -> Handshake:
        word = use.words.take(f"a version: {', '.join(_VERSIONS)}")
        version = _VERSIONS.get(word.text)
        if version is None:
            usable = {text: each for text, each in _VERSIONS.items() if each >= Version.TLSV1_2}
            raise unknown(word, usable, "a version of TLS")
        if version < Version.TLSV1_2 and field == "lowest":
            message = f"{version.label} is not there: TLSv1.2 is the lowest version"
            use.reading.diagnostics.warning(OLD_VERSION, message, word.span, hint="write `TLSv1.2`")
        elif version < Version.TLSV1_2:
            message = f"no version is left: {version.label} is not there"
            hint = "write `ssl-max-ver TLSv1.2`, or leave it out"
            raise RefusedError(NO_VERSION_LEFT, message, word.span, hint=hint)
        said = changed(use.settings.versions, **{field: version, "span": word.span})
        return replace(use.settings, versions=said)

    return read


def _names(field: str, what: str, parse: Callable[..., object]) -> Read:
    def read(use: OptionUse[Handshake]) -> Handshake:
        return changed(use.settings, **{field: parse(use.words.take(what), use.reading.diagnostics)})

    return read


def _ecdhe(use: OptionUse[Handshake]) -> Handshake:
    """Read one curve, which `curves` is preferred to."""
    found = curves(use.words.take("a curve"), use.reading.diagnostics)
    return use.settings if use.settings.groups else replace(use.settings, groups=found)


VERSIONS: tuple[Row, ...] = (
    *(
        Option(f"no-{text}", "", f"Not {each.label}", _without(each))
        for text, each in (
            ("sslv3", Version.SSLV3),
            ("tlsv10", Version.TLSV1_0),
            ("tlsv11", Version.TLSV1_1),
            ("tlsv12", Version.TLSV1_2),
            ("tlsv13", Version.TLSV1_3),
        )
    ),
    *(
        Option(f"force-{text}", "", f"{each.label} alone", _only(each))
        for text, each in (
            ("sslv3", Version.SSLV3),
            ("tlsv10", Version.TLSV1_0),
            ("tlsv11", Version.TLSV1_1),
            ("tlsv12", Version.TLSV1_2),
            ("tlsv13", Version.TLSV1_3),
        )
    ),
    Option("ssl-min-ver", "<version>", "The lowest version of TLS", _bound("lowest")),
    Option("ssl-max-ver", "<version>", "The highest version of TLS", _bound("highest")),
)
"""Versions of TLS."""
TICKETS: tuple[Row, ...] = (
    Option("no-tls-tickets", "", "Sessions are kept here, clients get no tickets", _flag(tickets=False)),
    Option("tls-tickets", "", "Undo `no-tls-tickets`", _flag(tickets=True)),
)
"""Resumption by tickets."""
NEGOTIATED: tuple[Row, ...] = (
    Option("alpn", "<protocols>", "Protocols to agree on, the preferred ones first", _alpn),
    Option(
        "npn",
        "<protocols>",
        "Protocols to agree on by an extension that came before ALPN",
        lambda use: (use.words.take("names of protocols between commas"), use.settings)[1],
        inert="nobody speaks NPN any more; `alpn` does what it did",
    ),
    Option(
        "ciphers",
        "<ciphers>",
        "Ciphers of TLS 1.2, as openssl-ciphers(1) writes them",
        _names("ciphers", "a list of ciphers", ciphers),
    ),
    Option(
        "ciphersuites",
        "<suites>",
        "Ciphers of TLS 1.3",
        _names("ciphersuites", "a list of cipher suites", ciphersuites),
    ),
    Option("curves", "<curves>", "Curves for key exchange", _names("groups", "a list of curves", curves)),
    Option(
        "sigalgs",
        "<algorithms>",
        "What handshakes may be signed with",
        _names("schemes", "a list of signature algorithms", signature_algorithms),
    ),
    Option(
        "client-sigalgs",
        "<algorithms>",
        "What clients may sign handshakes with",
        _names("client_schemes", "a list of signature algorithms", signature_algorithms),
    ),
    Option("allow-0rtt", "", "Take early data of clients that resume a session", _flag(early_data=True)),
)
"""What both sides agree on."""
ECDHE: Row = Option("ecdhe", "<curve>", "The curve for key exchange", _ecdhe)
"""Of bind lines alone."""
NO_ALPN: Row = Option("no-alpn", "", "Agree on no protocol", _flag(alpn=()))
"""Of bind lines alone."""
