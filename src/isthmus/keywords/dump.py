"""The dictionary in the form of HAProxy's `-dK`: what works, class by class.

Classes are acl, cfg, cli, cnv, flt, smp and svc (management manual, `-dK`); `all` is every one of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from isthmus.keywords.action_words import RuleSet
from isthmus.keywords.actions import ACTIONS
from isthmus.keywords.bind import BIND_OPTIONS
from isthmus.keywords.global_ import GLOBAL
from isthmus.keywords.http_actions import HttpSet, possible
from isthmus.keywords.http_content import FILTERS
from isthmus.keywords.option_row import Option, OptionTable, Settings
from isthmus.keywords.proxy import PROXY
from isthmus.keywords.row import Keyword, Where
from isthmus.keywords.server_options import SERVER_OPTIONS
from isthmus.keywords.tracking import TRACKING
from isthmus.keywords.vocabulary import Converter, Fetch, Place, Vocabulary

_IN_PARENTHESES = (
    *("add-acl", "add-map", "del-acl", "del-map", "set-map"),
    *("set-var", "set-var-fmt", "unset-var"),
    *TRACKING,
)


def dump(classes: str, vocabulary: Vocabulary, commands: Iterable[str] = ()) -> str:
    """Return the lists of some classes, separated by commas; `commands` are those of the runtime API.

    A class that does not exist is passed over. A keyword stands in a list only where it works.
    """
    wanted = {name for name in classes.split(",") if name}
    makers: dict[str, Callable[[], list[str]]] = {
        "acl": lambda: _acls(vocabulary),
        "cfg": _configuration,
        "cli": lambda: [
            "# List of registered CLI keywords:",
            *(f"{each} [WORKER] " for each in sorted(commands)),
        ],
        "cnv": lambda: _converters(vocabulary),
        "flt": lambda: [
            "# List of registered filter names:",
            *(f"[{each.upper():>6}] {each}" for each in FILTERS),
        ],
        "smp": lambda: _fetches(vocabulary),
        "svc": lambda: ["# List of registered service names:"],
    }
    chosen = [make for name, make in makers.items() if name in wanted or "all" in wanted]
    return "".join(f"{line}\n" for make in chosen for line in make())


def _acls(vocabulary: Vocabulary) -> list[str]:
    rows = sorted(vocabulary.acls.values(), key=lambda each: each.name)
    lines = (f"{each.name} = {each.fetch} -m {each.method.value}" for each in rows)
    return ["# List of registered ACL keywords:", *lines]


def _configuration() -> list[str]:
    lines = ["# List of registered configuration keywords:", "global"]
    lines += sorted({f"\t{row.name.split()[0]}" for row in GLOBAL.values() if not row.inert})
    those = [row for row in PROXY.values() if not row.inert]
    lines.append("listen")
    lines += sorted({f"\t{row.name.split()[0]}" for row in those} - {"\toption", "\tbind", "\tserver"})
    lines += _options("bind <addr>", BIND_OPTIONS)
    lines += _options("server <name> <addr>", SERVER_OPTIONS)
    lines += sorted(_option(row) for row in those if row.name.startswith("option "))
    for rule_set in RuleSet:
        names = [name for name, row in ACTIONS.items() if rule_set in row.sets]
        lines += _actions(f"tcp-request {rule_set.value}", names)
    for http_set in HttpSet:
        lines += _actions(http_set.value, possible(http_set))
    return [*lines, "namespace_list", "\tnamespace", "userlist", "\tgroup", "\tuser"]


def _actions(line: str, names: Iterable[str]) -> Iterable[str]:
    starred = (f"{name}*" if name in _IN_PARENTHESES else name for name in sorted(names))
    return (f"\t{line} {name}" for name in starred)


def _options(line: str, table: OptionTable[Settings]) -> list[str]:
    rows = sorted((row for row in table.rows.values() if not row.inert), key=lambda row: row.name)
    return [f"\t{line} {row.name.rstrip('(')}{_count(row)}" for row in rows]


def _count(row: Option[Settings]) -> str:
    """Return how many words an option needs behind it, in HAProxy's notation."""
    needs_none = not row.syntax or row.syntax.startswith("[") or row.name.endswith("(")
    return "" if needs_none else " +1"


def _option(row: Keyword[Settings]) -> str:
    sides = [name for name, side in (("FE", Where.FRONTEND), ("BE", Where.BACKEND)) if row.where & side]
    return f"\t{row.name} [ {' '.join(sides)} ]"


def _arguments(row: Fetch | Converter) -> str:
    return f"({row.signature})" if row.signature else ""


def _converters(vocabulary: Vocabulary) -> list[str]:
    def line(row: Converter) -> str:
        # HAProxy's list has what comes out before what goes in.
        return f"{row.name}{_arguments(row)}: {row.output.value} => {row.input.value}"

    rows = sorted(vocabulary.converters.values(), key=lambda each: each.name)
    return ["# List of registered sample converter functions:", *map(line, rows)]


def _fetches(vocabulary: Vocabulary) -> list[str]:
    def line(row: Fetch) -> str:
        marks = " ".join("Y" if row.valid_in(place) else "." for place in Place)
        return f"[ {marks} ] {row.name}{_arguments(row)}: {row.output.value}"

    rows = sorted(vocabulary.fetches.values(), key=lambda each: each.name)
    return ["# List of registered sample fetch functions:", *_legend(), *map(line, rows)]


def _legend() -> Iterable[str]:
    """Give the lines that lead from each column of the list of fetches to its meaning."""
    places = list(Place)
    for at, place in enumerate(places):
        left = " " * (len(places) - at)
        yield f"# {left}{'/ ' * at}_.{'-' * (len(places) - at)} {place.wording}"
    yield f"# {'/ ' * len(places)} "
    yield f"# {'| ' * len(places)} "
