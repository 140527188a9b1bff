"""`isthmus explain` of described connections: what is known is told, what is not is not guessed."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest

from isthmus.cli.subcommands import run

TLS = """
    tcp-request inspect-delay 1s
    tcp-request content accept if { req.ssl_hello_type 1 }"""


def explained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, words: str, status: int = 0
) -> dict[str, Any]:
    file = tmp_path / "a.cfg"
    file.write_text(text)
    assert run(["explain", *shlex.split(words), "--json", str(file)]) == status
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def line(mode: str, rule: str) -> str:
    return f"""
defaults
    timeout connect 1s
    timeout client 1s
    timeout server 1s
userlist people
    user ann insecure-password x
frontend f
    mode {mode}
    bind 192.0.2.1:443 name door
    {TLS if mode == "tcp" else ""}
    acl tls-vault req.ssl_sni vault.test
    {rule}
backend b
    mode {mode}
    stick-table type ip size 1k store conn_cur
    server s 192.0.2.9:80
"""


CONDITIONS = (
    # What was given decides.
    ("tcp", "req.ssl_sni -i vault.test", "--sni VAULT.test", True),
    ("tcp", "req.ssl_sni -m end .test", "--sni a.test", True),
    ("tcp", "req.ssl_sni -m found", "--sni ''", False),
    ("tcp", "req.ssl_sni -m found", "--url https://192.0.2.1/", False),
    ("tcp", "req.ssl_hello_type 1", "--url http://a.test:443/", False),
    ("tcp", "req.ssl_alpn h2", "--sni a --alpn http/1.1,h2", True),
    ("tcp", "req.ssl_alpn h2", "--sni a --alpn ''", False),
    ("tcp", "req.payload(0,7) -m bin 5353482d322e30", "--sni a", False),
    ("tcp", "req.payload(0,7) -m bin 5353482d322e30", "--payload SSH-2.0-x", True),
    ("tcp", "req.payload(0,4) -m str 'GET '", "--url http://a:443/", True),
    ("tcp", "req.payload(0,1) -m bin 16", "--sni a", True),
    ("tcp", "req.proto_http", "--url http://a:443/", True),
    ("tcp", "req.proto_http", "--sni a", False),
    ("tcp", "req.proto_http", "--payload SSH-2.0-x", False),
    ("tcp", "path /x", "--url http://a:443/x?y", True),
    ("tcp", "src 10.0.0.0/8", "--sni a --src 10.1.2.3", True),
    ("tcp", "src_port 7", "--sni a --src [::1]:7", True),
    ("tcp", "dst 192.0.2.1", "--sni a", True),
    ("tcp", "dst_port 443", "--sni a", True),
    ("tcp", "so_name door", "--sni a", True),
    ("tcp", "acl(tls-vault) -m bool", "--sni vault.test", True),
    ("http", "path_beg /x", "--url http://a:443/x/y", True),
    ("http", "url /x?", "--url http://a:443/x?", True),
    ("http", "hdr(host) A.Test:443", "--url http://A.Test:443/", True),
    ("http", "hdr(host) -i a:443", "--url http://a:443/", True),
    ("http", "hdr(x-a) 1", "--url http://a:443/ --header 'X-A: 1'", True),
    ("http", "hdr(x-a) -m found", "--url http://a:443/ --header X-A:", False),
    ("http", "cook(s) -m found", "--url http://a:443/ --cookie ''", False),
    ("http", "cook(s) 1", "--url http://a:443/ --cookie s=1", True),
    ("http", "method POST", "--url http://a:443/ --method POST", True),
    ("http", "ssl_fc", "--url http://a:443/", False),
    ("http", "ssl_fc_sni a", "--url http://a:443/", False),
    ("http", "url_param(a) 1", "--url 'http://a:443/?a=1'", True),
    ("http", "http_auth(people)", "--url http://a:443/ --header Authorization:", False),
    # What was not given is not guessed.
    ("tcp", "src 10.0.0.0/8", "--sni a", None),
    ("tcp", "src_port 7", "--sni a --src 10.1.2.3", None),
    ("tcp", "req.ssl_alpn h2", "--sni a", None),
    ("tcp", "req.ssl_ver gt 3.1", "--sni a", None),
    ("tcp", "req.ssl_ec_ext 1", "--sni a", None),
    ("tcp", "req.len gt 300", "--sni a", None),
    ("tcp", "req.payload(0,7) -m bin 16030100000100", "--sni a", None),
    ("tcp", "req.payload(3,2) -m bin 0102", "--sni a", None),
    ("tcp", "req.payload(0,0) -m sub x", "--sni a", None),
    ("tcp", "req.payload(0,9) -m beg SSH-2.0-x", "--payload SSH-2.0-", None),
    ("tcp", "nbsrv(b) gt 0", "--sni a", None),
    ("tcp", "src_conn_cur(b) gt 5", "--sni a --src 10.1.2.3", None),
    ("tcp", "rand(2) 1", "--sni a", None),
    ("tcp", "hostname a", "--sni a", None),
    ("tcp", "fc_src 10.1.2.3", "--sni a --src 10.1.2.3", None),
    ("tcp", "var(proc.x) -m found", "--sni a", None),
    ("tcp", "fc_rcvd_proxy", "--sni a", False),
    ("http", "hdr(x-a) 1", "--url http://a:443/", None),
    ("http", "cook(s) 1", "--url http://a:443/", None),
    ("http", "req.hdrs -m found", "--url http://a:443/", None),
    ("http", "req.body -m found", "--url http://a:443/", None),
    ("http", "http_auth(people)", "--url http://a:443/", None),
    # A part that is known may be enough.
    ("tcp", "src 10.0.0.0/8 } { req.ssl_sni b", "--sni a", False),
    ("tcp", "src 10.0.0.0/8 } || { req.ssl_sni a", "--sni a", True),
    ("tcp", "src 10.0.0.0/8 } { req.ssl_sni a", "--sni a", None),
)


@pytest.mark.parametrize(("mode", "condition", "words", "holds"), CONDITIONS)
def test_a_condition_is_true_false_or_unknown(
    mode: str,
    condition: str,
    words: str,
    holds: bool | None,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = line(mode, f"use_backend b if {{ {condition} }}")
    step = explained(tmp_path, capsys, text, words)["steps"][-1]
    assert (step["text"][:11], step["holds"]) == ("use_backend", holds)
    assert bool(step["needs"]) is (holds is None)


def test_unless_turns_what_is_known_and_leaves_what_is_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for words, holds in (("--sni a", False), ("--sni b", True)):
        found = explained(tmp_path, capsys, line("tcp", "use_backend b unless { req.ssl_sni a }"), words)
        assert found["steps"][-1]["holds"] is holds
    found = explained(tmp_path, capsys, line("tcp", "use_backend b unless { src 10.0.0.1 }"), "--sni a")
    assert found["steps"][-1]["holds"] is None


def test_rules_in_tcp_mode_see_nothing_without_inspect_delay(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = line("tcp", "use_backend b if { req.ssl_sni a }").replace("tcp-request inspect-delay 1s", "")
    found = explained(tmp_path, capsys, text, "--sni a")
    assert [step["holds"] for step in found["steps"]] == [False, False]
    assert "inspect-delay" in found["notes"][0]


def test_a_line_that_may_end_a_rule_set_makes_the_rest_possible_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rules = """http-request allow if { hdr(x-a) 1 }
    http-request deny
    default_backend b"""
    found = explained(tmp_path, capsys, line("http", rules), "--url http://a:443/")
    assert found["answer"] is None
    assert [each.partition(" (")[0] for each in found["possible"]] == ["denied with 403"]
    assert found["backends"][0]["name"] == "b"
    found = explained(tmp_path, capsys, line("http", rules), "--url http://a:443/ --header X-A:")
    assert found["answer"].startswith("denied with 403 (")
    assert found["backends"] == []


def test_what_rules_set_is_known_to_the_rules_behind(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rules = """http-request set-var(txn.who) hdr(x-who)
    http-request set-header X-Both %[var(txn.who)]-%[path]
    http-request set-path /new%[path] if { hdr(x-move) 1 }
    http-request set-header X-Sure 1
    use_backend b if { var(txn.who) -m str ann }
    use_backend b if { hdr(x-both) ann-/a }
    use_backend b if { path /new/a }
    use_backend b if { hdr(x-sure) 1 }"""
    url = "--url http://a:443/a"
    given = explained(tmp_path, capsys, line("http", rules), f"{url} --header 'X-Who: ann' --header X-Move:")
    assert [step["holds"] for step in given["steps"][4:]] == [True]
    other = explained(
        tmp_path, capsys, line("http", rules), f"{url} --header 'X-Who: bob' --header 'X-Move: 1'"
    )
    assert [step["holds"] for step in other["steps"][4:]] == [False, False, True]
    open_ = explained(tmp_path, capsys, line("http", rules), url)
    assert [step["holds"] for step in open_["steps"][4:]] == [None, None, None, True]
    assert [each["sure"] for each in open_["backends"]] == [False, False, False, False]


REDIRECTS = (
    ("location https://x.test%[pathq]", "--url http://a.test:443/p?q", "https://x.test/p?q"),
    ("scheme https", "--url http://a.test:443/p?q", "https://a.test:443/p?q"),
    ("prefix https://x.test", "--url http://a.test:443/p?q", "https://x.test/p?q"),
    ("prefix /", "--url http://a.test:443/p", "/p"),
    ("prefix https://x.test drop-query", "--url http://a.test:443/p?q", None),
    ("location https://%[hdr(x-a)]", "--url http://a.test:443/p", None),
    ("location https://%[hdr(x-a)]", "--url http://a.test:443/p --header 'X-A: b'", "https://b"),
)


@pytest.mark.parametrize(("rule", "words", "location"), REDIRECTS)
def test_a_redirection_is_told_with_its_location_where_that_is_known(
    rule: str, words: str, location: str | None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = explained(tmp_path, capsys, line("http", f"http-request redirect {rule} code 308"), words)
    to = "" if location is None else f" to {location}"
    assert found["answer"].startswith(f"redirected with 308{to} (")


def test_the_machine_need_not_be_this_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = """
defaults
    timeout connect 1s
    timeout client 1s
    timeout server 1s
