"""Options of server lines about TLS (manual 5.2)."""

from __future__ import annotations

from collections.abc import Callable

from isthmus.keywords.changes import changed
from isthmus.keywords.expressions import parse_expression
from isthmus.keywords.option_row import Option, OptionUse
from isthmus.keywords.tls_options import NEGOTIATED, TICKETS, VERSIONS, lifted, protocols
from isthmus.keywords.values import choice
from isthmus.keywords.vocabulary import Place
from isthmus.model.tls import ServerTls, Verify
from isthmus.records import replace

Row = Option[ServerTls]
Read = Callable[[OptionUse[ServerTls]], ServerTls]


def _flag(**changes: object) -> Read:
    return lambda use: changed(use.settings, **changes)


def _ssl(use: OptionUse[ServerTls]) -> ServerTls:
    return replace(use.settings, on=True)


def _ca_file(use: OptionUse[ServerTls]) -> ServerTls:
    word = use.words.take("a file or folder of authorities, or @system-ca")
    return replace(use.settings, authorities=use.reading.tls.authorities(word, use.reading.world))


def _crl_file(use: OptionUse[ServerTls]) -> ServerTls:
    word = use.words.take("a file of revocation lists")
    return replace(use.settings, revocations=use.reading.tls.revocations(word, use.reading.world))


def _crt(use: OptionUse[ServerTls]) -> ServerTls:
    word = use.words.take("a file with a certificate")
    found = use.reading.tls.own_certificate(word, use.reading.world, use.reading.diagnostics)
    return replace(use.settings, certificate=found)


def _check_alpn(use: OptionUse[ServerTls]) -> ServerTls:
    names = protocols(use.words.take("names of protocols between commas"))
    return replace(use.settings, check_alpn=names)


def _check_sni(use: OptionUse[ServerTls]) -> ServerTls:
    return replace(use.settings, check_sni=use.words.take("a host name").text)


def _verify(use: OptionUse[ServerTls]) -> ServerTls:
    said = choice(use.words, ("none", "required"), "a way to verify")
    return replace(use.settings, verify=Verify(said))


def _sni(use: OptionUse[ServerTls]) -> ServerTls:
    found = parse_expression(use.words.take("an expression"), Place.SERVER_CHOICE, use.context)
    return replace(use.settings, sni=found, sni_auto=False)


TLS_SERVER: tuple[Row, ...] = (
    *lifted(VERSIONS, "handshake"),
    *lifted(NEGOTIATED, "handshake"),
    *lifted(TICKETS, "handshake"),
    Option("check-alpn", "<protocols>", "Protocols that the check offers", _check_alpn),
    Option("check-sni", "<sni>", "The name that the check sends", _check_sni),
    Option("check-ssl", "", "Check by TLS", _flag(check=True)),
    Option("no-check-ssl", "", "Check without TLS", _flag(check=False)),
    Option("ca-file", "<cafile>", "Authorities that the server's certificate comes from", _ca_file),
    Option("crl-file", "<crlfile>", "Certificates that were revoked", _crl_file),
    Option("crt", "<cert>", "Our own certificate, for servers that want one", _crt),
    Option("no-ssl", "", "Undo `ssl`", _flag(on=False)),
    Option("no-ssl-reuse", "", "Never resume a session", _flag(reuse=False)),
    Option("sni", "<expression>", "The name to send to the server", _sni),
    Option("ssl", "", "Connect by TLS", _ssl),
    Option("ssl-reuse", "", "Undo `no-ssl-reuse`", _flag(reuse=True)),
    Option("verify", "{ none | required }", "Whether the server's certificate is verified", _verify),
    Option(
        "verifyhost",
        "<hostname>",
        "The name that the server's certificate must have where none is sent",
        lambda use: replace(use.settings, verify_host=use.words.take("a host name").text),
    ),
)
"""Everything about TLS that may stand on a server line."""
