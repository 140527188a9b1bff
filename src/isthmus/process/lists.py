"""The files of patterns that a configuration names: read once each, checked for every use of them.

This is where they are opened: the parser only notes their names, and `plan` opens no file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable

from msgspec.structs import replace

from isthmus import records
from isthmus.config import Diagnostics
from isthmus.engine.lists import ListCheck
from isthmus.keywords.world import World
from isthmus.model.expression import ListValues, MatchMethod
from isthmus.plan import document
from isthmus.plan.built import Built, ListFile, ListNeed
from isthmus.plan.lists import BAD_PATTERN_FILE, BAD_PATTERN_LINE

Check = Callable[[bytes, ListCheck], list[tuple[int, str]]]
"""What is wrong with the text of a file for a use of it, by line (`isthmus.engine.check_list`)."""

_NEVER_WRONG = (
    MatchMethod.STR,
    MatchMethod.BEG,
    MatchMethod.END,
    MatchMethod.SUB,
    MatchMethod.DIR,
    MatchMethod.DOM,
    MatchMethod.FOUND,
    MatchMethod.BOOL,
)
_ANY_VALUE = (ListValues.UNUSED, ListValues.TEXT)


def read_lists(built: Built, world: World, check: Check) -> Built:
    """Return a configuration whose pattern files are read. What is wrong goes to its `diagnostics`."""
    reader = _Reader(world, check, built.diagnostics)
    lists: list[document.PatternList] = []
    for said, file in zip(built.engine.lists, built.files, strict=True):
        text = reader.read(file)
        if text is None:
            lists.append(said)
            continue
        digest = hashlib.sha256(text).hexdigest()
        reader.texts[digest] = text
        hosts = reader.check(text, file)
        lists.append(replace(said, digest=digest, hosts=tuple(hosts.items())))
    return records.replace(built, engine=replace(built.engine, lists=tuple(lists)), texts=reader.texts)


class _Reader:
    def __init__(self, world: World, check: Check, diagnostics: Diagnostics) -> None:
        self._world = world
        self._check = check
        self._diagnostics = diagnostics
        self.texts: dict[str, bytes] = {}

    def read(self, file: ListFile) -> bytes | None:
        """Return what a file holds; None where it is in memory only, and where it cannot be read."""
        if file.file.virtual:
            return None
        name, optional = file.file.name, file.file.optional
        try:
            return self._world.read_bytes(name)
        except FileNotFoundError:
            if optional:
                return b""
            message = f"pattern file `{name}` does not exist"
        except (OSError, ValueError) as error:
            message = f"pattern file `{name}` cannot be read: {getattr(error, 'strerror', None) or error}"
        self._diagnostics.alert(BAD_PATTERN_FILE, message, file.file.span)
        return None

    def check(self, text: bytes, file: ListFile) -> dict[str, str]:
        """Collect an error for each bad line; return the addresses of the host names among the keys."""
        hosts: dict[str, str] = {}
        for need in _distinct(file.needs):
            wrong = self._wrong(text, file, need, hosts)
            while need.look_up and need.method is MatchMethod.IP and self._look_up(text, wrong, hosts):
                wrong = self._wrong(text, file, need, hosts)
            for line, message in wrong:
                self._diagnostics.alert(BAD_PATTERN_LINE, f"{file.file.name}:{line}: {message}", need.span)
        return hosts

    def _wrong(
        self, text: bytes, file: ListFile, need: ListNeed, hosts: dict[str, str]
    ) -> list[tuple[int, str]]:
        check = ListCheck(file.file.two_columns, need.method, need.values, tuple(hosts.items()))
        return self._check(text, check)

    def _look_up(self, text: bytes, wrong: list[tuple[int, str]], hosts: dict[str, str]) -> bool:
        """Look up what is no address on the lines that are wrong; return whether anything was found."""
        found = False
        lines = text.split(b"\n") if wrong else []
        for number, _ in wrong:
            key = lines[number - 1].strip(b" \t\r").decode("latin-1")
            address = self._world.resolve(key, 4) if key and key.isascii() else None
            if address is not None and key not in hosts:
                hosts[key] = str(address)
                found = True
        return found


def _distinct(needs: Iterable[ListNeed]) -> Iterable[ListNeed]:
    """Return one need of each kind that a file can fail."""
    kinds: dict[tuple[MatchMethod, ListValues, bool], ListNeed] = {}
    for need in needs:
        if need.method not in _NEVER_WRONG or need.values not in _ANY_VALUE:
            kinds.setdefault((need.method, need.values, need.look_up), need)
    return kinds.values()
