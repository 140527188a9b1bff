"""The list of `-dKall` and the parser know the same keywords, and HAProxy's list spells them as ours does."""

from __future__ import annotations

import pytest
from listing import CONFIGURATION, Listed, haproxys, ours
from paper import TIMEOUTS, VOCABULARY, PaperWorld, messages, tree

from isthmus.config import Diagnostics
from isthmus.keywords import SECTIONS, inventory, load
from isthmus.keywords.actions import ACTIONS
from isthmus.keywords.bind import BIND_OPTIONS
from isthmus.keywords.global_ import GLOBAL
from isthmus.keywords.http_actions import HTTP_ACTIONS
from isthmus.keywords.loading import NAMED
from isthmus.keywords.option_row import Option, OptionTable
from isthmus.keywords.proxy import PROXY
from isthmus.keywords.server_options import SERVER_OPTIONS
from isthmus.keywords.tls_bind import CRT_LISTS

OURS, HAPROXYS = ours(), haproxys()
# What our list says otherwise than HAProxy's, and why.
OTHERWISE = {
    "option transparent": "the HAProxy that was asked was built without it; 2.6 lists `[ BE ]` too",
    "option http-no-delay": "without effect, so that it needs no mode",
    "option abortonclose": "of backends alone here, as in HAProxy before 3.3",
}
STRANGE = {"E0100", "E0101", "E0102", "E0104", "E0105", "E0109", "E0400", "E0401", "E0402", "E0404"}
"""Codes of what is unknown, not implemented, or not to be done in this place."""
BEHIND = {"option": "", "bind": "bind <addr> ", "server": "server <name> <addr> ", "crt-list": ""}
"""What options of a line are listed behind."""


def written(each: Listed) -> str:
    """A configuration with the keyword of a listed line and nothing behind it."""
    name = each.name.replace("tlv-fmt", "tlv-fmt(0xE1)")
    if each.section == "listen":
        if name.startswith(("tcp-", "http-")) and each.marks == "*":
            name += "0" if name.endswith("track-sc") else "()"
        proxy = "listen l\n mode http\n bind :8080\n server s 192.0.2.1:80\n"
        line = name.replace("<addr>", ":8081" if name.startswith("bind") else "192.0.2.2:80")
        return TIMEOUTS + proxy + " " + line.replace("<name>", "t").replace("ssl ", "", 1) + "\n"
    if each.section == "crt-list":
        return TIMEOUTS + "frontend f\n bind :8080 ssl crt-list asked.txt\n"
    named = each.section not in ("global", "namespace_list")
    head = f"{each.section} name" if named else each.section
    return f"{head}\n {name}\n"


class World(PaperWorld):
    """A machine with a crt-list whose only line has one option."""

    def __init__(self, option: str) -> None:
        super().__init__()
        self.option = option

    def read_bytes(self, path: str) -> bytes:
        return f"site.pem [{self.option}]\n".encode() if path == "asked.txt" else super().read_bytes(path)


def told(each: Listed) -> Diagnostics:
    """What is said of a configuration with nothing but the keyword of a listed line."""
    return load(tree(written(each)), VOCABULARY, World(each.name))[1]


def taken(each: Listed) -> bool:
    """Whether the parser knows the keyword of a listed line, whatever it says about missing words."""
    return not any(one.code in STRANGE or one.message.startswith("unknown keyword") for one in told(each))


def test_a_listed_keyword_is_taken_by_the_parser() -> None:
    assert [each for each in OURS if each.kind == CONFIGURATION and not taken(each)] == []


def test_a_keyword_of_haproxy_is_taken_where_it_is_listed_and_nowhere_else() -> None:
    names = {(each.section, each.name) for each in OURS}
    sections = {each.section for each in OURS}
    asked = [each for each in HAPROXYS if each.kind == CONFIGURATION and each.section in sections]
    assert [each for each in asked if ((each.section, each.name) in names) != taken(each)] == []


