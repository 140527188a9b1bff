"""One order from its beginning to the certificate: the one importer of the library `acme`.

Everything here waits for the network and runs on a thread of its own.
"""

from __future__ import annotations

import datetime
import os
from collections.abc import Callable
from contextlib import suppress

from acme import challenges, client, crypto_util, errors, messages
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from josepy.jwa import ES256, ES384, ES512, RS256, JWASignature
from josepy.jwk import JWK, JWKEC, JWKRSA

from isthmus import product
from isthmus.acme.storing import write_secret
from isthmus.model.acme import Authority, Binding
from isthmus.records import dataclass

_CURVES: dict[str, Callable[[], ec.EllipticCurve]] = {
    "P-256": ec.SECP256R1,
    "P-384": ec.SECP384R1,
    "P-521": ec.SECP521R1,
}
_PATIENCE = 90
"""Seconds that an authority has for its validation, and again for issuing."""
_NETWORK_TIMEOUT = 30
_NONCES = 4
"""How often an order begins anew for the sake of nonces."""
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@challenges.ChallengeResponse.register
class TlsAlpnResponse(challenges.KeyAuthorizationChallengeResponse):
    """The answer to a challenge of TLS-ALPN-01, which the library does not have any more."""

    typ = "tls-alpn-01"


@challenges.Challenge.register
class TlsAlpn(challenges.KeyAuthorizationChallenge):
    """A challenge of TLS-ALPN-01 (RFC 8737)."""

    response_cls = TlsAlpnResponse
    typ = response_cls.typ

    def validation(self, account_key: JWK, **kwargs: object) -> str:
        """Return what is proved with."""
        return self.key_authorization(account_key)


@dataclass(frozen=True, slots=True)
class Answering:
    """How challenges are answered: `begin` with a name, a token and what is to be shown, and `end` with both.

    That is the thumbprint of the account's key for HTTP-01, and both parts for TLS-ALPN-01.
    """

    begin: Callable[[str, str, str], None]
    end: Callable[[str, str], None]


