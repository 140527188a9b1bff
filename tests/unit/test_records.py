"""Records behave as the standard library's data classes of the same definition."""

import copy
import dataclasses
import pickle

import pytest

from isthmus import records


@records.dataclass(frozen=True, slots=True)
class Point:
    """Two numbers and a note."""

    x: int
    y: int = 2
    note: str = records.field(default="", compare=False)
    secret: str = records.field(default="", repr=False)

    @property
    def total(self) -> int:
        return self.x + self.y


@records.dataclass(frozen=True, slots=True)
class Spot(Point):
    """One with something more."""

    colour: str = "red"


@records.dataclass(slots=True)
class Box:
    """One that changes."""

    items: list[int] = records.field(default_factory=list)


@records.dataclass(frozen=True, slots=True, order=True)
class Step:
    """One that can be sorted."""

    first: int
    second: int = 0


@records.dataclass(frozen=True, slots=True)
class Empty:
    """One without fields."""


@records.dataclass(frozen=True, slots=True)
class Told:
    """One with a text of its own."""

    x: int

    def __str__(self) -> str:
        return f"<{self.x}>"


def test_fields_are_given_by_place_by_name_and_by_default() -> None:
    assert (Point(1).x, Point(1).y, Point(1, 5).y, Point(y=6, x=1).y) == (1, 2, 5, 6)
    assert Point(3).total == 5


@pytest.mark.parametrize("words", [(), (1, 2, "", "", 5)], ids=["too few", "too many"])
def test_the_wrong_number_of_values_is_a_type_error(words: tuple[object, ...]) -> None:
    with pytest.raises(TypeError, match="__init__"):
        Point(*words)


def test_an_unknown_name_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="unexpected"):
        Point(1, z=3)


def test_equality_and_hash_leave_out_what_is_not_compared() -> None:
    assert Point(1, note="a") == Point(1, note="b")
    assert hash(Point(1, note="a")) == hash(Point(1, note="b"))
    assert Point(1) != Point(2)
    assert Point(1) != Spot(1)
    assert Point(1) != (1, 2)
    assert Empty() == Empty()
    assert len({Empty(), Empty()}) == 1


def test_what_is_frozen_cannot_be_changed_and_the_other_can() -> None:
    with pytest.raises(AttributeError, match="cannot assign to field 'x'"):
        Point(1).x = 2
    with pytest.raises(AttributeError, match="cannot delete field 'x'"):
        del Point(1).x
    box = Box()
    box.items = [1]
    assert box == Box([1])
    with pytest.raises(TypeError, match="unhashable"):
        hash(box)


def test_there_are_slots_alone() -> None:
    with pytest.raises(AttributeError):
        Box().other = 1
    assert not hasattr(Point(1), "__dict__")


def test_a_factory_makes_a_value_for_each() -> None:
    assert Box().items is not Box().items


def test_an_heir_has_its_parents_fields_first() -> None:
    assert Spot(1, 2, "", "", "blue").colour == "blue"
    assert Spot(1).colour == "red"
    assert Spot.__match_args__ == ("x", "y", "note", "secret", "colour")


def test_records_are_sorted_by_their_fields() -> None:
    assert sorted([Step(2), Step(1, 5), Step(1)]) == [Step(1), Step(1, 5), Step(2)]
    assert Step(1) <= Step(1)
    assert Step(2) > Step(1)
    assert Step(2) >= Step(2)


def test_the_text_leaves_out_what_is_not_to_be_shown() -> None:
    assert repr(Point(1, secret="s")) == "Point(x=1, y=2, note='')"
    assert str(Told(1)) == "<1>"
    assert repr(Told(1)) == "Told(x=1)"


def test_patterns_take_fields_by_place() -> None:
    match Point(1, 3):
        case Point(x, y):
            assert (x, y) == (1, 3)


@pytest.mark.parametrize("replace", [records.replace, dataclasses.replace], ids=["ours", "the library's"])
def test_replace_changes_a_copy(replace) -> None:
    old = Spot(1, note="n")
    new = replace(old, y=9)
    assert (new.x, new.y, new.note, new.colour, type(new)) == (1, 9, "n", "red", Spot)
    assert old.y == 2


def test_the_library_knows_the_fields() -> None:
    assert dataclasses.is_dataclass(Point)
    assert [each.name for each in dataclasses.fields(Box)] == ["items"]
    assert dataclasses.asdict(Point(1)) == {"x": 1, "y": 2, "note": "", "secret": ""}
    assert [each.compare for each in dataclasses.fields(Point)] == [True, True, False, True]


def test_copies_and_pickles_are_equal() -> None:
    for each in (Point(1), Spot(1), Box([1]), Empty()):
        assert copy.copy(each) == each
        assert copy.deepcopy(each) == each
        assert pickle.loads(pickle.dumps(each)) == each


def test_slots_cannot_be_done_without() -> None:
    with pytest.raises(TypeError, match="slots"):
        records.dataclass(slots=False)
