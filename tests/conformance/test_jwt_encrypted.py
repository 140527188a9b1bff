"""Encrypted tokens, and tokens that certificates sign. No HAProxy of ours knows them: jwcrypto makes them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from jwcrypto import jwe, jwk, jws

from .http_lab import PREAMBLE, Client, Reply, Script
from .lab import Both, Lab
from .tls_paper import Paper

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")

PLAIN = b'{"sub":"ann"}'
SECRET = jwk.JWK(kty="oct", k="GawgguFyGrWKav7AX4VKUg")
CURVE = jwk.JWK.generate(kty="EC", crv="P-384")


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Paper:
    paper = Paper(tmp_path_factory.mktemp("pki"))
    paper.authority("ca", "/CN=CA")
    for name, kind in {"rsa": "rsa:2048", "ec": "ec", "later": "rsa:2048", "closed": "rsa:2048"}.items():
        extra = () if kind == "ec" else (kind,)
        paper.issued(name, "ca", f"/CN={name}.test", *extra)
    return paper


def key(pki: Paper, name: str) -> jwk.JWK:
    return jwk.JWK.from_pem((pki.folder / f"{name}.key").read_bytes())


def _answers(folder: Path, own: str) -> str:
    """A path for each way to look at a token."""
    converters = {
        "file": f"jwt_decrypt_cert({folder}/rsa.pem)",
        "store": "jwt_decrypt_cert(@s/ec)",
        "named": "jwt_decrypt_cert(txn.key)",
        "secret": "jwt_decrypt_secret(GawgguFyGrWKav7AX4VKUg)",
        "secrets": "jwt_decrypt_secret(txn.key)",
        "jwk": f"jwt_decrypt_jwk('{own}')",
        "jwks": "jwt_decrypt_jwk(txn.key)",
        "rs256": f"jwt_verify_cert(RS256,{folder}/rsa.pem)",
        "judge": "jwt_verify_cert(txn.alg,txn.key)",
    }
    return "\n".join(
        f'  http-request return hdr x "%[var(txn.token),{converter}]" if {{ path /{path} }}'
        for path, converter in converters.items()
    )


def config(pki: Paper, more: str = "") -> str:
    own = json.dumps(CURVE.export_private(as_dict=True)).replace('"', r"\"")
    return f"""
global
  {more}
crt-store
  load crt {pki.folder}/closed.pem
