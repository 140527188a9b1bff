"""Certificates, lists, authorities and ticket keys that are replaced over the stats socket."""

from __future__ import annotations

import shutil
import socket
import ssl
from base64 import b64encode
from pathlib import Path
from typing import NamedTuple

import pytest

from .lab import PREAMBLE, Both, Lab, observe
from .tls_paper import Paper

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")

NAMES = ("a", "b", "c", "d", "e", "f", "other-a", "mine")
CONFIG = """
frontend f
  bind 127.0.0.1:<front> ssl crt {pki}/a.pem crt-list {pki}/list.txt crt {pki}/dir alpn http/1.1 {more}
  default_backend b
frontend tickets
  bind 127.0.0.1:<tickets> ssl crt {pki}/a.pem tls-ticket-keys {pki}/tickets
  default_backend b
backend b
  server a <a>
  server s 127.0.0.1:1 ssl verify none crt {pki}/e.pem backup
"""
CLIENTS = "ca-file {pki}/ca.crt crl-file {pki}/crl.pem verify optional"


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Paper:
    paper = Paper(tmp_path_factory.mktemp("pki"))
    folder = paper.folder
    paper.authority("ca", "/CN=CA")
    paper.authority("ca2", "/CN=CA2")
    for name in NAMES:
        host = name.removeprefix("other-")
        paper.issued(name, "ca", f"/CN={host}.test", extensions=f"subjectAltName=DNS:{host}.test")
    paper.issued("rsa", "ca", "/C=DE/O=X/CN=rsa.test", "rsa:2048")
    (folder / "chain.pem").write_text(
        "".join((folder / part).read_text() for part in ("f.crt", "ca.crt", "f.key"))
    )
    (folder / "wrong.pem").write_text((folder / "b.crt").read_text() + (folder / "a.key").read_text())
    (folder / "dir").mkdir()
    for name in ("d", "e"):
        shutil.copy(folder / f"{name}.pem", folder / "dir" / f"{name}.pem")
    b, c = folder / "b.pem", folder / "c.pem"
    (folder / "list.txt").write_text(f"{b} [verify none] b.test !www.b.test\n\n# c\n{c}\n{b} *.x.test\n")
    (folder / "ca.cnf").write_text(
        "[ca]\ndefault_ca = d\n[d]\ndatabase = index\ndefault_md = sha256\ndefault_crl_days = 3\n"
        "crlnumber = crlnumber\n"
    )
    (folder / "index").write_text("")
    (folder / "crlnumber").write_text("01\n")
    crl = ("-keyfile", "ca.key", "-cert", "ca.crt", "-out", "crl.pem")
    paper.run("ca", "-config", "ca.cnf", "-gencrl", *crl)
    keys = (b64encode(bytes([each] * 48)).decode() for each in range(3))
    (folder / "tickets").write_text("".join(f"{key}\n" for key in keys))
    return paper


class Row(NamedTuple):
    """A command, a file that is its payload, and what HAProxy says in other words."""

    text: str
    payload: str = ""
    ours: str = ""


