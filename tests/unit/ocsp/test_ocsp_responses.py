"""Which OCSP responses are believed."""

from __future__ import annotations

import datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from isthmus.config import Span
from isthmus.keywords.tls_files import sent
from isthmus.model.tls import Bases, Certificate
from isthmus.ocsp.responses import ResponseError, Subject, certificate_id, subject

NOW = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
DAY = datetime.timedelta(days=1)
Key = ec.EllipticCurvePrivateKey


def name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def made(
    text: str, key: Key, issuer: str, by: Key, usage: x509.ObjectIdentifier | None = None, until: int = 9
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(name(text))
        .issuer_name(name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - 9 * DAY)
        .not_valid_after(NOW + until * DAY)
    )
    if usage is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
    return builder.sign(by, SHA256())


ROOT, LEAF, OTHER = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
AUTHORITY = made("CA", ROOT, "CA", ROOT)
ABOUT = Subject(made("a.test", LEAF, "CA", ROOT), AUTHORITY)


def response(
    signer: x509.Certificate,
    key: Key,
    *,
    leaf: x509.Certificate = ABOUT.certificate,
    status: ocsp.OCSPCertStatus = ocsp.OCSPCertStatus.GOOD,
    since: int = -1,
    until: int = 1,
) -> bytes:
    revoked = status is ocsp.OCSPCertStatus.REVOKED
    builder = ocsp.OCSPResponseBuilder().add_response(
        cert=leaf,
        issuer=AUTHORITY,
        algorithm=SHA1(),
        cert_status=status,
        this_update=NOW + since * DAY,
        next_update=NOW + until * DAY,
        revocation_time=NOW - DAY if revoked else None,
        revocation_reason=None,
    )
    builder = builder.responder_id(ocsp.OCSPResponderEncoding.HASH, signer)
    if signer is not AUTHORITY:
        builder = builder.certificates([signer])
    return builder.sign(key, SHA256()).public_bytes(Encoding.DER)


def delegate(usage: x509.ObjectIdentifier | None, by: Key = ROOT, until: int = 9) -> x509.Certificate:
    return made("responder", OTHER, "CA", by, usage, until)


def test_a_good_response_of_the_issuer_or_its_delegate_is_believed() -> None:
    until = (NOW + DAY).timestamp()
    assert ABOUT.believe(response(AUTHORITY, ROOT)).until == until
    assert ABOUT.believe(response(delegate(ExtendedKeyUsageOID.OCSP_SIGNING), OTHER)).until == until


@pytest.mark.parametrize(
    ("der", "why"),
    [
        (b"", "it is no OCSP response"),
        (response(made("CA", OTHER, "CA", OTHER), OTHER), "nobody has signed it who may"),
        (response(delegate(None), OTHER), "nobody has signed it who may"),
        (response(delegate(ExtendedKeyUsageOID.SERVER_AUTH), OTHER), "nobody has signed it who may"),
        (response(delegate(ExtendedKeyUsageOID.OCSP_SIGNING, OTHER), OTHER), "nobody has signed it who may"),
        (response(delegate(ExtendedKeyUsageOID.OCSP_SIGNING, until=-1), OTHER), "nobody has signed it"),
        (response(AUTHORITY, ROOT, leaf=made("b.test", LEAF, "CA", ROOT)), "about another certificate"),
        (response(AUTHORITY, ROOT, status=ocsp.OCSPCertStatus.REVOKED), "the certificate is revoked"),
        (response(AUTHORITY, ROOT, status=ocsp.OCSPCertStatus.UNKNOWN), "the certificate is unknown"),
        (response(AUTHORITY, ROOT, since=-3, until=-1), "it does not hold now"),
        (response(AUTHORITY, ROOT, since=1, until=2), "it does not hold now"),
        (
            ocsp.OCSPResponseBuilder.build_unsuccessful(ocsp.OCSPResponseStatus.TRY_LATER).public_bytes(
                Encoding.DER
            ),
            "the responder told an error: try_later",
        ),
    ],
)
def test_what_is_not_believed_says_why(der: bytes, why: str) -> None:
    with pytest.raises(ResponseError, match=why):
        ABOUT.believe(der)


def test_nothing_that_a_responder_sends_ends_in_another_error() -> None:
    der = response(AUTHORITY, ROOT)
    for at in range(0, len(der), 3):
        for changed in (der[:at], der[:at] + bytes([der[at] ^ 0x55]) + der[at + 1 :]):
            try:
                ABOUT.believe(changed)
            except ResponseError:
                continue


def test_a_certificates_id_is_that_of_the_manuals_example() -> None:
    digests = ("8a83e0060faff709ca7e9b95522a2e81635fda0a", "f652b0e435d5ea923851508f0adbe92d85de007a")
    names = (bytes.fromhex(each) for each in digests)
    wanted = f"303b300906052b0e03021a05000414{digests[0]}0414{digests[1]}0202100a"
    assert certificate_id(*names, 0x100A) == wanted


def pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.PEM)


BETWEEN = made("between", OTHER, "CA", ROOT)
BELOW = made("b.test", LEAF, "between", OTHER)


@pytest.mark.parametrize(
    ("chain", "issuer"),
    [((ABOUT.certificate, AUTHORITY), AUTHORITY), ((BELOW, BETWEEN, AUTHORITY), BETWEEN)],
)
def test_a_root_that_is_kept_back_is_the_issuer_only_of_what_stood_before_it(
    chain: tuple[x509.Certificate, ...], issuer: x509.Certificate
) -> None:
    shown, root = sent(tuple(map(pem, chain)), Bases(skip_root=True))
    assert shown == b"".join(map(pem, chain[:-1]))
    found = subject(Certificate("a.pem", shown, b"", Span("a.cfg", 1, 1, 2), issuer=root))
    assert found.issuer == issuer


def test_an_issuer_of_an_earlier_certificate_does_not_hide_that_of_the_chain() -> None:
    chain = pem(BELOW) + pem(BETWEEN)
    found = subject(Certificate("a.pem", chain, b"", Span("a.cfg", 1, 1, 2), issuer=pem(AUTHORITY)))
    assert found.issuer == BETWEEN


@pytest.mark.parametrize(
    ("chain", "issuer"), [((BELOW,), None), ((BELOW,), AUTHORITY), ((BELOW, BELOW), None)]
)
def test_a_certificate_whose_issuer_is_not_there_has_none(
    chain: tuple[x509.Certificate, ...], issuer: x509.Certificate | None
) -> None:
    said = Certificate(
        "a.pem",
        b"".join(map(pem, chain)),
        b"",
        Span("a.cfg", 1, 1, 2),
        issuer=None if issuer is None else pem(issuer),
    )
    with pytest.raises(ResponseError, match="its issuer is not"):
        subject(said)
