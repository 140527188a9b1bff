"""TLS of lines in the plan: defaults applied, files carried once, crt-lists spread over entries."""

from __future__ import annotations

import pytest
from paper import TIMEOUTS, VOCABULARY, PaperWorld, built, messages, tree

from isthmus.keywords import load
from isthmus.plan import document

t = document.tls


def plan(bind: str = "", server: str = "", above: str = "") -> document.Plan:
    return built(
        f"global\n {above}\n{TIMEOUTS}frontend f\n bind :1 {bind}\n default_backend b\n"
        f"backend b\n server s 10.0.0.1:1 {server}\n"
    ).engine


def bind_tls(bind: str, above: str = "") -> document.tls.BindTls:
    found = plan(bind, above=above).frontends[0].binds[0].tls
    assert found is not None
    return found


def server_tls(server: str, above: str = "") -> document.tls.ServerTls:
    found = plan(server=server, above=above).backends[0].servers[0].tls
    assert found is not None
    return found


def test_a_certificate_is_carried_once_however_often_it_is_named() -> None:
    found = plan("ssl crt site.pem crt site.pem", "ssl verify none crt site.pem")
    assert [each.name for each in found.tls.certificates] == ["site.pem"]
    tls = found.frontends[0].binds[0].tls
    assert tls is not None
    assert [entry.certificate for entry in tls.entries] == [0, 0]
    assert [entry.default for entry in tls.entries] == [True, False]


def test_lines_without_ssl_have_no_tls() -> None:
    found = plan("crt site.pem", "ca-file ca.pem")
    assert found.frontends[0].binds[0].tls is None
    assert found.backends[0].servers[0].tls is None
    assert found.tls == t.TlsFiles()


def test_a_crt_list_gives_its_lines_settings_of_their_own() -> None:
    found = bind_tls("ssl crt-list list.txt alpn http/1.1 ssl-min-ver TLSv1.3")
    own, line = found.settings[1], found.settings[0]
    assert [(each.settings, each.filters) for each in found.entries] == [
        (1, ("*.example.org", "!a.example.org")),
        (0, ()),
    ]
    assert (own.alpn, line.alpn) == (("h2",), ("http/1.1",))
    assert own.negotiation == line.negotiation == t.Negotiation(versions=(t.TlsVersion.TLS13,))


@pytest.mark.parametrize(
    ("above", "line", "versions"),
    [
        ("", "", ["tls12", "tls13"]),
        ("ssl-default-bind-options ssl-min-ver TLSv1.3", "", ["tls13"]),
        ("ssl-default-bind-options ssl-min-ver TLSv1.3", "ssl-min-ver TLSv1.2", ["tls12", "tls13"]),
        ("ssl-default-bind-options no-tlsv13", "", ["tls12"]),
        ("", "force-tlsv13", ["tls13"]),
        ("", "no-sslv3 no-tlsv10 no-tlsv11 no-tlsv12", ["tls13"]),
        ("", "ssl-max-ver TLSv1.2", ["tls12"]),
    ],
)
def test_versions_of_a_line_come_before_the_defaults(above: str, line: str, versions: list[str]) -> None:
    assert list(bind_tls(f"ssl crt site.pem {line}", above).settings[0].negotiation.versions) == versions


def test_defaults_hold_where_lines_are_silent() -> None:
    above = (
        "ssl-default-bind-ciphers ECDHE-RSA-AES128-GCM-SHA256\n ssl-default-bind-curves P-384\n"
        " ssl-default-bind-options no-tls-tickets prefer-client-ciphers\n tune.ssl.cachesize 7\n"
        " tune.ssl.lifetime 2m\n ssl-default-server-ciphersuites TLS_AES_128_GCM_SHA256\n"
        " ssl-server-verify none\n"
    )
    found = bind_tls("ssl crt site.pem", above)
    assert found.settings[0].negotiation.suites == (t.Suite.RSA_AES128_GCM,)
    assert found.settings[0].negotiation.groups == (t.Group.SECP384R1,)
    assert (found.settings[0].tickets, found.settings[0].client_order) == (False, True)
    assert (found.sessions, found.lifetime) == (7, 120)
    spoken = bind_tls("ssl crt site.pem curves X25519", above)
    assert spoken.settings[0].negotiation.groups == (t.Group.X25519,)
    server = server_tls("ssl", above)
    assert server.negotiation.suites == (t.Suite.AES128_GCM,)
    assert not server.verify


