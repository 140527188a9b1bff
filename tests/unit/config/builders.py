"""Short forms for the tests of the configuration reader."""

from isthmus.config import Features, Tree, read_text, split_line

FEATURES = Features(
    version="2.6.12",
    features=frozenset({"OPENSSL", "NS"}),
    enabled=frozenset({"POLL", "SPLICE"}),
    ssl_library="OpenSSL 3.0.22",
    openssl_version="3.0.22",
    awslc_api=32,
)
SECTIONS = frozenset({"global", "defaults", "frontend", "backend", "listen"})


def tree(text: str | bytes, **environment: str) -> Tree:
    return read_text(text, environment=environment, features=FEATURES, sections=SECTIONS, file="t.cfg")


def codes(read: Tree) -> list[str]:
    return [each.code for each in read.diagnostics]


def places(read: Tree) -> list[tuple[str, int, int]]:
    """The code, line and column of every message."""
    return [(each.code, each.span.line, each.span.column) for each in read.diagnostics if each.span]


def words(text: str, **environment: str) -> list[str]:
    """The words of a line that has nothing wrong."""
    split = split_line(text, "t.cfg", 1, environment.get)
    assert not split.problems
    return [word.text for word in split.words]
