"""Answers that the proxy makes itself. Bodies, messages and media types are byte strings."""

from __future__ import annotations

from msgspec import Struct

from isthmus.plan.document.log import FormatItem

Text = tuple[FormatItem, ...]
"""Text that a rule makes."""


class Empty(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="empty"):
    """A head without a body."""


class Default(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="default"):
    """What the proxy answers with this status, `errorfile` lines included."""


class Message(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="message"):
    """A whole HTTP message, as `errorfile` files hold it; empty closes without an answer."""

    message: str


class LiteralBody(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="literal"):
    """A body as it stands."""

    body: str


class FormatBody(Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="format"):
    """A body from a log format."""

    format: Text


ReplyContent = Empty | Default | Message | LiteralBody | FormatBody
"""What an answer says."""


class Reply(Struct, frozen=True, forbid_unknown_fields=True):
    """An answer of the proxy's own; of `errorfile` lines, `status` is the one that it stands for."""

    status: int
    content: ReplyContent = Default()
    content_type: str | None = None
    headers: tuple[tuple[str, Text], ...] = ()
