"""Files of one kind by name: those that lines use, those that wait for a use, and the next change."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Generic, Protocol, TypeVar

from isthmus.certificates.changing import TlsChange
from isthmus.engine.report import ApplyReport
from isthmus.model.configuration import Configuration
from isthmus.plan.built import Built
from isthmus.records import dataclass, field


class Named(Protocol):
    """A file of TLS."""

    @property
    def name(self) -> str:
        """What it is known by."""
        ...


File = TypeVar("File", bound=Named)


class ChangeError(Exception):
    """A change that cannot be made, and why; nothing was changed."""


class Running(Protocol):
    """The configuration in force, whose files may be replaced."""

    @property
    def built(self) -> Built:
        """What runs."""
        ...

    def renew(self, built: Built) -> ApplyReport:
        """Put other files of TLS in force; where the report has errors, nothing was changed."""
        ...


def put_in_force(change: TlsChange, running: Running) -> None:
    """Make a change of the configuration that runs. Raises ChangeError."""
    try:
        report = running.renew(change.of(running.built))
    except ValueError as error:
        raise ChangeError(str(error)) from None
    if report.errors:
        raise ChangeError("\n".join(message for _, message in report.errors))


@dataclass(slots=True)
class Shelf(Generic[File]):
    """Files by name. `spare` ones are used by no line; None is one that is still empty.

    `transaction` is the file that the next commit puts in force, not yet complete perhaps.
    """

    running: Running
    used_in: Callable[[Configuration], Iterator[File]]
    change: Callable[[Mapping[str, File]], TlsChange]
    uses: Callable[[Configuration], Iterator[str]]
    check: Callable[[File, Built], Iterable[str]]
    spare: dict[str, File | None] = field(default_factory=dict)
    transaction: File | None = None

    def used(self) -> dict[str, File]:
        """Return the files that lines use."""
        found: dict[str, File] = {}
        for each in self.used_in(self.running.built.configuration):
            found.setdefault(each.name, each)
        return found

    def all(self) -> dict[str, File | None]:
        """Return every file, sorted by name."""
        return dict(sorted({**self.spare, **self.used()}.items()))

    def new(self, name: str) -> None:
        """Make an empty place for a file that is filled later. Raises ChangeError where there is one."""
        if name in self.all():
            raise ChangeError(name)
        self.spare[name] = None

    def put(self, file: File) -> int:
        """Put a file in the place of the one of its name; return how often lines use it.

        Raises ChangeError for one that cannot be used: the one before stays.
        """
        self.approve(file)
        used = file.name in self.used()
        if used:
            put_in_force(self.change({file.name: file}), self.running)
        if not used or file.name in self.spare:
            self.spare[file.name] = file
        return sum(each == file.name for each in self.uses(self.running.built.configuration))

    def put_all(self, files: Sequence[File]) -> list[tuple[File, str | None]]:
        """Put files in the places of those of their names, at once where that can be.

        Return with each why it cannot be used, None for those that are in force now.
        """
        outcome: dict[str, str | None] = {}
        for each in files:
            try:
                self.approve(each)
            except ChangeError as error:
                outcome[each.name] = str(error)
        used = self.used()
        good = [each for each in files if each.name not in outcome]
        change = {each.name: each for each in good if each.name in used}
        try:
            if change:
                put_in_force(self.change(change), self.running)
        except ChangeError:
            # One of them does not fit a line: the others need not wait for it.
            for each in good:
                try:
                    self.put(each)
                except ChangeError as error:
                    outcome[each.name] = str(error)
        self.spare.update({each.name: each for each in good if each.name in self.spare})
        return [(each, outcome.get(each.name)) for each in files]

    def approve(self, file: File) -> None:
        """Raise ChangeError for a file that cannot be used anywhere."""
        wrong = list(self.check(file, self.running.built))
        if wrong:
            raise ChangeError("\n".join(wrong))

    def remove(self, name: str) -> None:
        """Forget a file that no line uses."""
        del self.spare[name]

    def put_aside(self, before: Mapping[str, File]) -> None:
        """Keep those of the files that were used before and are not any more."""
        now = self.used()
        self.spare.update({name: file for name, file in before.items() if name not in now})
