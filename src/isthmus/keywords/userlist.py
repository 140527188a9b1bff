"""Section `userlist`: names, passwords and groups (manual 3.4)."""

from __future__ import annotations

from isthmus.config import Line, Section, Span, Word, register
from isthmus.keywords.codes import MISSING_ARGUMENT, UNKNOWN_KEYWORD
from isthmus.keywords.names import check_name
from isthmus.keywords.password_hashes import MOST_MEMORY, Hash, judge
from isthmus.keywords.row import Reading, RefusedError, Words, place
from isthmus.keywords.values import suggest
from isthmus.model.userlist import User, Userlist
from isthmus.records import dataclass

UNKNOWN_MEMBER = register(
    "E0190",
    "no such user or group",
    """A group line names users of its list, and a user line groups, wherever in the section those are
    declared.""",
    "group admins users ann",
)
BAD_HASH = register(
    "E0191",
    "password is not hashed in a way that is known here",
    """Behind `password` stands what crypt(3) makes with yescrypt ($y$), SHA-256 ($5$), SHA-512 ($6$), bcrypt
    ($2b$), MD5 ($1$) or DES: `mkpasswd` and `openssl passwd -6` write one. A hash of yescrypt for which
    comparing takes more than 64 MiB is refused: `mkpasswd -R 7` makes the most demanding one. A password as
    it is stands behind `insecure-password`.""",
    "user ann password $5$salt$HcpxOfa925mFNRuYAscuC4oWpw6c8l.YtrFMtUG7fp9",
)
DECLARED_TWICE = register(
    "W0192",
    "declared twice",
    """A userlist, and a user or a group in one, has one declaration: the first holds, and later ones are
    passed over.""",
)
WEAK_HASH = register(
    "W0194",
    "password is hashed with DES",
    """Hashes of 13 characters are those of DES, which Unix had at first: all passwords can be tried through
    in hours on one machine, and only the first eight characters of a password count, so that longer ones that
    begin alike are taken as well. `mkpasswd` makes a hash that is not weak.""",
    "user ann password rl.3StKT.4T8M",
)


@dataclass(slots=True)
class _Declared:
    """A user or group line: its name, the members it names, and the password."""

    name: Word
    members: list[Word]
    password: str | None = None
    hashed: bool = False


_KEYWORDS = ("user", "group")


class Userlists:
    """The userlists read so far, by name."""

    @staticmethod
    def keywords() -> tuple[str, ...]:
        """Return the words that lines of such a section begin with."""
        return _KEYWORDS

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._found: dict[str, Userlist] = {}

    @property
    def userlists(self) -> tuple[Userlist, ...]:
        """Every userlist, in order."""
        return tuple(self._found.values())

    def read(self, section: Section) -> None:
        """Read one section. Refuses it if it has no name."""
        words = Words("userlist", section.header.arguments, section.header.end)
        name = words.take("a name")
        check_name(name, "userlist")
        words.finish()
        found = _Section(self._reading, name).read(section.lines)
        first = self._found.setdefault(name.text, found)
        if first is not found:
            self._twice("userlist", name, first.span)

    def _twice(self, what: str, name: Word, first: Span) -> None:
        message = f"{what} `{name.text}` is declared at {place(first)} already, and this is passed over"
        self._reading.diagnostics.warning(DECLARED_TWICE, message, name.span)


