"""Keys of session tickets that files gave: `show tls-keys`, `set ssl tls-key`."""

from __future__ import annotations

import binascii
from base64 import b64encode

from isthmus.certificates.changing import TlsChange, binds
from isthmus.certificates.shelf import ChangeError
from isthmus.model.tls import BindTls
from isthmus.records import replace
from isthmus.runtime.instance import CommandError, Instance
from isthmus.runtime.level import Level
from isthmus.runtime.registry import Request, command


def _files(instance: Instance) -> list[tuple[str, tuple[bytes, ...]]]:
    """Return the files with their keys; the place of each is its number."""
    found: dict[str, tuple[bytes, ...]] = {}
    for bind in binds(instance.running.built.configuration):
        if bind.ticket_keys:
            found.setdefault(bind.ticket_file, bind.ticket_keys)
    return list(found.items())


def _chosen(said: str, instance: Instance, name: str) -> tuple[int, str, tuple[bytes, ...]]:
    """Return the number, name and keys of a file that a name or a number behind `#` tells."""
    for number, (file, keys) in enumerate(_files(instance)):
        if said in (file, f"#{number}"):
            return number, file, keys
    raise CommandError(f"'{name}' unable to locate referenced filename")


@command(
    "show tls-keys",
    "show tls keys references or dump tls ticket keys when id specified",
    syntax="[id|*]",
    level=Level.ADMIN,
)
def show_tls_keys(request: Request) -> str:
    """List the files of keys, or the keys themselves: of one file, or with `*` of all."""
    said = request.argument(0)
    files = _files(request.instance)
    if not said:
        return "# id (file)\n" + "".join(f"{at} ({name})\n" for at, (name, _) in enumerate(files))
    shown = [(at, *file) for at, file in enumerate(files)]
    if said != "*":
        shown = [_chosen(said, request.instance, "show tls-keys")]
    lines = ["# id secret"]
    for at, name, keys in shown:
        lines.append(f"# {at} ({name})")
        lines += [f"{at}.{place} {b64encode(key).decode()}" for place, key in enumerate(keys)]
    return "".join(f"{line}\n" for line in lines)


@command(
    "set ssl tls-key",
    "set the next TLS key for the <id> or <file> listener to <key>",
    syntax="[id|file] <key>",
    level=Level.ADMIN,
)
def set_ssl_tls_key(request: Request) -> str:
    """Add a key to a file's, in the place of the oldest: the last but one seals from now on."""
    said, text = request.argument(0), request.argument(1)
    if not said or not text:
        raise CommandError("'set ssl tls-key' expects a filename and the new TLS key in base64 encoding.")
    _, name, keys = _chosen(said, request.instance, "set ssl tls-key")
    try:
        key = binascii.a2b_base64(text, strict_mode=True)
    except (binascii.Error, ValueError):
        raise CommandError("'set ssl tls-key' received invalid base64 encoded TLS key.") from None
    if len(key) != len(keys[0]):
        raise CommandError("'set ssl tls-key' received a key of wrong size.")
    changed = (*keys[1:], key)

    def change(bind: BindTls) -> BindTls:
        return replace(bind, ticket_keys=changed) if bind.ticket_file == name else bind

    try:
        request.instance.certificates.make(TlsChange(bind=change))
    except ChangeError as error:
        raise CommandError(f"'set ssl tls-key' failed: {error}") from None
    return "TLS ticket key updated!\n"
