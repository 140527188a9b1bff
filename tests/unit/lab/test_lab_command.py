import msgspec
import pytest

from isthmus import lab
from isthmus.lab.command import Outcome, _colours, _parser
from isthmus.lab.expectation import expect


def test_the_proxy_to_run_is_split_as_a_shell_would():
    options = _parser().parse_args(["demo", "--proxy", "haproxy -dM '-W x'"])
    assert options.proxy == ["haproxy", "-dM", "-W x"]


@pytest.mark.parametrize("argv", [[], ["demos"], ["demo", "--twice"]])
def test_wrong_arguments_exit_with_status_two_and_build_nothing(argv, capsys):
    with pytest.raises(SystemExit) as caught:
        lab.main(argv)
    assert caught.value.code == 2
    assert "usage: isthmus lab" in capsys.readouterr().err


def test_the_object_has_an_error_only_where_there_was_one():
    good = Outcome("1", rootless=True, expectations=[expect("a", "b", "b")], ok=True)
    assert msgspec.json.decode(msgspec.json.encode(good)) == {
        "version": "1",
        "rootless": True,
        "expectations": [{"name": "a", "expected": "b", "got": "b", "ok": True}],
        "ok": True,
    }
    bad = Outcome("1", rootless=True, expectations=[], ok=False, error="why")
    assert msgspec.json.decode(msgspec.json.encode(bad))["error"] == "why"


@pytest.mark.parametrize(
    ("environment", "terminal", "expected"),
    [
        ({"TERM": "xterm"}, True, True),
        ({}, True, True),
        ({"TERM": "dumb"}, True, False),
        ({"TERM": "xterm", "NO_COLOR": "1"}, True, False),
        ({"TERM": "xterm"}, False, False),
    ],
)
def test_colours_are_for_terminals_that_have_them(environment, terminal, expected, monkeypatch):
    monkeypatch.setattr("os.environ", environment)
    monkeypatch.setattr("sys.stdout.isatty", lambda: terminal, raising=False)
    assert _colours() is expected
