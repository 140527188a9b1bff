"""Lists of certificates of the running process: `show`, `add` and `del ssl crt-list`."""

from __future__ import annotations

from posixpath import join

from isthmus.certificates.listing import Listed, lines, lists, with_entries, without_entry
from isthmus.certificates.shelf import ChangeError
from isthmus.keywords.row import RefusedError
from isthmus.keywords.tls_bind import CRT_LISTS
from isthmus.model.configuration import Configuration
from isthmus.model.tls import Certificate, CertificateList, Entry
from isthmus.runtime.instance import CommandError, Instance
from isthmus.runtime.level import Level
from isthmus.runtime.registry import Request, command


@command(
    "show ssl crt-list",
    "show the list of crt-lists or the content of a crt-list file <list>",
    syntax="[-n] [<list>]",
    level=Level.OPERATOR,
)
def show_ssl_crt_list(request: Request) -> str:
    """List the lists, or the lines of one; with `-n`, each with its number."""
    numbered = request.argument(0) == "-n"
    name = request.argument(1 if numbered else 0)
    said = request.instance.running.built.configuration
    if not name:
        if numbered:
            raise CommandError("'show ssl crt-list -n' expects a filename or a directory")
        return "".join(f"{each}\n" for each in lists(said))
    if name not in lists(said):
        raise CommandError("didn't find the specified filename")
    return f"# {name}\n" + "".join(f"{_written(each, numbered)}\n" for each in lines(said, name))


def _written(said: Listed, numbered: bool) -> str:
    name = f"{said.certificate}:{said.line.number}" if numbered else said.certificate
    options = (f"[{said.line.options}]",) if said.line.options else ()
    return " ".join((name, *options, *said.line.filters))


@command(
    "add ssl crt-list",
    "add to crt-list file <list> a line <cert> or a payload",
    syntax="<list> <cert> [opts]*",
    level=Level.ADMIN,
)
def add_ssl_crt_list(request: Request) -> str:
    """Add a line to a list; the certificate is shown by every bind line that names the list."""
    name, text = request.argument(0), request.argument(1)
    if request.payload is not None:
        given = [line for line in request.payload if line.strip()]
        if len(given) != 1:
            raise _cannot_edit("only one line of payload is supported!")
        text = given[0]
    if not name or not text.strip():
        raise CommandError("'add ssl crtlist' expects a filename and a certificate name")
    instance = request.instance
    said = instance.running.built.configuration
    known = lists(said)
    found = known.get(name) or known.get(name.rstrip("/"))
    if found is None:
        raise _cannot_edit(f"crt-list '{name}' does not exist!")
    entry = _entry(text, found, said, instance)
    try:
        instance.certificates.make(with_entries(found.name, (entry,)))
    except ChangeError as error:
        raise _cannot_edit(str(error)) from None
    shown = entry.certificate.name
    instance.running.told(f"'add ssl crt-list' : certificate '{shown}' added to '{found.name}'.")
    return f"Inserting certificate '{shown}' in crt-list '{found.name}'.\nSuccess!\n"


def _cannot_edit(why: str) -> CommandError:
    return CommandError(f"Can't edit the crt-list: {why}")


def _entry(text: str, to: CertificateList, said: Configuration, instance: Instance) -> Entry:
    """Return the entry that a line adds to a list. Raises CommandError."""
    written, _, behind = text.strip().partition(" ")
    shelf = instance.certificates.certificates
    all_files = shelf.all()
    name = written
    if not written.startswith(("/", "@")) and to.bases.crt_base and not to.folder:
        name = join(to.bases.crt_base, written)
    _refuse_strange_folder(name, to, said)
    if name not in all_files:
        raise _cannot_edit(f"certificate '{name}' does not exist!")
    certificate = all_files[name]
    if certificate is None:
        raise _cannot_edit(f"certificate '{name}' is empty!")
    number = 1 + max((each.line.number for each in lines(said, to.name)), default=0)
    return _read(f"{written} {behind}", written, certificate, number, to, instance)


def _refuse_strange_folder(name: str, to: CertificateList, said: Configuration) -> None:
    if not to.folder:
        return
    if not name.startswith(f"{to.name}/"):
        raise _cannot_edit(
            f"'{to.name}' is a directory, certificate path '{name}' must contain the directory path"
        )
    if any(each.certificate == name for each in lines(said, to.name)):
        raise _cannot_edit("file already exists in this directory!")


def _read(
    text: str, written: str, certificate: Certificate, number: int, to: CertificateList, instance: Instance
) -> Entry:
    """Read the options and filters of a line; the files that it names are those that are known already."""
    reading = instance.certificates.reading(to.bases)
    try:
        entry = CRT_LISTS.added(text, to.name, number, {written: certificate}, reading)
    except RefusedError as refusal:
        raise _cannot_edit(refusal.message) from None
    if reading.diagnostics.failed:
        raise _cannot_edit("\n".join(each.message for each in reading.diagnostics))
    return entry


@command(
    "del ssl crt-list",
    "delete a line <cert> from crt-list file <list>",
    syntax="<list> <cert[:line]>",
    level=Level.ADMIN,
)
def del_ssl_crt_list(request: Request) -> str:
    """Take a line out of a list; a number behind a colon tells lines of one certificate apart."""
    name, said = request.argument(0), request.argument(1)
    if not name or not said:
        raise CommandError("'del ssl crtlist' expects a filename and a certificate name")
    instance = request.instance
    configuration = instance.running.built.configuration
    known = lists(configuration)
    found = known.get(name) or known.get(name.rstrip("/"))
    if found is None:
        raise _cannot_delete(f"crt-list '{name}' does not exist!")
    certificate, number = _numbered(said, instance)
    if certificate not in instance.certificates.certificates.all():
        raise _cannot_delete(f"certificate '{certificate}' does not exist!")
    own = [each for each in lines(configuration, found.name) if each.certificate == certificate]
    try:
        instance.certificates.make(without_entry(_the_one(own, certificate, number, found.name)))
    except ChangeError as error:
        raise _cannot_delete(str(error)) from None
    instance.running.told(f"'del ssl crt-list' : certificate '{certificate}' taken out of '{found.name}'.")
    return f"Entry '{certificate}' deleted in crtlist '{found.name}'!\n"


def _cannot_delete(why: str) -> CommandError:
    return CommandError(f"Can't delete the entry: {why}")


def _numbered(said: str, instance: Instance) -> tuple[str, int | None]:
    """Split a number off a certificate's name, unless the name itself ends so."""
    name, colon, number = said.rpartition(":")
    if not colon or said in instance.certificates.certificates.all():
        return said, None
    if not number.isascii() or not number.isdigit():
        raise _cannot_delete(f"wrong line number '{number}'!")
    return name, int(number)


def _the_one(own: list[Listed], certificate: str, number: int | None, name: str) -> Listed:
    if not own:
        raise _cannot_delete(f"certificate '{certificate}' can't be found in crt-list '{name}'!")
    numbers = ", ".join(str(each.line.number) for each in own)
    if number is None:
        if len(own) > 1:
            why = f"found the certificate '{certificate}' in several entries, please specify a line number"
            raise _cannot_delete(f"{why} preceded by colons ({numbers})!")
        return own[0]
    found = next((each for each in own if each.line.number == number), None)
    if found is None:
        why = (
            f"found a certificate '{certificate}' but the line number is incorrect, please specify a correct"
        )
        raise _cannot_delete(f"{why} line number preceded by colons ({numbers})!")
    return found
