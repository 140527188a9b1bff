"""Lists of patterns: what ACLs and maps compare with, shown and changed while they are in use.

A list is named by its file, or by its number behind a `#`. Changes are made to the version that is matched
against, or with `@` and a number to one that was prepared and is yet to be committed.
"""

from __future__ import annotations

from collections.abc import Iterator

from isthmus.engine.lists import (
    AddEntries,
    AllLists,
    ClearList,
    CommitVersion,
    DeleteEntries,
    Entries,
    Found,
    GetEntries,
    GetLists,
    ListAnswer,
    ListFacts,
    ListRefusal,
    LookUp,
    Lookup,
    PrepareVersion,
    Refused,
    SetValue,
    Version,
)
from isthmus.model.expression import ListValues, MatchMethod
from isthmus.runtime.instance import CommandError
from isthmus.runtime.registry import Request, command

_TREES = (MatchMethod.STR, MatchMethod.BEG)
_TYPES = {ListValues.TEXT: "str", ListValues.INTEGERS: "sint"}
_NAMES = {"acl": "ACL", "map": "map"}
_SHARED = (
    "This ACL is shared with a map containing samples. You must use the command 'add map' to add values."
)


@command("show map", "report available maps or dump a map's contents", syntax="[@<ver>] [map]")
def show_map(request: Request) -> str:
    """Return the maps, or the entries of one."""
    return _show(request, "map")


@command("show acl", "report available acls or dump an acl's contents", syntax="[@<ver>] [acl]")
def show_acl(request: Request) -> str:
    """Return the lists that ACLs compare with, or the patterns of one."""
    return _show(request, "acl")


@command("get map", "report the keys and values matching a sample for a map", syntax="<map> <value>")
def get_map(request: Request) -> str:
    """Return what a text matches in a map, for each use of it."""
    return "".join(_looked_up(request, "map"))


@command("get acl", "report the patterns matching a sample for an ACL", syntax="<acl> <value>")
def get_acl(request: Request) -> str:
    """Return what a text matches in a list, for each use of it."""
    return "".join(_looked_up(request, "acl"))


@command(
    "add map",
    "add a map entry (payload supported instead of key/val)",
    syntax="[@<ver>] <map> <key> <val>",
)
def add_map(request: Request) -> str:
    """Add keys with values behind those that are there; an answer is given only where it fails."""
    version, words = _version(request.arguments)
    if len(words) < (1 if request.payload is not None else 3):
        raise CommandError(
            "'add map' expects three parameters (map identifier, key and value) or one parameter "
            "(map identifier) and a payload"
        )
    found = _list(request, words[0], "map", everything=True)
    entries = ((words[1], words[2]),) if request.payload is None else tuple(_pairs(request.payload))
    answer = _ask(request, AddEntries(found.id, version, tuple((_raw(k), _raw(v)) for k, v in entries)))
    return _outcome(answer, "map")


@command("add acl", "add an acl entry", syntax="[@<ver>] <acl> <pattern>")
def add_acl(request: Request) -> str:
    """Add patterns behind those that are there."""
    version, words = _version(request.arguments)
    if len(words) < (1 if request.payload is not None else 2):
        raise CommandError("'add acl' expects two parameters: ACL identifier and pattern.")
    found = _list(request, words[0], "acl", everything=True)
    if found.two_columns:
        raise CommandError(_SHARED)
    patterns = words[1:2] if request.payload is None else (p for p in request.payload if p.strip())
    entries = tuple((_raw(pattern), "") for pattern in patterns)
    return _outcome(_ask(request, AddEntries(found.id, version, entries)), "acl")


@command("set map", "modify a map entry", syntax="<map> [<key>|#<ref>] <value>")
def set_map(request: Request) -> str:
    """Change the value of a key."""
    if len(request.arguments) < 3:
        raise CommandError("'set map' expects three parameters: map identifier, key and value.")
    name, key, value = request.arguments[:3]
    found = _list(request, name, "map", everything=True)
    answer = _ask(request, SetValue(found.id, _raw(key), _reference(key), _raw(value)))
    if isinstance(answer, Refused) and answer.why is ListRefusal.NOT_FOUND:
        raise CommandError("key or pattern not found." if key.startswith("#") else "entry not found.")
    return _outcome(answer, "map")


