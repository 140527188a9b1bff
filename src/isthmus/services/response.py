"""What a service answers."""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable, Mapping
from dataclasses import dataclass

FieldsLike = Mapping[str, str] | Iterable[tuple[str, str]]
"""Fields as a mapping, or as pairs where a name may stand several times."""
BodyLike = bytes | str | Iterable[bytes] | AsyncIterable[bytes]
"""A body: whole, or piece by piece as the client takes it."""

_BODILESS = (204, 304)


@dataclass(frozen=True)
class Response:
    """A response. What tells about the connection (`connection`, `transfer-encoding`) is the proxy's to say.

    A body of `str` is sent as UTF-8. One that is whole gets its `content-length`; one in pieces is chunked,
    unless `fields` say its length.
    """

    status: int = 200
    fields: FieldsLike = ()
    body: BodyLike = b""
    reason: str | None = None
    """The words behind the status; the usual ones if None."""

    @property
    def whole(self) -> bytes | None:
        """The body, where it is known as a whole."""
        if isinstance(self.body, str):
            return self.body.encode()
        return bytes(self.body) if isinstance(self.body, bytes | bytearray | memoryview) else None

    def head_fields(self) -> list[tuple[str, str]]:
        """Return the fields of the head, with those that follow from the body."""
        given = self.fields.items() if isinstance(self.fields, Mapping) else self.fields
        fields = [(name, value) for name, value in given]
        names = {name.lower() for name, _ in fields}
        whole = self.whole
        if whole is not None and self.status not in _BODILESS and "content-length" not in names:
            fields.append(("content-length", str(len(whole))))
        if isinstance(self.body, str) and self.body and "content-type" not in names:
            fields.append(("content-type", "text/plain; charset=utf-8"))
        return fields

    def has_body(self, method: str) -> bool:
        """Whether a body follows the head of an answer to this method (RFC 9110, 6.4.1)."""
        return method != "HEAD" and self.status not in _BODILESS