def test_clients_are_verified_as_the_line_says() -> None:
    rules = (
        bind_tls(
            "ssl crt site.pem verify optional ca-file ca.pem ca-verify-file ca.pem crl-file crl.pem "
            "no-ca-names ca-ignore-err all crt-ignore-err 10,X509_V_ERR_CERT_REVOKED"
        )
        .settings[0]
        .client
    )
    assert rules == t.ClientRules(
        verify=t.ClientVerification.OPTIONAL,
        authorities=(0,),
        hidden_authorities=(0,),
        name_authorities=False,
        revocations=(0,),
        ignored_in_chain=t.IgnoredErrors(all=True),
        ignored=t.IgnoredErrors(numbers=(10, 23)),
    )
    assert bind_tls("ssl crt site.pem ca-file ca.pem").settings[0].client == t.ClientRules()


def test_a_server_line_says_what_is_sent_and_verified() -> None:
    found = server_tls(
        "ssl ca-file ca.pem crl-file crl.pem verifyhost a.example sni str(b.example) alpn h2 crt site.pem "
        "no-ssl-reuse no-tls-tickets client-sigalgs ed25519"
    )
    assert found.sni is not None
    assert found.sni.fetch.name == "str"
    assert (found.verify, found.verify_host, found.authorities) == (True, "a.example", (0,))
    assert (found.alpn, found.certificate, found.reuse, found.tickets) == (("h2",), 0, False, False)
    assert found.client_schemes == (t.Scheme.ED25519,)


def test_default_server_lines_are_followed_and_undone() -> None:
    text = TIMEOUTS + (
        "backend b\n default-server ssl verify none\n server s 10.0.0.1:1\n server t 10.0.0.1:2 no-ssl\n"
    )
    servers = built(text).engine.backends[0].servers
    assert [each.tls is None for each in servers] == [False, True]


@pytest.mark.parametrize(
    ("bind", "server", "code"),
    [
        ("ssl", "", "E0601"),
        ("ssl strict-sni", "", "W0624"),
        ("ssl crt site.pem verify required", "", "E0602"),
        ("ssl crt site.pem no-tlsv12 no-tlsv13", "", "E0605"),
        ("ssl crt site.pem generate-certificates", "", "E0612"),
        ("crt site.pem", "", "W0625"),
        ("", "ssl", "E0602"),
        ("", "check check-ssl", "E0602"),
        ("", "check check-proto h2", "E0150"),
        ("ssl crt site.pem ssl-min-ver TLSv1.1", "", "W0620"),
        ("ssl crt missing.pem", "", "E0600"),
        ("ssl crt ca.pem", "", "E0600"),
        ("ssl crt site.pem tls-ticket-keys site.pem", "", "E0609"),
        ("ssl crt @store/site", "", "E0600"),
    ],
)
def test_what_is_wrong_is_told_at_the_line(bind: str, server: str, code: str) -> None:
    text = TIMEOUTS + f"frontend f\n bind :1 {bind}\n default_backend b\n"
    text += f"backend b\n server s 10.0.0.1:1 {server}\n"
    assert messages(text) == [(code, 9 if server else 6)]


def test_certificates_of_a_crt_store_have_names_of_their_own() -> None:
    text = (
        "crt-store web\n load crt ca.pem key site.pem alias site\n"
        f"{TIMEOUTS}frontend f\n bind :1 ssl crt @web/site\n"
    )
    assert [each.name for each in built(text).engine.tls.certificates] == ["@web/site"]


@pytest.mark.parametrize(
    ("rest", "column", "says"),
    [
        ("key gone.key", 22, "`gone.key` does not exist"),
        ("key ca.pem", 22, "`ca.pem` has no private key"),
        ("key site.pem ocsp gone.ocsp", 36, "`gone.ocsp` does not exist"),
        ("nothing", 18, "unknown option `nothing`"),
    ],
)
def test_what_is_wrong_of_a_crt_store_is_told_at_its_word(rest: str, column: int, says: str) -> None:
    text = f"crt-store\n load crt ca.pem {rest}\n{TIMEOUTS}"
    _, found = load(tree(text), VOCABULARY, PaperWorld())
    (one,) = found
    assert one.span is not None
    assert (one.span.line, one.span.column) == (2, column)
    assert says in one.message


def test_the_options_of_a_load_line_are_told_with_those_of_acme() -> None:
    _, found = load(tree(f"crt-store\n load nothing\n{TIMEOUTS}"), VOCABULARY, PaperWorld())
    (one,) = found
    assert one.expected == "one of crt, alias, acme, domains, jwt, key, ocsp, issuer, sctl, ocsp-update"


