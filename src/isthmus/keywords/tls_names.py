"""OpenSSL's names for what TLS negotiates, mapped on what rustls has.

Lists of ciphers are evaluated as openssl-ciphers(1) says, those of curves and signature algorithms are read.
Names that can be done are kept in their order; those that cannot, or do not exist, are told about. Classes
such as `HIGH` simply mean those of their ciphers that can be done.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import TypeVar

from isthmus.config import Diagnostics, Word
from isthmus.keywords.row import RefusedError
from isthmus.keywords.tls_codes import BAD_CIPHERS, BAD_CURVES, BAD_SIGALGS, LEFT_OUT
from isthmus.keywords.values import suggest
from isthmus.model.tls import Group, Scheme, Suite


@cache
def _sections() -> Mapping[str, frozenset[str]]:
    text = files("isthmus.keywords").joinpath("data/openssl-names.txt").read_text("ascii")
    found: dict[str, set[str]] = {}
    current: set[str] = set()
    for line in text.splitlines():
        if line.startswith("["):
            current = found.setdefault(line.strip("[]"), set())
        elif line and not line.startswith("#"):
            current.add(line)
    return {name: frozenset(each) for name, each in found.items()}


def known(section: str) -> frozenset[str]:
    """Return the names that OpenSSL has: of `ciphers`, `classes`, `ciphersuites` or `curves`."""
    return _sections()[section]


_Known = TypeVar("_Known")
_CIPHERS = {
    "ECDHE-ECDSA-AES256-GCM-SHA384": Suite.ECDSA_AES256_GCM,
    "ECDHE-RSA-AES256-GCM-SHA384": Suite.RSA_AES256_GCM,
    "ECDHE-ECDSA-CHACHA20-POLY1305": Suite.ECDSA_CHACHA20,
    "ECDHE-RSA-CHACHA20-POLY1305": Suite.RSA_CHACHA20,
    "ECDHE-ECDSA-AES128-GCM-SHA256": Suite.ECDSA_AES128_GCM,
    "ECDHE-RSA-AES128-GCM-SHA256": Suite.RSA_AES128_GCM,
}
"""The ciphers of TLS 1.2 that can be done, in OpenSSL's order of preference."""
_SUITES = {
    "TLS_AES_256_GCM_SHA384": Suite.AES256_GCM,
    "TLS_CHACHA20_POLY1305_SHA256": Suite.CHACHA20,
    "TLS_AES_128_GCM_SHA256": Suite.AES128_GCM,
}
_EVERYWHERE = ("ALL", "HIGH", "kECDHE", "kEECDH", "ECDHE", "EECDH", "ECDH", "TLSv1.2")
_AES = ["AES", "AESGCM", "FIPS"]
_CLASSES = {
    cipher: frozenset(
        [
            cipher,
            *_EVERYWHERE,
            *(["aECDSA", "ECDSA"] if "ECDSA" in cipher else ["aRSA"]),
            *(
                ["CHACHA20"]
                if "CHACHA20" in cipher
                else [*_AES, "AES256" if "AES256" in cipher else "AES128"]
            ),
        ]
    )
    for cipher in _CIPHERS
}
"""The names that stand for each of those, its own among them."""
_EMPTY_CLASSES = known("classes")
"""The classes that none of those belong to."""
_SUITE_B = {
    "SUITEB128": ("ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384"),
    "SUITEB128ONLY": ("ECDHE-ECDSA-AES128-GCM-SHA256",),
    "SUITEB128C2": ("ECDHE-ECDSA-AES256-GCM-SHA384",),
    "SUITEB192": ("ECDHE-ECDSA-AES256-GCM-SHA384",),
}
_PART = re.compile(r"([!+-]?)([^!+:;, @][^:;, @]*)?(@[A-Za-z0-9=]+)?")
_GROUPS = {
    "x25519": Group.X25519,
    "p-256": Group.SECP256R1,
    "prime256v1": Group.SECP256R1,
    "secp256r1": Group.SECP256R1,
    "p-384": Group.SECP384R1,
    "secp384r1": Group.SECP384R1,
    "x25519mlkem768": Group.X25519MLKEM768,
    "secp256r1mlkem768": Group.SECP256R1MLKEM768,
}
_RSA_PSS = (Scheme.RSA_PSS_SHA256, Scheme.RSA_PSS_SHA384, Scheme.RSA_PSS_SHA512)
_SCHEMES = {
    "ecdsa+sha256": Scheme.ECDSA_SECP256R1_SHA256,
    "ecdsa+sha384": Scheme.ECDSA_SECP384R1_SHA384,
    "ecdsa+sha512": Scheme.ECDSA_SECP521R1_SHA512,
    "rsa+sha256": Scheme.RSA_PKCS1_SHA256,
    "rsa+sha384": Scheme.RSA_PKCS1_SHA384,
    "rsa+sha512": Scheme.RSA_PKCS1_SHA512,
    "rsa-pss+sha256": Scheme.RSA_PSS_SHA256,
    "rsa-pss+sha384": Scheme.RSA_PSS_SHA384,
    "rsa-pss+sha512": Scheme.RSA_PSS_SHA512,
    "pss+sha256": Scheme.RSA_PSS_SHA256,
    "pss+sha384": Scheme.RSA_PSS_SHA384,
    "pss+sha512": Scheme.RSA_PSS_SHA512,
    "rsa_pss_rsae_sha256": Scheme.RSA_PSS_SHA256,
    "rsa_pss_rsae_sha384": Scheme.RSA_PSS_SHA384,
    "rsa_pss_rsae_sha512": Scheme.RSA_PSS_SHA512,
    **{each.value: each for each in Scheme if each not in _RSA_PSS},
}
_NOT_SCHEMES = re.compile(
    r"(?i)(dsa|rsa|rsa-pss|pss|ecdsa)\+sha(1|224|256|384|512)|ed448|rsa_pss_pss_sha(256|384|512)|"
    r"(rsa_pkcs1|ecdsa|dsa)_sha(1|224)|dsa_sha(256|384|512)|"
    r"ecdsa_brainpoolp(256|384|512)r1(tls13)?_sha(256|384|512)|sm2sig_sm3|mldsa(44|65|87)"
)
"""Algorithms that OpenSSL has and we have not."""