@command("del map", "delete map entries matching <key>", syntax="<map> [<key>|#<ref>]")
def del_map(request: Request) -> str:
    """Delete a key from a map."""
    return _delete(request, "map")


@command("del acl", "delete acl entries matching <key>", syntax="<acl> [<key>|#<ref>]")
def del_acl(request: Request) -> str:
    """Delete a pattern."""
    return _delete(request, "acl")


@command("clear map", "clear the contents of this map", syntax="[@<ver>] <map>")
def clear_map(request: Request) -> str:
    """Delete everything that a map holds."""
    return _clear(request, "map")


@command("clear acl", "clear the contents of this acl", syntax="[@<ver>] <acl>")
def clear_acl(request: Request) -> str:
    """Delete all patterns of a list."""
    return _clear(request, "acl")


@command("prepare map", "prepare a new version for atomic map replacement", syntax="<map>")
def prepare_map(request: Request) -> str:
    """Make room for another version of a map."""
    return _prepare(request, "map")


@command("prepare acl", "prepare a new version for atomic ACL replacement", syntax="<acl>")
def prepare_acl(request: Request) -> str:
    """Make room for another version of a list."""
    return _prepare(request, "acl")


@command("commit map", "commit the map at this version", syntax="@<ver> <map>")
def commit_map(request: Request) -> str:
    """Match against another version of a map from now on."""
    return _commit(request, "map")


@command("commit acl", "commit the ACL at this version", syntax="@<ver> <acl>")
def commit_acl(request: Request) -> str:
    """Match against another version of a list from now on."""
    return _commit(request, "acl")


def _show(request: Request, kind: str) -> str:
    version, words = _version(request.arguments)
    if not words:
        lines = (_line(each) for each in _lists(request) if _is(each, kind))
        return "# id (file) description\n" + "".join(lines)
    found = _list(request, words[0], kind)
    answer = _ask(request, GetEntries(found.id, version))
    entries = answer.entries if isinstance(answer, Entries) else ()
    if found.two_columns:
        return "".join(f"{number:#x} {_text(key)} {_text(value)}\n" for number, key, value in entries)
    return "".join(
        f"{number:#x} {_text(key)}{f' {_text(value)}' if value else ''}\n" for number, key, value in entries
    )


def _line(each: ListFacts) -> str:
    counts = f"curr_ver={each.current} next_ver={each.next} entry_cnt={each.entries}"
    return f"{each.id} ({_text(each.name)}) {_text(each.description)}. {counts}\n"


def _looked_up(request: Request, kind: str) -> Iterator[str]:
    if len(request.arguments) < 2:
        raise CommandError(f"Missing {_NAMES[kind]} identifier and/or key.")
    found = _list(request, request.arguments[0], kind)
    answer = _ask(request, LookUp(found.id, _raw(request.arguments[1])))
    for use in answer.uses if isinstance(answer, Found) else ():
        yield _use(use, kind)


def _use(use: Lookup, kind: str) -> str:
    case = "insensitive" if use.ignore_case else "sensitive"
    outcome = "match" if kind == "acl" else "found"
    begin = f"type={use.method.value}, case={case}, {outcome}={'yes' if use.found else 'no'}"
    if use.found is None:
        return begin + "\n"
    key, value = map(_text, use.found)
    tree = use.method is MatchMethod.IP or (use.method in _TREES and not use.ignore_case)
    begin += f", idx={'tree' if tree else 'list'}"
    if kind == "acl":
        return f'{begin}, pattern="{key}"\n'
    if use.values is ListValues.UNUSED:
        return f'{begin}, key="{key}", value=none\n'
    kind_of_value = _TYPES.get(use.values) or ("ipv6" if ":" in value else "ipv4")
    return f'{begin}, key="{key}", value="{value}", type="{kind_of_value}"\n'


def _delete(request: Request, kind: str) -> str:
    if len(request.arguments) < 2:
        raise CommandError(f"This command expects two parameters: {_NAMES[kind]} identifier and key.")
    name, key = request.arguments[:2]
    found = _list(request, name, kind)
    return _outcome(_ask(request, DeleteEntries(found.id, _raw(key), _reference(key))), kind)


