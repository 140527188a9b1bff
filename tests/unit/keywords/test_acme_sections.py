"""Sections `acme`, and the `load` lines whose certificates they issue."""

from __future__ import annotations

import importlib.util

import pytest
from paper import TIMEOUTS, VOCABULARY, PaperWorld, built, tree

from isthmus.config import Diagnostic
from isthmus.keywords import load as read
from isthmus.model.acme import Binding

SECTION = "acme LE\n map virt@acme\n"
FRONTEND = f"{TIMEOUTS}frontend f\n bind :1 ssl crt @/new.pem crt new.pem\n"


def diagnosed(text: str) -> list[Diagnostic]:
    return list(read(tree(text), VOCABULARY, PaperWorld())[1])


def load(rest: str) -> str:
    return f"crt-store\n load crt new.pem {rest}\n"


def test_a_certificate_that_is_not_there_yet_is_made_for_the_meantime() -> None:
    found = built(f"{load('acme LE domains a.test,B.test')}{SECTION}{FRONTEND}")
    (certificate,) = found.configuration.loaded
    assert [each.name for each in found.engine.tls.certificates] == ["new.pem"]
    assert certificate.ordered is not None
    assert (certificate.ordered.domains, certificate.ordered.interim) == (("a.test", "b.test"), True)
    assert b"BEGIN CERTIFICATE" in certificate.chain


def test_one_that_is_there_is_shown() -> None:
    found = built(f"crt-store\n load crt site.pem acme LE domains a.test\n{SECTION}{TIMEOUTS}")
    (certificate,) = found.configuration.loaded
    assert certificate.ordered is not None
    assert not certificate.ordered.interim


def test_what_a_section_does_not_say_is_haproxys_default() -> None:
    (section,) = built(SECTION + TIMEOUTS).configuration.acme
    assert section.directory == "https://acme-v02.api.letsencrypt.org/directory"
    assert (section.account_key, section.key_type, section.curve) == ("LE.account.key", "ECDSA", "P-384")


def test_an_account_elsewhere_is_named_by_files() -> None:
    said = " eab-key-id ca.pem\n eab-mac-key site.pem\n eab-mac-alg HS512\n profile short\n"
    (section,) = built(SECTION + said + TIMEOUTS).configuration.acme
    assert section.binding == Binding("ca.pem", "site.pem", "HS512")
    assert section.profile == "short"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (load("acme LE") + SECTION, "does not say for which names"),
        (load("domains a.test"), "`domains` are for certificates that an authority issues"),
        (load("acme LE domains *.a.test") + SECTION, "`*.a.test` is no name"),
        (load("acme LE domains a..test") + SECTION, "`a..test` is no name"),
        (load("acme le domains a.test") + SECTION, "there is no section `acme le`"),
        ("acme LE\n", "does not name the map"),
        ("acme LE\n challenge TLS-ALPN-02\n map virt@a\n", "challenge `TLS-ALPN-02` is not implemented"),
        ("acme\n map virt@acme\n", "needs a name"),
        (SECTION + SECTION, "already"),
        (SECTION + " challenge DNS-01\n", "challenge `DNS-01` is not implemented"),
        (SECTION + " provider-name x\n", "not implemented"),
        (SECTION + " curves P-224\n", "`P-224` is no curve"),
        (SECTION + " eab-key-id site.pem\n", "`eab-mac-key` is missing"),
        (SECTION + " eab-mac-alg HS384\n", "`eab-key-id` and `eab-mac-key` is missing"),
        (SECTION + " eab-mac-key nothing\n", "`nothing` cannot be read"),
        (SECTION + " eab-mac-alg HS1\n", "HS1"),
        (SECTION + " profile\n", "a profile of the authority"),
        (SECTION + " bits 1024\n", "1024 is out of range"),
        (SECTION + " keytype DSA\n", "DSA"),
        (SECTION + " directory ftp://a\n", "`ftp://a` is no address"),
        (SECTION + " unknown x\n", "unknown keyword `unknown`"),
    ],
)
def test_what_is_wrong_is_told(text: str, said: str) -> None:
    found = [each.message for each in diagnosed(text + TIMEOUTS)]
    assert any(said in each for each in found), found


def test_a_missing_library_is_told_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("isthmus.keywords.acme.find_spec", lambda _: None)
    assert importlib.util.find_spec("acme") is not None
    hints = [each.hint for each in diagnosed(SECTION + TIMEOUTS)]
    assert "`pip install 'isthmus[acme]'`" in hints