frontend f
    bind 192.0.2.1:443 namespace nowhere-red
    bind 192.0.2.1:443 namespace nowhere-blue
    use_backend %[src_netns]
backend nowhere-blue
    server s no.such.name.invalid:80 namespace *
"""
    found = explained(tmp_path, capsys, text, "--sni a --namespace nowhere-blue")
    assert (found["namespace"], found["backends"][0]["name"]) == ("nowhere-blue", "nowhere-blue")
    assert found["backends"][0]["servers"][0]["address"] == "no.such.name.invalid:80"
    which = explained(tmp_path, capsys, text, "--sni a", status=1)
    assert len(which["binds"]) == 2


LOOP = """
defaults
    timeout connect 1s
    timeout client 1s
    timeout server 1s
frontend front
    bind 0.0.0.0:443
    default_backend inner
backend inner
    server i 127.0.0.1:9001 send-proxy-v2
frontend within
    mode http
    bind 127.0.0.1:9001 {accept}
    http-request deny if {{ src 10.0.0.1 }}
    use_backend %[req.hdr(host),lower]
backend a.test
    mode http
    balance leastconn
    server one 192.0.2.1:80
    server two 192.0.2.2:80
    server off 192.0.2.3:80 disabled
    server spare 192.0.2.4:80 backup
