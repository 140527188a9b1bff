"""Every row of the dictionary is read at least once, so that none names a field that does not exist."""

from __future__ import annotations

import pytest
from paper import TIMEOUTS, loaded, messages

from isthmus.keywords import dump, inventory
from isthmus.keywords.bind import BIND_OPTIONS
from isthmus.keywords.global_ import GLOBAL
from isthmus.keywords.proxy import PROXY
from isthmus.keywords.row import Where
from isthmus.keywords.server_options import SERVER_OPTIONS
from isthmus.keywords.vocabulary import Vocabulary

ARGUMENTS = {
    "tune.ssl.keylog": "on",
    "tune.ssl.watch-certificates": "on",
    "unix-bind": "mode 660",
    "cc": "cubic",
    "cpu-map": "1/1 0",
    "dns-accept-family": "ipv4,ipv6",
    "cpu-set": "drop-cpu 3",
    "harden.reject-privileged-ports.quic": "off",
    "harden.reject-privileged-ports.tcp": "on",
    "http-err-codes": "400-499 -404",
    "http-fail-codes": "+501",
    "tune.applet.zero-copy-forwarding": "on",
    "tune.fd.edge-triggered": "on",
    "tune.listener.default-shards": "by-thread",
    "tune.pt.zero-copy-forwarding": "off",
    "acme.scheduler": "off",
    "ocsp-update.mode": "on",
    "ocsp-update.disable": "on",
    "httpclient.ssl.ca-file": "ca.pem",
    "httpclient.ssl.verify": "none",
    "acl": "a src 10.0.0.0/8",
    "balance": "roundrobin",
    "bind": ":80",
    "h1-case-adjust": "content-type Content-Type",
    "h1-case-adjust-file": "case.txt",
    "tune.comp.maxlevel": "5",
    "tune.h1.zero-copy-fwd-recv": "off",
    "tune.idle-pool.shared": "off",
    "tune.h1.zero-copy-fwd-send": "on",
    "compression": "algo gzip",
    "filter": "compression",
    "cookie": "SRV",
    "errorfile": "503 503.http",
    "errorloc": "503 /sorry",
    "errorloc302": "503 /sorry",
    "errorloc303": "503 /sorry",
    "http-error": "status 503 content-type text/plain string no",
    "http-reuse": "always",
    "option http-restrict-req-hdr-names": "delete",
    "retry-on": "all-retryable-errors",
    "capture cookie": "SESS len 8",
    "capture request header": "Host len 8",
    "capture response header": "Server len 8",
    "force-persist": "if TRUE",
    "http-after-response": "set-header X y",
    "http-request": "set-header X y",
    "http-response": "set-header X y",
    "ignore-persist": "if TRUE",
    "monitor fail": "if TRUE",
    "redirect": "prefix /x",
    "declare capture": "request len 8",
    "default-bind": "name x",
    "default-server": "weight 3",
    "default_backend": "l",
    "description": "some words",
    "error-log-format": "%ci",
    "hash-balance-factor": "150",
    "hash-type": "consistent",
    "log": "/dev/log local0",
    "log-steps": "all",
    "log-format": "%ci",
    "log-format-sd": "%ci",
    "log-tag": "tag",
    "mode": "tcp",
    "option netns-unlisted": "ignore",
    "server": "s 10.0.0.1:80",
    "server-template": "s 3 10.0.0.1:80",
    "set-var": "proc.a int(3)",
    "set-var-fmt": "proc.a text",
    "source": "10.0.0.1",
    "stats socket": "/run/x.sock",
    "stick-table": "type ip size 1m",
    "tcp-request": "inspect-delay 3s",
    "unique-id-format": "%ci",
    "use-server": "s if TRUE",
    "use_backend": "l if TRUE",
    "accept-proxy": "from 10.0.0.0/8",
    "expose-fd": "listeners",
    "dispatch": "10.0.0.9:80",
    "group": "web",
    "init-addr": "last,libc,none",
    "init-state": "fully-down",
    "on-marked-down": "shutdown-sessions",
    "on-marked-up": "shutdown-backup-sessions",
    "interface": "eth0",
    "level": "admin",
    "mode ": "600",
    "namespace": "red",
    "check-namespace": "blue",
    "addr": "10.0.0.9",
    "proxy-v2-options": "crc32c,unique-id",
    "set-proxy-v2-tlv-fmt(": "%[src]",
    "shards": "by-thread",
    "thread": "1-2",
    "track": "l/other",
    "user": "web",
    "proto": "h2",
    "ws": "h1",
    "python-load": "services.py",
    "tune.h2.max-frame-size": "20000",
    "presetenv": "NAME value",
    "setenv": "NAME value",
    "setcap": "cap_net_admin",
    "alpn": "h2,http/1.1",
    "npn": "h2",
    "ca-file": "ca.pem",
    "ca-verify-file": "ca.pem",
    "ca-ignore-err": "10,X509_V_ERR_CERT_REVOKED",
    "crt-ignore-err": "all",
    "crl-file": "crl.pem",
    "crt": "site.pem",
    "crt-list": "list.txt",
    "ca-sign-file": "site.pem",
    "ca-sign-pass": "secret",
    "generate-certificates": "ca-sign-file site.pem",
    "default-crt": "site.pem",
    "ssl": "crt site.pem ca-file ca.pem",
    "strict-sni": "",
    "tls-ticket-keys": "tickets",
    "verify": "none",
    "check-proto": "none",
    "sni": "str(a.example)",
    "ciphers": "HIGH",
    "ciphersuites": "TLS_AES_128_GCM_SHA256",
    "curves": "X25519",
    "ecdhe": "prime256v1",
    "sigalgs": "ECDSA+SHA256",
    "client-sigalgs": "RSA-PSS+SHA256",
    "ssl-min-ver": "TLSv1.2",
    "ssl-max-ver": "TLSv1.3",
    "ssl-load-extra-files": "none",
    "issuers-chain-path": "chains",
    "ssl-f-use": "crt site.pem",
    "ssl-server-verify": "none",
    "jwt.decrypt_alg_list": "ALL:!ECDH-ES",
    "jwt.decrypt_enc_list": "A128GCM:A256GCM",
    "tune.ssl.certificate-compression": "off",
    "tune.ssl.default-dh-param": "2048",
    **{f"ssl-default-{side}-ciphers": "HIGH" for side in ("bind", "server")},
    **{f"ssl-default-{side}-ciphersuites": "TLS_AES_128_GCM_SHA256" for side in ("bind", "server")},
    **{f"ssl-default-{side}-curves": "X25519" for side in ("bind", "server")},
    **{f"ssl-default-{side}-sigalgs": "ed25519" for side in ("bind", "server")},
    **{f"ssl-default-{side}-client-sigalgs": "ed25519" for side in ("bind", "server")},
    **{f"ssl-default-{side}-options": "no-tls-tickets" for side in ("bind", "server")},
}


