"""Arguments of converters that sign, verify, encrypt or decrypt: algorithms, keys, secrets, certificates."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from isthmus.config import Span
from isthmus.keywords.context import Context
from isthmus.keywords.row import RefusedError
from isthmus.keywords.variables import is_variable
from isthmus.keywords.wrong_argument import WrongArgumentError
from isthmus.model.expression import Argument, StrArg

_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?\Z")
_TOKEN_SECRET = re.compile(r"[A-Za-z0-9+/_-]{2,}={0,2}\Z")
_JWS_ALGORITHMS = tuple(f"{kind}{bits}" for kind in ("HS", "RS", "PS", "ES") for bits in (256, 384, 512))


def _base64_or_variable(text: str) -> Argument:
    if not is_variable(text) and not _BASE64.match(text):
        raise WrongArgumentError("base64, or the name of a variable that holds it")
    return StrArg(text)


def _jws_algorithm(text: str) -> Argument:
    if not is_variable(text) and text not in _JWS_ALGORITHMS:
        raise WrongArgumentError("a variable, or an algorithm of RFC 7518: " + ", ".join(_JWS_ALGORITHMS))
    return StrArg(text)


def _public_algorithm(text: str) -> Argument:
    if text.startswith("HS"):
        raise WrongArgumentError(
            "a variable, or an algorithm with a public key: a certificate holds no secret"
        )
    return _jws_algorithm(text)


def _jwk(text: str) -> Argument:
    if is_variable(text):
        return StrArg(text)
    try:
        key = json.loads(text)
    except ValueError:
        key = None
    if not isinstance(key, dict) or key.get("kty") not in ("oct", "EC", "RSA"):
        raise WrongArgumentError("a JSON Web Key of type `oct`, `EC` or `RSA`, or a variable with one")
    return StrArg(text)


def _secret(text: str) -> Argument:
    if not is_variable(text) and not _TOKEN_SECRET.match(text):
        raise WrongArgumentError("a secret in base64, or the name of a variable that holds it")
    return StrArg(text)


def public_key(path: str, context: Context) -> Argument:
    """Return what a file with a public key holds; raises WrongArgumentError where it cannot be read."""
    try:
        return StrArg(context.read_bytes(path).decode("latin-1"))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "there is no such file"
        raise WrongArgumentError(f"a file that holds a public key in PEM ({reason})") from None


def certificate(name: str, span: Span, context: Context) -> Argument:
    """Return the name of a certificate that tokens may use; raises WrongArgumentError where there is none."""
    if is_variable(name):
        return StrArg(name)
    if not name:
        raise WrongArgumentError("a file with a certificate and its key, or a variable with its name")
    try:
        usable = context.certificate(name, span)
    except (RefusedError, FileNotFoundError) as refusal:
        raise WrongArgumentError(f"a certificate that can be read ({refusal})") from None
    if not usable:
        raise WrongArgumentError("a certificate whose crt-store says `jwt on`")
    return StrArg(name)


TOKENS: dict[str, Callable[[str], Argument]] = {
    "base64 or variable": _base64_or_variable,
    "JWS algorithm": _jws_algorithm,
    "JWS public algorithm": _public_algorithm,
    "JWK": _jwk,
    "token secret": _secret,
}
"""How those are read that need nothing but their text, by their types."""