def ciphers(word: Word, diagnostics: Diagnostics) -> tuple[Suite, ...]:
    """Return what a list of ciphers comes to, as `openssl ciphers` would evaluate it."""
    evaluation = _Evaluation()
    for match in _PART.finditer(word.text):
        operator, name, command = match.groups()
        if name == "DEFAULT":
            # Only where the list begins with it; elsewhere OpenSSL takes no notice of it.
            name = None if match.start() or operator else "ALL"
        if name:
            evaluation.apply(operator, name)
        if command == "@STRENGTH":
            evaluation.sort()
    evaluation.tell(word, diagnostics, known("ciphers"))
    if not evaluation.chosen:
        raise RefusedError(
            BAD_CIPHERS,
            f"`{word.text}` leaves no cipher that can be done",
            word.span,
            expected=f"some of {', '.join(_CIPHERS)}",
        )
    return tuple(_CIPHERS[each] for each in evaluation.chosen)


class _Evaluation:
    """The ciphers chosen so far, those that are out for good, and names that are nothing here."""

    def __init__(self) -> None:
        self.chosen: list[str] = []
        self._order = list(_CIPHERS)
        self._killed: set[str] = set()
        self._unknown: list[str] = []

    def apply(self, operator: str, name: str) -> None:
        found = self._matching(name)
        if operator == "!":
            self._killed.update(found)
        if operator in ("!", "-"):
            removed = [each for each in self.chosen if each in found]
            # What was taken out comes first when a class brings it in again.
            self._order = removed + [each for each in self._order if each not in removed]
            self.chosen = [each for each in self.chosen if each not in found]
        elif operator == "+":
            moved = [each for each in self.chosen if each in found]
            self.chosen = [each for each in self.chosen if each not in found] + moved
        else:
            if not found and name not in self._unknown and not _is_class(name):
                self._unknown.append(name)
            self.chosen += [each for each in found if each not in self.chosen and each not in self._killed]

    def sort(self) -> None:
        """Sort by the length of keys, the longest first."""
        self.chosen.sort(key=lambda each: "128" in each)

    def tell(self, word: Word, diagnostics: Diagnostics, others: frozenset[str]) -> None:
        cannot = [each for each in self._unknown if each in others or each.startswith("TLS_")]
        strange = [each for each in self._unknown if each not in cannot]
        _tell(word, diagnostics, "cipher", cannot, strange, _CIPHERS)

    def _matching(self, name: str) -> list[str]:
        if name in _SUITE_B:
            return list(_SUITE_B[name])
        parts = set(name.split("+"))
        return [each for each in self._order if parts <= _CLASSES[each]]


