"""Keywords of section `global` that are about TLS."""

from __future__ import annotations

from collections.abc import Callable
from posixpath import join

from isthmus.config import Word
from isthmus.config.values import TimeUnit
from isthmus.keywords.changes import changed
from isthmus.keywords.codes import BAD_VALUE, UNKNOWN_OPTION
from isthmus.keywords.crt_list import need_library
from isthmus.keywords.draft import GlobalDraft
from isthmus.keywords.global_rows import Row, change, inert
from isthmus.keywords.issuer_chains import chains_in
from isthmus.keywords.option_row import OptionTable, options
from isthmus.keywords.row import Keyword, RefusedError, Use, Where
from isthmus.keywords.tls_bind import TLS_BIND
from isthmus.keywords.tls_codes import CANNOT, UNUSED_CHAIN
from isthmus.keywords.tls_files import EXTRA_FILES
from isthmus.keywords.tls_names import ciphers, ciphersuites, curves, signature_algorithms
from isthmus.keywords.tls_options import TICKETS, VERSIONS
from isthmus.keywords.values import choice, integer, switch, time, unknown
from isthmus.model.tls import Verify
from isthmus.records import replace

_GLOBAL = Where.GLOBAL
_BIND_DEFAULTS = {
    *(row.name for row in (*VERSIONS, *TICKETS)),
    "prefer-client-ciphers",
    "strict-sni",
    "no-strict-sni",
}
_BIND_OPTIONS = OptionTable(
    "bind",
    "ssl-default-bind-options",
    UNKNOWN_OPTION,
    options(*(row for row in TLS_BIND if row.name in _BIND_DEFAULTS)),
)
_SERVER_OPTIONS = OptionTable(
    "server", "ssl-default-server-options", UNKNOWN_OPTION, options(*VERSIONS, *TICKETS)
)


def _change(use: Use[GlobalDraft], **changes: object) -> None:
    change(use, "tls", **changes)


def _folder(name: str, field: str, about: str) -> Row:
    def read(use: Use[GlobalDraft]) -> None:
        setattr(use.reading.tls, field, use.words.take("a folder").text)

    return Keyword(name, _GLOBAL, "<dir>", about, read)


def _list(side: str, what: str, field: str, about: str, parse: Callable[..., object]) -> Row:
    """Return the row of a list that bind or server lines start with."""

    def read(use: Use[GlobalDraft]) -> None:
        found = parse(use.words.take("a list of names"), use.reading.diagnostics)
        tls = use.draft.settings.tls
        if side == "server":
            handshake = changed(tls.server.handshake, **{field: found})
            _change(use, server=replace(tls.server, handshake=handshake))
        else:
            own = tls.bind.settings
            own = replace(own, handshake=changed(own.handshake, **{field: found}))
            _change(use, bind=replace(tls.bind, settings=own))

    return Keyword(f"ssl-default-{side}-{what}", _GLOBAL, "<names>", about, read)


def _bind_options(use: Use[GlobalDraft]) -> None:
    _need_option(use)
    bind = _BIND_OPTIONS.read(use.words, use.draft.settings.tls.bind, use.reading, use.reading.context())
    _change(use, bind=bind)


def _server_options(use: Use[GlobalDraft]) -> None:
    _need_option(use)
    server = use.draft.settings.tls.server
    handshake = _SERVER_OPTIONS.read(use.words, server.handshake, use.reading, use.reading.context())
    _change(use, server=replace(server, handshake=handshake))


def _need_option(use: Use[GlobalDraft]) -> None:
    if not use.words:
        use.words.take("an option")


def _extra_files(use: Use[GlobalDraft]) -> None:
    words = [use.words.take(f"all, none, or some of {', '.join(EXTRA_FILES)}"), *use.words.take_all()]
    found: set[str] = set()
    for word in words:
        if word.text not in ("all", "none", *EXTRA_FILES):
            raise unknown(word, ("all", "none", *EXTRA_FILES), "a kind of file")
        found |= set(EXTRA_FILES) if word.text == "all" else {word.text} - {"none"}
    use.reading.tls.extra = frozenset(found)