def arguments(name: str, syntax: str) -> str:
    """Arguments with which a keyword is right: those above, or 10 where it takes something."""
    if name in ARGUMENTS:
        return ARGUMENTS[name]
    return "10" if syntax.startswith("<") else ""


RULES = ("http-after-response", "http-request", "http-response")


def errors(text: str) -> list[tuple[str, int]]:
    return [each for each in messages(text) if each[0].startswith("E")]


REFUSED = {
    "ssl-engine": "E0613",
    "ssl-provider": "E0613",
    "ssl-passphrase-cmd": "E0613",
    **{f"force-{version}": "E0605" for version in ("sslv3", "tlsv10", "tlsv11")},
    "process": "E0110",
    "usesrc": "E0110",
}
"""Keywords that are known, and whose lines are an error that says what to write instead."""


@pytest.mark.parametrize("name", GLOBAL)
def test_every_keyword_of_global_is_read(name: str) -> None:
    found = errors(f"global\n {name} {arguments(name, GLOBAL[name].syntax)}\n")
    assert [code for code, _ in found] == ([REFUSED[name]] if name in REFUSED else [])


@pytest.mark.parametrize("name", PROXY)
def test_every_keyword_of_a_proxy_is_read(name: str) -> None:
    row = PROXY[name]
    line = f" {name} {arguments(name, row.syntax)}\n"
    listen = "listen l\n bind :8080\n server other 10.0.0.1:80\n server s 10.0.0.2:80\n"
    if name == "server":
        line = " server third 10.0.0.3:80\n"
    elif name == "dispatch":
        listen = "listen l\n bind :8080\n"
    elif name == "stick":
        line = " stick on src table t\nbackend t\n stick-table type ip size 1m\n"
    elif name in ("use_backend", "default_backend"):
        line = f" {name} elsewhere\nbackend elsewhere\n"
    if row.where & Where.LISTEN:
        assert errors(TIMEOUTS + listen + line) == []
    if row.where & Where.DEFAULTS and name not in ("acl", "tcp-request", *RULES):
        assert errors("defaults\n" + line.replace("\nbackend elsewhere", "")) == []


@pytest.mark.parametrize("name", BIND_OPTIONS.rows)
def test_every_option_of_a_bind_line_is_read(name: str) -> None:
    given = "600" if name == "mode" else arguments(name, BIND_OPTIONS.rows[name].syntax)
    found = errors(TIMEOUTS + f"frontend f\n mode http\n bind :80 {name} {given}\n")
    assert [code for code, _ in found] == ([REFUSED[name]] if name in REFUSED else [])


@pytest.mark.parametrize("name", SERVER_OPTIONS.rows)
def test_every_option_of_a_server_line_is_read(name: str) -> None:
    word = "set-proxy-v2-tlv-fmt(0xE1)" if name.endswith("(") else name
    given = arguments(name, SERVER_OPTIONS.rows[name].syntax)
    others = " server other 10.0.0.1:80 check\n"
    found = errors(TIMEOUTS + f"backend l\n mode http\n{others} server s 10.0.0.2:80 {word} {given}\n")
    assert [code for code, _ in found] == ([REFUSED[name]] if name in REFUSED else [])


