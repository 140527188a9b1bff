"""The words of `add server`: what they may be, what comes of them, what is said of wrong ones."""

from __future__ import annotations

import pytest
from paper import VOCABULARY, PaperWorld

from isthmus.config import Diagnostics
from isthmus.keywords.added_server import AT_RUN_TIME, added_server
from isthmus.keywords.row import Reading, RefusedError
from isthmus.keywords.server_options import SERVER_OPTIONS
from isthmus.keywords.tls_files import TlsFiles
from isthmus.model.address import Namespace, Remote
from isthmus.model.server import InitAddress, Server


def read(line: str) -> tuple[Server, bool]:
    reading = reading_at_run_time()
    found = added_server("s", tuple(line.split()), reading, True)
    assert not reading.diagnostics.failed
    return found


def reading_at_run_time() -> Reading:
    return Reading(Diagnostics(), VOCABULARY, PaperWorld(), TlsFiles())


def test_a_server_starts_in_maintenance_unless_its_line_says_otherwise() -> None:
    for line, disabled, said in (
        ("127.0.0.1:80", True, False),
        ("127.0.0.1:80 disabled", True, True),
        ("127.0.0.1:80 enabled", False, True),
        ("127.0.0.1:80 disabled enabled", False, True),
        # A word that stands for something else says nothing of it.
        ("127.0.0.1:80 source 0.0.0.0 interface enabled", True, False),
    ):
        server, state_said = read(line)
        assert (server.settings.disabled, state_said) == (disabled, said), line


def test_options_are_those_of_server_lines() -> None:
    server, _ = read("10.0.0.1:80 check inter 5s weight 9 backup maxconn 3 id 7")
    said = server.settings
    assert (said.check.enabled, said.check.inter, said.weight, said.backup, said.maxconn, said.id) == (
        *(True, 5000, 9, True),
        *(3, 7),
    )


def test_a_host_name_is_not_looked_up() -> None:
    server, _ = read("nosuch.invalid:80")
    assert isinstance(server.address, Remote)
    assert server.settings.init_addr == (InitAddress.NONE,)


def test_a_namespace_may_be_said() -> None:
    server, _ = read("10.0.0.1:80 namespace later optional")
    assert isinstance(server.settings.namespace, Namespace)
    assert server.settings.namespace.name == "later"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", "`server` needs an address"),
        ("127.0.0.1:80 bogus", "unknown keyword `bogus` on a server line"),
        ("127.0.0.1:80 weight", "`weight` needs a number"),
        ("127.0.0.1:80 namespace nosuch", "namespace `nosuch` does not exist (/run/netns/nosuch)"),
        ("127.0.0.1:80 init-addr none", "`init-addr` cannot be given to a server at run time"),
        ("127.0.0.1:80 no-check", "`no-check` cannot be given to a server at run time"),
        (
            "127.0.0.1:80 set-proxy-v2-tlv-fmt(1) x",
            "`set-proxy-v2-tlv-fmt(1)` cannot be given to a server at run time",
        ),
        ("127.0.0.1:80 socks4", "`socks4` is known to HAProxy on a server line, and not implemented yet"),
    ],
)
def test_what_is_wrong_is_said_as_of_a_configuration(line: str, message: str) -> None:
    with pytest.raises(RefusedError) as refusal:
        read(line)
    assert refusal.value.message.startswith(message)


def test_a_bad_name_is_refused() -> None:
    with pytest.raises(RefusedError, match="character `!`"):
        added_server("bad!", ("127.0.0.1:1",), reading_at_run_time(), True)


def test_every_keyword_that_is_allowed_exists() -> None:
    assert set(SERVER_OPTIONS.rows) >= AT_RUN_TIME
