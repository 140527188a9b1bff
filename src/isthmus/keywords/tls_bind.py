"""Options of bind lines about TLS (manual 5.1)."""

from __future__ import annotations

import binascii
from collections.abc import Callable
from posixpath import join

from isthmus.keywords.changes import changed
from isthmus.keywords.codes import BAD_VALUE
from isthmus.keywords.crt_list import CrtLists
from isthmus.keywords.option_row import Option, OptionUse
from isthmus.keywords.row import RefusedError
from isthmus.keywords.tls_codes import BAD_GENERATION, BAD_TICKET_KEYS, UNSAFE_AUTHORITY
from isthmus.keywords.tls_options import ECDHE, NEGOTIATED, NO_ALPN, TICKETS, VERSIONS, lifted
from isthmus.keywords.values import choice
from isthmus.model.tls import (
    BindTls,
    CertificateList,
    ClientRules,
    Entry,
    EntrySettings,
    IgnoredErrors,
    ListLine,
    Verify,
)
from isthmus.records import replace

Row = Option[BindTls]
Read = Callable[[OptionUse[BindTls]], BindTls]
ClientRead = Callable[[OptionUse[ClientRules]], ClientRules]
_KEY_SIZES = (48, 80)
_LEAST_KEYS = 3
_LARGEST_ERROR = 94
"""OpenSSL's last X509_V_ERR number."""


def _flag(**changes: object) -> Read:
    return lambda use: changed(use.settings, **changes)


def _ssl(use: OptionUse[BindTls]) -> BindTls:
    return replace(use.settings, on=True)


def _crt(use: OptionUse[BindTls]) -> BindTls:
    word = use.words.take("a file or folder with a certificate")
    files, world = use.reading.tls, use.reading.world
    found = files.certificates(word, world, use.reading.diagnostics)
    if not files.is_folder(word, world):
        return replace(use.settings, entries=(*use.settings.entries, *map(Entry, found)))
    name = join(files.crt_base, word.text).rstrip("/") or "/"
    entries = tuple(Entry(each, line=ListLine(name)) for each in found)
    return _listed(use.settings, CertificateList(name, True, files.bases), entries)


def _crt_list(use: OptionUse[BindTls]) -> BindTls:
    word = use.words.take("a file with certificates and names")
    found = CRT_LISTS.read(word, use.reading)
    files = use.reading.tls
    name = join(files.crt_base, word.text)
    return _listed(use.settings, CertificateList(name, False, files.bases), found)


def _listed(said: BindTls, added: CertificateList, entries: tuple[Entry, ...]) -> BindTls:
    """Return the line with a list more."""
    lists = (*(each for each in said.lists if each.name != added.name), added)
    return replace(said, entries=(*said.entries, *entries), lists=lists)


def _default_crt(use: OptionUse[BindTls]) -> BindTls:
    word = use.words.take("a file with a certificate")
    found = use.reading.tls.certificates(word, use.reading.world, use.reading.diagnostics)
    entries = tuple(Entry(each, default=True) for each in found)
    return replace(use.settings, entries=(*use.settings.entries, *entries))


def _generate(use: OptionUse[BindTls]) -> BindTls:
    return replace(use.settings, generation=replace(use.settings.generation, on=True))


def _ca_sign_file(use: OptionUse[BindTls]) -> BindTls:
    word = use.words.take("a file with an authority's certificate and key")
    path = join(use.reading.tls.ca_base, word.text)
    try:
        found = use.reading.tls.certificate(path, word.span, use.reading.world, use.reading.diagnostics)
    except RefusedError as refusal:
        raise RefusedError(BAD_GENERATION, refusal.message, word.span, hint=refusal.hint) from None
    return replace(use.settings, generation=replace(use.settings.generation, authority=found))


def _ca_sign_pass(use: OptionUse[BindTls]) -> BindTls:
    use.words.take("a passphrase")
    return use.settings


def _ticket_keys(use: OptionUse[BindTls]) -> BindTls:
    word = use.words.take("a file with keys")
    try:
        text = use.reading.world.read_bytes(word.text)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        message = f"ticket keys `{word.text}` cannot be read: {reason}"
        raise RefusedError(BAD_TICKET_KEYS, message, word.span) from None
    keys: list[bytes] = []
    for number, line in enumerate(text.splitlines(), 1):
        try:
            key = binascii.a2b_base64(line.strip(), strict_mode=True)
        except binascii.Error:
            key = b""
        if len(key) not in _KEY_SIZES or (keys and len(key) != len(keys[0])):
            message = f"line {number} of `{word.text}` is no key of 48 or 80 bytes in base64"
            raise RefusedError(BAD_TICKET_KEYS, message, word.span, expected="keys of one length")
        keys.append(key)
    if len(keys) < _LEAST_KEYS:
        message = f"`{word.text}` has {len(keys)} keys"
        raise RefusedError(BAD_TICKET_KEYS, message, word.span, expected="3 keys or more, one on each line")
    return replace(use.settings, ticket_keys=tuple(keys), ticket_file=word.text)


def _verify(use: OptionUse[ClientRules]) -> ClientRules:
    said = choice(use.words, [each.value for each in Verify], "a way to verify")
    return replace(use.settings, verify=Verify(said), span=use.word.span)


def _ca_file(field: str) -> ClientRead:
    def read(use: OptionUse[ClientRules]) -> ClientRules:
        word = use.words.take("a file or folder of authorities, or @system-ca")
        found = use.reading.tls.authorities(word, use.reading.world)
        if word.text == "@system-ca":
            message = "any client with a certificate of an authority that the system trusts is believed"
            hint = "name the authority that issues your clients' certificates"
            use.reading.diagnostics.warning(UNSAFE_AUTHORITY, message, word.span, hint=hint)
        return changed(use.settings, **{field: found})

    return read


