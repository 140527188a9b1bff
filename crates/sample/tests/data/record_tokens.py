"""Records encrypted tokens: those of RFC 7516, and one that jwcrypto makes for each pair of algorithms.

    .venv/bin/python crates/sample/tests/data/record_tokens.py > crates/sample/tests/data/tokens.tsv

Each line is `key`, a name and a JWK, or `token`, its algorithms, a key's name, the token and what it holds.
"""

from __future__ import annotations

import json
import sys

from jwcrypto import jwe, jwk
from jwcrypto import tests as rfc

MANAGEMENTS = {
    "dir": "", "A128KW": "oct128", "A192KW": "oct192", "A256KW": "oct256",
    "A128GCMKW": "oct128", "A192GCMKW": "oct192", "A256GCMKW": "oct256",
    "RSA-OAEP": "rsa", "RSA-OAEP-256": "rsa", "RSA1_5": "rsa",
}  # fmt: skip
AGREEMENTS = ("ECDH-ES", "ECDH-ES+A128KW", "ECDH-ES+A192KW", "ECDH-ES+A256KW")
CURVES = ("P-256", "P-384", "P-521")
ENCRYPTIONS = {
    "A128CBC-HS256": 256, "A192CBC-HS384": 384, "A256CBC-HS512": 512,
    "A128GCM": 128, "A192GCM": 192, "A256GCM": 256,
}  # fmt: skip
CLAIMS = b'{"sub":"ann","n":%d}'


def main() -> None:
    """Write the lines."""
    keys = {f"oct{bits}": jwk.JWK.generate(kty="oct", size=bits) for bits in (128, 192, 256, 384, 512)}
    keys["rsa"] = jwk.JWK.generate(kty="RSA", size=2048)
    keys |= {curve: jwk.JWK.generate(kty="EC", crv=curve) for curve in CURVES}
    for number, example in enumerate((rfc.E_A1_ex, rfc.E_A2_ex, rfc.E_A3_ex), 1):
        keys[f"rfc{number}"] = example["key"]
    for name, key in keys.items():
        _line("key", name, key.export_private() if key.has_private else key.export())
    for number, example in enumerate((rfc.E_A1_ex, rfc.E_A2_ex, rfc.E_A3_ex), 1):
        header = json.loads(example["protected"])
        names = f"{header['alg']} {header['enc']}"
        _line("token", names, f"rfc{number}", example["vector"], _text(example["plaintext"]))
    count = 0
    for enc, bits in ENCRYPTIONS.items():
        pairs = [(alg, name or f"oct{bits}") for alg, name in MANAGEMENTS.items()]
        pairs += [(alg, curve) for alg in AGREEMENTS for curve in CURVES]
        for alg, name in pairs:
            count += 1
            plain = CLAIMS % count
            protected = {"alg": alg, "enc": enc}
            if alg in AGREEMENTS and count % 2:
                protected |= {"apu": "QWxpY2U", "apv": "Qm9i"}
            token = jwe.JWE(plain, protected=protected, algs=[alg, enc], recipient=keys[name])
            _line("token", f"{alg} {enc}", name, token.serialize(compact=True), plain.decode())


def _text(plain: str | bytes) -> str:
    return plain.decode() if isinstance(plain, bytes) else plain


def _line(*fields: str) -> None:
    sys.stdout.write("\t".join(fields) + "\n")


main()
