from datetime import datetime

import pytest

from isthmus.lab import command, managing
from isthmus.lab.contents import Found, find_space, found_namespaces
from isthmus.lab.errors import LabError
from isthmus.lab.managing import NamespaceStatus, Status, describe, kept_owners
from isthmus.lab.members import Member


@pytest.mark.parametrize(
    ("argv", "words", "behind"),
    [
        (["enter"], ["enter"], []),
        (["enter", "red", "--", "ip", "--", "-j"], ["enter", "red"], ["ip", "--", "-j"]),
        (["enter", "--"], ["enter"], []),
    ],
)
def test_what_is_behind_two_dashes_is_the_commands_own(argv, words, behind):
    assert command._split(argv) == (words, behind)


@pytest.mark.parametrize("argv", [["stop", "--", "now"], ["status", "red"], ["enter", "red", "true"]])
def test_a_command_where_none_is_expected_is_a_wrong_argument(argv):
    with pytest.raises(SystemExit) as caught:
        command.main(argv)
    assert caught.value.code == 2


def test_a_status_is_told_with_networks_and_namespaces():
    namespaces = (NamespaceStatus("host"), NamespaceStatus("shop/red", "shop"))
    status = Status(True, 7, 86400.0, namespaces, ("shop",), 2)
    began = datetime.fromtimestamp(86400.0).strftime("%Y-%m-%d %H:%M:%S")
    assert describe(status).splitlines() == [
        f"the lab runs: held by process 7 since {began}",
        "networks: shop",
        "namespaces:",
        "  host",
        "  shop/red  shop",
        "processes inside: 2",
    ]
    assert describe(Status(running=False)) == "no lab is running"


def test_stopping_tells_what_ended(monkeypatch, capsys):
    monkeypatch.setattr(command, "stop_lab", lambda: (Member(9, 1, "sleep 5", terminal=False),))
    assert command.main(["stop"]) == 0
    assert capsys.readouterr().out == "ended: process 9: sleep 5\nthe lab has stopped\n"


def test_an_error_of_the_lab_is_one_line_and_status_one(monkeypatch, capsys):
    def fail():
        raise LabError("no luck")

    monkeypatch.setattr(managing, "find_lab", fail)
    assert command.main(["status"]) == 1
    assert capsys.readouterr().err == "isthmus lab: no luck\n"


def kept(root, *names):
    for name in names:
        path = root / "run" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_namespaces_are_found_by_the_files_that_keep_them(tmp_path):
    kept(tmp_path, "isthmus/host", "netns/red", "isthmus/net/shop/red", "isthmus/net/shop/blue")
    kept(tmp_path, "isthmus/uts/shop/red", "isthmus/uts/other/red")
    every = {each.full_name: each for each in found_namespaces(tmp_path)}
    assert list(every) == ["host", "red", "shop/blue", "shop/red"]
    run = tmp_path / "run/isthmus"
    assert every["shop/red"].space.net == run / "net/shop/red"
    assert every["shop/red"].space.uts == run / "uts/shop/red"
    assert every["red"].space.uts == run / "uts/other/red", "shop's is its unnamed namespace's"
    assert every["shop/blue"].space.uts is None
    assert kept_owners(tuple(every.values())) == {"shop/blue": "shop", "shop/red": "shop"}


def test_where_nothing_was_ever_made_no_namespace_is_found(tmp_path):
    assert found_namespaces(tmp_path) == ()


@pytest.fixture
def found(monkeypatch, tmp_path):
    kept(tmp_path, "netns/red", "isthmus/net/a/blue", "isthmus/net/b/blue", "isthmus/net/b/green")
    every = found_namespaces(tmp_path)
    monkeypatch.setattr("isthmus.lab.contents.found_namespaces", lambda: every)
    return {each.full_name: each for each in every}


@pytest.mark.parametrize(
    ("name", "full"), [("red", "red"), ("a/blue", "a/blue"), ("green", "b/green"), ("b/green", "b/green")]
)
def test_a_namespace_is_found_by_its_name_and_by_its_networks(found: dict[str, Found], name, full):
    assert find_space(name) == found[full].space


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("blue", "several networks have a namespace `blue`: say a/blue or b/blue"),
        ("rad", "there is no namespace `rad`: did you mean `red`?"),
        ("something", "there is no namespace `something`"),
    ],
)
def test_a_name_that_means_none_or_several_is_an_error(found, name, told):
    with pytest.raises(LabError) as caught:
        find_space(name)
    assert str(caught.value) == told


def test_inside_the_folders_of_roots_programs_are_looked_through_once_and_last():
    assert managing._path_of_root("/sbin:/bin") == "/sbin:/bin:/usr/local/sbin:/usr/sbin"