class _Section:
    def __init__(self, reading: Reading, name: Word) -> None:
        self._reading = reading
        self._name = name
        self._users: dict[str, _Declared] = {}
        self._groups: dict[str, _Declared] = {}

    def read(self, lines: tuple[Line, ...]) -> Userlist:
        for line in lines:
            try:
                self._line(line)
            except RefusedError as refusal:
                refusal.report(self._reading.diagnostics)
        return Userlist(self._name.text, self._members(), frozenset(self._groups), self._name.span)

    def _line(self, line: Line) -> None:
        words = Words(line.keyword.text, line.arguments, line.end)
        if line.keyword.text not in _KEYWORDS:
            raise RefusedError(
                UNKNOWN_KEYWORD,
                f"unknown keyword `{line.keyword.text}` in a userlist section",
                line.keyword.span,
                expected=" or ".join(_KEYWORDS),
                hint=suggest(line.keyword.text, _KEYWORDS),
            )
        if line.keyword.text == "user":
            self._keep("user", self._users, self._user(words))
        else:
            self._keep("group", self._groups, self._group(words))

    def _keep(self, what: str, known: dict[str, _Declared], new: _Declared) -> None:
        first = known.setdefault(new.name.text, new)
        if first is not new:
            message = (
                f"{what} `{new.name.text}` is declared at {place(first.name.span)} already, "
                "and this is passed over"
            )
            self._reading.diagnostics.warning(DECLARED_TWICE, message, new.name.span)

    def _group(self, words: Words) -> _Declared:
        found = _Declared(words.take("a name"), [])
        while words:
            option = words.take("users")
            if option.text != "users":
                raise _unknown_option(option, ("users",))
            found.members += _names(words.take("names of users"))
        return found

    def _user(self, words: Words) -> _Declared:
        found = _Declared(words.take("a name"), [])
        while words:
            option = words.take("an option")
            if option.text == "groups":
                found.members += _names(words.take("names of groups"))
            elif option.text in ("password", "insecure-password"):
                password = words.take("a password")
                found.password, found.hashed = password.text, option.text == "password"
                if found.hashed:
                    self._check(found.name, password)
            else:
                raise _unknown_option(option, ("password", "insecure-password", "groups"))
        return found

    def _check(self, user: Word, password: Word) -> None:
        judged = judge(password.text)
        if judged is Hash.UNKNOWN:
            message = f"the password of `{user.text}` is not hashed in a way that is known here"
            hint = "`mkpasswd` makes a hash; plain text stands behind insecure-password"
            raise RefusedError(BAD_HASH, message, password.span, hint=hint)
        if judged is Hash.GREEDY:
            most = MOST_MEMORY >> 20
            message = f"comparing with the password of `{user.text}` takes more than {most} MiB of memory"
            hint = "`mkpasswd -R 7` makes the most demanding hash that is taken"
            raise RefusedError(BAD_HASH, message, password.span, hint=hint)
        if judged is Hash.DES:
            message = f"the password of `{user.text}` is hashed with DES, which can be tried through in hours"
            hint = "only its first eight characters count; `mkpasswd` makes a better hash"
            self._reading.diagnostics.warning(WEAK_HASH, message, password.span, hint=hint)

    def _members(self) -> tuple[User, ...]:
        """Join what users say about their groups with what groups say about their users."""
        groups: dict[str, dict[str, None]] = {name: {} for name in self._users}
        for user in self._users.values():
            for group in user.members:
                if self._known("group", group, self._groups):
                    groups[user.name.text][group.text] = None
        for declared in self._groups.values():
            for member in declared.members:
                if self._known("user", member, self._users):
                    groups[member.text][declared.name.text] = None
        return tuple(
            User(name, user.password, user.hashed, tuple(groups[name])) for name, user in self._users.items()
        )

    def _known(self, what: str, word: Word, known: dict[str, _Declared]) -> bool:
        if word.text in known:
            return True
        message = f"userlist `{self._name.text}` has no {what} `{word.text}`"
        self._reading.diagnostics.alert(UNKNOWN_MEMBER, message, word.span, hint=suggest(word.text, known))
        return False


def _names(word: Word) -> list[Word]:
    """Split names between commas."""
    found: list[Word] = []
    start = 0
    for part in word.text.split(","):
        if part:
            found.append(Word(part, word.span.part(start, len(part))))
        start += len(part) + 1
    return found


def _unknown_option(word: Word, known: tuple[str, ...]) -> RefusedError:
    if not word.text:
        return RefusedError(MISSING_ARGUMENT, "an option is missing", word.span)
    return RefusedError(
        UNKNOWN_KEYWORD,
        f"unknown option `{word.text}`",
        word.span,
        expected=" or ".join(f"`{each}`" for each in known),
        hint=suggest(word.text, known),
    )
