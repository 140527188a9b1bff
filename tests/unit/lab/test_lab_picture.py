from ipaddress import IPv4Interface
from pathlib import Path

from isthmus.lab.configuration import Ports
from isthmus.lab.demo import Demo
from isthmus.lab.expectation import expect
from isthmus.lab.picture import Paint, directions, draw, verdicts
from isthmus.lab.tenant import Tenant

TENANTS = (
    Tenant("red", IPv4Interface("10.0.0.10/24")),
    Tenant("blue", IPv4Interface("10.0.0.10/24")),
)
PLAIN = Paint(on=False)


class Held:
    """A tenant's process, as far as directions look at it."""

    process = 4711


def test_the_picture_shows_every_port_and_every_address():
    drawn = draw(TENANTS, (8001, 8002), 9000, PLAIN)
    for word in ("127.0.0.1:8001", "127.0.0.1:8002", "namespace red", "namespace blue", ":9000"):
        assert word in drawn
    assert drawn.count("10.0.0.10/24") == 2


def test_the_picture_fits_a_terminal_of_eighty_columns_with_three_tenants():
    three = (*TENANTS, Tenant("green", IPv4Interface("10.0.0.20/16")))
    drawn = draw(three, (65001, 65002, 65003), 65004, PLAIN)
    assert max(len(line) for line in drawn.splitlines()) < 80


def test_colour_comes_only_where_it_is_wanted_and_moves_nothing():
    plain = draw(TENANTS, (8001, 8002), 9000, PLAIN)
    coloured = draw(TENANTS, (8001, 8002), 9000, Paint(on=True))
    assert "\x1b" not in plain
    for sequence in ("\x1b[31m", "\x1b[34m", "\x1b[0m"):
        assert sequence in coloured
        coloured = coloured.replace(sequence, "")
    assert [line.rstrip() for line in coloured.splitlines()] == plain.splitlines()


def test_a_verdict_that_failed_tells_what_was_expected_and_what_came():
    told = verdicts([expect("first", "a", "a"), expect("second", "a", "b")], PLAIN).splitlines()
    assert told[0].split() == ["ok", "first:", "a"]
    assert told[1].split() == ["FAILED", "second:", "expected", "a;", "got", "b"]


def test_directions_name_the_files_and_the_way_in():
    alive = {"red": Held(), "blue": Held()}
    demo = Demo(rootless=True, folder=Path("/tmp/x"), ports=Ports((8001, 8002), 9000), alive=alive)
    told = directions(demo, TENANTS, 99)
    assert "curl http://127.0.0.1:8001/" in told
    assert "/tmp/x/edge.cfg" in told
    assert "--user --preserve-credentials" in told
    assert "--target 4711" in told
    assert "kill 99" in told


def test_directions_for_root_enter_no_user_namespace():
    demo = Demo(rootless=False, folder=Path("/x"), ports=Ports((1, 2), 3), alive={"red": Held()})
    assert "--user" not in directions(demo, TENANTS, 99)
