"""Text to tree: the configuration language without the meaning of any keyword.

`read` turns files into a `Tree` of sections, lines and words whose spans point into the text, with
every error of the run collected. `isthmus.config.values` turns single words into times, sizes,
percentages, addresses and networks, and says what was expected where it cannot.
"""

from isthmus.config.arguments import Argument, ArgumentError, split_arguments
from isthmus.config.checks import Verdict, check_condition
from isthmus.config.codes import CODES, Explanation, register
from isthmus.config.conditions import PREDICATES, ConditionError, Features, evaluate
from isthmus.config.diagnostics import Diagnostic, Diagnostics, Severity, render
from isthmus.config.environment import Environment, startup_variables
from isthmus.config.nearest import nearest
from isthmus.config.reader import read, read_text
from isthmus.config.scanner import Problem
from isthmus.config.text import Line, Span, Word
from isthmus.config.tree import Section, Tree
from isthmus.config.words import SplitLine, quote, split_line

__all__ = [
    "CODES",
    "PREDICATES",
    "Argument",
    "ArgumentError",
    "ConditionError",
    "Diagnostic",
    "Diagnostics",
    "Environment",
    "Explanation",
    "Features",
    "Line",
    "Problem",
    "Section",
    "Severity",
    "Span",
    "SplitLine",
    "Tree",
    "Verdict",
    "Word",
    "check_condition",
    "evaluate",
    "nearest",
    "quote",
    "read",
    "read_text",
    "register",
    "render",
    "split_arguments",
    "split_line",
    "startup_variables",
]