def _clear(request: Request, kind: str) -> str:
    version, words = _version(request.arguments)
    if not words:
        raise CommandError(f"Missing {_NAMES[kind]} identifier.")
    found = _list(request, words[0], kind)
    return _outcome(_ask(request, ClearList(found.id, version)), kind)


def _prepare(request: Request, kind: str) -> str:
    found = _list(request, request.argument(0), kind)
    answer = _ask(request, PrepareVersion(found.id))
    return f"New version created: {answer.version}\n" if isinstance(answer, Version) else ""


def _commit(request: Request, kind: str) -> str:
    version, words = _version(request.arguments)
    if version is None:
        raise CommandError("Missing version number.")
    if not words:
        raise CommandError(f"Missing {_NAMES[kind]} identifier.")
    found = _list(request, words[0], kind)
    answer = _ask(request, CommitVersion(found.id, version))
    if isinstance(answer, Refused) and answer.why is ListRefusal.VERSION:
        raise CommandError("Version number out of range.")
    return _outcome(answer, kind)


def _ask(
    request: Request,
    question: GetEntries
    | LookUp
    | AddEntries
    | SetValue
    | DeleteEntries
    | ClearList
    | PrepareVersion
    | CommitVersion,
) -> ListAnswer:
    return request.instance.engine.lists(question)


def _outcome(answer: ListAnswer, kind: str) -> str:
    """Return nothing where something was done. Raises CommandError in HAProxy's words where not."""
    if isinstance(answer, Refused):
        match answer.why:
            case ListRefusal.VERSION:
                raise CommandError(f"Version number in the future, please use 'prepare {kind}' before.")
            case ListRefusal.NOT_FOUND:
                raise CommandError("Key not found.")
            case ListRefusal.LIST:
                raise CommandError(_unknown(kind))
            case ListRefusal.WRONG:
                raise CommandError(f"{answer.message}.")
    return ""


def _unknown(kind: str) -> str:
    return f"Unknown {_NAMES[kind]} identifier. Please use #<id> or <file>."


def _lists(request: Request) -> tuple[ListFacts, ...]:
    answer = request.instance.engine.lists(GetLists())
    return answer.lists if isinstance(answer, AllLists) else ()


def _is(each: ListFacts, kind: str) -> bool:
    return each.acl if kind == "acl" else each.two_columns


def _list(request: Request, name: str, kind: str, *, everything: bool = False) -> ListFacts:
    """Return the list of a name, or of a number behind a `#`. Raises CommandError."""
    for each in _lists(request):
        named = name == f"#{each.id}" or (each.name and _text(each.name) == _plain(name))
        if named and (everything or _is(each, kind)):
            return each
    raise CommandError(_unknown(kind))


def _plain(name: str) -> str:
    return name.removeprefix("opt@").removeprefix("file@")


def _version(words: tuple[str, ...]) -> tuple[int | None, tuple[str, ...]]:
    """Take `@` and a number off the beginning of a command's words. Raises CommandError."""
    if not words or not words[0].startswith("@"):
        return None, words
    digits = words[0][1:]
    if not (digits.isascii() and digits.isdigit()) or int(digits) >= 1 << 32:
        raise CommandError(f"Invalid version number '{digits}'.")
    return int(digits), words[1:]


def _reference(key: str) -> int | None:
    """Return the number of an entry that `#0x...` names; one that there is not, where it is none."""
    if not key.startswith("#"):
        return None
    try:
        number = int(key[1:], 16)
    except ValueError:
        return 0
    return number if 0 <= number < 1 << 32 else 0


def _pairs(payload: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Give key and value of each line. Raises CommandError where a value is missing."""
    for line in payload:
        words = line.lstrip(" \t").split(maxsplit=1)
        if len(words) == 1:
            raise CommandError(f"Missing value for key '{words[0]}'.")
        if words:
            yield words[0], words[1]


def _raw(text: str) -> str:
    """Return text as a byte string: a character for each byte."""
    return text.encode("utf-8", "surrogateescape").decode("latin-1")


def _text(raw: str) -> str:
    return raw.encode("latin-1").decode("utf-8", "surrogateescape")
