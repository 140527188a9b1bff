"""Changing the fields of a frozen dataclass that a row of the dictionary names."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from isthmus.records import replace

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    Fields = TypeVar("Fields", bound=DataclassInstance)
else:
    Fields = TypeVar("Fields")


def changed(settings: Fields, **changes: object) -> Fields:
    """Return a copy with other values.

    Rows give the names of fields as text, so mypy cannot check them here; `tests/unit/keywords` reads every
    row once and finds a name that is wrong.
    """
    return replace(settings, **changes)