A = "{pki}/a.pem"
LIST = "{pki}/list.txt"
CERTIFICATES = (
    Row("show ssl cert"),
    Row(f"show ssl cert {A}"),
    Row("show ssl cert {pki}/e.pem"),
    Row("show ssl cert nofile"),
    Row("set ssl cert"),
    Row(f"set ssl cert {A}"),
    Row("set ssl cert nofile", "b.pem"),
    Row(f"set ssl cert {A}.other", "b.key"),
    Row("commit ssl cert"),
    Row("abort ssl cert"),
    Row(f"commit ssl cert {A}"),
    Row(f"abort ssl cert {A}"),
    Row(f"set ssl cert {A}", "other-a.pem"),
    Row("show ssl cert"),
    Row(f"show ssl cert *{A}"),
    Row("commit ssl cert {pki}/b.pem"),
    Row("abort ssl cert {pki}/b.pem"),
    Row(f"abort ssl cert {A}"),
    Row(f"set ssl cert {A}", "other-a.pem"),
    Row(f"set ssl cert {A}", "chain.pem"),
    Row(f"commit ssl cert {A}"),
    Row(f"show ssl cert {A}"),
    Row(
        f"set ssl cert {A}",
        "wrong.pem",
    ),
    Row(
        f"commit ssl cert {A}",
        ours="the private key of `{pki}/a.pem` is not the certificate's.\nCan't commit {pki}/a.pem!\n\n",
    ),
    Row(f"set ssl cert {A}.key", "b.key"),
    Row(f"commit ssl cert {A}"),
    Row(f"set ssl cert {A}", "f.crt"),
    Row(f"commit ssl cert {A}"),
    Row(f"set ssl cert {A}", "tickets"),
    Row(f"set ssl cert {A}.key", "tickets"),
    Row(f"set ssl cert {A}.issuer", "tickets"),
    Row(f"abort ssl cert {A}"),
    Row("new ssl cert"),
    Row("new ssl cert new.pem"),
    Row("new ssl cert new.pem"),
    Row("show ssl cert new.pem"),
    Row(f"add ssl crt-list {LIST} new.pem"),
    Row("set ssl cert new.pem", "rsa.pem"),
    Row("commit ssl cert new.pem"),
    Row("show ssl cert new.pem"),
    Row("show ssl cert"),
    Row("new ssl cert empty.pem"),
    Row("del ssl cert empty.pem"),
    Row("del ssl cert"),
    Row("del ssl cert nofile"),
    Row(f"del ssl cert {A}"),
)
LISTS = (
    Row("show ssl crt-list"),
    Row(f"show ssl crt-list {LIST}"),
    Row(f"show ssl crt-list -n {LIST}"),
    Row("show ssl crt-list -n {pki}/dir"),
    Row("show ssl crt-list -n"),
    Row("show ssl crt-list nofile"),
    Row("add ssl crt-list"),
    Row(f"add ssl crt-list {LIST}"),
    Row("add ssl crt-list nolist new.pem"),
    Row(f"add ssl crt-list {LIST} nofile"),
    Row(f"add ssl crt-list {LIST} new.pem"),
    Row("show ssl cert new.pem"),
    Row(f"add ssl crt-list {LIST}", "line: new.pem [verify none] foo.test !bar.test"),
    Row(
        f"add ssl crt-list {LIST}",
        "line: new.pem [bogus x] foo.test",
        "Can't edit the crt-list: unknown keyword `bogus` on a crt-list line\n\n",
    ),
    Row(f"add ssl crt-list {LIST}", "line: new.pem a.test\nnew.pem b.test"),
    Row(f"show ssl crt-list -n {LIST}"),
    Row("del ssl crt-list"),
    Row(f"del ssl crt-list {LIST}"),
    Row("del ssl crt-list nolist new.pem"),
    Row(f"del ssl crt-list {LIST} nofile"),
    Row(f"del ssl crt-list {LIST} {A}"),
    Row(f"del ssl crt-list {LIST} new.pem"),
    Row(f"del ssl crt-list {LIST} new.pem:99"),
    Row(f"del ssl crt-list {LIST} new.pem:6"),
    Row(f"del ssl crt-list {LIST} new.pem"),
    Row(f"show ssl crt-list -n {LIST}"),
    Row("del ssl cert new.pem"),
    Row("add ssl crt-list {pki}/dir {pki}/c.pem"),
    Row("add ssl crt-list {pki}/dir {pki}/dir/d.pem"),
    Row("del ssl crt-list {pki}/dir {pki}/dir/d.pem"),
    Row("add ssl crt-list {pki}/dir/ {pki}/dir/d.pem"),
    Row("show ssl crt-list -n {pki}/dir"),
    Row(f"del ssl crt-list {LIST} {{pki}}/c.pem"),
    Row("del ssl cert {pki}/c.pem"),
    Row("show ssl cert"),
)
PEM = tuple(
    row
    for word, file, other in (
        ("ca-file", "{pki}/ca.crt", "ca2.crt"),
        ("crl-file", "{pki}/crl.pem", "crl.pem"),
    )
    for row in (
        Row(f"show ssl {word}"),
        Row(f"show ssl {word} {file}"),
        Row(f"show ssl {word} {file}:1"),
        Row(f"show ssl {word} {file}:2"),
        Row(f"show ssl {word} nofile"),
        Row(f"set ssl {word} {file}", other),
        Row(f"show ssl {word}"),
        Row(f"set ssl {word} {file}", "tickets"),
        Row(f"commit ssl {word} {file}"),
        Row(f"show ssl {word} {file}"),
        Row(f"commit ssl {word} {file}"),
        Row(f"abort ssl {word} {file}"),
        Row(f"set ssl {word} nofile", other),
        Row(f"new ssl {word} {word}.new"),
        Row(f"new ssl {word} {word}.new"),
        Row(f"show ssl {word}"),
        Row(f"set ssl {word} {word}.new", other),
        Row(f"set ssl {word} {file}", other),
        Row(f"commit ssl {word} {file}"),
        Row(f"abort ssl {word} {file}"),
        Row(f"abort ssl {word} {word}.new"),
        Row(f"set ssl {word} {word}.new", other),
        Row(f"commit ssl {word} {word}.new"),
        Row(f"show ssl {word} {word}.new"),
        Row(f"del ssl {word} {word}.new"),
        Row(f"del ssl {word} {file}"),
        Row(f"del ssl {word} nofile"),
        *(Row(f"{verb} ssl {word}") for verb in ("new", "set", "commit", "abort", "del")),
    )
)
KEY = b64encode(b"k" * 48).decode()
KEYS = (
    Row("show tls-keys"),
    Row("show tls-keys *"),
    Row("show tls-keys #0"),
    Row("show tls-keys nofile"),
    Row(f"set ssl tls-key {{pki}}/tickets {KEY}"),
    Row("show tls-keys *"),
    Row("set ssl tls-key"),
    Row("set ssl tls-key #0"),
    Row("set ssl tls-key #0 AAAA"),
    Row("set ssl tls-key #0 !!!!"),
    Row("set ssl tls-key #9 AAAA"),
)