def _is_class(name: str) -> bool:
    """Whether a name, or all of those that it joins, stand for no cipher of their own."""
    classes = _EMPTY_CLASSES.union(*_CLASSES.values()) - set(_CIPHERS)
    return all(part in classes for part in name.split("+"))


def ciphersuites(word: Word, diagnostics: Diagnostics) -> tuple[Suite, ...]:
    """Return the suites of TLS 1.3 that a list names."""
    return _listed(word, diagnostics, "cipher suite", _SUITES, known("ciphersuites"), BAD_CIPHERS)


def curves(word: Word, diagnostics: Diagnostics) -> tuple[Group, ...]:
    """Return the groups that a list of curves names; unlike ciphers, each must exist (`curves`)."""
    names = known("curves")
    lower = {each.lower() for each in names}
    for part in _parts(word.text):
        if part.lower() not in lower:
            hint = suggest(part, names)
            raise RefusedError(BAD_CURVES, f"there is no curve `{part}`", word.span, hint=hint)
    return _listed(word, diagnostics, "curve", _GROUPS, frozenset(lower), BAD_CURVES, fold=True)


def signature_algorithms(word: Word, diagnostics: Diagnostics) -> tuple[Scheme, ...]:
    """Return the schemes that a list of signature algorithms names."""
    others = frozenset(each.lower() for each in _parts(word.text) if _NOT_SCHEMES.fullmatch(each))
    return _listed(word, diagnostics, "signature algorithm", _SCHEMES, others, BAD_SIGALGS, fold=True)


def _listed(
    word: Word,
    diagnostics: Diagnostics,
    what: str,
    can: Mapping[str, _Known],
    others: Iterable[str],
    code: str,
    *,
    fold: bool = False,
) -> tuple[_Known, ...]:
    """Return what names between colons stand for, each once, and tell about those that are left out."""
    found: dict[_Known, None] = {}
    cannot: list[str] = []
    strange: list[str] = []
    for part in _parts(word.text):
        name = part.lower() if fold else part
        if name in can:
            found[can[name]] = None
        else:
            (cannot if name in others else strange).append(part)
    if not found:
        message = f"`{word.text}` leaves no {what} that can be done"
        raise RefusedError(code, message, word.span, expected=f"some of {', '.join(can)}")
    _tell(word, diagnostics, what, cannot, strange, can)
    return tuple(found)


def _tell(
    word: Word,
    diagnostics: Diagnostics,
    what: str,
    cannot: list[str],
    strange: list[str],
    can: Iterable[str],
) -> None:
    """Warn of names that are left out: those that cannot be done, and those that nobody knows."""
    if cannot:
        message = f"left out, as it cannot be done: {what} {', '.join(f'`{each}`' for each in cannot)}"
        diagnostics.warning(LEFT_OUT, message, word.span, hint=f"what can be done: {', '.join(can)}")
    for each in strange:
        message = f"left out: there is no {what} `{each}`"
        diagnostics.warning(LEFT_OUT, message, word.span, hint=suggest(each, can))


def _parts(text: str) -> list[str]:
    return [each for each in re.split(r"[:, ]", text) if each]