def test_what_both_list_is_spelled_alike() -> None:
    theirs = {(each.kind, each.section, each.name): each.line.rstrip() for each in HAPROXYS}
    spelled = {(each.kind, each.section, each.name): each.line.rstrip() for each in OURS}
    different = {key[2] for key in theirs.keys() & spelled.keys() if theirs[key] != spelled[key]}
    assert different == OTHERWISE.keys()


def test_no_line_stands_twice() -> None:
    assert len(OURS) == len({(each.kind, each.section, each.line) for each in OURS})


def test_every_row_of_the_parser_s_tables_is_listed() -> None:
    listed = {(each.section, each.name) for each in OURS}
    first = {
        "global": {*GLOBAL, *inventory.removed("global")},
        "listen": {*PROXY, *inventory.removed("proxy")},
    }
    for section, rows in first.items():
        for name in rows:
            whole = name if name.startswith("option ") else name.split()[0]
            assert (section, whole) in listed or whole in ("bind", "server"), name
    for row in BIND_OPTIONS.rows.values():
        assert ("listen", f"bind <addr> {row.scope and row.scope + ' '}{row.name}") in listed
    for row in SERVER_OPTIONS.rows.values():
        assert ("listen", f"server <name> <addr> {row.name.rstrip('(')}") in listed
    for row in CRT_LISTS.table.rows.values():
        assert ("crt-list", row.name) in listed
    for name, action in ACTIONS.items():
        assert {("listen", f"tcp-request {each.value} {name}") for each in action.sets} <= listed
    for name, http_action in HTTP_ACTIONS.items():
        assert {("listen", f"{each.value} {name}") for each in http_action.sets} <= listed


@pytest.mark.parametrize("section", sorted(SECTIONS))
def test_a_section_is_listed_where_it_is_read(section: str) -> None:
    found = [code for code, _ in messages(f"{section} name\n nonsense\n")]
    proxies = section in ("global", "defaults", "frontend", "backend", "listen")
    assert ("E0101" not in found) == (section in NAMED or proxies)


def rows(table: OptionTable[object]) -> list[tuple[str, Option[object]]]:
    return [(table.line, row) for row in table.rows.values()]


def test_an_option_is_listed_with_a_number_where_words_have_to_follow() -> None:
    for line, row in (*rows(BIND_OPTIONS), *rows(SERVER_OPTIONS), *rows(CRT_LISTS.table)):
        section = "crt-list" if line == "crt-list" else "listen"
        found = told(Listed(CONFIGURATION, section, BEHIND[line] + row.name))
        # HAProxy lists what has parentheses without a number, and words that are refused whatever follows.
        if not row.name.endswith("(") and not any(each.code == "E0110" for each in found):
            missing = (each.message for each in found if each.code == "E0106")
            assert row.needs_word == any(f"`{row.name}`" in message for message in missing), row


def test_an_option_is_listed_with_the_sides_and_the_mode_in_which_it_works() -> None:
    for each in OURS:
        if each.name.startswith("option "):
            marks = each.marks.strip("[ ]").split()
            sides, needs_http = _works(each.name)
            assert [mark for mark in marks if mark != "HTTP"] == sides, each
            assert "HTTP" not in marks or needs_http, each


def _works(name: str) -> tuple[list[str], bool]:
    """The sides on which an option has an effect, and whether it is said to have none in mode tcp."""
    given = {"option http-restrict-req-hdr-names": "delete", "option netns-unlisted": "ignore"}
    line = f" {name} {given.get(name, '')}\n"
    said = {
        "FE": messages(f"{TIMEOUTS}frontend l\n mode http\n bind :8080\n{line}"),
        "BE": messages(f"{TIMEOUTS}backend l\n mode http\n server s 192.0.2.1:80\n{line}"),
        "tcp": messages(f"{TIMEOUTS}listen l\n bind :8080\n server s 192.0.2.1:80\n{line}"),
    }
    codes = {where: {code for code, _ in found} for where, found in said.items()}
    idle = {"W0111", "E0103", "E0110"}
    return [side for side in ("FE", "BE") if not codes[side] & idle], "W0181" in codes["tcp"]
