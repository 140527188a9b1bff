"""Authorities and revocation lists of the running process: commands about `ssl ca-file`, `crl-file`."""

from __future__ import annotations

from collections.abc import Callable

from isthmus.certificates.shelf import ChangeError, Shelf
from isthmus.engine import describe_certificates, describe_revocations
from isthmus.engine.tls import RevocationDescription
from isthmus.keywords.tls_pem import blocks
from isthmus.model.tls import PemFile
from isthmus.records import dataclass
from isthmus.runtime.commands.certificates import CLI, details
from isthmus.runtime.commands.transactions import abort, commit, prepare
from isthmus.runtime.dates import openssl_date
from isthmus.runtime.instance import BriefCommandError, CommandError, Instance
from isthmus.runtime.level import Level
from isthmus.runtime.registry import Action, Request, command


@dataclass(frozen=True, slots=True)
class _Kind:
    """What the two kinds of files differ in, and in HAProxy's answers too."""

    word: str
    title: str
    holds: str
    shelf: Callable[[Instance], Shelf[PemFile]]
    read: Callable[[bytes], tuple[bytes, ...]]
    listed: Callable[[str, PemFile | None], str]
    shown: Callable[[bytes], list[str]]

    def show(self, request: Request) -> str:
        """List the files, or describe what one holds, all of it or one by its number."""
        shelf = self.shelf(request.instance)
        said = request.argument(0)
        if not said:
            return self._all(shelf)
        name, index = self._indexed(said, shelf)
        known = shelf.all()
        if name.startswith("*") and shelf.transaction is not None and shelf.transaction.name == name[1:]:
            file: PemFile | None = shelf.transaction
        elif name in known:
            file = known[name]
        else:
            raise CommandError(f"Can't display the {self.title} file : Not found!")
        status = "Used" if name in shelf.used() else "Unused"
        head = f"Filename: {name}\nStatus: {status}\n"
        parts = self.shown(file.pem) if file is not None else []
        if index is not None:
            parts = [part if at == index else "" for at, part in enumerate(parts, 1)]
            if not any(parts):
                # As HAProxy, which has nothing to say of an authority that is not there.
                return "" if self.word == "ca-file" else head
        return head + "".join(f" \n{part}" for part in parts if part)

    def _all(self, shelf: Shelf[PemFile]) -> str:
        lines = []
        if shelf.transaction is not None:
            lines += ["# transaction", self.listed(f"*{shelf.transaction.name}", shelf.transaction)]
        lines.append("# filename")
        lines += [self.listed(name, file) for name, file in shelf.all().items()]
        return "".join(f"{line}\n" for line in lines)

    def _indexed(self, said: str, shelf: Shelf[PemFile]) -> tuple[str, int | None]:
        name, colon, index = said.rpartition(":")
        if not colon or said in shelf.all():
            return said, None
        if not (index.isascii() and index.isdigit()) or int(index) < 1:
            raise BriefCommandError(f"wrong {self.title} index after colons in '{said}'!\n")
        return name, int(index)

    def new(self, request: Request) -> str:
        """Make an empty place for a file."""
        name = request.argument(0)
        if not name:
            raise CommandError(f"'new ssl {self.word}' expects a filename")
        try:
            self.shelf(request.instance).new(name)
        except ChangeError:
            raise CommandError(f"{self.title} file '{name}' already exists!") from None
        return f"New {self.title} file created '{name}'!\n"

    def set(self, request: Request) -> str:
        """Prepare a file: what its payload holds is put in the place of all that it had."""
        return self._prepare(request, "set", lambda _shelf, _name: b"")

    def add(self, request: Request) -> str:
        """Prepare a file that holds what its payload holds behind all that it had, or was prepared with."""

        def before(shelf: Shelf[PemFile], name: str) -> bytes:
            prepared = shelf.transaction
            file = prepared if prepared is not None and prepared.name == name else shelf.all()[name]
            return file.pem if file is not None else b""

        return self._prepare(request, "add", before)

    def _prepare(self, request: Request, verb: str, before: Callable[[Shelf[PemFile], str], bytes]) -> str:
        """Prepare a file that holds a payload behind other text."""
        name = request.argument(0)
        if not name or request.payload is None:
            raise CommandError(f"'{verb} ssl {self.word} expects a filename and {self.holds} as a payload")
        shelf = self.shelf(request.instance)
        if name not in shelf.all():
            why = f"Can't replace a {self.title} file which is not referenced by the configuration!"
            raise CommandError(f"{why}\nCan't update {name}!")

        def change() -> PemFile:
            found = self.read("\n".join(request.payload or ()).encode("latin-1", "replace"))
            if not found:
                raise ValueError("Invalid payload")
            return PemFile(name, before(shelf, name) + b"".join(found), CLI)

        return f"transaction {prepare(shelf, name, name, change)} for {self.title} {name}!\n"

    def commit(self, request: Request) -> str:
        """Put the file in force that was prepared."""
        nameless = "'commit ssl ca-file expects a filename"
        return commit(request, self.shelf(request.instance), self.word, nameless)

    def abort(self, request: Request) -> str:
        """Forget the file that was prepared."""
        return abort(request, self.shelf(request.instance), self.word)

    def delete(self, request: Request) -> str:
        """Forget a file that no line uses."""
        name, what = request.argument(0), f"{self.title} file"
        if not name:
            raise CommandError(f"'del ssl {self.word}' expects a {what} name")
        shelf = self.shelf(request.instance)
        if name not in shelf.all():
            raise CommandError(f"Can't remove the {what}: {what} '{name}' doesn't exist!\n")
        if name in shelf.used():
            raise CommandError(f"Can't remove the {what}: {what} '{name}' in use, can't be deleted!\n")
        shelf.remove(name)
        return f"{what} '{name}' deleted!\n"

    def register(self) -> None:
        """Register the commands of this kind."""
        rows: tuple[tuple[str, str, str, Action], ...] = (
            ("show", f"display the SSL {self.title} files used in memory", "[<file>[:<index>]]", self.show),
            ("new", f"create a new {self.title} file to be used in a crt-list", "<file>", self.new),
            ("set", f"replace a {self.title} file", "<file> <payload>", self.set),
            ("commit", f"commit a {self.title} file", "<file>", self.commit),
            ("abort", f"abort a transaction for a {self.title} file", "<file>", self.abort),
            ("del", f"delete an unused {self.title} file", "<file>", self.delete),
        )
        for verb, about, syntax, run in rows:
            level = Level.OPERATOR if verb == "show" else Level.ADMIN
            command(f"{verb} ssl {self.word}", about, syntax=syntax, level=level)(run)