"""


def test_a_server_line_that_leads_into_another_bind_is_followed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = "--url http://A.test/ --bind 443 --src"
    text = LOOP.format(accept="accept-proxy")
    (inner,) = explained(tmp_path, capsys, text, f"{words} 10.0.0.1")["backends"]
    (server,) = inner["servers"]
    assert server["proxy_header"] == 2
    assert server["next"]["answer"].startswith("denied with 403")
    (inner,) = explained(tmp_path, capsys, text, f"{words} 10.0.0.2")["backends"]
    hop = inner["servers"][0]["next"]
    assert (hop["frontend"], hop["answer"], hop["client"][:8]) == ("within", None, "10.0.0.2")
    (backend,) = hop["backends"]
    assert [each["name"] for each in backend["servers"]] == ["one", "two"]
    assert backend["choice"] == "one of them, by balance leastconn"


TENANTS = """
defaults
    timeout connect 1s
    timeout client 1s
    timeout server 1s
namespace_list
    namespace red blue
frontend out
    bind 10.0.0.1:8080 namespace red
    bind 10.0.0.1:8080 namespace blue
    default_backend next
backend next
    server next 127.0.0.1:9000 send-proxy-v2
frontend in
    bind 127.0.0.1:9000 accept-proxy
    use_backend %[src_netns]
