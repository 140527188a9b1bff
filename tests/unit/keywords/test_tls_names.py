"""Lists of ciphers, curves and signature algorithms; openssl(1) judges the evaluation of ciphers."""

from __future__ import annotations

import random
import shutil
import subprocess

import pytest

from isthmus.config import Diagnostics, Span, Word
from isthmus.keywords import tls_names
from isthmus.keywords.row import RefusedError
from isthmus.model.tls import Group, Scheme, Suite

OPENSSL = shutil.which("openssl")
NAMES = {
    "ECDHE-ECDSA-AES256-GCM-SHA384": Suite.ECDSA_AES256_GCM,
    "ECDHE-RSA-AES256-GCM-SHA384": Suite.RSA_AES256_GCM,
    "ECDHE-ECDSA-CHACHA20-POLY1305": Suite.ECDSA_CHACHA20,
    "ECDHE-RSA-CHACHA20-POLY1305": Suite.RSA_CHACHA20,
    "ECDHE-ECDSA-AES128-GCM-SHA256": Suite.ECDSA_AES128_GCM,
    "ECDHE-RSA-AES128-GCM-SHA256": Suite.RSA_AES128_GCM,
}
CLASSES = """ALL HIGH MEDIUM LOW FIPS ECDHE kECDHE EECDH kEECDH ECDH DHE EDH aRSA aECDSA ECDSA RSA kRSA
    TLSv1.2 SSLv3 AES AES128 AES256 AESGCM CHACHA20 3DES RC4 MD5 SHA SHA256 SHA384 eNULL aNULL PSK
    COMPLEMENTOFDEFAULT DEFAULT SUITEB128 AES128-SHA foo ECDHE+AESGCM HIGH+aRSA"""
PARTS = (*NAMES, *CLASSES.split())


def word(text: str) -> Word:
    return Word(text, Span("t.cfg", 1, 1, 2))


def ciphers(text: str) -> list[Suite]:
    try:
        return list(tls_names.ciphers(word(text), Diagnostics()))
    except RefusedError:
        return []


def openssl(text: str) -> list[Suite]:
    run = subprocess.run(
        [str(OPENSSL), "ciphers", "-tls1_2", "-s", text], capture_output=True, text=True, check=False
    )
    return [NAMES[each] for each in run.stdout.strip().split(":") if each in NAMES]


@pytest.mark.skipif(OPENSSL is None, reason="openssl is not installed")
def test_lists_of_ciphers_come_to_what_openssl_makes_of_them() -> None:
    draw = random.Random(5)
    lists = list(PARTS)
    for _ in range(150):
        parts = [
            draw.choice(("", "", "", "!", "-", "+")) + draw.choice(PARTS) for _ in range(draw.randint(1, 5))
        ]
        lists.append(":".join(parts) + draw.choice(("", "", ":@STRENGTH", "@SECLEVEL=1")))
    # What begins with a dash is an option for the program.
    wrong = [each for each in lists if not each.startswith("-") and ciphers(each) != openssl(each)]
    assert wrong == []


@pytest.mark.parametrize(
    ("parse", "text", "found", "warnings"),
    [
        (tls_names.ciphers, "HIGH:!aNULL:!MD5", 6, []),
        (tls_names.ciphers, "ECDHE-RSA-AES128-GCM-SHA256:AES128-SHA", 1, ["`AES128-SHA`"]),
        (tls_names.ciphers, "ECDHE-RSA-AES128-GCM-SHA265:ECDHE-RSA-AES128-GCM-SHA256", 1, ["GCM-SHA265`"]),
        (tls_names.ciphersuites, "TLS_AES_128_GCM_SHA256:TLS_AES_128_CCM_SHA256", 1, ["CCM_SHA256`"]),
        (tls_names.curves, "X448:P-256:prime256v1", 1, ["`X448`"]),
        (tls_names.signature_algorithms, "RSA+SHA1:ecdsa+sha256:ed25519", 2, ["`RSA+SHA1`"]),
        (tls_names.signature_algorithms, "rsa_pss_rsae_sha256:nonsense", 1, ["`nonsense`"]),
    ],
)
def test_what_cannot_be_done_is_left_out_and_told(parse, text, found, warnings) -> None:
    diagnostics = Diagnostics()
    assert len(parse(word(text), diagnostics)) == found
    assert len(diagnostics) == len(warnings)
    for message, part in zip(diagnostics, warnings, strict=True):
        assert message.code == "W0621"
        assert part in message.message


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (tls_names.ciphers, "AES128-SHA"),
        (tls_names.ciphers, "!ALL"),
        (tls_names.ciphersuites, "ECDHE-RSA-AES128-GCM-SHA256"),
        (tls_names.curves, "X448"),
        (tls_names.curves, "X25519:nonsense"),
        (tls_names.signature_algorithms, "RSA+SHA1"),
    ],
)
def test_a_list_of_which_nothing_is_left_is_an_error(parse, text) -> None:
    with pytest.raises(RefusedError):
        parse(word(text), Diagnostics())


def test_names_keep_their_order() -> None:
    found = tls_names.curves(word("P-384:x25519"), Diagnostics())
    assert found == (Group.SECP384R1, Group.X25519)
    schemes = tls_names.signature_algorithms(word("RSA-PSS+SHA512:ECDSA+SHA384"), Diagnostics())
    assert schemes == (Scheme.RSA_PSS_SHA512, Scheme.ECDSA_SECP384R1_SHA384)