def asked(lab: Lab, row: Row, pki: Paper) -> str:
    text = row.text.replace("{pki}", str(pki.folder))
    if row.payload.startswith("line: "):
        text += f" <<\n{row.payload.removeprefix('line: ')}\n"
    elif row.payload:
        text += f" <<\n{(pki.folder / row.payload).read_text().strip()}\n"
    return lab.command(text)


def comparable(answer: str) -> str:
    # HAProxy trusts the system's authorities for its own HTTP client, and lists them.
    lines = [line for line in answer.split("\n") if not line.startswith("@system-ca")]
    return "\n".join(lines)


def test_files_are_replaced_with_haproxys_words(both: Both, pki: Paper) -> None:
    table = (*CERTIFICATES, *LISTS, *PEM, *KEYS)

    def traffic(lab: Lab) -> list[str]:
        return [comparable(asked(lab, row, pki)) for row in table]

    config = CONFIG.format(pki=pki.folder, more=CLIENTS.format(pki=pki.folder))
    expected, got = both.apart(config, traffic)
    wrong = []
    for row, theirs, ours in zip(table, expected.value, got.value, strict=True):
        wanted = row.ours.replace("{pki}", str(pki.folder)) or theirs
        if ours != wanted:
            wrong.append(f"{row.text} {row.payload}:\n{wanted!r}\n{ours!r}")
        if row.ours:
            assert theirs != ours, f"{row.text}: we differ no more"
    assert not wrong, f"{len(wrong)} of {len(table)}:\n" + "\n".join(wrong)


def context(client: str = "", pki: Paper | None = None) -> ssl.SSLContext:
    made = ssl.create_default_context()
    made.check_hostname = False
    made.verify_mode = ssl.CERT_NONE
    made.maximum_version = ssl.TLSVersion.TLSv1_2
    if client and pki is not None:
        made.load_cert_chain(pki[f"{client}.crt"], pki[f"{client}.key"])
    return made


def connected(
    lab: Lab, name: str, with_: ssl.SSLContext | None = None, session: ssl.SSLSession | None = None
) -> ssl.SSLSocket:
    plain = socket.create_connection(("127.0.0.1", lab.ports["front"]), timeout=10)
    return (with_ or context()).wrap_socket(plain, server_hostname=name, session=session)


def shown(lab: Lab, name: str, pki: Paper) -> str:
    """Which file's certificate a client is shown."""
    with connected(lab, name) as secured:
        der = secured.getpeercert(binary_form=True)
    assert der
    found = (
        each for each in NAMES if ssl.PEM_cert_to_DER_cert((pki.folder / f"{each}.crt").read_text()) == der
    )
    return next(found, "another")


