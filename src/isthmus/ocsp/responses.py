"""What OCSP requests ask and responses say, and whether they can be believed: the importer of `cryptography`.

Opens no connection. A response is believed if the certificate's issuer has signed it, or somebody whom the
issuer has given a certificate for doing so (RFC 6960 section 4.2.2.2).
"""

from __future__ import annotations

import datetime
from contextlib import suppress

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID

from isthmus.model.tls import Certificate
from isthmus.records import dataclass

_SKEW = datetime.timedelta(minutes=5)
"""How far clocks of responders may be ahead."""


class ResponseError(Exception):
    """There is no response, or it cannot be used, and why."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A certificate and its issuer."""

    certificate: x509.Certificate
    issuer: x509.Certificate

    @property
    def responder(self) -> str:
        """Where to ask. Raises ResponseError where the certificate does not say it."""
        try:
            access = self.certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess)
        except x509.ExtensionNotFound:
            raise ResponseError("the certificate names no responder") from None
        for each in access.value:
            place = each.access_location
            if each.access_method == AuthorityInformationAccessOID.OCSP and isinstance(
                place, x509.UniformResourceIdentifier
            ):
                return place.value
        raise ResponseError("the certificate names no responder")

    def request(self) -> bytes:
        """Return what is asked, DER."""
        return self._request().public_bytes(Encoding.DER)

    def _request(self) -> ocsp.OCSPRequest:
        # SHA-1 tells authorities apart here, and every responder knows it (RFC 5019 section 2.1.1).
        return ocsp.OCSPRequestBuilder().add_certificate(self.certificate, self.issuer, SHA1()).build()

    def identity(self) -> str:
        """Return the certificate's id in hexadecimal, as HAProxy shows it (RFC 6960 section 4.1.1)."""
        asked = self._request()
        return certificate_id(asked.issuer_name_hash, asked.issuer_key_hash, asked.serial_number)

    def believe(self, der: bytes, now: datetime.datetime | None = None) -> Verdict:
        """Return what a response says. Raises ResponseError for one that is not to be believed."""
        try:
            return self._believed(der, now or datetime.datetime.now(datetime.UTC))
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise ResponseError(f"it cannot be read: {error}") from None

    def _believed(self, der: bytes, moment: datetime.datetime) -> Verdict:
        try:
            said = ocsp.load_der_ocsp_response(der)
        except ValueError:
            raise ResponseError("it is no OCSP response") from None
        if said.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            raise ResponseError(f"the responder told an error: {said.response_status.name.lower()}")
        about = (said.serial_number, said.issuer_key_hash, said.issuer_name_hash)
        builder = ocsp.OCSPRequestBuilder()
        asked = builder.add_certificate(self.certificate, self.issuer, said.hash_algorithm).build()
        if about != (asked.serial_number, asked.issuer_key_hash, asked.issuer_name_hash):
            raise ResponseError("it is about another certificate")
        self._verify(said)
        until = said.next_update_utc
        if said.this_update_utc > moment + _SKEW or (until is not None and until < moment):
            raise ResponseError("it does not hold now")
        if said.certificate_status is not ocsp.OCSPCertStatus.GOOD:
            raise ResponseError(f"the certificate is {said.certificate_status.name.lower()}")
        return Verdict(None if until is None else until.timestamp())

    def _verify(self, said: ocsp.OCSPResponse) -> None:
        for signer in (self.issuer, *said.certificates):
            if signer is not self.issuer and not self._may_sign(signer):
                continue
            if _has_signed(signer, said):
                return
        raise ResponseError("nobody has signed it who may")

    def _may_sign(self, signer: x509.Certificate) -> bool:
        """Whether the issuer lets somebody else sign."""
        try:
            usage = signer.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
            signer.verify_directly_issued_by(self.issuer)
        except (x509.ExtensionNotFound, InvalidSignature, ValueError, TypeError):
            return False
        now = datetime.datetime.now(datetime.UTC)
        valid = signer.not_valid_before_utc <= now <= signer.not_valid_after_utc
        return valid and ExtendedKeyUsageOID.OCSP_SIGNING in usage


@dataclass(frozen=True, slots=True)
class Verdict:
    """A response that says that a certificate is good, and until when, in seconds since 1970."""

    until: float | None


def subject(certificate: Certificate) -> Subject:
    """Return a certificate with its issuer: the second of its chain, or that of a file of its own.

    Raises ResponseError where neither is.
    """
    try:
        chain = x509.load_pem_x509_certificates(certificate.chain)
        known = chain[1:2]
        if certificate.issuer:
            known.append(x509.load_pem_x509_certificate(certificate.issuer))
    except ValueError as error:
        raise ResponseError(str(error)) from None
    for issuer in known:
        with suppress(InvalidSignature, ValueError, TypeError):
            chain[0].verify_directly_issued_by(issuer)
            return Subject(chain[0], issuer)
    if known:
        raise ResponseError("its issuer is not the one that the files tell")
    raise ResponseError("its issuer is not known: neither the chain nor an `.issuer` file has it")


def certificate_id(name_hash: bytes, key_hash: bytes, serial: int) -> str:
    """Return the id of a certificate, DER of SHA-1's kind, in hexadecimal."""
    number = serial.to_bytes(serial.bit_length() // 8 + 1, "big")
    algorithm = _der(0x30, b"\x06\x05\x2b\x0e\x03\x02\x1a\x05\x00")
    return _der(0x30, algorithm + _der(0x04, name_hash) + _der(0x04, key_hash) + _der(0x02, number)).hex()


def _der(tag: int, content: bytes) -> bytes:
    # Nothing here has 128 bytes or more: serial numbers have 20 at most (RFC 5280 section 4.1.2.2).
    return bytes((tag, len(content))) + content


def _has_signed(signer: x509.Certificate, said: ocsp.OCSPResponse) -> bool:
    key, signature, signed = signer.public_key(), said.signature, said.tbs_response_bytes
    algorithm = said.signature_hash_algorithm
    try:
        if isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signature, signed)
        elif isinstance(key, ec.EllipticCurvePublicKey) and algorithm is not None:
            key.verify(signature, signed, ec.ECDSA(algorithm))
        elif isinstance(key, rsa.RSAPublicKey) and algorithm is not None:
            key.verify(signature, signed, padding.PKCS1v15(), algorithm)
        else:
            return False
    except InvalidSignature:
        return False
    return True