def _authorities_listed(name: str, file: PemFile | None) -> str:
    count = 0 if file is None else len(blocks(file.pem).certificates)
    return f"{name} - {count} certificate(s)"


def _authorities_shown(pem: bytes) -> list[str]:
    found = enumerate(describe_certificates(pem), 1)
    return [f"Certificate #{number}:\n{details(each)}" for number, each in found]


def _revocations_shown(pem: bytes) -> list[str]:
    found = enumerate(describe_revocations(pem), 1)
    return [f"Certificate Revocation List #{number}:\n{_list(each)}" for number, each in found]


def _list(said: RevocationDescription) -> str:
    due = "NONE" if said.next_update is None else openssl_date(said.next_update)
    head = (
        f"Version {said.version}\nSignature Algorithm: {said.algorithm}\nIssuer: {said.issuer}\n"
        f"Last Update: {openssl_date(said.this_update)}\nNext Update: {due}\n"
    )
    if not said.revoked:
        return f"{head}No Revoked Certificates.\n"
    revoked = (
        f"    Serial Number: {serial}\n        Revocation Date: {openssl_date(when)}\n"
        for serial, when in said.revoked
    )
    return f"{head}Revoked Certificates:\n{''.join(revoked)}"


AUTHORITIES = _Kind(
    "ca-file",
    "CA",
    "CAs",
    lambda instance: instance.certificates.authorities,
    lambda text: blocks(text).certificates,
    _authorities_listed,
    _authorities_shown,
)
REVOCATIONS = _Kind(
    "crl-file",
    "CRL",
    "CRLs",
    lambda instance: instance.certificates.revocations,
    lambda text: blocks(text).revocations,
    lambda name, _file: name,
    _revocations_shown,
)
AUTHORITIES.register()
command(
    "add ssl ca-file",
    "add certificates to a CA file, by a transaction",
    syntax="<file> <payload>",
    level=Level.ADMIN,
)(AUTHORITIES.add)
REVOCATIONS.register()
