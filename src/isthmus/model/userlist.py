"""Userlists: who may pass `http_auth`, and which groups they belong to."""

from __future__ import annotations

from isthmus.config import Span
from isthmus.records import dataclass


@dataclass(frozen=True, slots=True)
class User:
    """A user. A hashed password is as crypt(3) writes it; nobody passes as a user without a password."""

    name: str
    password: str | None
    hashed: bool
    groups: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Userlist:
    """A section `userlist`: its users, no two of one name, and the names of all groups that it declares."""

    name: str
    users: tuple[User, ...]
    groups: frozenset[str]
    span: Span
