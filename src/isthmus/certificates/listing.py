"""The crt-lists and folders that bind lines name: their lines, and how lines come and go while running."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from isthmus.certificates.changing import TlsChange, binds
from isthmus.model.configuration import Configuration
from isthmus.model.tls import BindTls, CertificateList, Entry, ListLine
from isthmus.records import dataclass, replace


@dataclass(frozen=True, slots=True)
class Listed:
    """A line of a list and the certificate that it names."""

    certificate: str
    line: ListLine


def lists(said: Configuration) -> dict[str, CertificateList]:
    """Return the lists of a configuration, sorted by name."""
    found = {each.name: each for bind in binds(said) for each in bind.lists}
    return dict(sorted(found.items()))


def lines(said: Configuration, name: str) -> list[Listed]:
    """Return the lines of a list in order."""
    return [Listed(each.certificate.name, each.line) for each in entries_in(said, name) if each.line]


def entries_in(said: Configuration, name: str) -> tuple[Entry, ...]:
    """Return the entries that bind lines have from a list."""
    for bind in binds(said):
        if any(each.name == name for each in bind.lists):
            return tuple(entries_of(bind, name))
    return ()


def entries_of(bind: BindTls, name: str) -> list[Entry]:
    """Return the entries that a bind line has from a list."""
    return [each for each in bind.entries if each.line is not None and each.line.list == name]


def with_entries(name: str, added: Iterable[Entry]) -> TlsChange:
    """Return the change that adds entries to a list, behind those that it has."""
    fresh = tuple(added)

    def change(bind: BindTls) -> BindTls:
        if all(each.name != name for each in bind.lists):
            return bind
        own = entries_of(bind, name)
        at = bind.entries.index(own[-1]) + 1 if own else len(bind.entries)
        return replace(bind, entries=(*bind.entries[:at], *fresh, *bind.entries[at:]))

    return TlsChange(bind=change)


def with_lines(name: str, added: tuple[Entry, ...], stays: Callable[[Entry], bool]) -> TlsChange:
    """Return the change that adds entries to a list and keeps of its own those that stay.

    Those of a folder are in the order of their names, as they would be after a start.
    """

    def change(bind: BindTls) -> BindTls:
        listed = next((each for each in bind.lists if each.name == name), None)
        if listed is None:
            return bind
        own = entries_of(bind, name)
        at = bind.entries.index(own[0]) if own else len(bind.entries)
        left = [each for each in own if stays(each)]
        entries = [*left, *added]
        if listed.folder:
            entries.sort(key=lambda entry: entry.certificate.name)
        others = [each for each in bind.entries if each.line is None or each.line.list != name]
        return replace(bind, entries=(*others[:at], *entries, *others[at:]))

    return TlsChange(bind=change)


def without_entry(gone: Listed) -> TlsChange:
    """Return the change that takes a line out of a list."""

    def change(bind: BindTls) -> BindTls:
        left = tuple(
            each
            for each in bind.entries
            if each.line != gone.line or each.certificate.name != gone.certificate
        )
        return replace(bind, entries=left)

    return TlsChange(bind=change)
