"""`jwt_verify` beside HAProxy: signatures that are right, wrong, missing, or of another algorithm."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from .http_lab import PREAMBLE, Client, Reply, Script
from .lab import Both, Lab

SECRET = b"0123 not to be told"
HASHES = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
CURVES = {"256": ec.SECP256R1(), "384": ec.SECP384R1(), "512": ec.SECP521R1()}


def encoded(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


@dataclass(frozen=True)
class Keys:
    """A key of each kind, whose public halves are files."""

    folder: Path
    private: dict[str, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey]

    @classmethod
    def made(cls, folder: Path) -> Keys:
        private: dict[str, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey] = {
            "RS": rsa.generate_private_key(65537, 2048),
            **{f"ES{bits}": ec.generate_private_key(curve) for bits, curve in CURVES.items()},
        }
        for name, key in private.items():
            public = key.public_key().public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
            (folder / f"{name}.pem").write_bytes(public)
        return cls(folder, private)

    def file(self, algorithm: str) -> str:
        return str(self.folder / ("RS.pem" if algorithm[0] in "RP" else f"{algorithm}.pem"))

    def token(self, algorithm: str) -> bytes:
        """A token with the right signature."""
        signed = b".".join((encoded(b'{"alg":"%s"}' % algorithm.encode()), encoded(b'{"sub":"a"}')))
        kind, bits = algorithm[:2], algorithm[2:]
        if kind == "HS":
            signature = hmac.new(SECRET, signed, f"sha{bits}").digest()
        elif kind == "ES":
            key = self.private[algorithm]
            assert isinstance(key, ec.EllipticCurvePrivateKey)
            size = (key.key_size + 7) // 8
            pair = decode_dss_signature(key.sign(signed, ec.ECDSA(HASHES[bits])))
            signature = b"".join(number.to_bytes(size) for number in pair)
        else:
            key = self.private["RS"]
            assert isinstance(key, rsa.RSAPrivateKey)
            pss = padding.PSS(padding.MGF1(HASHES[bits]), HASHES[bits].digest_size)
            signature = key.sign(signed, padding.PKCS1v15() if kind == "RS" else pss, HASHES[bits])
        return signed + b"." + encoded(signature)


ALGORITHMS = tuple(f"{kind}{bits}" for kind in ("HS", "RS", "ES") for bits in HASHES)
NEWER = tuple(f"PS{bits}" for bits in HASHES)


def site(keys: Keys, algorithms: tuple[str, ...]) -> str:
    """Each path is judged with an algorithm, once as it is written and once from a variable."""
    lines = []
    for name in algorithms:
        key = SECRET.decode().replace(" ", r"\ ") if name.startswith("HS") else keys.file(name)
        lines += [
            f"  http-request set-header x-verdict %[req.hdr(token),jwt_verify({name},{key})]"
            f" if {{ path /{name} }}"
        ]
    lines.append(
        "  http-request set-header x-verdict %[req.hdr(token),jwt_verify(txn.alg,txn.key)]"
        " if { path /variable }"
    )
    rules = "\n".join(lines)
    return f"""
frontend f
  bind 127.0.0.1:<front>
  http-request set-var(txn.alg) req.hdr(alg)
  http-request set-var(txn.key) req.hdr(key)
{rules}
  http-request return status 200 hdr x-verdict %[req.hdr(x-verdict)]
"""


def verdicts(lab: Lab, questions: list[tuple[str, bytes, bytes, bytes]]) -> list[str]:
    """What is said of tokens, each asked for at a path with an algorithm and a key in fields."""
    client = Client(lab, "front", "a")
    for path, token, algorithm, key in questions:
        fields = b"Token: %s\r\nAlg: %s\r\nKey: %s\r\n" % (token, algorithm, key)
        client.send(b"GET /%s HTTP/1.1\r\nHost: a\r\n%s\r\n" % (path.encode(), fields))
        client.read(len(client.messages()) + 1)
    return [
        next(line for line in message.head.decode().splitlines() if line.startswith("x-verdict"))
        for message in client.messages()
    ]


def asked(keys: Keys) -> list[tuple[str, bytes, bytes, bytes]]:
    found = []
    for name in ALGORITHMS:
        token = keys.token(name)
        signed, _, signature = token.rpartition(b".")
        found += [
            (name, each, b"-", b"-")
            for each in (
                token,
                signed[:-1] + b"A." + signature,
                signed + b"." + encoded(bytes(len(signature) * 3 // 4)),
                signed + b".",
                signed,
                token + b".x",
                b"x",
                keys.token("HS256" if name != "HS256" else "HS512"),
            )
        ]
    for name in ("HS256", "HS384", "HS512"):
        found += [("variable", keys.token(name), name.encode(), key) for key in (SECRET, b"other")]
    found += [("variable", keys.token("HS256"), b"HS999", SECRET)]
    return found


def test_both_proxies_say_the_same_of_tokens(both: Both, tmp_path: Path) -> None:
    keys = Keys.made(tmp_path)
    questions = asked(keys)
    seen = both(
        site(keys, ALGORITHMS),
        lambda lab: verdicts(lab, questions),
        origins={"a": Script((Reply(),))},
        preamble=PREAMBLE,
        normal=lambda _line: "",
    )
    assert seen.value[::8][: len(ALGORITHMS)] == ["x-verdict: 1"] * len(ALGORITHMS)


def test_pss_is_verified_too_and_a_public_key_is_no_secret(both: Both, tmp_path: Path) -> None:
    keys = Keys.made(tmp_path)
    token = keys.token("PS256")
    public = Path(keys.file("RS256")).read_bytes()
    signed = token.rpartition(b".")[0]
    forged = signed + b"." + encoded(hmac.new(public, signed, hashlib.sha256).digest())
    lab = Lab(both.candidate, tmp_path / "isthmus", PREAMBLE + site(keys, NEWER), {"a": Script((Reply(),))})
    try:
        questions = [(name, keys.token(name), b"-", b"-") for name in NEWER]
        questions += [("PS256", keys.token("PS512"), b"-", b"-"), ("PS256", forged, b"-", b"-")]
        assert [each[-1] for each in verdicts(lab, questions)] == ["1", "1", "1", "0", "0"]
    finally:
        lab.close()
