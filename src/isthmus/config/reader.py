"""Files to tree: lines are split, blocks decided, the environment followed, sections gathered.

This is the one entry to the configuration language. It knows no keyword except those that act on the
reading itself: words that begin with a dot, and `setenv` and its kin in `global`. Whatever is wrong
is reported and read past, so that one run shows everything.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from isthmus.config.blocks import Blocks
from isthmus.config.codes import register
from isthmus.config.conditions import Features
from isthmus.config.diagnostics import Diagnostic, Diagnostics, Severity
from isthmus.config.environment import DIRECTIVES, Environment, apply_directive
from isthmus.config.files import find_files, read_bytes
from isthmus.config.nearest import nearest
from isthmus.config.scanner import Problem
from isthmus.config.text import Line, Span
from isthmus.config.tree import Section, Tree
from isthmus.config.words import split_line

MISSING_NEWLINE = register(
    "E0007",
    "last line without a line end",
    "The file may have been truncated: the last line of a complete file ends with a line feed.",
)
BEHIND_RETURN = register(
    "W0008",
    "text behind a carriage return",
    "As in HAProxy, a line ends at the first carriage return, and what stands behind it is not read.",
)
STRAY_NUL = register(
    "E0009", "stray NUL character", "A NUL in a configuration file means that it is damaged, or no text."
)
MANY_WORDS = register(
    "D0010",
    "more words than HAProxy reads",
    "HAProxy refuses lines of more than 64 words, after environment variables were split into words.",
)
EMPTY_KEYWORD = register(
    "E0011", "line begins with an empty word", "The first word of a line is a keyword, and none is empty."
)
BYTE_ORDER_MARK = register(
    "E0014",
    "byte order mark",
    "The file begins with a byte order mark. Save it as UTF-8 without one: HAProxy does not accept it.",
)
OUTSIDE_SECTION = register(
    "E0020",
    "keyword outside a section",
    """Every file begins with a section, and a section ends with its file. The first word of this line
    begins no section. What follows, up to the next section, is not looked at.""",
    "frontned web   # meant: frontend web",
)

_HAPROXY_WORDS = 64


def read(
    paths: Iterable[str],
    *,
    environment: Mapping[str, str],
    features: Features,
    sections: Collection[str],
    diagnostics: Diagnostics | None = None,
) -> Tree:
    """Read configuration files and directories, in the order given.

    `environment` is what variables are looked up in; it is copied, not changed, and the copy gets
    HAPROXY_CFGFILES. `sections` are the words that begin a section. Messages go to `diagnostics` if it
    is given, else to a new collector; either way it is in the tree. No error raises.
    """
    diagnostics = diagnostics if diagnostics is not None else Diagnostics()
    files = find_files(paths, diagnostics)
    reader = _Reader(environment, features, sections, diagnostics)
    reader.environment.set("HAPROXY_CFGFILES", ";".join(files))
    for file in files:
        data = read_bytes(file, diagnostics)
        if data is not None:
            reader.read_file(file, data)
    return Tree(tuple(reader.sections), diagnostics, reader.environment, files)


def read_text(
    text: str | bytes,
    *,
    environment: Mapping[str, str],
    features: Features,
    sections: Collection[str],
    file: str = "<text>",
) -> Tree:
    """Read a configuration that is in memory, as `read` reads a file of that name."""
    data = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
    reader = _Reader(environment, features, sections, Diagnostics())
    reader.read_file(file, data)
    return Tree(tuple(reader.sections), reader.diagnostics, reader.environment, (file,))


class _Reader:
    """Where the reading stands: the file and line, the section, the blocks that are open."""

    def __init__(
        self,
        environment: Mapping[str, str],
        features: Features,
        sections: Collection[str],
        diagnostics: Diagnostics,
    ) -> None:
        self.environment = Environment(environment)
        self.sections: list[Section] = []
        self.diagnostics = diagnostics
        self._known = frozenset(sections)
        self._blocks = Blocks(features, diagnostics)
        self._file = ""
        self._number = 0
        self._header: Line | None = None
        self._lines: list[Line] = []
        self._lost = False

    def read_file(self, file: str, data: bytes) -> None:
        """Read one file from start to end."""
        lines = data.decode("utf-8", "surrogateescape").split("\n")
        complete = lines[-1] == ""
        if complete:
            lines.pop()
        self._file, self._number, self._lost = file, 0, False
        self.diagnostics.keep_source(file, tuple(line.rstrip("\r") for line in lines))
        if lines and lines[0].startswith("\ufeff"):
            self.diagnostics.alert(
                BYTE_ORDER_MARK, "the file begins with a byte order mark", Span(file, 1, 1, 2)
            )
            # Kept as a space, so that columns stay true.
            lines[0] = " " + lines[0][1:]
        for number, text in enumerate(lines, 1):
            self._number = number
            self._take(text)
        if not complete:
            end = len(lines[-1]) + 1
            span = Span(file, len(lines), end, end)
            self.diagnostics.alert(
                MISSING_NEWLINE, "the last line has no line end", span, hint="is the file complete?"
            )
        self._blocks.finish()
        self._end_section()

    def _lookup(self, name: str) -> str | None:
        if not name.startswith("."):
            return self.environment.get(name)
        if name == ".FILE":
            return self._file
        if name == ".LINE":
            return str(self._number)
        if self._header is None:
            return None
        return self._header.words[min(1, len(self._header.words) - 1)].text

    def _take(self, text: str) -> None:
        """Take one line of the file."""
        if "\r" in text or "\0" in text:
            text = self._clean(text)
        split = split_line(text, self._file, self._number, self._lookup)
        for problem in split.problems:
            self.diagnostics.add(_diagnostic(problem))
        if not split.words:
            return
        line = Line(split.words, self._file, self._number, text)
        keyword = split.words[0].text
        if keyword.startswith("."):
            self._blocks.directive(line, self.environment, broken=split.failed)
        elif self._blocks.active:
            self._place(line, keyword, split.failed)

    def _clean(self, text: str) -> str:
        """Cut a line at its first carriage return or NUL, and say so where that loses anything."""
        kept, _, lost = text.partition("\r")
        if lost.strip("\r"):
            span = Span(self._file, self._number, len(kept) + 1, len(text) + 1)
            self.diagnostics.warning(
                BEHIND_RETURN,
                "what stands behind a carriage return is not read",
                span,
                hint="end lines with \\n",
            )
        before, nul, _ = kept.partition("\0")
        if nul:
            span = Span(self._file, self._number, len(before) + 1, len(before) + 2)
            self.diagnostics.alert(STRAY_NUL, "a NUL character stands in this line", span)
        return before

    def _place(self, line: Line, keyword: str, failed: bool) -> None:
        """Put a line where it belongs; one that could not be split only ever begins a section."""
        if keyword in self._known:
            self._end_section()
            self._header, self._lines, self._lost = line, [], False
        elif failed:
            return
        elif keyword == "":
            self.diagnostics.alert(EMPTY_KEYWORD, "the line begins with an empty word", line.keyword.span)
        elif self._header is None:
            self._outside(line, keyword)
        else:
            self._keep(line, keyword)

    def _keep(self, line: Line, keyword: str) -> None:
        if len(line.words) > _HAPROXY_WORDS:
            message = f"HAProxy reads at most {_HAPROXY_WORDS} words of a line"
            self.diagnostics.diag(MANY_WORDS, message, line.words[_HAPROXY_WORDS].span)
        self._lines.append(line)
        if keyword in DIRECTIVES and self._header and self._header.keyword.text == "global":
            apply_directive(line, self.environment, self.diagnostics)

    def _outside(self, line: Line, keyword: str) -> None:
        """Report a line outside every section, once for each stretch of such lines."""
        if self._lost:
            return
        self._lost = True
        near = nearest(keyword, self._known)
        self.diagnostics.alert(
            OUTSIDE_SECTION,
            f"keyword `{keyword}` stands outside a section",
            line.keyword.span,
            hint=f"did you mean `{near}`?" if near else None,
            expected=None if near else "a section, such as `global` or `frontend NAME`",
        )

    def _end_section(self) -> None:
        if self._header is not None:
            self.sections.append(Section(self._header, tuple(self._lines)))
        self._header, self._lines = None, []


def _diagnostic(problem: Problem) -> Diagnostic:
    severity = Severity.WARNING if problem.code.startswith("W") else Severity.ALERT
    return Diagnostic(problem.code, severity, problem.message, problem.span, problem.hint)
