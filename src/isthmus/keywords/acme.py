"""Sections `acme`: authorities that issue certificates on demand (manual 12.8)."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec

from isthmus.config import Section, Span
from isthmus.keywords.codes import BAD_VALUE, DUPLICATE_NAME, MISSING_ARGUMENT, NOT_IMPLEMENTED
from isthmus.keywords.named_section import Reader, read_lines, section_name
from isthmus.keywords.row import Reading, RefusedError, Words, place
from isthmus.keywords.tls_codes import CANNOT
from isthmus.keywords.values import choice, integer, suggest, switch
from isthmus.model.acme import Authority, Binding

DIRECTORY = "https://acme-v02.api.letsencrypt.org/directory"
"""Where certificates are asked for if a section does not say it: the default of HAProxy."""
_CHALLENGES = ("HTTP-01", "TLS-ALPN-01")
_CURVES = ("P-256", "P-384", "P-521")
_SIGNING = ("HS256", "HS384", "HS512")
_LATER = {
    "acme-vars": "DNS-01 is not there",
    "challenge-ready": "DNS-01 is not there",
    "dns-delay": "DNS-01 is not there",
    "dns-timeout": "DNS-01 is not there",
    "provider-name": "DNS-01 is not there",
}
"""What a section may say in HAProxy 3.5 and cannot here."""


class AcmeSections:
    """The sections read so far."""

    @staticmethod
    def keywords() -> tuple[str, ...]:
        """Return the words that lines of such a section begin with."""
        return tuple(each for each in AcmeSections._readers({}, _nothing) if each not in _LATER)

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._found: dict[str, Authority] = {}

    @property
    def sections(self) -> tuple[Authority, ...]:
        """Every section, in order."""
        return tuple(self._found.values())

    def read(self, section: Section) -> None:
        """Read one section."""
        name = section_name(section)
        other = self._found.get(name.text)
        if other is not None and other.span is not None:
            message = f"there is a section `acme {name.text}` at {place(other.span)} already"
            raise RefusedError(DUPLICATE_NAME, message, name.span)
        need_library(section.header.span)
        said: dict[str, str | int] = {}
        read_lines(section, self._readers(said, self._reading.world.read_bytes), self._reading)
        self._found[name.text] = self._authority(name.text, said, section.header.span)

    @staticmethod
    def _readers(said: dict[str, str | int], read_bytes: Callable[[str], bytes]) -> dict[str, Reader]:
        return {
            "directory": _directory(said),
            "contact": _text(said, "an address for mail"),
            "account-key": _text(said, "a file"),
            "challenge": _challenge(said),
            "keytype": lambda words: said.__setitem__("keytype", choice(words, ("ECDSA", "RSA"), "a key")),
            "bits": lambda words: said.__setitem__("bits", integer(words, 2048, 8192)),
            "curves": _curve(said),
            "map": _text(said, "a map"),
            "eab-key-id": _file(said, read_bytes),
            "eab-mac-key": _file(said, read_bytes),
            "eab-mac-alg": lambda words: said.__setitem__("eab-mac-alg", choice(words, _SIGNING, "a MAC")),
            "profile": _text(said, "a profile of the authority"),
            "reuse-key": lambda words: said.__setitem__("reuse-key", switch(words)),
            **{each: _later(each, why) for each, why in _LATER.items()},
        }

    def _authority(self, name: str, said: dict[str, str | int], span: Span) -> Authority:
        if said.get("challenge", "HTTP-01") == "HTTP-01" and "map" not in said:
            message = f"section `acme {name}` does not name the map in which challenges are looked up"
            raise RefusedError(MISSING_ARGUMENT, message, span, hint="write `map virt@acme`")
        contact = said.get("contact")
        table = said.get("map") if said.get("challenge", "HTTP-01") == "HTTP-01" else None
        return Authority(
            name=name,
            directory=str(said.get("directory", DIRECTORY)),
            account_key=str(said.get("account-key", f"{name}.account.key")),
            contact=None if contact is None else str(contact),
            challenge=str(said.get("challenge", "HTTP-01")),
            key_type=str(said.get("keytype", "ECDSA")),
            bits=int(said.get("bits", 2048)),
            curve=str(said.get("curves", "P-384")),
            map=None if table is None else str(table),
            reuse_key=bool(said.get("reuse-key", False)),
            binding=_binding(said, span),
            profile=None if (profile := said.get("profile")) is None else str(profile),
            span=span,
        )


def _binding(said: dict[str, str | int], span: Span) -> Binding | None:
    """Return to which account elsewhere an account is bound. Raises RefusedError where half of it is said."""
    parts = [said.get(name) for name in ("eab-key-id", "eab-mac-key")]
    if None not in parts:
        key_id, mac_key = map(str, parts)
        return Binding(key_id, mac_key, str(said.get("eab-mac-alg", "HS256")))
    if parts == [None, None] and "eab-mac-alg" not in said:
        return None
    missing = " and ".join(f"`{name}`" for name in ("eab-key-id", "eab-mac-key") if said.get(name) is None)
    message = f"an account elsewhere is named by `eab-key-id` and `eab-mac-key`; {missing} is missing"
    raise RefusedError(MISSING_ARGUMENT, message, span)


def need_library(span: Span) -> None:
    """Refuse a line that needs the library of ACME where that is not installed."""
    if find_spec("acme") is None:
        message = "certificates cannot be asked for: the Python package `acme` is not installed"
        raise RefusedError(CANNOT, message, span, hint="`pip install 'isthmus[acme]'`")


def _nothing(_name: str) -> bytes:
    """Stand for the files of lines that are listed and not read."""
    return b""


def _text(said: dict[str, str | int], what: str) -> Reader:
    def read(words: Words) -> None:
        said[words.what] = words.take(what).text

    return read


def _file(said: dict[str, str | int], read_bytes: Callable[[str], bytes]) -> Reader:
    """Read the name of a file with a secret, which has to be there: it is read when an account is made."""

    def read(words: Words) -> None:
        word = words.take("a file")
        try:
            read_bytes(word.text)
        except OSError as error:
            message = f"`{word.text}` cannot be read: {error.strerror or error}"
            raise RefusedError(BAD_VALUE, message, word.span) from error
        said[words.what] = word.text

    return read


def _directory(said: dict[str, str | int]) -> Reader:
    def read(words: Words) -> None:
        word = words.take("the address of a directory")
        if not word.text.startswith(("https://", "http://")):
            raise RefusedError(BAD_VALUE, f"`{word.text}` is no address", word.span, expected="https://...")
        said["directory"] = word.text

    return read


def _challenge(said: dict[str, str | int]) -> Reader:
    def read(words: Words) -> None:
        word = words.take("a challenge")
        if word.text.upper() not in _CHALLENGES:
            message = f"challenge `{word.text}` is not implemented"
            raise RefusedError(NOT_IMPLEMENTED, message, word.span, expected=" or ".join(_CHALLENGES))
        said["challenge"] = word.text.upper()

    return read


def _curve(said: dict[str, str | int]) -> Reader:
    def read(words: Words) -> None:
        word = words.take("a curve")
        if word.text not in _CURVES:
            raise RefusedError(
                BAD_VALUE,
                f"`{word.text}` is no curve for a certificate's key",
                word.span,
                expected=f"one of {', '.join(_CURVES)}",
                hint=suggest(word.text, _CURVES),
            )
        said["curves"] = word.text

    return read


def _later(name: str, why: str) -> Reader:
    def read(words: Words) -> None:
        word = words.take_all()
        message = f"`{name}` of section `acme` is known to HAProxy, and not implemented: {why}"
        raise RefusedError(NOT_IMPLEMENTED, message, word[0].span if word else words.end)

    return read
