"""The lists of `-dK`, whose form scripts and people compare with HAProxy's."""

import pytest

from isthmus import keywords
from isthmus.engine import vocabulary
from isthmus.keywords.vocabulary import Vocabulary

EVERYWHERE = "[ " + "Y " * 20 + ". . ]"


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        ("cnv", "add(string): sint => sint"),
        ("cnv", "b64dec: bin => str"),
        ("cnv", "base64: str => bin"),
        ("cnv", "bytes(string[,string]): bin => bin"),
        ("smp", f"{EVERYWHERE} accept_date([string]): sint"),
        ("smp", f"{EVERYWHERE} src_netns: str"),
        ("cfg", "\tbind <addr> backlog +1"),
        ("cfg", "\tbind <addr> accept-proxy"),
        ("cfg", "\ttcp-request content set-var*"),
        ("cli", "show stat [WORKER] "),
        ("flt", "compression [COMP]"),
    ],
)
def test_a_line_has_haproxys_form(kind: str, line: str) -> None:
    shown = keywords.dump(kind, Vocabulary.read(vocabulary()), [("show stat", ["WORKER"])])
    assert line in shown.splitlines()


def test_each_class_is_listed_under_its_own_head() -> None:
    shown = keywords.dump("all", Vocabulary.read(vocabulary()))
    heads = [line for line in shown.splitlines() if line.startswith("# List of registered")]
    assert len(heads) == 7
