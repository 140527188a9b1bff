"""The words of `add server`: those of a server line that a server may be given while the program runs.

They are read by the rows of server lines, so that what is wrong is said alike.
"""

from __future__ import annotations

from collections.abc import Iterator

from isthmus.config import Diagnostics, Span, Word
from isthmus.keywords.addresses import server_address
from isthmus.keywords.codes import NOT_AT_RUN_TIME, UNKNOWN_SERVER_OPTION
from isthmus.keywords.names import check_name
from isthmus.keywords.option_row import Option, OptionTable, OptionUse
from isthmus.keywords.row import Reading, RefusedError, Words
from isthmus.keywords.server_options import SERVER_OPTIONS
from isthmus.keywords.tls_options import VERSIONS
from isthmus.model.server import InitAddress, Server, ServerSettings
from isthmus.records import replace

AT_RUN_TIME = frozenset(
    (
        *(
            "addr",
            "backup",
            "check",
            "check-send-proxy",
            "disabled",
            "downinter",
            "enabled",
            "fall",
            "fastinter",
            "id",
            "inter",
        ),
        *("maxconn", "maxqueue", "minconn", "on-marked-down", "on-marked-up", "port", "proxy-v2-options"),
        *("rise", "send-proxy", "send-proxy-v2", "send-proxy-v2-ssl", "send-proxy-v2-ssl-cn", "slowstart"),
        *("source", "tfo", "track", "weight"),
        *("allow-0rtt", "alpn", "ca-file", "check-alpn", "check-sni", "check-ssl", "ciphers", "ciphersuites"),
        *("crl-file", "crt", "no-ssl-reuse", "no-tls-tickets", "sni", "ssl", "tls-tickets"),
        *("verify", "verifyhost"),
        *(row.name for row in VERSIONS),
        # HAProxy takes none of these here.
        *("check-namespace", "namespace", "tcp-ut"),
    )
)
"""Management manual 9.3 `add server`, as far as server lines have the keyword here, and three more."""
_FILE = "add server"
"""Where the words come from, in messages."""


def added_server(name: str, texts: tuple[str, ...], reading: Reading, http: bool) -> tuple[Server, bool]:
    """Return the server of an address and options, and whether they say in which state it starts.

    As in HAProxy, no `default-server` line is followed, and a host name is not looked up. `http` says whether
    the backend's mode is HTTP. Raises RefusedError at the first word that is wrong; what is wrong with an
    expression goes to the reading's diagnostics.
    """
    words = tuple(_words((name, *texts)))
    end = Span(_FILE, 1, words[-1].span.end, words[-1].span.end)
    check_name(words[0], "server")
    spot = Words("server", words[1:], end).take("an address")
    address = server_address(spot)

    def read(said: Reading, *, disabled: bool) -> ServerSettings:
        settings = ServerSettings(disabled=disabled, init_addr=(InitAddress.NONE,))
        context = said.context(frontend=False, http=http)
        return _OPTIONS.read(Words("server", words[2:], end), settings, said, context)

    # In maintenance until somebody enables it, unless the line says otherwise.
    settings = _explicit(read(reading, disabled=True))
    quiet = replace(reading, diagnostics=Diagnostics())
    said = read(quiet, disabled=False).disabled == settings.disabled
    return Server(name, address, settings, words[0].span.to(end), spot.span), said


def _explicit(settings: ServerSettings) -> ServerSettings:
    """Return settings whose check takes nothing over from the server's connections (manual 5.2 `check`)."""
    check, tls = settings.check, settings.tls
    if check.send_proxy is None:
        check = replace(check, send_proxy=False)
    return replace(settings, check=check, tls=replace(tls, check=bool(tls.check)))


def _words(texts: tuple[str, ...]) -> Iterator[Word]:
    column = 1
    for text in texts:
        yield Word(text, Span(_FILE, 1, column, column + len(text)))
        column += len(text) + 1


def _refuse(use: OptionUse[ServerSettings]) -> ServerSettings:
    raise RefusedError(
        NOT_AT_RUN_TIME, f"`{use.word.text}` cannot be given to a server at run time", use.word.span
    )


def _row(row: Option[ServerSettings]) -> Option[ServerSettings]:
    return row if row.name in AT_RUN_TIME else replace(row, read=_refuse)


_OPTIONS = OptionTable(
    SERVER_OPTIONS.family,
    SERVER_OPTIONS.line,
    UNKNOWN_SERVER_OPTION,
    {name: _row(row) for name, row in SERVER_OPTIONS.rows.items()},
)
