import pytest

from isthmus.config.versions import parse_version


def test_versions_sort_from_development_to_release_to_commits():
    written = [
        "2",
        "2.4-dev1",
        "2.4-dev18",
        "2.4-dev18-abcdef-12",
        "2.4",
        "2.4-3",
        "2.4.1",
        "2.10",
        "3.0-dev1",
        "3.0",
    ]
    parsed = [parse_version(each) for each in written]
    assert None not in parsed
    assert sorted(parsed) == parsed
    assert len(set(parsed)) == len(parsed)


@pytest.mark.parametrize(
    "same", ["2.6", "2.6.0", "2.06", "2.6-rc1", "2.6+deb12u1", "2.6-1+deb12u4", " 2.6 ", "2.6.x", "2.6-"]
)
def test_missing_parts_are_zero_and_what_is_not_known_is_passed_over(same):
    assert parse_version(same) == parse_version("2.6.0")


@pytest.mark.parametrize("text", ["", "abc", "v2.6", "-1", ".5", "2." + "9" * 10, "é", "٣.١"])
def test_what_does_not_begin_with_a_number_is_no_version(text):
    assert parse_version(text) is None