def _issuers(use: Use[GlobalDraft]) -> None:
    word = use.words.take("a folder")
    try:
        found, without = chains_in(word.text, use.reading.world)
    except OSError:
        message = f"`{word.text}` is no folder that can be read"
        raise RefusedError(BAD_VALUE, message, word.span) from None
    for each in without:
        message = f"`{each}` holds no chain of certificates"
        use.reading.diagnostics.warning(UNUSED_CHAIN, message, word.span)
    use.reading.tls.issuers = found


def _skip_root(use: Use[GlobalDraft]) -> None:
    use.reading.tls.skip_root = True


def _without_extension(use: Use[GlobalDraft]) -> None:
    use.reading.tls.without_extension = True


def _server_verify(use: Use[GlobalDraft]) -> None:
    said = choice(use.words, ("none", "required"), "a way to verify")
    _change(use, server_verify=Verify(said))


def _sessions(use: Use[GlobalDraft]) -> None:
    _change(use, sessions=integer(use.words, 0))


def _lifetime(use: Use[GlobalDraft]) -> None:
    _change(use, lifetime=time(use.words, TimeUnit.SECONDS))


def _generated(use: Use[GlobalDraft]) -> None:
    _change(use, generated=integer(use.words, 0))


def _capture(use: Use[GlobalDraft]) -> None:
    _change(use, capture=integer(use.words, 0, 65536))


def _record(field: str) -> Callable[[Use[GlobalDraft]], None]:
    return lambda use: _change(use, **{field: integer(use.words, 0)})


def _keylog(use: Use[GlobalDraft]) -> None:
    _change(use, keylog=switch(use.words))


def _watch(use: Use[GlobalDraft]) -> None:
    if use.words.peek in ("on", "off"):
        _change(use, watch=_WATCH if use.words.take("a switch").text == "on" else None)
        return
    word = use.words.rest[0] if use.words else None
    delay = time(use.words, TimeUnit.MILLISECONDS)
    if delay < _LEAST_WATCH and word is not None:
        message = f"`{word.text}` is too often to look at files"
        raise RefusedError(BAD_VALUE, message, word.span, expected="`on`, `off`, or 100ms or more")
    _change(use, watch=delay)


def _trust(use: Use[GlobalDraft]) -> None:
    word = use.words.take("a file of authorities, or @system-ca")
    path = word.text if word.text.startswith("@") else join(use.reading.tls.ca_base, word.text)
    use.reading.tls.authorities(word, use.reading.world)
    _change(use, trust=path)


def _believe(use: Use[GlobalDraft]) -> None:
    _change(use, believe_all=choice(use.words, ("none", "required"), "a way to verify") == "none")


def _scheduler(use: Use[GlobalDraft]) -> None:
    _change(use, scheduled=choice(use.words, ("auto", "off"), "a way to renew") == "auto")


def _ocsp(use: Use[GlobalDraft], **changes: object) -> None:
    _change(use, ocsp=changed(use.draft.settings.tls.ocsp, **changes))


def _ocsp_mode(use: Use[GlobalDraft]) -> None:
    span = use.line.keyword.span
    on = switch(use.words)
    if on:
        need_library(span)
    _ocsp(use, on=on)


def _ocsp_disable(use: Use[GlobalDraft]) -> None:
    _ocsp(use, disabled=switch(use.words))


def _ocsp_delay(field: str) -> Callable[[Use[GlobalDraft]], None]:
    return lambda use: _ocsp(use, **{field: integer(use.words, 1)})


def _dh_size(use: Use[GlobalDraft]) -> None:
    integer(use.words, 1024)


def _rate(use: Use[GlobalDraft]) -> None:
    integer(use.words, 0)


