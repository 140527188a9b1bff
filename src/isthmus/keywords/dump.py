"""The dictionary in the form of HAProxy's `-dK`: what is known here, class by class.

Classes are acl, cfg, cli, cnv, flt, smp and svc (management manual, `-dK`); `all` is every one of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from isthmus.keywords.configuration_list import configuration_lines
from isthmus.keywords.http_content import FILTERS
from isthmus.keywords.vocabulary import Converter, Fetch, Place, Vocabulary


def dump(classes: str, vocabulary: Vocabulary, commands: Iterable[tuple[str, Iterable[str]]] = ()) -> str:
    """Return the lists of some classes, separated by commas.

    `commands` are those of the runtime API, each with the marks that are listed behind it. A class that does
    not exist is passed over. A keyword stands in a list where lines with it are taken, with or without
    effect, and where it is known in order to say what to write instead.
    """
    wanted = {name for name in classes.split(",") if name}
    makers: dict[str, Callable[[], list[str]]] = {
        "acl": lambda: _acls(vocabulary),
        "cfg": lambda: ["# List of registered configuration keywords:", *configuration_lines()],
        "cli": lambda: [
            "# List of registered CLI keywords:",
            *(f"{name} {' '.join(f'[{mark}]' for mark in marks)} " for name, marks in sorted(commands)),
        ],
        "cnv": lambda: _converters(vocabulary),
        "flt": lambda: [
            "# List of registered filter names:",
            *(f"{name} [{kind}]" for name, kind in FILTERS.items()),
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
