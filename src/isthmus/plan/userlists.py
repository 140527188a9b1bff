"""Userlists in the plan's terms, and the groups that ACLs ask for."""

from __future__ import annotations

from collections.abc import Iterable

from isthmus.config import Diagnostics, register
from isthmus.keywords.context import did_you_mean
from isthmus.model.expression import AclTest, UserlistArg
from isthmus.model.userlist import User, Userlist
from isthmus.plan import document
from isthmus.plan.names import byte_string

UNKNOWN_USERLIST = register(
    "E0433",
    "no such userlist",
    """http_auth and http_auth_group take the name of a userlist section.""",
    "http-request deny unless { http_auth(staff) }",
)
UNKNOWN_GROUP = register(
    "E0434",
    "no such group",
    """An ACL on http_auth_group asks for groups that the userlist declares.""",
    "acl is_admin http_auth_group(staff) admins",
)


class Userlists:
    """The plan's userlists, by name."""

    def __init__(self, userlists: Iterable[Userlist], diagnostics: Diagnostics) -> None:
        self._lists = {each.name: each for each in userlists}
        self._index = {name: at for at, name in enumerate(self._lists)}
        self._diagnostics = diagnostics

    def documents(self) -> tuple[document.Userlist, ...]:
        """Return every userlist."""
        return tuple(
            document.Userlist(each.name, tuple(_user(user) for user in each.users))
            for each in self._lists.values()
        )

    def index(self, argument: UserlistArg) -> int:
        """Return the index of a userlist; collects an error where there is none."""
        found = self._index.get(argument.name)
        if found is None:
            hint = did_you_mean(argument.name, self._lists)
            message = f"there is no userlist `{argument.name}`"
            self._diagnostics.alert(UNKNOWN_USERLIST, message, argument.span, hint=hint)
        return found or 0

    def check_groups(self, test: AclTest) -> None:
        """Collect an error for each group that a test asks for and its userlist does not declare."""
        fetch = test.expression.fetch
        if fetch.name != "http_auth_group" or test.expression.converters or test.method.value != "str":
            return
        for argument in fetch.args:
            known = self._lists.get(argument.name) if isinstance(argument, UserlistArg) else None
            for pattern in test.patterns if known else ():
                if known and pattern not in known.groups:
                    hint = did_you_mean(pattern, known.groups)
                    message = f"userlist `{known.name}` has no group `{pattern}`"
                    self._diagnostics.alert(UNKNOWN_GROUP, message, test.expression.span, hint=hint)


def _user(user: User) -> document.User:
    password: document.Password | None = None
    if user.password is not None:
        text = byte_string(user.password)
        password = document.PasswordHashed(text) if user.hashed else document.PasswordPlain(text)
    return document.User(byte_string(user.name), password, tuple(byte_string(each) for each in user.groups))
