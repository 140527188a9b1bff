"""Files of TLS read again: what can be used is put in force; else what ran before stays, and it is told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from posixpath import dirname, join, relpath
from typing import TypeVar

from isthmus.certificates.listing import entries_in, lines, lists, with_lines
from isthmus.certificates.shelf import ChangeError, Shelf
from isthmus.certificates.store import CertificateStore
from isthmus.config import Diagnostics, Span, Word
from isthmus.keywords.row import RefusedError
from isthmus.keywords.tls_bind import CRT_LISTS
from isthmus.keywords.tls_files import TlsFiles, certificates_in, read_certificate
from isthmus.keywords.world import World
from isthmus.model.tls import Certificate, CertificateFiles, CertificateList, Entry, ListLine, PemFile
from isthmus.records import dataclass, replace

_PLACE = Span("watched file", 1, 1, 1)
_Found = TypeVar("_Found", Certificate, PemFile)


class Kind(StrEnum):
    """What can be read again, by its word in messages."""

    CERTIFICATE = "certificate"
    FOLDER = "folder"
    LIST = "crt-list"
    AUTHORITIES = "ca-file"
    REVOCATIONS = "crl-file"


def read_again(held: Certificate, world: World) -> Certificate:
    """Return what the files of a certificate hold now. Raises RefusedError.

    What lines say about it stays, and so does an OCSP response that was fetched for the same certificate.
    """
    if held.files is None:
        return held
    found = read_certificate(held.files, _PLACE, world, Diagnostics())
    response = held.ocsp if found.ocsp is None and found.chain == held.chain else found.ocsp
    ordered = None if held.ordered is None else replace(held.ordered, interim=False)
    return replace(found, name=held.name, ocsp=response, ordered=ordered, ocsp_update=held.ocsp_update)


def waits_for_file(held: Certificate, world: World) -> bool:
    """Whether a certificate is shown until the first one is issued, which makes its file."""
    interim = held.ordered is not None and held.ordered.interim
    return interim and held.files is not None and not _exists(held.files.path, world)


@dataclass(frozen=True, slots=True)
class Refresher:
    """Reads files of a store again; `told` is told of each change, and whether something is wrong."""

    store: CertificateStore
    told: Callable[[str, bool], None]

    def refresh(self, names: dict[Kind, list[str]]) -> None:
        """Read what has these names, by kind."""
        self._put(
            Kind.CERTIFICATE, self.store.certificates, self._certificates(names.get(Kind.CERTIFICATE, ()))
        )
        for name in names.get(Kind.FOLDER, ()):
            self._folder(name)
        for name in names.get(Kind.LIST, ()):
            self._list(name)
        for kind, shelf in (
            (Kind.AUTHORITIES, self.store.authorities),
            (Kind.REVOCATIONS, self.store.revocations),
        ):
            self._put(kind, shelf, self._pem_files(kind, names.get(kind, ())))

    def _put(self, kind: Kind, shelf: Shelf[_Found], found: Iterable[_Found]) -> None:
        for each, wrong in shelf.put_all(list(found)):
            if wrong is None:
                self.told(f"The {kind} `{each.name}` has changed and is in force", False)
            else:
                self._keeps(kind, each.name, wrong)

    def _keeps(self, kind: Kind, name: str, why: str) -> None:
        self.told(f"The {kind} `{name}` has changed and is not used: {why}; what ran before stays", True)

    def _certificates(self, names: Iterable[str]) -> Iterator[Certificate]:
        known = self.store.certificates.all()
        for name in names:
            held = known.get(name)
            if held is None or held.files is None or self._has_left(held.files):
                continue
            if waits_for_file(held, self.store.world):
                continue
            try:
                found = read_again(held, self.store.world)
            except RefusedError as refusal:
                self._keeps(Kind.CERTIFICATE, name, refusal.message)
                continue
            if found != held:
                yield found

    def _has_left(self, files: CertificateFiles) -> bool:
        """Whether a certificate is not in its folder any more, which takes it out of the list."""
        folder = lists(self.store.running.built.configuration).get(dirname(files.path))
        return folder is not None and folder.folder and not _exists(files.path, self.store.world)

    def _pem_files(self, kind: Kind, names: Iterable[str]) -> Iterator[PemFile]:
        shelf = self.store.authorities if kind is Kind.AUTHORITIES else self.store.revocations
        for name in names:
            files, word = TlsFiles(), Word(name, _PLACE)
            read = files.authorities if kind is Kind.AUTHORITIES else files.revocations
            try:
                found = read(word, self.store.world)
            except RefusedError as refusal:
                self._keeps(kind, name, refusal.message)
                continue
            if found != shelf.all().get(name):
                yield found

    def _folder(self, name: str) -> None:
        """Make the lines of a folder those of the files that are in it."""
        said = self.store.running.built.configuration
        listed = lists(said).get(name)
        names = self.store.world.list_folder(name)
        if listed is None:
            return
        if names is None:
            self._keeps(Kind.FOLDER, name, "it is gone or cannot be read")
            return
        wanted = {join(name, each) for each in certificates_in(names)}
        before = {each.certificate for each in lines(said, name)}
        added = tuple(self._new_in(listed, sorted(wanted - before)))
        if not added and before <= wanted:
            return
        fresh = tuple(Entry(each, line=ListLine(name)) for each in added)
        try:
            self.store.make(with_lines(name, fresh, lambda entry: entry.certificate.name in wanted))
        except ChangeError as error:
            self._keeps(Kind.FOLDER, name, str(error))
            return
        for each in added:
            self.told(f"The certificate `{each.name}` has appeared and is in force", False)
        self._forget(Kind.FOLDER, name, before - wanted)

    def _new_in(self, listed: CertificateList, paths: Iterable[str]) -> Iterator[Certificate]:
        for path in paths:
            files = CertificateFiles(path, bases=listed.bases)
            try:
                found = read_certificate(files, _PLACE, self.store.world, Diagnostics())
                self.store.certificates.approve(found)
            except RefusedError as refusal:
                self.told(f"The certificate `{path}` has appeared and is not used: {refusal.message}", True)
            except ChangeError as error:
                self.told(f"The certificate `{path}` has appeared and is not used: {error}", True)
            else:
                yield found

    def _list(self, name: str) -> None:
        """Make the lines of a crt-list those of its file."""
        said = self.store.running.built.configuration
        listed = lists(said).get(name)
        if listed is None:
            return
        base = listed.bases.crt_base
        word = Word(relpath(name, base) if base and not name.startswith("/") else name, _PLACE)
        reading = self.store.reading(listed.bases)
        try:
            entries = CRT_LISTS.read(word, reading)
        except RefusedError as refusal:
            self._keeps(Kind.LIST, name, refusal.message)
            return
        wrong = [each.message for each in reading.diagnostics if each.severity.value == "alert"]
        before = {each.certificate for each in lines(said, name)}
        if not wrong and entries == entries_in(said, name):
            return
        try:
            if wrong:
                raise ChangeError("; ".join(wrong))
            self.store.make(with_lines(name, entries, lambda _: False))
        except ChangeError as error:
            self._keeps(Kind.LIST, name, str(error))
            return
        self.told(f"The crt-list `{name}` has changed and is in force", False)
        self._forget(Kind.LIST, name, before - {each.certificate.name for each in entries})

    def _forget(self, kind: Kind, name: str, gone: Iterable[str]) -> None:
        """Tell of certificates that have left a list, and keep none that nothing uses."""
        used = self.store.certificates.used()
        for each in sorted(gone):
            if each not in used:
                self.store.certificates.spare.pop(each, None)
            self.told(f"The certificate `{each}` has left {kind} `{name}`", False)


def _exists(path: str, world: World) -> bool:
    try:
        world.read_bytes(path)
    except (OSError, ValueError):
        return False
    return True
