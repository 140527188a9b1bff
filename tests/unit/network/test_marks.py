"""What an interface's alias says is read back as it was written, and never is longer than an alias may be."""

import pytest

from isthmus.network.netlink.mark import Mark, read_mark
from isthmus.network.objects import Before

BEFORE = Before(
    True,
    1400,
    "02:00:00:00:00:01",
    "given",
    ("10.0.0.1/24", "fd00::1/64"),
    ("10.8.0.0/16>10.0.0.9>7", "10.9.0.0/16>>>10.0.0.1"),
)


@pytest.mark.parametrize(
    "mark",
    [
        Mark("web"),
        Mark("web", endpoints="0123abcd"),
        Mark("web", ("host", "eth0")),
        Mark("web", ("host", "was"), None, frozenset({"mac", "mtu"}), BEFORE),
        Mark("web", ("host", "eth0"), before=Before(up=False)),
    ],
)
def test_what_is_written_is_read(mark: Mark) -> None:
    assert read_mark(str(mark)) == mark


@pytest.mark.parametrize("name", ["n" * length for length in range(14, 32)])
def test_addresses_that_an_alias_has_no_room_for_are_left_out_from_the_last_on(name: str) -> None:
    many = Before(True, 65535, "02:00:00:00:00:01", "m" * 15, tuple(f"fd00::{n:x}/64" for n in range(100)))
    mark = Mark(name, ("s" * 64, "i" * 15), None, frozenset({"mac", "mtu"}), many)
    text = str(mark)
    assert len(text.encode()) <= 254
    read = read_mark(text)
    assert read is not None
    assert read.given == mark.given
    assert read.before is not None
    assert read.before.addresses == many.addresses[: len(read.before.addresses)]


@pytest.mark.parametrize("alias", [None, "", "web", "Isthmus:web"])
def test_an_alias_of_somebody_else_is_no_mark(alias: str | None) -> None:
    assert read_mark(alias) is None
