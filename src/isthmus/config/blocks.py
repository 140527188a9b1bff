"""Conditional blocks: `.if`, `.elif`, `.else`, `.endif`, and the lines that speak (manual 2.4).

    outside --.if--> taken | waiting        (inside a skipped block: dead)
    waiting --.elif/.else--> taken          (no branch was taken yet)
    taken --.elif/.else--> done             (one was: the rest is skipped)
    any --.endif--> what was before

A condition that does not parse makes its whole block dead, so that one mistake gives one message.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum

from isthmus.config.codes import register
from isthmus.config.conditions import ConditionError, Features, evaluate
from isthmus.config.diagnostics import Diagnostic, Diagnostics, Severity
from isthmus.config.nearest import nearest
from isthmus.config.text import Line, Span, Word
from isthmus.records import dataclass

BAD_CONDITION = register(
    "E0030",
    "bad condition",
    """A condition is made of integers, predicates such as defined(NAME) or streq("$NAME",yes), !, && and
    ||, and parentheses. Spaces count inside the arguments of a predicate.""",
    '.if streq("$WITH_TLS",yes) && feature(OPENSSL)',
)
LONE_DIRECTIVE = register(
    "E0031",
    "directive outside a block",
    """.elif, .else and .endif belong to an .if that comes before them.""",
)
AFTER_ELSE = register(
    "E0032", "directive behind .else", """Behind .else only .endif may follow: it is a block's last branch."""
)
UNTERMINATED_BLOCK = register(
    "E0033", "unterminated block", """Every .if needs its .endif, in the same file. Blocks may be nested."""
)
UNEXPECTED_ARGUMENT = register(
    "E0034",
    "unexpected argument of a directive",
    """.else and .endif stand alone; .notice, .warning, .alert and .diag take one message, which needs
    quotes if there are spaces in it.""",
)
UNKNOWN_DIRECTIVE = register(
    "E0035",
    "unknown directive",
    """Words that begin with a dot are directives: .if .elif .else .endif .notice .warning .alert .diag.""",
)
MESSAGES = {
    ".diag": (register("D0036", "message of .diag", "Written in the file; shown with -dD."), Severity.DIAG),
    ".notice": (register("N0036", "message of .notice", "Written in the configuration."), Severity.NOTICE),
    ".warning": (register("W0036", "message of .warning", "Written in the configuration."), Severity.WARNING),
    ".alert": (register("E0036", "message of .alert", "Written to stop a configuration."), Severity.ALERT),
}

_BLOCK_DIRECTIVES = (".if", ".elif", ".else", ".endif")


class _Branch(Enum):
    TAKEN = "its lines count"
    WAITING = "skipped; a later branch may be taken"
    DONE = "skipped; a branch before it was taken"
    DEAD = "skipped, with every other branch"


@dataclass(slots=True)
class _Block:
    opened: Word
    branch: _Branch
    has_else: bool = False