class AskingError(Exception):
    """An order that came to nothing, and why."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A certificate with its chain and its key, PEM."""

    chain: bytes
    key: bytes


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked of an authority. `key` is the one to use again, None: a new one is made.

    `trust` is a file of authorities for the connection to the directory; True: the system's, False: none.
    """

    authority: Authority
    domains: tuple[str, ...]
    key: bytes | None
    trust: str | bool


def ask(order: Order, answering: Answering) -> Issued:
    """Return the certificate that an authority issues. Raises AskingError."""
    for _ in range(_NONCES):
        with suppress(_NonceError):
            return _once(order, answering)
    raise AskingError("the authority takes none of the nonces that it gives")


class _NonceError(Exception):
    """The authority wants another nonce (RFC 8555 section 6.5); the library has tried one more already."""


def _once(order: Order, answering: Answering) -> Issued:
    try:
        return _ask(order, answering)
    except AskingError:
        raise
    except messages.Error as error:
        if error.code == "badNonce":
            raise _NonceError from error
        raise AskingError(f"{error.typ or 'error'}: {error.detail}") from error
    except errors.ValidationError as error:
        raise AskingError(_refused(error)) from error
    except errors.TimeoutError as error:
        raise AskingError("the authority did not decide in time") from error
    except Exception as error:
        # What an authority sends may surprise the library in more ways than it says.
        raise AskingError(str(error) or type(error).__name__) from error


def _refused(error: errors.ValidationError) -> str:
    """Return what the authority says of each name that it could not validate."""
    said = []
    for authorization in error.failed_authzrs:
        for each in authorization.body.challenges:
            if each.error is not None:
                said.append(f"{authorization.body.identifier.value}: {each.error.detail}")
    return "; ".join(said) or "the authority could not validate a name"


def _ask(order: Order, answering: Answering) -> Issued:
    account, algorithm = _account_key(order.authority.account_key)
    network = client.ClientNetwork(
        account,
        alg=algorithm,
        user_agent=f"{product.NAME}/{product.FULL_VERSION}",
        verify_ssl=order.trust,  # type: ignore[arg-type]  # requests takes a file, too
        timeout=_NETWORK_TIMEOUT,
    )
    directory = client.ClientV2.get_directory(order.authority.directory, network)
    asked = client.ClientV2(directory, network)
    _register(asked, order.authority, account)
    key = order.key or _written(_made(order.authority))
    signed = crypto_util.make_csr(key, domains=list(order.domains))
    opened = asked.new_order(signed, order.authority.profile)
    tokens: list[tuple[str, str]] = []
    try:
        for authorization in opened.authorizations:
            tokens += _prove(asked, authorization, (order.authority, account), answering)
        deadline = datetime.datetime.now() + datetime.timedelta(seconds=_PATIENCE)
        issued = asked.poll_and_finalize(opened, deadline)
    finally:
        for name, token in tokens:
            answering.end(name, token)
    return Issued(issued.fullchain_pem.encode(), key)


def _register(asked: client.ClientV2, authority: Authority, account: JWK) -> None:
    """Make the account known, or find it: the authority knows it by its key."""
    binding = authority.binding
    said = messages.NewRegistration.from_data(
        email=authority.contact,
        terms_of_service_agreed=True,
        external_account_binding=None if binding is None else _bound(binding, account, asked.directory),
    )
    try:
        asked.new_account(said)
    except errors.ConflictError as known:
        empty = messages.Registration()
        asked.net.account = messages.RegistrationResource(uri=known.location, body=empty)


def _bound(binding: Binding, account: JWK, directory: messages.Directory) -> dict[str, object] | None:
    """Return what shows that an account elsewhere is ours; None where its files are empty by now.

    Such a key may serve once: an operator may empty the file when the account is there.
    """
    key_id, mac_key = (_first_line(path) for path in (binding.key_id, binding.mac_key))
    if not key_id or not mac_key:
        return None
    public = account.public_key()
    try:
        return messages.ExternalAccountBinding.from_data(
            public, key_id, mac_key, directory, binding.algorithm
        )
    except ValueError as error:
        raise AskingError(f"the key in `{binding.mac_key}` is not written in base64url") from error


def _first_line(path: str) -> str:
    try:
        with open(path, encoding="ascii") as file:
            return file.readline().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise AskingError(f"`{path}` cannot be read: {error}") from error


def _prove(
    asked: client.ClientV2,
    authorization: messages.AuthorizationResource,
    by: tuple[Authority, JWK],
    answering: Answering,
) -> list[tuple[str, str]]:
    """Answer the challenge of a name, and say so; return the name and the token."""
    if authorization.body.status == messages.STATUS_VALID:
        return []
    authority, account = by
    name = authorization.body.identifier.value
    for offered in authorization.body.challenges:
        if offered.chall.typ == authority.challenge.lower():
            token = offered.chall.encode("token")
            response, whole = offered.response_and_validation(account)
            # `token.thumbprint` (RFC 8555 section 8.1); rules look the second part up.
            answering.begin(name, token, whole.rpartition(".")[2] if authority.map else whole)
            asked.answer_challenge(offered, response)
            return [(name, token)]
    raise AskingError(f"the authority offers no {authority.challenge} for {name}")


def _account_key(path: str) -> tuple[JWK, JWASignature]:
    """Return the key of an account, made and kept where there is none yet."""
    try:
        with open(path, "rb") as file:
            text = file.read()
    except FileNotFoundError:
        text = _written(ec.generate_private_key(ec.SECP256R1()))
        write_secret(path, text)
    key = load_pem_private_key(text, None)
    if isinstance(key, rsa.RSAPrivateKey):
        return JWKRSA(key=key), RS256
    if isinstance(key, ec.EllipticCurvePrivateKey):
        signs = {256: ES256, 384: ES384, 521: ES512}[key.curve.key_size]
        return JWKEC(key=key), signs
    raise AskingError(f"the key in `{os.fspath(path)}` is neither RSA nor ECDSA")


def _made(authority: Authority) -> Key:
    if authority.key_type == "RSA":
        return rsa.generate_private_key(public_exponent=65537, key_size=authority.bits)
    return ec.generate_private_key(_CURVES[authority.curve]())


def _written(key: Key) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
