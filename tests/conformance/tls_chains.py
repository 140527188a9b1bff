"""Chains of clients' certificates that somebody has a reason to refuse, and lists of what was revoked."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)
# From when to when, in days from now.
LONG, PAST, FUTURE = (-9, 9), (-9, -1), (1, 9)


@dataclass
class Issued:
    """A certificate with its key, and the authority that signed it (`None`: itself)."""

    name: str
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate
    by: Issued | None
    revoked: list[int] = field(default_factory=list)

    @property
    def pem(self) -> str:
        """The certificate alone."""
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def key_pem(self) -> str:
        """The key alone."""
        form = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        return self.key.private_bytes(serialization.Encoding.PEM, *form).decode()

    def revoke(self) -> None:
        """Put it on its issuer's list."""
        assert self.by is not None
        self.by.revoked.append(self.certificate.serial_number)

    def crl(self, days: tuple[int, int] = LONG) -> str:
        """The list of what it has revoked."""
        first, last = days
        builder = x509.CertificateRevocationListBuilder().issuer_name(self.certificate.subject)
        builder = builder.last_update(NOW + first * DAY).next_update(NOW + last * DAY)
        for serial in self.revoked:
            one = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(NOW - 2 * DAY)
            builder = builder.add_revoked_certificate(one.build())
        builder = builder.add_extension(x509.CRLNumber(1), critical=False)
        made = builder.sign(self.key, hashes.SHA256())
        return made.public_bytes(serialization.Encoding.PEM).decode()


def issued(
    name: str,
    by: Issued | None = None,
    days: tuple[int, int] = LONG,
    authority: bool = False,
    *,
    length: int | None = None,
    usage: x509.ObjectIdentifier | None = None,
    key_usage: x509.KeyUsage | None = None,
    hosts: tuple[str, ...] = (),
    signer: ec.EllipticCurvePrivateKey | None = None,
) -> Issued:
    """Make a certificate; `signer` signs in the issuer's place."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    issuer = subject if by is None else by.certificate.subject
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer)
    builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(NOW + days[0] * DAY).not_valid_after(NOW + days[1] * DAY)
    constraints = x509.BasicConstraints(ca=authority, path_length=length)
    builder = builder.add_extension(constraints, critical=True)
    if usage is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
    if key_usage is not None:
        builder = builder.add_extension(key_usage, critical=True)
    if hosts:
        named = x509.SubjectAlternativeName([x509.DNSName(each) for each in hosts])
        builder = builder.add_extension(named, critical=False)
    by_key = key if by is None else by.key
    return Issued(name, key, builder.sign(signer or by_key, hashes.SHA256()), by)


def chains(folder: Path) -> dict[str, Path]:
    """Files for clients (certificate, chain, key), and for the proxy: `ca`, and lists of the revoked."""
    root = issued("root", authority=True)
    old_root = issued("old root", days=PAST, authority=True)
    stranger = issued("stranger", authority=True)
    inter = issued("inter", root, authority=True)
    gone = issued("revoked inter", root, authority=True)
    old = issued("old inter", root, PAST, authority=True)
    early = issued("early inter", root, FUTURE, authority=True)
    silent = issued("inter without list", root, authority=True)
    stale = issued("inter with old list", root, authority=True)
    deep = issued("deep inter", inter, authority=True)
    deep_gone = issued("deep revoked inter", inter, authority=True)
    short = issued("short inter", root, authority=True, length=0)
    below = issued("below short", short, authority=True)
    common = issued("no authority", root)
    other = issued("stranger's inter", stranger, authority=True)
    under_old = issued("inter of old root", old_root, authority=True)
    revoked = issued("revoked", inter)
    deep_twice = issued("all revoked", deep_gone)
    old_revoked = issued("old and revoked", inter, PAST)
    both_revoked = issued("revoked by revoked", gone)
    for each in (gone, deep_gone, revoked, deep_twice, old_revoked, both_revoked):
        each.revoke()
    server = ExtendedKeyUsageOID.SERVER_AUTH
    self_made = issued("self")
    made = {
        "good": (issued("good", inter), inter),
        "good with root": (issued("good with root", inter), inter, root),
        "revoked": (revoked, inter),
        "revoked inter": (issued("a", gone), gone),
        "revoked twice": (both_revoked, gone),
        "deep": (issued("b", deep), deep, inter),
        "deep, middle revoked": (issued("c", deep_gone), deep_gone, inter),
        "deep, both revoked": (deep_twice, deep_gone, inter),
        "old": (issued("d", inter, PAST), inter),
        "not yet": (issued("e", inter, FUTURE), inter),
        "old inter": (issued("f", old), old),
        "early inter": (issued("g", early), early),
        "all old": (issued("h", old, PAST), old),
        "old and revoked": (old_revoked, inter),
        "old root": (issued("i", under_old), under_old),
        "no list": (issued("j", silent), silent),
        "old list": (issued("k", stale), stale),
        "self": (self_made,),
        "stranger": (issued("l", stranger),),
        "stranger with root": (issued("m", stranger), stranger),
        "stranger with chain": (issued("n", other), other, stranger),
        "stranger without root": (issued("o", other), other),
        "old stranger": (issued("p", other, PAST), other),
        "inter missing": (issued("q", inter),),
        "not its purpose": (issued("r", inter, usage=server), inter),
        "old, not its purpose": (issued("s", inter, PAST, usage=server), inter),
        "too deep": (issued("t", below), below, short),
        "no authority": (issued("u", common), common),
        "wrongly signed": (issued("v", inter, signer=stranger.key), inter),
        "inter wrongly signed": _wrongly(root, stranger),
        "strange chain behind": (issued("w", inter), other, stranger, inter),
    }
    files = {}
    for name, chain in made.items():
        files[name] = folder / f"{name.replace(' ', '-').replace(',', '')}.pem"
        files[name].write_text("".join(each.pem for each in chain) + chain[0].key_pem)
    lists = [
        each.crl()
        for each in (
            root,
            inter,
            gone,
            old,
            early,
            deep,
            deep_gone,
            under_old,
            old_root,
            short,
            below,
            common,
        )
    ]
    for name, text in (
        ("ca", root.pem + old_root.pem),
        ("lists", "".join(lists) + stale.crl(PAST)),
        ("inter's list", inter.crl()),
        ("root's list", root.crl()),
    ):
        files[name] = folder / f"{name.replace(' ', '-')}.txt"
        files[name].write_text(text)
    return files


def _wrongly(root: Issued, stranger: Issued) -> tuple[Issued, Issued]:
    forged = issued("forged inter", root, authority=True, signer=stranger.key)
    return issued("x", forged), forged