@pytest.mark.parametrize("name", [name for name in PROXY if PROXY[name].negatable])
def test_every_negatable_keyword_is_negated(name: str) -> None:
    where = "backend b\n" if not PROXY[name].where & Where.FRONTEND else "frontend b\n bind :1\n"
    assert errors(TIMEOUTS + where + f" no {name}\n") == []


def test_no_row_is_unknown_to_haproxy_but_those_of_isthmus() -> None:
    beyond = {name for name in PROXY if not inventory.knows("proxy", name)}
    # The manual has the cookie key; HAProxy does not list it.
    assert beyond == {"default-bind", "dynamic-cookie-key", "option netns-unlisted"}
    assert {name for name in SERVER_OPTIONS.rows if not inventory.knows("server", name.rstrip("("))} == {
        "check-namespace"
    }
    assert {name for name in BIND_OPTIONS.rows if not inventory.knows("bind", name)} == set()
    assert {name for name in GLOBAL if not inventory.knows("global", name)} == {
        "python-load",
        "tune.ssl.watch-certificates",
        *(f"tune.python.{each}" for each in ("queue", "service-timeout", "threads")),
    }


def test_a_keyword_without_a_row_is_not_implemented_and_says_so() -> None:
    begun = {each.partition(" ")[0] for each in PROXY}
    names = inventory.names("proxy") - set(inventory.removed("proxy")) - set(PROXY) - begun
    for name in sorted(each for each in names if not each.startswith(("tcp-request", "stick "))):
        found = errors(TIMEOUTS + f"listen l\n bind :1\n {name} x\n")
        assert found[:1] == [("E0101", 7)], name


def test_the_dump_lists_what_is_taken_with_effect_or_without() -> None:
    text = dump("cfg", Vocabulary({}, {}, {}, frozenset()))
    assert "\tbind <addr> namespace +1\n" in text
    assert "\tserver <name> <addr> no-backup\n" in text
    assert "\toption clitcpka [ FE ]\n" in text
    assert "\ttcp-request connection set-var*\n" in text
    assert "\thttp-request set-map*\n" in text
    assert "\thttp-request track-sc*\n" in text
    assert "\thttp-after-response sc-set-gpt0*\n" in text
    assert "\thttp-after-response allow\n" in text
    assert "\thttp-request use-service\n" in text
    assert "\tpython-load\n" in text
    assert "\toption contstats [ FE ]\n" in text


def test_the_dump_has_the_classes_that_are_asked_for() -> None:
    commands = [("show info", ["WORKER"]), ("help", ["MASTER", "WORKER"])]
    text = dump("cli,svc,nonsense", Vocabulary({}, {}, {}, frozenset()), commands)
    assert text.splitlines() == [
        "# List of registered CLI keywords:",
        "help [MASTER] [WORKER] ",
        "show info [WORKER] ",
        "# List of registered service names:",
    ]


def test_settings_of_defaults_reach_the_proxies_below_and_no_others() -> None:
    found = loaded(
        "frontend a\n bind :1\ndefaults\n maxconn 7\nfrontend b\n bind :2\ndefaults\nfrontend c\n bind :3\n"
    )
    assert [each.settings.maxconn for each in found.proxies] == [None, 7, None]


def test_from_picks_a_named_defaults_section_instead_of_the_last_one() -> None:
    found = loaded("defaults one\n maxconn 1\ndefaults two\n maxconn 2\nfrontend a from one\n bind :1\n")
    assert found.proxies[0].settings.maxconn == 1


def test_server_options_follow_the_order_of_default_server_lines() -> None:
    found = loaded(
        "backend b\n server a 10.0.0.1:1\n default-server weight 5 backup\n server b 10.0.0.1:1 no-backup\n"
        " default-server weight 7\n server c 10.0.0.1:1\n"
    )
    settings = [server.settings for server in found.proxies[0].servers]
    assert [(each.weight, each.backup) for each in settings] == [(1, False), (5, False), (7, True)]


def test_no_option_undoes_what_defaults_said() -> None:
    found = loaded(
        "defaults\n option nolinger\nfrontend a\n bind :1\n no option nolinger\nfrontend b\n bind :2\n"
    )
    assert [each.settings.options.nolinger for each in found.proxies] == [False, True]


def test_rules_of_named_defaults_come_before_the_proxy_s_own() -> None:
    found = loaded(
        "defaults d\n tcp-request connection reject if { src 10.0.0.1 }\n"
        "frontend a from d\n bind :1\n tcp-request connection accept\n"
    )
    assert [rule.span.line for rule in found.proxies[0].settings.rules.connection] == [2, 5]


def test_ports_of_a_range_become_addresses_of_their_own() -> None:
    found = loaded("frontend a\n bind :80-82,127.0.0.1:90\n")
    assert [bind.address.port for bind in found.proxies[0].binds] == [80, 81, 82, 90]
