"""Sections `http-errors`: answers to errors, for those who name the section (manual 3.8)."""

from __future__ import annotations

from isthmus.config import Section
from isthmus.keywords.codes import DUPLICATE_NAME
from isthmus.keywords.http_messages import read_message
from isthmus.keywords.http_settings import handled_status
from isthmus.keywords.named_section import read_lines, section_name
from isthmus.keywords.row import Reading, RefusedError, Words, place
from isthmus.model.http import HttpErrors
from isthmus.model.http_rule import Message, Reply

_KEYWORD = "errorfile"


class HttpErrorsSections:
    """The sections read so far."""

    @staticmethod
    def keywords() -> tuple[str, ...]:
        """Return the words that lines of such a section begin with."""
        return (_KEYWORD,)

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._found: dict[str, HttpErrors] = {}

    @property
    def sections(self) -> tuple[HttpErrors, ...]:
        """Every section, in order."""
        return tuple(self._found.values())

    def read(self, section: Section) -> None:
        """Read one section."""
        name = section_name(section)
        other = self._found.get(name.text)
        if other is not None:
            message = f"there is a section `http-errors {name.text}` at {place(other.span)} already"
            raise RefusedError(DUPLICATE_NAME, message, name.span)
        replies: dict[int, Reply] = {}
        context = self._reading.context()

        def errorfile(words: Words) -> None:
            status = handled_status(words)
            file = words.take("the name of a file")
            found = read_message(file.text, file.span, context)
            if found is not None:
                replies[status] = Reply(status, Message(found))

        read_lines(section, {_KEYWORD: errorfile}, self._reading)
        self._found[name.text] = HttpErrors(name.text, replies, section.header.span)
