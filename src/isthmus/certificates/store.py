"""Every file of TLS of a running configuration, by kind; the runtime API and the watcher change them here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

from msgspec.structs import replace

from isthmus.certificates.changing import (
    TlsChange,
    authority_uses,
    certificate_uses,
    revocation_uses,
    used_authorities,
    used_certificates,
    used_revocations,
)
from isthmus.certificates.shelf import Running, Shelf, put_in_force
from isthmus.config import Diagnostics
from isthmus.engine.tls import TlsFacts
from isthmus.keywords.row import Reading
from isthmus.keywords.tls_files import TlsFiles
from isthmus.keywords.vocabulary import Vocabulary
from isthmus.keywords.world import World
from isthmus.model.tls import Bases, Certificate, PemFile
from isthmus.plan import document
from isthmus.plan.built import Built
from isthmus.plan.tls import Files

_NO_EXPRESSIONS = Vocabulary({}, {}, {}, frozenset())
"""Nothing that a line of a list may say holds any."""


class Check(Protocol):
    """What the engine says about a plan's TLS (`isthmus.engine.check_tls`)."""

    def __call__(self, plan: document.Plan) -> TlsFacts:
        """Return it."""
        ...


class CertificateStore:
    """The certificates, authorities and revocation lists of a process."""

    def __init__(self, running: Running, check: Check, world: World) -> None:
        self.running = running
        self.world = world
        self._check = check
        loaded = running.built.configuration.loaded
        self.certificates: Shelf[Certificate] = Shelf(
            running,
            used_certificates,
            _certificates,
            certificate_uses,
            self._faults,
            {each.name: each for each in loaded},
        )
        self.authorities: Shelf[PemFile] = Shelf(
            running, used_authorities, _authorities, authority_uses, self._pem_faults
        )
        self.revocations: Shelf[PemFile] = Shelf(
            running, used_revocations, _revocations, revocation_uses, self._revocation_faults
        )

    def make(self, change: TlsChange) -> None:
        """Make a change of which files lines use. Raises ChangeError."""
        certificates, authorities = self.certificates.used(), self.authorities.used()
        revocations = self.revocations.used()
        put_in_force(change, self.running)
        self.certificates.put_aside(certificates)
        self.authorities.put_aside(authorities)
        self.revocations.put_aside(revocations)

    def reading(self, bases: Bases, world: World | None = None) -> Reading:
        """Return what lines are read with while running; known files are not read again."""
        files = TlsFiles(bases.crt_base, bases.ca_base, bases.key_base, bases.extra, bases.without_extension)
        files.know(
            {name: file for name, file in self.certificates.all().items() if file is not None},
            {name: file for name, file in self.authorities.all().items() if file is not None},
            {name: file for name, file in self.revocations.all().items() if file is not None},
        )
        return Reading(Diagnostics(), _NO_EXPRESSIONS, world or self.world, files)

    def facts(self, certificate: Certificate) -> TlsFacts:
        """Return what the engine says about a certificate alone."""
        files = Files()
        files.certificate(certificate)
        return self._facts(files, self.running.built)

    def _faults(self, file: Certificate, built: Built) -> Iterator[str]:
        files = Files()
        files.certificate(file)
        return (fault.message for fault in self._facts(files, built).faults)

    def _pem_faults(self, file: PemFile, built: Built) -> Iterator[str]:
        files = Files()
        files.authorities(file)
        return (fault.message for fault in self._facts(files, built).faults)

    def _revocation_faults(self, file: PemFile, built: Built) -> Iterator[str]:
        files = Files()
        files.revocations(file)
        return (fault.message for fault in self._facts(files, built).faults)

    def _facts(self, files: Files, built: Built) -> TlsFacts:
        documents = files.documents(built.configuration.global_.tls)
        return self._check(replace(built.engine, frontends=(), backends=(), tls=documents))


def _certificates(files: Mapping[str, Certificate]) -> TlsChange:
    return TlsChange(certificates=files)


def _authorities(files: Mapping[str, PemFile]) -> TlsChange:
    return TlsChange(authorities=files)


def _revocations(files: Mapping[str, PemFile]) -> TlsChange:
    return TlsChange(revocations=files)