def _crl_file(use: OptionUse[ClientRules]) -> ClientRules:
    found = use.reading.tls.revocations(use.words.take("a file of revocation lists"), use.reading.world)
    return replace(use.settings, revocations=found)


def _ignored(field: str) -> ClientRead:
    def read(use: OptionUse[ClientRules]) -> ClientRules:
        word = use.words.take("`all`, or numbers of errors")
        if word.text == "all":
            return changed(use.settings, **{field: IgnoredErrors(all=True)})
        numbers: list[int] = []
        for part in word.text.split(","):
            number = ERRORS.get(part, int(part) if part.isascii() and part.isdigit() else 0)
            if not 0 < number <= _LARGEST_ERROR:
                raise RefusedError(
                    BAD_VALUE,
                    f"`{part}` is no error of verification",
                    word.span,
                    expected=f"`all`, or numbers from 1 to {_LARGEST_ERROR} or names as in openssl-verify(1)",
                )
            numbers.append(number)
        return changed(use.settings, **{field: IgnoredErrors(numbers=tuple(numbers))})

    return read


ERRORS = {
    f"X509_V_ERR_{name}": number
    for name, number in {
        "UNABLE_TO_GET_ISSUER_CERT": 2,
        "UNABLE_TO_GET_CRL": 3,
        "CERT_SIGNATURE_FAILURE": 7,
        "CERT_NOT_YET_VALID": 9,
        "CERT_HAS_EXPIRED": 10,
        "CRL_NOT_YET_VALID": 11,
        "CRL_HAS_EXPIRED": 12,
        "DEPTH_ZERO_SELF_SIGNED_CERT": 18,
        "SELF_SIGNED_CERT_IN_CHAIN": 19,
        "UNABLE_TO_GET_ISSUER_CERT_LOCALLY": 20,
        "UNABLE_TO_VERIFY_LEAF_SIGNATURE": 21,
        "CERT_CHAIN_TOO_LONG": 22,
        "CERT_REVOKED": 23,
        "INVALID_CA": 24,
        "PATH_LENGTH_EXCEEDED": 25,
        "INVALID_PURPOSE": 26,
        "CERT_UNTRUSTED": 27,
        "CERT_REJECTED": 28,
    }.items()
}
"""Names of errors, as openssl-verify(1) has them, of those that can happen here."""

_CLIENT: tuple[Option[ClientRules], ...] = (
    Option(
        "ca-file", "<cafile>", "Authorities that clients' certificates come from", _ca_file("authorities")
    ),
    Option(
        "ca-verify-file",
        "<cafile>",
        "More such authorities, which clients are not told of",
        _ca_file("verify_file"),
    ),
    Option("crl-file", "<crlfile>", "Certificates that were revoked", _crl_file),
    Option(
        "no-ca-names",
        "",
        "Tell clients no names of authorities",
        lambda use: replace(use.settings, no_names=True),
    ),
    Option("verify", "{ none | optional | required }", "Whether clients need a certificate", _verify),
)
_IGNORED: tuple[Option[ClientRules], ...] = (
    Option(
        "ca-ignore-err",
        "{ all | <error>[,<error>]* }",
        "Errors in a chain that end no handshake",
        _ignored("ignored_in_chain"),
    ),
    Option(
        "crt-ignore-err",
        "{ all | <error>[,<error>]* }",
        "Errors in a client's certificate that end no handshake",
        _ignored("ignored"),
    ),
)
ENTRY: tuple[Option[EntrySettings], ...] = (
    *lifted(VERSIONS, "handshake"),
    *lifted(NEGOTIATED, "handshake"),
    *lifted(TICKETS, "handshake"),
    *lifted((ECDHE, NO_ALPN), "handshake"),
    *lifted(_CLIENT, "client"),
)
"""What each certificate may have of its own, in a crt-list."""
_NOT_IN_LISTS = ("no-sslv3", "no-tlsv", "force-", "no-tls-tickets", "tls-tickets")
LIST_ROWS = tuple(row for row in ENTRY if not row.name.startswith(_NOT_IN_LISTS))
"""What may stand between the brackets of a crt-list, and on a line `ssl-f-use`."""
CRT_LISTS = CrtLists(LIST_ROWS)
"""Reads crt-lists, at start and while running."""
TLS_BIND: tuple[Row, ...] = (
    *lifted((*ENTRY, *lifted(_IGNORED, "client")), "settings"),
    Option(
        "ca-sign-file", "<cafile>", "The authority of generated certificates, with its key", _ca_sign_file
    ),
    Option(
        "ca-sign-pass",
        "<passphrase>",
        "Passphrase of that key",
        _ca_sign_pass,
        inert="keys with passphrases are not read; `openssl pkey` takes a passphrase off",
    ),
    Option("crt", "<cert>", "A certificate with its key: a file, or all files of a folder", _crt),
    Option("crt-list", "<file>", "Certificates with options and names of their own", _crt_list),
    Option("default-crt", "<cert>", "A certificate for names that no other one has", _default_crt),
    Option("generate-certificates", "", "Make certificates for names that have none", _generate),
    Option("prefer-client-ciphers", "", "Choose the cipher that clients prefer", _flag(client_order=True)),
    Option("ssl", "", "Take TLS connections", _ssl),
    Option("strict-sni", "", "Refuse clients whose name no certificate has", _flag(strict_sni=True)),
    Option("no-strict-sni", "", "Undo `strict-sni`", _flag(strict_sni=False)),
    Option("tls-ticket-keys", "<keyfile>", "Keys for tickets, shared with others", _ticket_keys),
)
"""Everything about TLS that may stand on a bind line."""
