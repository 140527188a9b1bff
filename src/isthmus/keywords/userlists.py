"""Sections `userlist`: users, their passwords and their groups (manual 3.4)."""

from __future__ import annotations

from dataclasses import dataclass, field

from isthmus.config import Section, Word, register
from isthmus.keywords.named_section import read_lines, section_name
from isthmus.keywords.row import Reading, Words
from isthmus.keywords.values import suggest, unknown
from isthmus.model.http import User, UserList

UNKNOWN_MEMBER = register(
    "E0185",
    "no such user or group in a userlist",
    """A group names users and a user names groups of the same section, wherever they stand in it.""",
    "group admins users alice,bob",
)
DEFINED_TWICE = register(
    "W0186",
    "user, group or userlist defined twice",
    """As in HAProxy, the first definition holds and later ones of the name are not used.""",
)


@dataclass(slots=True)
class _Draft:
    """A section under construction, and the words in it that name users and groups."""

    users: dict[str, User] = field(default_factory=dict)
    groups: dict[str, list[str]] = field(default_factory=dict)
    named_users: list[Word] = field(default_factory=list)
    named_groups: list[Word] = field(default_factory=list)


class UserLists:
    """The sections read so far."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._found: dict[str, UserList] = {}

    @property
    def sections(self) -> tuple[UserList, ...]:
        """Every section, in order."""
        return tuple(self._found.values())

    def read(self, section: Section) -> None:
        """Read one section."""
        name = section_name(section)
        draft = _Draft()
        readers = {
            "group": lambda words: self._group(words, draft),
            "user": lambda words: self._user(words, draft),
        }
        read_lines(section, readers, self._reading)
        self._check(draft)
        if name.text in self._found:
            self._twice("userlist", name)
            return
        users = tuple(
            User(
                user.name,
                user.password,
                user.insecure,
                (*user.groups, *(group for group, them in draft.groups.items() if user.name in them)),
            )
            for user in draft.users.values()
        )
        self._found[name.text] = UserList(name.text, users, tuple(draft.groups), section.header.span)

    def _twice(self, what: str, word: Word) -> None:
        message = f"{what} `{word.text}` is defined above already"
        self._reading.diagnostics.warning(DEFINED_TWICE, message, word.span)

    def _check(self, draft: _Draft) -> None:
        for what, words, known in (
            ("user", draft.named_users, list(draft.users)),
            ("group", draft.named_groups, list(draft.groups)),
        ):
            for word in words:
                for name in _split(word):
                    if name not in known:
                        message = f"there is no {what} `{name}` in this userlist"
                        hint = suggest(name, known)
                        self._reading.diagnostics.alert(UNKNOWN_MEMBER, message, word.span, hint=hint)

    def _group(self, words: Words, draft: _Draft) -> None:
        name = words.take("the name of a group")
        members: list[str] = []
        while words:
            option = words.take("`users`")
            if option.text != "users":
                raise unknown(option, ("users",), "an option of `group`")
            named = words.take("names of users with commas between")
            draft.named_users.append(named)
            members += _split(named)
        if name.text in draft.groups:
            self._twice("group", name)
            return
        draft.groups[name.text] = members

    def _user(self, words: Words, draft: _Draft) -> None:
        name = words.take("the name of a user")
        password, insecure, groups = None, False, list[str]()
        while words:
            option = words.take("an option")
            match option.text:
                case "password" | "insecure-password":
                    password = words.take("a password").text
                    insecure = option.text == "insecure-password"
                case "groups":
                    named = words.take("names of groups with commas between")
                    draft.named_groups.append(named)
                    groups += _split(named)
                case _:
                    known = ("password", "insecure-password", "groups")
                    raise unknown(option, known, "an option of `user`")
        if name.text in draft.users:
            self._twice("user", name)
            return
        draft.users[name.text] = User(name.text, password, insecure, tuple(groups))


def _split(word: Word) -> list[str]:
    return [each for each in word.text.split(",") if each]
