"""Lists of patterns in the plan's terms: every file once, and numbers for all lists as HAProxy gives them.

What the files hold is not looked at here: `ListFile` says what must be read, and what for.
"""

from __future__ import annotations

from isthmus.config import Diagnostics, Span, register
from isthmus.model.expression import AclTest, ListValues, MapArg, PatternFile
from isthmus.plan import document
from isthmus.plan.built import ListFile, ListNeed
from isthmus.records import dataclass, field, replace

MIXED_COLUMNS = register(
    "E0427",
    "a file is a map here and a list of patterns there",
    """The lines of a map file are a key and a value; ACLs read it with -M. The same file cannot be read in
    both ways.""",
    "acl known src -M -f /etc/isthmus/networks.map",
)
DUPLICATE_LIST = register(
    "E0428",
    "two ACL lines have the same id",
    """The number of -u tells lists of patterns apart in the runtime API.""",
)

BAD_PATTERN_FILE = register(
    "E0326",
    "pattern file cannot be read",
    """The file of -f, or of a map converter, holds one pattern on each line; lines that begin with # and
    empty ones are passed over. With opt@ before its name, a file that does not exist counts as empty; virt@
    is before names that stand for no file.""",
    "use_backend %[src,map_ip(/etc/isthmus/networks.map)]",
)
BAD_PATTERN_LINE = register(
    "E0429",
    "bad line of a pattern file",
    """A line of a pattern file has not the form that a use of the file asks for: its key must suit the
    matching method, and its value the type that the map converter gives.""",
)
NEVER_READ = register(
    "W0455",
    "a file of patterns is changed and never read",
    """Rules as set-map and add-acl change a list that ACLs or map converters look up something in, under
    the same name; without any, they have no effect.""",
    "use_backend %[req.hdr(host),map(/etc/isthmus/hosts.map)]",
)


@dataclass(slots=True)
class _Named:
    """A file and everybody who uses it."""

    file: PatternFile
    needs: list[ListNeed] = field(default_factory=list)
    places: list[Span] = field(default_factory=list)


class Lists:
    """Every list that was met, by the place where it is first named."""

    def __init__(self, diagnostics: Diagnostics) -> None:
        self._diagnostics = diagnostics
        self._named: dict[str, _Named] = {}
        self._lines: list[tuple[AclTest, Span]] = []
        self._files: dict[str, int] = {}

    def map(self, argument: MapArg) -> int:
        """Return the index of a map converter's file."""
        need = ListNeed(argument.method, argument.values, argument.file.span, acl=False, look_up=False)
        return self._file(argument.file, need)

    def test(self, test: AclTest) -> tuple[int, tuple[document.ListUse, ...]]:
        """Return the index of an ACL line's own list among all such lines, and the files of the line."""
        uses: list[document.ListUse] = []
        for file, ignore_case in test.files:
            need = ListNeed(test.method, ListValues.UNUSED, file.span, acl=True, look_up=test.look_up)
            uses.append(document.ListUse(self._file(file, need), ignore_case))
        last = max([test.expression.span, *(file.span for file, _ in test.files)], key=self._place)
        self._lines.append((test, last))
        return len(self._lines) - 1, tuple(uses)

    def changed(self, file: PatternFile) -> int:
        """Return the index of a file that a rule changes; nothing is looked up in it there."""
        return self._file(file, None)

    def _file(self, file: PatternFile, need: ListNeed | None) -> int:
        self._place(file.span)
        known = self._named.setdefault(file.name, _Named(file))
        if known.file.two_columns != file.two_columns:
            what = "one column" if file.two_columns else "two columns"
            message = f"`{file.name}` is read as a file of {what} at {_where(known.file.span)}"
            self._diagnostics.alert(MIXED_COLUMNS, message, file.span)
        if need is not None:
            known.needs.append(need)
        known.places.append(file.span)
        return list(self._named).index(file.name)

    def _place(self, span: Span) -> tuple[int, int, int]:
        """Return where a span stands among all: its file in the order of meeting, line and column."""
        return self._files.setdefault(span.file, len(self._files)), span.line, span.column

    def numbered(self) -> tuple[list[int], list[int]]:
        """Return the numbers of the files and of the lines' own lists, in the order of meeting."""
        taken: dict[int, AclTest] = {}
        for test, _ in self._lines:
            if test.unique_id is not None and taken.setdefault(test.unique_id, test) is not test:
                message = f"another ACL line has the id {test.unique_id}"
                self._diagnostics.alert(DUPLICATE_LIST, message, test.expression.span)
        order: list[tuple[tuple[int, int, int], int, int]] = []
        for at, named in enumerate(self._named.values()):
            order.append((min(self._place(place) for place in named.places), 0, at))
        for at, (_, span) in enumerate(self._lines):
            order.append((self._place(span), 1, at))
        numbers: tuple[list[int], list[int]] = ([0] * len(self._named), [0] * len(self._lines))
        following = 0
        for _, kind, at in sorted(order):
            own = self._lines[at][0].unique_id if kind else None
            if own is None:
                while following in taken:
                    following += 1
                own, following = following, following + 1
            numbers[kind][at] = own
        return numbers

    def described(self, at: int) -> str:
        """Return what the runtime API tells about the list of an ACL line."""
        test, _ = self._lines[at]
        span = test.expression.span
        return _raw(f"acl '{test.expression.fetch.name}' file '{span.file}' line {span.line}")

    def documents(self, numbers: list[int]) -> tuple[document.PatternList, ...]:
        """Return the files in the plan's terms; what they hold is not known yet."""
        return tuple(
            document.PatternList(
                number,
                _raw(name),
                _raw(self._users(named)),
                named.file.two_columns,
                any(need.acl for need in named.needs),
            )
            for number, (name, named) in zip(numbers, self._named.items(), strict=True)
        )

    def _users(self, named: _Named) -> str:
        kind = "map" if named.file.two_columns else "acl"
        places = sorted(named.places, key=self._place)
        users = ", ".join(f"by {kind} at file '{each.file}' line {each.line}" for each in places)
        return f"pattern loaded from file '{named.file.name}' used {users}"

    def files(self) -> tuple[ListFile, ...]:
        """Return what must be read, in the order of the plan's lists; what is changed only may be missing."""
        return tuple(
            ListFile(replace(named.file, optional=named.file.optional or not named.needs), tuple(named.needs))
            for named in self._named.values()
        )

    def warn_of_unread(self) -> None:
        """Warn of each file that rules change and that nobody looks up anything in."""
        for name, named in self._named.items():
            if not named.needs:
                message = f"no ACL and no map reads `{name}`: what rules change in it has no effect"
                self._diagnostics.warning(NEVER_READ, message, named.file.span)


def _raw(text: str) -> str:
    """Return text as the plan carries bytes: a character for each."""
    return text.encode("utf-8", "surrogateescape").decode("latin-1")


def _where(span: Span) -> str:
    return f"{span.file}:{span.line}"
