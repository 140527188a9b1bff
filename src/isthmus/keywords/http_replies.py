"""Answers that rules describe: the words of `return`, `deny` and `tarpit`, and of `http-error` lines."""

from __future__ import annotations

import re

from isthmus.config import Word, register
from isthmus.keywords.action_words import ActionWords, WrongActionError
from isthmus.keywords.http_messages import HANDLED, read_file, read_message
from isthmus.keywords.log_formats import FormatKind, parse_format
from isthmus.model.http_rule import Body, FromSection, Message, Reply
from isthmus.model.log import Format
from isthmus.records import dataclass, field

UNUSED_REPLY_WORD = register(
    "W0451",
    "part of an answer that is not sent",
    """content-type belongs to a body, and hdr to an answer that is not a whole file: elsewhere, as in
    HAProxy, they have no effect.""",
)

TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
"""The name of a field (RFC 9110 section 5.6.2)."""

_PAYLOADS = (
    "default-errorfiles",
    "errorfile",
    "errorfiles",
    "file",
    "lf-file",
    "string",
    "lf-string",
)
_BODILESS = (204, 304)
"""Statuses whose answers have no body (RFC 9110 sections 15.3.5 and 15.4.5)."""
_WORDS = ("status", "deny_status", "content-type", "hdr", *_PAYLOADS)


@dataclass(slots=True)
class _Parts:
    """What was read so far."""

    status: int | None = None
    status_word: Word | None = None
    old_form: bool = True
    type: Word | None = None
    payload: Word | None = None
    content: Body | Message | FromSection | None = None
    headers: list[tuple[str, Format]] = field(default_factory=list)


def read_reply(words: ActionWords, status: int, *, denies: bool = False) -> Reply:
    """Read the words of an answer whose status is `status` unless they say another.

    `denies` is for `deny` and `tarpit`, which answer as the proxy does by itself where nothing but
    `deny_status` is said. Raises WrongActionError after collecting what is wrong.
    """
    parts = _Parts()
    while words.begins(*_WORDS):
        _part(words, parts)
    chosen = status if parts.status is None else parts.status
    default = parts.payload is not None and parts.payload.text == "default-errorfiles"
    if denies and parts.old_form:
        default = True
    if (default or isinstance(parts.content, FromSection)) and chosen not in HANDLED:
        span = parts.status_word.span if parts.status_word else words.name.span
        known = ", ".join(map(str, HANDLED))
        words.refuse(f"the proxy has no answer of its own for status {chosen}", span, f"one of {known}")
    if default:
        return Reply(chosen)
    return _checked(words, parts, chosen)


def _checked(words: ActionWords, parts: _Parts, status: int) -> Reply:
    content = Body() if parts.content is None else parts.content
    if not isinstance(content, Body):
        if parts.headers:
            message = "`hdr` has no effect on an answer from an error file"
            words.context.warning(UNUSED_REPLY_WORD, message, words.name.span)
        return Reply(status, content)
    has_body = bool(content.value.items if isinstance(content.value, Format) else content.value)
    if has_body and status in _BODILESS and parts.payload is not None:
        words.refuse(f"an answer with status {status} has no body", parts.payload.span, "another status")
    if has_body and parts.type is None and parts.payload is not None:
        words.refuse(
            "an answer with a body needs a content-type", parts.payload.span, "`content-type <type>`"
        )
    if not has_body and parts.type is not None:
        message = f"`content-type {parts.type.text}` has no effect without a body"
        words.context.warning(UNUSED_REPLY_WORD, message, parts.type.span)
    kind = parts.type.text if has_body and parts.type is not None else None
    return Reply(status, content if has_body else Body(), kind, tuple(parts.headers))


def _part(words: ActionWords, parts: _Parts) -> None:
    keyword = words.take("a part of the answer")
    match keyword.text:
        case "status" | "deny_status":
            parts.status = _status(words, parts)
            parts.old_form = parts.old_form and keyword.text == "deny_status"
        case "content-type":
            parts.type = words.take("a media type, for instance `text/plain`")
            parts.old_form = False
        case "hdr":
            name = header_name(words)
            parts.headers.append((name, words.format()))
            parts.old_form = False
        case _:
            _payload(words, parts, keyword)
            parts.old_form = False


def _status(words: ActionWords, parts: _Parts) -> int:
    parts.status_word = words.take("a status from 200 to 599")
    text = parts.status_word.text
    if not (len(text) == 3 and text.isascii() and text.isdigit() and 200 <= int(text) <= 599):
        words.refuse(
            f"`{text}` is no status of an answer", parts.status_word.span, "a number from 200 to 599"
        )
    return int(text)


def header_name(words: ActionWords) -> str:
    """Take the name of a field; any other word could end the head that it is written into."""
    word = words.take("the name of a header")
    if not TOKEN.match(word.text):
        message = f"`{word.text}` is not the name of a header"
        words.refuse(message, word.span, "letters, digits and hyphens, for instance `X-Real-IP`")
    return word.text


def _payload(words: ActionWords, parts: _Parts, keyword: Word) -> None:
    if parts.payload is not None:
        message = f"`{keyword.text}` cannot stand beside `{parts.payload.text}`"
        words.refuse(message, keyword.span, "one source of the answer")
    parts.payload = keyword
    match keyword.text:
        case "default-errorfiles":
            return
        case "errorfiles":
            name = words.take("the name of a section `http-errors`")
            parts.content = FromSection(name.text, name.span)
        case "errorfile":
            name = words.take("the name of a file")
            found = read_message(name.text, name.span, words.context)
            if found is None:
                raise WrongActionError
            parts.content = Message(found)
        case "file" | "lf-file":
            parts.content = Body(_from_file(words, formatted=keyword.text == "lf-file"))
        case "string":
            parts.content = Body(words.take("a text").text.encode("utf-8", "surrogateescape"))
        case _:
            parts.content = Body(words.format())


def _from_file(words: ActionWords, *, formatted: bool) -> bytes | Format:
    name = words.take("the name of a file")
    found = read_file(name.text, name.span, words.context)
    if found is None:
        raise WrongActionError
    if not formatted:
        return found
    text = Word(found.decode("utf-8", "surrogateescape"), name.span)
    parsed = parse_format(text, FormatKind.VALUE, words.place, words.context)
    if parsed is None:
        raise WrongActionError
    return parsed
