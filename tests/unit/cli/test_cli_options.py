"""HAProxy's command line, word for word."""

from __future__ import annotations

import pytest

from isthmus.cli.options import UsageError, parse
from isthmus.process.launch import Farewell


def test_files_may_be_given_one_by_one_and_behind_two_dashes() -> None:
    assert parse(["-f", "a", "-f", "b", "-c", "--", "c", "-d"]).files == ["a", "b", "c", "-d"]


@pytest.mark.parametrize(
    ("words", "field"),
    [
        ("-D", "daemon"),
        ("-V", "verbose"),
        ("-c", "check"),
        ("-d", "debug"),
        ("-db", "foreground"),
        ("-dD", "diagnostic"),
        ("-dS", "no_splice"),
        ("-dW", "zero_warning"),
        ("-dr", "ignore_unresolved"),
        ("-q", "quiet"),
        ("-W", "master_worker"),
        ("-Ws", "master_worker"),
    ],
)
def test_a_flag_sets_what_it_stands_for_alone(words: str, field: str) -> None:
    options, nothing = parse([words]), parse([])
    assert getattr(options, field) is True
    setattr(options, field, False)
    assert options == nothing


def test_options_with_an_argument_take_the_next_word() -> None:
    options = parse(["-C", "/tmp", "-L", "me", "-p", "/p", "-n", "5", "-N", "6", "-m", "7", "-cc", "1"])
    assert (options.directory, options.local_peer, options.pidfile) == ("/tmp", "me", "/p")
    assert (options.maxconn, options.proxy_maxconn, options.memory_limit) == (5, 6, 7)
    assert options.condition == "1"


@pytest.mark.parametrize("option", ["-f", "-C", "-L", "-p", "-n", "-N", "-m", "-cc"])
def test_an_argument_that_is_missing_is_an_error(option: str) -> None:
    with pytest.raises(UsageError, match=f"option `{option}` needs an argument"):
        parse([option])


def test_a_number_that_is_none_is_an_error() -> None:
    with pytest.raises(UsageError, match="option `-n` takes a number, not `abc`"):
        parse(["-n", "abc"])


def test_older_processes_end_at_the_next_option_and_may_be_none() -> None:
    options = parse(["-sf", "12", "13 14", "-c", "-f", "x"])
    assert (options.older, options.farewell, options.check) == ([12, 13, 14], Farewell.FINISH, True)
    assert parse(["-st"]).farewell is Farewell.TERMINATE


def test_older_processes_are_numbers() -> None:
    with pytest.raises(UsageError, match="not `abc`"):
        parse(["-sf", "abc"])


def test_the_version_may_have_letters_behind_it() -> None:
    assert (parse(["-v"]).version, parse(["-vz"]).version, parse(["-vv"]).version) == (1, 1, 2)


@pytest.mark.parametrize("option", ["-dM", "-dM0x50,help", "-dI", "-dG", "-dV", "-de", "-dp", "-dL", "-dR"])
def test_options_without_effect_here_are_remembered_to_be_told(option: str) -> None:
    assert parse([option]).without_effect == [option[:3]]


@pytest.mark.parametrize("option", ["-S", "-x"])
def test_options_that_are_not_implemented_say_so(option: str) -> None:
    with pytest.raises(UsageError, match="not implemented"):
        parse([option, "/run/x"])


@pytest.mark.parametrize("word", ["-z", "-dz", "foo", "--help"])
def test_an_unknown_option_asks_for_the_usage(word: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(["-c", word])
    assert caught.value.usage


def test_keyword_classes_stand_right_behind_their_option() -> None:
    assert parse(["-dKcfg,smp"]).keyword_classes == "cfg,smp"
    assert parse(["-dK"]).keyword_classes == "help"
