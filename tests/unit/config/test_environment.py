import pytest

from isthmus.config import Environment, read_text, startup_variables

from .builders import FEATURES, SECTIONS, places, tree


def test_directives_act_on_the_very_next_line():
    text = """global
    setenv A 1
    setenv B "$A$A"
    presetenv A 2
    presetenv C 3
    log-tag "$A $B $C"
    unsetenv A B
    log-tag "${A-none} ${B-none} $C $GIVEN"
    resetenv C
    log-tag "$C ${GIVEN-none}"
    resetenv
    log-tag "${C-none}"
"""
    read = tree(text, GIVEN="g")
    tags = [line.words[1].text for line in read.sections[0].lines if line.keyword.text == "log-tag"]
    assert tags == ["1 11 3", "none none 3 g", "3 none", "none"]
    assert dict(read.environment) == {}


def test_the_environment_given_is_left_alone_and_the_outcome_is_in_the_tree():
    given = {"A": "1"}
    read = read_text("global\n setenv B 2\n", environment=given, features=FEATURES, sections=SECTIONS)
    assert (given, dict(read.environment)) == ({"A": "1"}, {"A": "1", "B": "2"})


def test_directives_act_in_global_alone_and_not_in_skipped_blocks():
    read = tree("defaults\n setenv A 1\nglobal\n.if 0\n setenv B 1\n.endif\n")
    assert dict(read.environment) == {}


BAD = [
    ("setenv", 8),
    ("setenv A", 10),
    ("setenv A b c", 13),
    ("presetenv A", 13),
    ("unsetenv", 10),
    ('setenv "" x', 9),
    ("setenv A=B x", 9),
    ("unsetenv A B=C", 13),
]


@pytest.mark.parametrize(("line", "column"), BAD)
def test_a_directive_with_wrong_arguments_changes_nothing(line, column):
    read = tree(f"global\n {line}\n", A="kept", B="kept")
    assert places(read) == [("E0040", 2, column)]
    assert dict(read.environment) == {"A": "kept", "B": "kept"}


def test_an_environment_reads_as_a_mapping_and_copies_apart():
    first = Environment({"A": "1"})
    second = first.copy()
    second.set("B", "2")
    second.preset("A", "9")
    second.unset("NONE")
    assert (dict(first), dict(second), len(second)) == ({"A": "1"}, {"A": "1", "B": "2"}, 2)


def test_startup_variables_are_those_of_the_manual():
    found = startup_variables(
        version="2.6.12", branch="2.6", local_peer="lb1", formats={"HAPROXY_TCP_LOG_FMT": "%ci"}
    )
    assert found == {
        "HAPROXY_STARTUP_VERSION": "2.6.12",
        "HAPROXY_BRANCH": "2.6",
        "HAPROXY_LOCALPEER": "lb1",
        "HAPROXY_TCP_LOG_FMT": "%ci",
    }
    assert (
        startup_variables(version="1", branch="1", local_peer="x", master_worker=True)["HAPROXY_MWORKER"]
        == "1"
    )