def _cannot(name: str, syntax: str, about: str, instead: str) -> Row:
    """Return the row of a keyword that needs OpenSSL, and what to write instead."""

    def read(use: Use[GlobalDraft]) -> None:
        word: Word = use.line.keyword
        message = f"`{name}` cannot be done: TLS is done by rustls and aws-lc, not by OpenSSL"
        raise RefusedError(CANNOT, message, word.span, hint=instead)

    return Keyword(name, _GLOBAL, syntax, about, read)


def _number_that_is(use: Use[GlobalDraft]) -> None:
    word = use.words.take("a number")
    if not word.text.isdigit():
        raise RefusedError(BAD_VALUE, f"`{word.text}` is not a number", word.span)


_WATCH = 2000
"""Milliseconds between two looks at files where nothing else is said."""
_LEAST_WATCH = 100
_NO_DH = "key exchange is ECDHE, which needs no DH parameters"
_OWN = "rustls and aws-lc do the cryptography, and need none of OpenSSL's parts"

FILES: tuple[Row, ...] = (
    _folder("ca-base", "ca_base", "Where ca-file and crl-file look for files"),
    _folder("crt-base", "crt_base", "Where crt and crt-list look for files"),
    _folder("key-base", "key_base", "Where crt-store looks for private keys"),
    Keyword("issuers-chain-path", _GLOBAL, "<dir>", "Chains for certificates that have none", _issuers),
    Keyword(
        "ssl-skip-self-issued-ca", _GLOBAL, "", "Do not send root certificates that end a chain", _skip_root
    ),
    Keyword(
        "ssl-load-extra-files",
        _GLOBAL,
        "{ none | all | bundle | sctl | ocsp | issuer | key }*",
        "What is looked for beside a certificate's file",
        _extra_files,
    ),
    Keyword(
        "ssl-load-extra-del-ext",
        _GLOBAL,
        "",
        "Look for site.key beside site.crt, and not for site.crt.key",
        _without_extension,
    ),
)
DEFAULTS: tuple[Row, ...] = (
    _list("bind", "ciphers", "ciphers", "Ciphers of TLS 1.2 for bind lines", ciphers),
    _list("bind", "ciphersuites", "ciphersuites", "Ciphers of TLS 1.3 for bind lines", ciphersuites),
    _list("bind", "curves", "groups", "Curves for bind lines", curves),
    _list("bind", "sigalgs", "schemes", "What our signatures on bind lines use", signature_algorithms),
    _list("bind", "client-sigalgs", "client_schemes", "What clients may sign with", signature_algorithms),
    Keyword("ssl-default-bind-options", _GLOBAL, "<option> ...", "What bind lines start with", _bind_options),
    _list("server", "ciphers", "ciphers", "Ciphers of TLS 1.2 for server lines", ciphers),
    _list("server", "ciphersuites", "ciphersuites", "Ciphers of TLS 1.3 for server lines", ciphersuites),
    _list("server", "curves", "groups", "Curves for server lines", curves),
    _list("server", "sigalgs", "schemes", "What servers may sign with", signature_algorithms),
    _list("server", "client-sigalgs", "client_schemes", "What we sign with", signature_algorithms),
    Keyword(
        "ssl-default-server-options", _GLOBAL, "<option> ...", "What server lines start with", _server_options
    ),
    Keyword(
        "ssl-server-verify",
        _GLOBAL,
        "{ none | required }",
        "Whether servers' certificates are verified where their lines do not say",
        _server_verify,
    ),
)
TUNING: tuple[Row, ...] = (
    Keyword("tune.ssl.cachesize", _GLOBAL, "<number>", "Most TLS sessions kept for clients", _sessions),
    Keyword(
        "tune.ssl.capture-buffer-size", _GLOBAL, "<bytes>", "Bytes kept of what a ClientHello lists", _capture
    ),
    Keyword(
        "tune.ssl.capture-cipherlist-size",
        _GLOBAL,
        "<bytes>",
        "An old name of `tune.ssl.capture-buffer-size`",
        _capture,
    ),
    Keyword(
        "tune.ssl.hard-maxrecord", _GLOBAL, "<number>", "Most bytes of data in a record", _record("record")
    ),
    Keyword(
        "tune.ssl.maxrecord",
        _GLOBAL,
        "<number>",
        "The same at the beginning of what is sent",
        _record("first_records"),
    ),
    Keyword("tune.ssl.keylog", _GLOBAL, "{ on | off }", "Keep secrets for those who log them", _keylog),
    Keyword("tune.ssl.lifetime", _GLOBAL, "<time>", "How long a session can be resumed", _lifetime),
    Keyword(
        "tune.ssl.watch-certificates",
        _GLOBAL,
        "{ on | off | <delay> }",
        "How often certificates, lists, authorities and revocation lists are looked at for changes",
        _watch,
    ),
    Keyword(
        "tune.ssl.ssl-ctx-cache-size", _GLOBAL, "<number>", "Most generated certificates kept", _generated
    ),
)
OWN_REQUESTS: tuple[Row, ...] = (
    Keyword(
        "acme.scheduler", _GLOBAL, "{ auto | off }", "Whether certificates are renewed in time", _scheduler
    ),
    Keyword("httpclient.ssl.ca-file", _GLOBAL, "<cafile>", "Whom requests of our own (ACME) believe", _trust),
    Keyword("ocsp-update.mode", _GLOBAL, "{ on | off }", "Whether OCSP responders are asked", _ocsp_mode),
    Keyword("ocsp-update.disable", _GLOBAL, "{ on | off }", "Ask no OCSP responder at all", _ocsp_disable),
    *(
        Keyword(f"{prefix}ocsp-update.{name}", _GLOBAL, "<seconds>", about, _ocsp_delay(field))
        for prefix in ("", "tune.ssl.")
        for name, field, about in (
            ("mindelay", "least", "Shortest time between two requests to an OCSP responder"),
            ("maxdelay", "most", "Longest time between two requests to an OCSP responder"),
        )
    ),
    Keyword(
        "httpclient.ssl.verify",
        _GLOBAL,
        "{ none | required }",
        "Whether requests of our own verify certificates",
        _believe,
    ),
)
WITHOUT_EFFECT: tuple[Row, ...] = (
    inert("ssl-dh-param-file", "<file>", "DH parameters", _NO_DH),
    inert("tune.ssl.default-dh-param", "<number>", "Size of DH parameters", _NO_DH, read=_dh_size),
    inert("ssl-mode-async", "", "Asynchronous engines", _OWN),
    inert("ssl-propquery", "<query>", "Which of OpenSSL's implementations are used", _OWN),
    inert("ssl-provider-path", "<path>", "Where OpenSSL's providers are", _OWN),
    inert("ssl-security-level", "<number>", "OpenSSL's least strength", "what is weak is not there at all"),
    inert(
        "tune.ssl.force-private-cache",
        "",
        "A session cache for each process",
        "there is one process, and each bind line has a cache of its own",
    ),
    inert(
        "tune.ssl.certificate-compression",
        "{ auto | off }",
        "Compress certificates",
        "certificates are sent as they are",
    ),
    inert(
        "tune.ssl.keyupdate-rate-limit",
        "<number>",
        "How often peers may change keys",
        "rustls ends connections whose peer asks for new keys again and again without sending data",
        read=_rate,
    ),
    inert("noktls", "", "Never encrypt in the kernel", "records are encrypted in the process"),
)
CANNOT_BE: tuple[Row, ...] = (
    _cannot("ssl-engine", "<name> [algo <list>]", "An engine of OpenSSL", "remove the line"),
    _cannot("ssl-provider", "<name>", "A provider of OpenSSL", "remove the line"),
    _cannot(
        "ssl-passphrase-cmd",
        "<path> ...",
        "A program that tells passphrases",
        "take the passphrase off: `openssl pkey -in site.key -out plain.key`",
    ),
)

GLOBAL_TLS: tuple[Row, ...] = (*FILES, *DEFAULTS, *TUNING, *OWN_REQUESTS, *WITHOUT_EFFECT, *CANNOT_BE)
"""Everything about TLS in section `global`."""
