"""Pattern files are read once, checked for every use; what is wrong is said at the line that names them."""

from __future__ import annotations

import hashlib

from paper import PaperWorld, built, nothing_wrong

from isthmus.config import Diagnostics
from isthmus.engine.lists import ListCheck
from isthmus.model.expression import MatchMethod
from isthmus.plan import Built
from isthmus.process.lists import read_lists

TEXT = """
defaults
  mode tcp
  timeout connect 1s
  timeout client 1s
  timeout server 1s
frontend f
  bind 127.0.0.1:80
  {}
  default_backend b
backend b
  server s 127.0.0.1:81
"""


class Disk(PaperWorld):
    """A machine with a few files, that counts how often they are read."""

    def __init__(self, **files: bytes) -> None:
        super().__init__()
        self.files = files
        self.reads: list[str] = []

    def read_bytes(self, path: str) -> bytes:
        self.reads.append(path)
        if path not in self.files:
            raise FileNotFoundError(path)
        return self.files[path]


def read(lines: str, disk: Disk, check=nothing_wrong) -> tuple[Built, list[tuple[str, int]]]:
    plan = read_lists(built(TEXT.format(lines)), disk, check)
    found: Diagnostics = plan.diagnostics
    return plan, [(each.code, each.span.line if each.span else 0) for each in found]


def test_a_file_that_many_lines_name_is_read_once():
    disk = Disk(nets=b"10.0.0.0/8\n")
    plan, said = read("acl x src -f nets\n  acl y dst -i -f file@nets -f opt@nets", disk)
    assert (disk.reads, said) == (["nets"], [])
    (found,) = plan.engine.lists
    digest = hashlib.sha256(b"10.0.0.0/8\n").hexdigest()
    assert (found.name, found.digest, plan.texts) == ("nets", digest, {digest: b"10.0.0.0/8\n"})


def test_a_missing_file_is_an_error_where_it_is_named_unless_it_is_optional():
    plan, said = read("acl x src -f opt@none\n  acl y src -f none2\n  acl z src -f virt@none3", Disk())
    assert said == [("E0326", 10)]
    assert [each.digest != "" for each in plan.engine.lists] == [True, False, False]


def test_every_bad_line_is_said_once_for_each_kind_of_use():
    asked: list[ListCheck] = []

    def check(_text: bytes, check: ListCheck) -> list[tuple[int, str]]:
        asked.append(check)
        return [(3, "'x' is not a number")] if check.method is MatchMethod.INT else []

    lines = "acl x src_port -f n\n  acl y dst_port -f n\n  acl z src -n -f n\n  acl s src -m str -f n"
    _, said = read(lines, Disk(n=b"1\n2\nx\n"), check)
    assert said == [("E0429", 9)]
    assert [each.method for each in asked] == [MatchMethod.INT, MatchMethod.IP]


def test_host_names_are_looked_up_unless_that_is_forbidden():
    def check(text: bytes, check: ListCheck) -> list[tuple[int, str]]:
        known = dict(check.hosts)
        lines = text.decode().splitlines()
        return [(n, each) for n, each in enumerate(lines, 1) if each[0].isalpha() and each not in known]

    disk = Disk(hosts=b"10.0.0.1\norigin.test\n")
    plan, said = read("acl x src -f hosts", disk, check)
    assert (said, plan.engine.lists[0].hosts) == ([], (("origin.test", "192.0.2.7"),))
    assert read("acl x src -n -f hosts", disk, check)[1] == [("E0429", 9)]
    assert read("acl x src -f hosts", Disk(hosts=b"nobody\n"), check)[1] == [("E0429", 9)]


def test_lists_are_numbered_in_the_order_of_lines_around_the_ids_that_are_asked_for():
    lines = "acl x src -f b -f a 10.0.0.1\n  acl y src -u 4 10.0.0.2\n  acl z src -f c\n  acl x dst 10.0.0.3"
    plan, _ = read(lines, Disk(a=b"", b=b"", c=b""))
    assert [(each.name, each.id) for each in plan.engine.lists] == [("b", 0), ("a", 1), ("c", 3)]
    tests = {acl.name: [test.id for test in acl.tests] for acl in plan.engine.acls}
    assert tests == {"x": [2, 6], "y": [4], "z": [5]}
    assert (
        plan.engine.lists[0].description == "pattern loaded from file 'b' used by acl at file 't.cfg' line 9"
    )