backend blue
    server origin 10.0.0.10:80 namespace *
"""


def test_a_tenants_namespace_survives_a_header_of_ours(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = explained(tmp_path, capsys, TENANTS, "--payload x --bind 8080 --namespace blue")
    hop = found["backends"][0]["servers"][0]["next"]
    assert (hop["namespace"], hop["backends"][0]["name"]) == (None, "blue")


def test_a_header_that_nobody_expects_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = explained(
        tmp_path, capsys, LOOP.format(accept=""), "--url http://a.test/ --bind 443 --src 10.0.0.1"
    )
    (server,) = found["backends"][0]["servers"]
    assert "expects no PROXY header" in server["notes"][0]


def test_circles_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = LOOP.format(accept="accept-proxy").replace("192.0.2.1:80", "127.0.0.1:443")
    found = explained(tmp_path, capsys, text, "--url http://a.test/ --bind 443 --src 10.0.0.2")
    servers = found["backends"][0]["servers"][0]["next"]["backends"][0]["servers"]
    assert "in circles" in servers[0]["notes"][0]


def test_without_a_bind_that_fits_the_binds_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = explained(tmp_path, capsys, LOOP.format(accept=""), "--sni a --bind 9002", status=1)
    assert found["needs"][0].startswith("another --bind")
    assert len(found["binds"]) == 2


@pytest.mark.parametrize(
    "words",
    [
        "-f x",
        "--sni a",
        "--url ftp://a/ x",
        "--url 'http://a b/' x",
        "--url http://a:99999/ x",
        "--sni a --src nowhere x",
        "--sni a --payload b x",
        "--sni a --unheard of x",
        "--url http://a/ --header none x",
        "--payload '\\x' x",
        "--sni",
    ],
)
def test_a_description_that_makes_no_sense_is_refused(words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", *shlex.split(words)]) == 2
    assert "usage: isthmus explain" in capsys.readouterr().err


def test_codes_are_still_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", "E0422"]) == 0
    assert capsys.readouterr().out.startswith("E0422: ")


def test_the_text_names_each_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "a.cfg"
    file.write_text(line("tcp", "use_backend b if { src 10.0.0.0/8 } # private"))
    assert run(["explain", "--sni", "a", str(file)]) == 0
    out = capsys.readouterr().out
    assert f"{file}:15  unknown  use_backend b if {{ src 10.0.0.0/8 }} # private  -> backend b\n" in out
    assert "needs --src ADDRESS: who the client is\n" in out
    assert "  perhaps backend b (" in out