class Blocks:
    """The blocks that are open at a line of one file."""

    def __init__(self, features: Features, diagnostics: Diagnostics) -> None:
        self._features = features
        self._diagnostics = diagnostics
        self._open: list[_Block] = []

    @property
    def active(self) -> bool:
        """Whether lines count here."""
        return not self._open or self._open[-1].branch is _Branch.TAKEN

    def directive(self, line: Line, environment: Mapping[str, str], *, broken: bool = False) -> None:
        """Take a line whose first word begins with a dot.

        `broken` says that the line could not be split, which has been reported: it keeps its place in
        the structure, and its condition counts as one that does not parse.
        """
        name = line.keyword.text
        if name == ".if":
            self._if(line, environment, broken)
        elif name == ".elif":
            self._elif(line, environment, broken)
        elif name in (".else", ".endif"):
            self._close(line)
        elif broken or not self.active:
            return
        elif name in MESSAGES:
            self._message(line)
        else:
            near = nearest(name, [*_BLOCK_DIRECTIVES, *MESSAGES])
            self._diagnostics.alert(
                UNKNOWN_DIRECTIVE,
                f"unknown directive `{name}`",
                line.keyword.span,
                hint=f"did you mean `{near}`?" if near else None,
            )

    def finish(self) -> None:
        """Report the blocks that are still open at the end of a file, and close them."""
        for block in self._open:
            self._diagnostics.alert(
                UNTERMINATED_BLOCK,
                "this `.if` has no `.endif`",
                block.opened.span,
                expected="`.endif` before the end",
            )
        self._open.clear()

    def _if(self, line: Line, environment: Mapping[str, str], broken: bool) -> None:
        branch = self._branch(line, environment, broken) if self.active else _Branch.DEAD
        self._open.append(_Block(line.keyword, branch))

    def _elif(self, line: Line, environment: Mapping[str, str], broken: bool) -> None:
        block = self._current(line)
        if block is None:
            return
        if block.branch is _Branch.TAKEN:
            block.branch = _Branch.DONE
        elif block.branch is _Branch.WAITING:
            block.branch = self._branch(line, environment, broken)

    def _close(self, line: Line) -> None:
        if len(line.words) > 1:
            self._unexpected(line, line.words[1])
        if line.keyword.text == ".endif":
            if self._open:
                self._open.pop()
            else:
                self._lone(line)
            return
        block = self._current(line)
        if block is None:
            return
        block.has_else = True
        if block.branch is _Branch.TAKEN:
            block.branch = _Branch.DONE
        elif block.branch is _Branch.WAITING:
            block.branch = _Branch.TAKEN

    def _current(self, line: Line) -> _Block | None:
        """Return the block that `.elif` or `.else` continues, or report that it may not."""
        if not self._open:
            self._lone(line)
            return None
        if self._open[-1].has_else:
            message = f"`{line.keyword.text}` behind `.else` of the same block"
            self._diagnostics.alert(AFTER_ELSE, message, line.keyword.span, expected="`.endif`")
            self._open[-1].branch = _Branch.DEAD
            return None
        return self._open[-1]

    def _lone(self, line: Line) -> None:
        self._diagnostics.alert(LONE_DIRECTIVE, f"`{line.keyword.text}` without an `.if`", line.keyword.span)

    def _unexpected(self, line: Line, word: Word) -> None:
        message = f"unexpected argument of `{line.keyword.text}`"
        speaks = line.keyword.text in MESSAGES
        hint = "put quotes around a message with spaces" if speaks else None
        self._diagnostics.alert(UNEXPECTED_ARGUMENT, message, word.span.to(line.span), hint=hint)

    def _branch(self, line: Line, environment: Mapping[str, str], broken: bool) -> _Branch:
        if broken:
            return _Branch.DEAD
        condition = " ".join(word.text for word in line.arguments)
        try:
            return _Branch.TAKEN if evaluate(condition, self._features, environment) else _Branch.WAITING
        except ConditionError as error:
            span = locate(line.arguments or line.words, error.offset, error.length)
            self._diagnostics.alert(BAD_CONDITION, error.message, span, hint=error.hint)
            return _Branch.DEAD

    def _message(self, line: Line) -> None:
        code, severity = MESSAGES[line.keyword.text]
        if len(line.words) > 2:
            self._unexpected(line, line.words[2])
            return
        text = line.words[1].text if len(line.words) > 1 else ""
        self._diagnostics.add(Diagnostic(code, severity, text, line.span))


def locate(words: Sequence[Word], offset: int, length: int) -> Span:
    """Return the source of `length` characters at `offset` of words joined with single spaces.

    Exact in words written plainly; a word that has quotes or variables is pointed at as a whole. An
    offset behind the last word gives the empty place there. There must be at least one word.
    """
    for word in words:
        size = len(word.text)
        if offset <= size:
            if word.span.end - word.span.column != size:
                return word.span
            return word.span.part(offset, min(length, size - offset))
        offset -= size + 1
    last = words[-1].span
    return Span(last.file, last.line, last.end, last.end)