crt-store s
  load crt {pki.folder}/ec.pem alias ec jwt on
  load crt {pki.folder}/later.pem alias later jwt on
{PREAMBLE}
frontend f
  bind 127.0.0.1:<front>
  http-request set-var(txn.token) req.hdr(token)
  http-request set-var(txn.key) req.fhdr(key)
  http-request set-var(txn.alg) req.hdr(alg)
{_answers(pki.folder, own)}
"""


@pytest.fixture
def lab(both: Both, pki: Paper, tmp_path: Path) -> Iterator[Lab]:
    lab = Lab(both.candidate, tmp_path / "isthmus", config(pki), {"a": Script((Reply(),))})
    yield lab
    lab.close()


def ask(lab: Lab, path: str, token: str, field: str = "-", algorithm: str = "-") -> str:
    """What is said of a token in field `x`."""
    client = Client(lab, "front", "a")
    fields = f"Token: {token}\r\nKey: {field}\r\nAlg: {algorithm}\r\n"
    client.send(f"GET /{path} HTTP/1.1\r\nHost: a\r\n{fields}\r\n".encode())
    client.read(1)
    (message,) = client.messages()
    lines = message.head.decode().splitlines()
    return next(line.partition(":")[2].strip() for line in lines if line.lower().startswith("x:"))


def sealed(key: jwk.JWK, alg: str, enc: str = "A256GCM") -> str:
    made = jwe.JWE(PLAIN, protected={"alg": alg, "enc": enc}, algs=[alg, enc], recipient=key)
    return str(made.serialize(compact=True))


def signed(key: jwk.JWK, alg: str) -> str:
    made = jws.JWS(PLAIN)
    made.add_signature(key, alg, protected=json.dumps({"alg": alg}))
    return str(made.serialize(compact=True))


def test_tokens_are_decrypted_by_certificates_secrets_and_keys(lab: Lab, pki: Paper) -> None:
    rsa, curve = key(pki, "rsa"), key(pki, "ec")
    plain = PLAIN.decode()
    assert ask(lab, "file", sealed(rsa, "RSA-OAEP-256")) == plain
    assert ask(lab, "file", sealed(rsa, "RSA-OAEP", "A128CBC-HS256")) == plain
    assert ask(lab, "store", sealed(curve, "ECDH-ES")) == plain
    assert ask(lab, "store", sealed(curve, "ECDH-ES+A192KW", "A192CBC-HS384")) == plain
    assert ask(lab, "named", sealed(curve, "ECDH-ES+A256KW"), "@s/ec") == plain
    assert ask(lab, "secret", sealed(SECRET, "A128KW")) == plain
    assert ask(lab, "secrets", sealed(SECRET, "A128GCMKW"), SECRET.get_op_key("encrypt")) == plain
    assert ask(lab, "secrets", sealed(SECRET, "dir", "A128GCM"), SECRET.get_op_key("encrypt") + "==") == plain
    assert ask(lab, "jwk", sealed(CURVE, "ECDH-ES+A128KW")) == plain
    assert ask(lab, "jwks", sealed(rsa, "RSA-OAEP"), str(rsa.export_private())) == plain


def test_what_cannot_be_decrypted_is_empty(lab: Lab, pki: Paper) -> None:
    rsa, token = key(pki, "rsa"), sealed(SECRET, "A128KW")
    for path, wrong, field in (
        ("file", sealed(rsa, "RSA1_5"), "-"),
        ("file", sealed(key(pki, "closed"), "RSA-OAEP"), "-"),
        ("named", sealed(key(pki, "closed"), "RSA-OAEP"), f"{pki.folder}/closed.pem"),
        ("named", sealed(rsa, "RSA-OAEP"), "no.pem"),
        ("secret", token[:-4] + "AAAA", "-"),
        ("secret", "x", "-"),
        ("jwks", token, "{}"),
        ("jwk", token, "-"),
    ):
        assert ask(lab, path, wrong, field) == "", (path, wrong, field)


def test_signatures_are_verified_by_certificates(lab: Lab, pki: Paper) -> None:
    rsa, curve = key(pki, "rsa"), key(pki, "ec")
    name = f"{pki.folder}/rsa.pem"
    assert ask(lab, "rs256", signed(rsa, "RS256")) == "1"
    assert ask(lab, "rs256", signed(key(pki, "closed"), "RS256")) == "0"
    assert ask(lab, "judge", signed(rsa, "PS512"), name, "PS512") == "1"
    assert ask(lab, "judge", signed(curve, "ES256"), "@s/ec", "ES256") == "1"
    assert ask(lab, "judge", signed(curve, "ES256"), name, "ES256") == "0"
    assert ask(lab, "judge", signed(rsa, "RS256"), name, "XS256") == "-1"
    assert ask(lab, "judge", signed(rsa, "RS256"), name, "HS256") == "-2"
    assert ask(lab, "judge", "a.b", name, "RS256") == "-3"
    assert ask(lab, "judge", signed(rsa, "RS256"), "no.pem", "RS256") == "-5"
    assert ask(lab, "judge", signed(rsa, "RS256"), f"{pki.folder}/closed.pem", "RS256") == "-7"


def test_a_certificate_that_is_replaced_holds_for_tokens_at_once(lab: Lab, pki: Paper) -> None:
    old, new = key(pki, "later"), key(pki, "closed")
    name = "@s/later"
    assert ask(lab, "judge", signed(old, "RS256"), name, "RS256") == "1"
    pem = (pki.folder / "closed.pem").read_text()
    assert "Transaction" in lab.command(f"set ssl cert {name} <<\n{pem}\n")
    assert "Success" in lab.command(f"commit ssl cert {name}")
    assert ask(lab, "judge", signed(old, "RS256"), name, "RS256") == "0"
    assert ask(lab, "judge", signed(new, "RS256"), name, "RS256") == "1"
    assert ask(lab, "named", sealed(new, "RSA-OAEP"), name) == PLAIN.decode()


def test_lists_of_algorithms_say_what_is_decrypted(both: Both, pki: Paper, tmp_path: Path) -> None:
    more = "jwt.decrypt_alg_list ALL:!RSA-OAEP\n  jwt.decrypt_enc_list A128CBC-HS256"
    lab = Lab(both.candidate, tmp_path / "isthmus", config(pki, more), {"a": Script((Reply(),))})
    rsa = key(pki, "rsa")
    try:
        assert ask(lab, "file", sealed(rsa, "RSA1_5", "A128CBC-HS256")) == PLAIN.decode()
        assert ask(lab, "file", sealed(rsa, "RSA-OAEP-256", "A128CBC-HS256")) == PLAIN.decode()
        assert ask(lab, "file", sealed(rsa, "RSA-OAEP", "A128CBC-HS256")) == ""
        assert ask(lab, "file", sealed(rsa, "RSA-OAEP-256", "A128GCM")) == ""
    finally:
        lab.close()