def test_handshakes_see_what_was_committed_and_connections_stay(both: Both, pki: Paper) -> None:
    def traffic(lab: Lab) -> list[object]:
        def run(text: str, payload: str = "") -> bool:
            return "rror" not in asked(lab, Row(text, payload), pki)

        seen: list[object] = [shown(lab, each, pki) for each in ("a.test", "b.test", "c.test", "d.test")]
        standing = connected(lab, "a.test")
        run(f"set ssl cert {A}", "other-a.pem")
        seen.append(shown(lab, "a.test", pki))
        run(f"commit ssl cert {A}")
        seen.append(shown(lab, "a.test", pki))
        # Neither a wrong key nor half a certificate takes the place of one that works.
        for file in ("wrong.pem", "b.crt"):
            run(f"set ssl cert {A}", file)
            run(f"commit ssl cert {A}")
            run(f"abort ssl cert {A}")
            seen.append(shown(lab, "a.test", pki))
        run("new ssl cert new.pem")
        run("set ssl cert new.pem", "f.pem")
        run("commit ssl cert new.pem")
        seen.append(shown(lab, "f.test", pki))
        run(f"add ssl crt-list {LIST} new.pem")
        seen.append(shown(lab, "f.test", pki))
        run(f"del ssl crt-list {LIST} new.pem")
        seen.append(shown(lab, "f.test", pki))
        run("del ssl crt-list {pki}/dir {pki}/dir/d.pem")
        seen.append(shown(lab, "d.test", pki))
        seen.append(standing.recv(5))
        standing.close()
        return seen

    config = CONFIG.format(pki=pki.folder, more="")
    seen = both(config, traffic, logged=False)
    first = seen.value
    assert first[:8] == ["a", "b", "c", "d", "a", "other-a", "other-a", "other-a"]
    assert first[8:12] == ["other-a", "f", "other-a", "other-a"]


def greeted(lab: Lab, pki: Paper) -> bool:
    """Whether a client with a certificate of the first authority is let in."""
    try:
        with connected(lab, "a.test", context("mine", pki)) as secured:
            return secured.recv(5) != b""
    except OSError:
        return False


def test_clients_are_believed_by_the_authorities_of_this_moment(both: Both, pki: Paper) -> None:
    def traffic(lab: Lab) -> list[bool]:
        seen = [greeted(lab, pki)]
        for file in ("ca2.crt", "ca.crt"):
            asked(lab, Row("set ssl ca-file {pki}/ca.crt", file), pki)
            seen.append(greeted(lab, pki))
            asked(lab, Row("commit ssl ca-file {pki}/ca.crt"), pki)
            seen.append(greeted(lab, pki))
        return seen

    more = f"ca-file {pki['ca.crt']} verify required"
    config = CONFIG.format(pki=pki.folder, more=more)
    assert both(config, traffic, logged=False).value == [True, True, False, False, True]


def test_an_authority_is_added_to_those_of_a_file(program: str, pki: Paper, tmp_path: Path) -> None:
    def traffic(lab: Lab) -> None:
        seen = [greeted(lab, pki)]
        answers = [asked(lab, Row("add ssl ca-file {pki}/ca2.crt", "ca.crt"), pki) for _ in range(2)]
        assert [answer.split()[:2] for answer in answers] == [
            ["transaction", "created"],
            ["transaction", "updated"],
        ]
        seen.append(greeted(lab, pki))
        asked(lab, Row("commit ssl ca-file {pki}/ca2.crt"), pki)
        seen.append(greeted(lab, pki))
        assert seen == [False, False, True]
        assert "ca2.crt - 3 certificate(s)" in asked(lab, Row("show ssl ca-file"), pki)
        assert "expects a filename" in asked(lab, Row("add ssl ca-file {pki}/ca2.crt"), pki)

    more = f"ca-file {pki['ca2.crt']} verify required"
    observe(program, tmp_path / "isthmus", CONFIG.format(pki=pki.folder, more=more), traffic)


def test_sessions_outlive_a_certificate_and_not_its_rules_for_clients(both: Both, pki: Paper) -> None:
    def traffic(lab: Lab) -> list[bool]:
        client = context("mine", pki)

        def session() -> ssl.SSLSession | None:
            with connected(lab, "a.test", client) as secured:
                secured.recv(5)
                return secured.session

        def resumed(known: ssl.SSLSession | None) -> bool:
            with connected(lab, "a.test", client, known) as secured:
                secured.recv(5)
                return bool(secured.session_reused)

        kept = session()
        seen = [resumed(kept)]
        asked(lab, Row(f"set ssl cert {A}", "other-a.pem"), pki)
        asked(lab, Row(f"commit ssl cert {A}"), pki)
        seen.append(resumed(kept))
        asked(lab, Row("set ssl ca-file {pki}/ca.crt", "chain.pem"), pki)
        asked(lab, Row("commit ssl ca-file {pki}/ca.crt"), pki)
        seen.append(resumed(kept))
        return seen

    config = CONFIG.format(pki=pki.folder, more=f"ca-file {pki['ca.crt']} verify optional")
    _, got = both.apart(config, traffic, preamble=PREAMBLE)
    assert got.value == [True, True, False]
