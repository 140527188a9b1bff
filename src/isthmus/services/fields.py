"""The fields of a head: names and values in their order, found by name without regard to case."""

from __future__ import annotations

from collections.abc import Iterable, Iterator


class Fields:
    """Fields as they were received. A byte of a value is the character of its number (ISO 8859-1)."""

    def __init__(self, fields: Iterable[tuple[str, str]] = ()) -> None:
        self._fields = tuple((name.lower(), value) for name, value in fields)

    def get(self, name: str, default: str = "") -> str:
        """Return the value of the first field of a name."""
        return next(self._of(name), default)

    def all(self, name: str) -> list[str]:
        """Return the values of every field of a name."""
        return list(self._of(name))

    def __contains__(self, name: str) -> bool:
        return any(True for _ in self._of(name))

    def __getitem__(self, name: str) -> str:
        for value in self._of(name):
            return value
        raise KeyError(name)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __repr__(self) -> str:
        return f"Fields({list(self._fields)!r})"

    def _of(self, name: str) -> Iterator[str]:
        wanted = name.lower()
        return (value for own, value in self._fields if own == wanted)
