"""Revocation lists of version 1, or without extensions: who gets in, from which side, and what rules see."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography import x509

from .lab import Both, Lab
from .test_tls_ignored import PREAMBLE, client_with, message, served
from .tls_chains import FUTURE, PAST, Issued, issued
from .tls_lists import Plain
from .tls_paper import Paper, made

# What the lines ignore: nothing, everything, and an error of lists at the client's own certificate.
IGNORING = {"strict": "", "lenient": "ca-ignore-err all crt-ignore-err all", "dated": "crt-ignore-err 11,12"}


@pytest.fixture(scope="module")
def paper(tmp_path_factory: pytest.TempPathFactory) -> Paper:
    return made(tmp_path_factory.mktemp("tls"))


def written(folder: Path, name: str, *texts: str) -> Path:
    path = folder / name.replace(" ", "-")
    path.write_text("".join(texts))
    return path


class Files:
    """Chains of clients and servers, and lists, by name."""

    def __init__(self, folder: Path) -> None:
        root, stranger = issued("root", authority=True), issued("stranger", authority=True)
        inter, gone = issued("inter", root, authority=True), issued("gone", root, authority=True)
        mute = _mute(root)
        revoked, both = issued("revoked", inter), issued("both", gone)
        for each in (gone, revoked, both):
            each.revoke()
        chains = {
            "good": (issued("good", inter), inter),
            "revoked": (revoked, inter),
            "inter revoked": (issued("a", gone), gone),
            "both revoked": (both, gone),
            "no right to lists": (issued("b", mute), mute),
            "stranger": (issued("c", stranger),),
        }
        self.chains = {
            name: written(folder, name, *(each.pem for each in chain), chain[0].key_pem)
            for name, chain in chains.items()
        }
        others = [Plain(each).pem for each in (root, gone, mute)]
        lists = {
            "plain": [*others, Plain(inter).pem],
            "bare": [Plain(each, version=2).pem for each in (root, gone, mute, inter)],
            "mixed": [*others, inter.crl()],
            "root's alone with extensions": [root.crl(), gone.crl(), Plain(inter).pem, Plain(mute).pem],
            "wrongly signed": [*others, Plain(inter, signer=stranger).pem],
            "root's wrongly signed": [
                *(Plain(root, signer=stranger).pem, Plain(inter).pem, Plain(gone).pem),
                Plain(mute).pem,
            ],
            "with extensions wrongly signed": [*others[1:], root.crl(), Plain(inter, signer=root).pem],
            "old": [*others, Plain(inter, days=PAST).pem],
            "early": [*others, Plain(inter, days=FUTURE).pem],
            "endless": [*others, Plain(inter, days=(-9, None)).pem],
            "bare endless": [*others, Plain(inter, version=2, days=(-9, None)).pem],
            "missing": others,
            "root's missing": [Plain(inter).pem, Plain(gone).pem],
            "stranger's": [*others, Plain(stranger).pem],
            "newer": [*others, Plain(inter, days=(-8, 9), full=False).pem, Plain(inter, days=(-3, 8)).pem],
            "older": [*others, Plain(inter, days=(-8, 9)).pem, Plain(inter, days=(-3, 8), full=False).pem],
            "newer is over": [*others, Plain(inter).pem, Plain(inter, days=(-3, -2), full=False).pem],
        }
        self.lists = {name: written(folder, f"{name}.crl", *parts) for name, parts in lists.items()}
        self.ca = written(folder, "ca.crt", root.pem)


def _mute(root: Issued) -> Issued:
    """An authority that may sign certificates, and no lists."""
    usage = x509.KeyUsage(
        **dict.fromkeys(
            ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment"), False
        ),
        **dict.fromkeys(("key_agreement", "crl_sign", "encipher_only", "decipher_only"), False),
        key_cert_sign=True,
    )
    return issued("mute", root, authority=True, key_usage=usage)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return Files(tmp_path_factory.mktemp("lists"))


def line_of(name: str, ignoring: str) -> str:
    return f"{name}_{ignoring}".replace(" ", "_").replace("'", "")


def test_clients_are_judged_by_lists_as_by_haproxy(both: Both, files: Files, paper: Paper) -> None:
    """Each chain at each line; the log has what the fetches say, one line for each connection."""
    text = ""
    for name, path in files.lists.items():
        for ignoring, said in IGNORING.items():
            line = line_of(name, ignoring)
            believing = f'ca-file {files.ca} crl-file "{path}" verify required {said}'
            text += f"""
frontend {line}
  bind 127.0.0.1:<{line}> ssl crt {paper["site.pem"]} {believing}
  http-request return status 200
"""

    def traffic(lab: Lab) -> dict[str, str]:
        seen = {}
        for chain, path in files.chains.items():
            client = client_with(path)
            for name in files.lists:
                for ignoring in IGNORING:
                    line = line_of(name, ignoring)
                    got = served(lab, line, client)
                    said = lab.log.wait(len(seen) + 1)[-1].message
                    seen[f"{chain} at {line}"] = f"{got} {said}"
        return seen

    seen = both(text, traffic, preamble=PREAMBLE, origins={}, normal=message).value
    for name in ("plain", "bare", "mixed", "endless"):
        assert seen[f"good at {name}_strict"].startswith("True"), name
        for chain, error in (("revoked", " err=23 "), ("inter revoked", " ca_err=23 ")):
            told = seen[f"{chain} at {name}_strict"]
            assert told.startswith("False"), name
            assert error in told
    assert " err=8 " in seen["good at wrongly_signed_strict"]
    assert " err=12 " in seen["good at old_strict"]


def test_servers_are_judged_by_lists_as_by_haproxy(both: Both, files: Files) -> None:
    chains = {name: path for name, path in files.chains.items() if name != "stranger"}
    text = ""
    for at, path in enumerate(chains.values()):
        text += f"frontend server{at}\n  bind 127.0.0.1:<server{at}> ssl crt {path}\n"
        text += "  http-request return status 200\n"
        for to, crl in enumerate(files.lists.values()):
            text += f"""
backend b{at}_{to}
  server s 127.0.0.1:<server{at}> ssl verify required ca-file {files.ca} crl-file "{crl}"
"""
    text += "frontend front\n  bind 127.0.0.1:<front>\n  use_backend %[path,field(2,/)]\n"

    def traffic(lab: Lab) -> dict[str, str]:
        seen = {}
        for at, chain in enumerate(chains):
            for to, name in enumerate(files.lists):
                answer = lab.ask(f"GET /b{at}_{to} HTTP/1.0\r\n\r\n".encode())
                seen[f"{chain} by {name}"] = answer[9:12].decode()
        return seen

    quiet = PREAMBLE.replace("log global", "retries 0")
    seen = both(text, traffic, preamble=quiet, origins={}, normal=message).value
    assert [seen["good by plain"], seen["revoked by plain"]] == ["200", "503"]
    assert seen["good by wrongly signed"] == "503"
