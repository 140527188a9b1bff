"""The parts of the golden plan that are about TLS."""

from __future__ import annotations

from isthmus.engine import tls
from isthmus.plan import document as d

t = d.tls

NEGOTIATION = t.Negotiation(tuple(t.TlsVersion), tuple(t.Suite), tuple(t.Group), tuple(t.Scheme))


def files() -> d.tls.TlsFiles:
    return t.TlsFiles(
        certificates=(
            t.Certificate("a.pem", "chain\xff", "key", "\x30\x00", "issuer"),
            t.Certificate("b.pem", "chain", "key"),
        ),
        authorities=(t.PemFile("@system-ca", "authorities"),),
        revocations=(t.PemFile("revoked.pem", "revocations"),),
    )


def bind() -> d.tls.BindTls:
    rules = (
        t.ClientRules(
            verify=each,
            authorities=(0,),
            hidden_authorities=(0,),
            name_authorities=False,
            revocations=(0,),
            schemes=(t.Scheme.ED25519,),
            ignored_in_chain=t.IgnoredErrors(all=True),
            ignored=t.IgnoredErrors(numbers=(10, 23)),
        )
        for each in t.ClientVerification
    )
    settings = (t.BindTlsSettings(NEGOTIATION, True, ("h2", "\xff"), each, False, True) for each in rules)
    return t.BindTls(
        settings=(t.BindTlsSettings(), *settings),
        entries=(t.TlsEntry(0, 1, ("*.example.org", "!www.example.org"), True), t.TlsEntry(1)),
        strict_sni=True,
        ticket_keys=("\xff" * 48,),
        generation=t.Generation(0, 1000),
        sessions=10,
        lifetime=20,
    )


def server(expression: d.Expression) -> d.tls.ServerTls:
    return t.ServerTls(
        negotiation=NEGOTIATION,
        alpn=("h2",),
        verify=False,
        verify_host="example.org",
        authorities=(0,),
        revocations=(0,),
        certificate=1,
        client_schemes=(t.Scheme.RSA_PSS_SHA256,),
        sni=expression,
        reuse=False,
        tickets=False,
        early_data=True,
    )


def facts() -> tls.TlsFacts:
    subjects: tuple[tls.TlsSubject, ...] = (
        tls.CertificateSubject(0),
        tls.AuthoritySubject(1),
        tls.RevocationSubject(2),
        tls.LineSubject("a.cfg:3"),
    )
    return tls.TlsFacts(
        certificates=(tls.CertificateFacts(("a.example",), 1, 2, "it is too old"),),
        faults=tuple(tls.TlsFault(each, "no") for each in subjects),
    )
