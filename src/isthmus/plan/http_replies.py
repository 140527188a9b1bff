"""Answers of the proxy's own in the plan's terms; those of `http-errors` sections are looked up."""

from __future__ import annotations

from collections.abc import Iterable

from isthmus.config import Diagnostics, Span, register
from isthmus.keywords.values import suggest
from isthmus.model.http import ErrorFiles, HttpErrors
from isthmus.model.http_rule import Body, FromSection, Message, Reply
from isthmus.model.log import Format
from isthmus.model.proxy import Proxy
from isthmus.plan import document
from isthmus.plan.expressions import Names
from isthmus.plan.logs import format_items
from isthmus.plan.names import byte_string, origin

UNKNOWN_HTTP_ERRORS = register(
    "E0453",
    "no such http-errors section",
    """`errorfiles` names a section `http-errors`, anywhere in the configuration.""",
)
NO_SUCH_ERROR = register(
    "W0454",
    "http-errors section has nothing for a status",
    """The section has no `errorfile` line for the status, and the answer is the one that the proxy has by
    itself.""",
)

http = document.http


class Replies:
    """Lowers answers; knows every `http-errors` section."""

    def __init__(self, sections: Iterable[HttpErrors], names: Names, diagnostics: Diagnostics) -> None:
        self._sections = {each.name: each for each in sections}
        self._names = names
        self._diagnostics = diagnostics

    def lowered(self, reply: Reply, proxy: Proxy) -> document.http.Reply:
        """Return an answer in the plan's terms."""
        headers = tuple((name, format_items(value, self._names)) for name, value in reply.headers)
        kind = None if reply.content_type is None else byte_string(reply.content_type)
        return http.Reply(reply.status, self._content(reply, proxy), kind, headers)

    def errors(self, proxy: Proxy) -> tuple[document.http.Reply, ...]:
        """Return a proxy's answers by status; the later line about a status wins."""
        found: dict[int, document.http.Reply] = {}
        for line in proxy.settings.http.errors:
            if isinstance(line, ErrorFiles):
                found |= {each.status: each for each in self._of_section(line, proxy)}
            else:
                found[line.status] = self.lowered(line, proxy)
        return tuple(found[status] for status in sorted(found))

    def _of_section(self, line: ErrorFiles, proxy: Proxy) -> Iterable[document.http.Reply]:
        section = self._section(line.section, line.span)
        if section is None:
            return
        for status in line.statuses or sorted(section.replies):
            if status in section.replies:
                yield self.lowered(section.replies[status], proxy)
            else:
                self._missing(section, status, line.span)

    def _section(self, name: str, span: Span) -> HttpErrors | None:
        section = self._sections.get(name)
        if section is None:
            message = f"there is no section `http-errors {name}`"
            self._diagnostics.alert(UNKNOWN_HTTP_ERRORS, message, span, hint=suggest(name, self._sections))
        return section

    def _missing(self, section: HttpErrors, status: int, span: Span) -> None:
        message = f"`http-errors {section.name}` at {origin(section.span)} has nothing for status {status}"
        self._diagnostics.warning(NO_SUCH_ERROR, message, span)

    def _content(self, reply: Reply, proxy: Proxy) -> document.http.ReplyContent:
        match reply.content:
            case None:
                return http.Default()
            case Message(text):
                return http.Message(text.decode("latin-1"))
            case Body(bytes() as text):
                return http.LiteralBody(text.decode("latin-1"))
            case Body(Format() as text):
                return http.FormatBody(format_items(text, self._names))
            case Body():
                return http.Empty()
            case FromSection(name, span):
                section = self._section(name, span)
                if section is None:
                    return http.Default()
                if reply.status not in section.replies:
                    self._missing(section, reply.status, span)
                    return http.Default()
                return self._content(section.replies[reply.status], proxy)
