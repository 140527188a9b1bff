"""Userlists: who may pass `http_auth` and `http_auth_group`."""

from __future__ import annotations

from msgspec import Struct


class PasswordPlain(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="plain"):
    """A password as it is, a byte string."""

    text: str


class PasswordHashed(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="hashed"):
    """A password as crypt(3) writes it, a byte string."""

    hash: str


Password = PasswordPlain | PasswordHashed
"""How a password is kept."""


class User(Struct, frozen=True, forbid_unknown_fields=True):
    """A user, who never passes without a password, and the names of the user's groups: byte strings."""

    name: str
    password: Password | None
    groups: tuple[str, ...] = ()


class Userlist(Struct, frozen=True, forbid_unknown_fields=True):
    """A section `userlist`."""

    name: str
    users: tuple[User, ...]