def test_versions_that_cannot_be_spoken_are_not_suggested() -> None:
    text = f"{TIMEOUTS}frontend f\n bind :1 ssl crt site.pem ssl-min-ver TLSv1.4\n"
    _, found = load(tree(text), VOCABULARY, PaperWorld())
    (one,) = [each for each in found if "TLSv1.4" in each.message]
    assert one.expected == "one of TLSv1.2, TLSv1.3"


EXPECTED = "a certificate whose crt-store says `jwt on`"


@pytest.mark.parametrize(
    ("rest", "name", "wrong"),
    [
        ("alias a jwt on", "@web/a", ""),
        ("alias a jwt off", "@web/a", EXPECTED),
        ("alias a", "@web/a", EXPECTED),
        ("alias a jwt on", "site.pem", ""),
        (
            "alias a jwt on",
            "@web/b",
            "a certificate that can be read (no crt-store above has a certificate `@web/b`)",
        ),
        ("alias a jwt on", "txn.name", ""),
    ],
)
def test_tokens_use_certificates_that_are_said_to_be_for_them(rest: str, name: str, wrong: str) -> None:
    rule = f"http-request deny unless {{ str(x),jwt_verify_cert(RS256,{name}) -m int 1 }}"
    text = f"crt-store web\n load crt site.pem {rest}\n{TIMEOUTS}frontend f\n mode http\n bind :1\n {rule}\n"
    _, found = load(tree(text), VOCABULARY, PaperWorld())
    errors = [each.expected for each in found if each.severity.value == "alert"]
    if wrong:
        assert [str(each) for each in errors] == [wrong]
        return
    assert not errors
    names = {each.name: each.jwt for each in built(text).engine.tls.certificates}
    assert names["@web/a"] == ("on" in rest)
    assert names.get(name, True)
    assert name in names or name == "txn.name"


def frontend(*lines: str) -> tuple[document.tls.BindTls | None, ...]:
    text = "".join(f" {line}\n" for line in lines)
    found = built(f"{TIMEOUTS}frontend f\n{text} default_backend b\nbackend b\n server s 10.0.0.1:1\n")
    return tuple(bind.tls for bind in found.engine.frontends[0].binds)


def test_certificates_of_a_frontend_are_for_lines_that_name_none() -> None:
    first, second, clear, third = frontend(
        "bind :1 ssl",
        "ssl-f-use crt site.pem ssl-min-ver TLSv1.3",
        "bind :2 ssl crt site.pem strict-sni",
        "bind :3",
        "ssl-f-use crt site.pem alpn http/1.1",
        "bind :4 ssl",
    )
    assert clear is None
    for each in (first, third):
        assert each is not None
        assert [each.settings[entry.settings].alpn for entry in each.entries][1] == ("http/1.1",)
        assert [entry.default for entry in each.entries] == [True, False]
    assert second is not None
    assert len(second.entries) == 1
    assert first is not None
    versions = [first.settings[entry.settings].negotiation.versions for entry in first.entries]
    assert versions == [(t.TlsVersion.TLS13,), (t.TlsVersion.TLS12, t.TlsVersion.TLS13)]


@pytest.mark.parametrize(
    ("bind", "found"),
    [("bind :1 ssl", []), ("bind :1 ssl crt site.pem", [("W0111", 7)]), ("bind :1", [("W0111", 7)])],
)
def test_certificates_of_a_frontend_that_no_line_takes_are_warned_of(
    bind: str, found: list[tuple[str, int]]
) -> None:
    lines = f" {bind}\n ssl-f-use crt site.pem\n ssl-f-use crt site.pem\n default_backend b\n"
    assert messages(f"{TIMEOUTS}frontend f\n{lines}backend b\n server s 10.0.0.1:1\n") == found


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("ssl-f-use", "E0610"),
        ("ssl-f-use crt nothing.pem", "E0600"),
        ("ssl-f-use crt site.pem crs x", "E0610"),
        ("ssl-f-use crt ca.pem", "E0600"),
    ],
)
def test_a_line_for_a_frontends_certificates_that_is_wrong_is_told(line: str, code: str) -> None:
    found = messages(f"{TIMEOUTS}frontend f\n bind :1 ssl\n {line}\n")
    assert (code, TIMEOUTS.count("\n") + 3) in found
