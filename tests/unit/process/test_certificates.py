"""What the engine says about certificates, at the lines that name them; openssl(1) makes them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from paper import TIMEOUTS, VOCABULARY, tree
from tls_certificates import OPENSSL, Maker

from isthmus.config import Diagnostic
from isthmus.engine import check_tls
from isthmus.keywords import System, load
from isthmus.plan import Built, build
from isthmus.process.certificates import check_certificates

pytestmark = pytest.mark.skipif(OPENSSL is None, reason="openssl is not installed")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("certificates")
    Maker(made).make()
    return made


@pytest.fixture(autouse=True)
def inside(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)


def built(bind: str, server: str = "", above: str = "") -> Built:
    text = f"global\n {above}\n{TIMEOUTS}frontend f\n bind :1 {bind}\n default_backend b\n"
    text += f"backend b\n server s 10.0.0.1:1 {server}\n"
    said, diagnostics = load(tree(text), VOCABULARY, System())
    assert not diagnostics.failed, diagnostics.render()
    return build(said, System(), diagnostics)


def told(bind: str, server: str = "", now: float | None = None) -> list[Diagnostic]:
    found = built(bind, server)
    check_certificates(found, check_tls, now)
    return list(found.diagnostics)


@pytest.mark.parametrize(
    ("bind", "server", "code", "words"),
    [
        ("ssl crt mismatch.pem", "", "E0600", "`mismatch.pem` is not the certificate's"),
        ("ssl crt badcert.pem", "", "E0600", "`badcert.pem` is no X.509 certificate"),
        ("ssl crt small.pem", "", "E0600", "`small.pem` cannot be used"),
        ("", "ssl verify none crt mismatch.pem", "E0600", "`mismatch.pem`"),
        ("ssl crt ec.pem crt expired.pem", "", "W0622", "`expired.pem` expired on 2021-01-01"),
        ("ssl crt future.pem", "", "W0622", "`future.pem` is valid from 2090-01-01 only"),
        ("ssl crt wrongly-stapled.pem", "", "W0627", "it is about another certificate"),
    ],
)
def test_a_certificate_that_is_wrong_is_told_by_name_and_reason(
    bind: str, server: str, code: str, words: str
) -> None:
    (message,) = told(bind, server)
    assert message.code == code
    assert words in message.message
    assert message.span is not None
    assert message.span.line == (11 if server else 8)


@pytest.mark.parametrize(
    "bind",
    [
        *("ssl crt rsa.pem", "ssl crt ec.pem", "ssl crt ed.pem", "ssl crt wild.pem", "ssl crt chain.pem"),
        *("ssl crt bundle.pem", "ssl crt side.pem", "ssl crt keyfirst.pem", "ssl crt folder"),
        *("ssl crt stapled.pem", "ssl crt-list list.txt", "ssl crt-list list-own.txt"),
        "ssl crt rsa.pem verify required ca-file ca.pem crl-file crl.pem",
        "ssl crt rsa.pem generate-certificates ca-sign-file ca-with-key.pem",
        "ssl crt rsa.pem tls-ticket-keys tickets80",
    ],
)
def test_nothing_is_told_of_what_is_right(bind: str) -> None:
    assert told(bind, "ssl verify none sni str(a.example)") == []


def test_a_folder_and_a_bundle_are_read_in_the_order_of_their_names() -> None:
    found = built("ssl crt folder crt bundle.pem").engine.tls.certificates
    assert [each.name for each in found] == [
        *("folder/a.pem", "folder/b.pem", "bundle.pem.ecdsa", "bundle.pem.rsa")
    ]


def test_names_and_dates_are_those_of_the_certificate() -> None:
    facts = check_tls(built("ssl crt wild.pem crt expired.pem").engine)
    assert facts.faults == ()
    wild, expired = facts.certificates
    assert set(wild.names) == {"*.wild.test"}
    assert datetime.fromtimestamp(expired.not_after, UTC) == datetime(2021, 1, 1, tzinfo=UTC)


def test_where_files_are_looked_for_is_what_global_says(tmp_path: Path, folder: Path) -> None:
    for name in ("rsa.pem", "ca.pem", "ec.c", "ec.k"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    (tmp_path / "site.crt").write_bytes((folder / "ec.c").read_bytes())
    (tmp_path / "site.key").write_bytes((folder / "ec.k").read_bytes())
    above = f"crt-base {tmp_path}\n ca-base {tmp_path}\n ssl-load-extra-del-ext"
    found = built("ssl crt site.crt crt rsa.pem verify optional ca-file ca.pem", above=above)
    check_certificates(found, check_tls)
    assert list(found.diagnostics) == []
    assert [each.name for each in found.engine.tls.certificates] == [
        f"{tmp_path}/site.crt",
        f"{tmp_path}/rsa.pem",
    ]
