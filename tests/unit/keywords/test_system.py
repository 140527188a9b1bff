"""The machine that the tests run on answers what a configuration asks."""

from __future__ import annotations

import os
import socket
from ipaddress import ip_address
from pathlib import Path

import pytest

from isthmus.keywords import System
from isthmus.keywords.world import World

SYSTEM: World = System()


def test_only_a_namespaces_file_is_a_namespace(tmp_path: Path) -> None:
    assert SYSTEM.namespace_fault("/proc/self/ns/net") is None
    assert SYSTEM.namespace_fault(str(tmp_path)) == "is another kind of file"
    assert SYSTEM.namespace_fault("/proc/self/ns/uts") == "is a namespace of another kind"
    os.mkfifo(tmp_path / "pipe")
    assert SYSTEM.namespace_fault(str(tmp_path / "pipe")) == "is another kind of file"
    assert SYSTEM.namespace_fault(str(tmp_path / "none")) == "does not exist"
    assert SYSTEM.namespace_fault("/dev/null/none") == "cannot be used: Not a directory"


def test_what_is_no_namespace_is_closed_again(tmp_path: Path) -> None:
    before = os.listdir("/proc/self/fd")
    for _ in range(9):
        SYSTEM.namespace_fault(str(tmp_path))
    assert len(os.listdir("/proc/self/fd")) == len(before)


def test_an_address_resolves_to_itself_and_a_strange_name_to_nothing() -> None:
    assert SYSTEM.resolve("127.0.0.1", None) == ip_address("127.0.0.1")
    assert SYSTEM.resolve("::1", 6) == ip_address("::1")
    assert SYSTEM.resolve("::1", 4) is None
    assert SYSTEM.resolve("no such name", None) is None


def test_root_has_the_number_0_and_nobody_unknown_has_one() -> None:
    assert SYSTEM.user_id("root") == 0
    assert SYSTEM.user_id("no-such-user-here") is None
    assert SYSTEM.group_id("root") == 0
    assert SYSTEM.group_id("no-such-group-here") is None


def test_only_an_open_socket_is_a_socket() -> None:
    with socket.socket() as one, Path("/dev/null").open() as other:
        assert SYSTEM.is_socket(one.fileno())
        assert not SYSTEM.is_socket(other.fileno())
        number = one.fileno()
    assert not SYSTEM.is_socket(number)


def test_a_missing_pattern_file_raises(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="none"):
        SYSTEM.read_bytes(str(tmp_path / "none"))


def test_a_machine_has_files_and_a_name() -> None:
    assert SYSTEM.open_files() >= 3
    assert SYSTEM.host_name()
    assert all(name.startswith("CAP_") for name in SYSTEM.capabilities())


def test_a_folder_has_its_files_and_links_to_nothing(tmp_path: Path) -> None:
    (tmp_path / "b").touch()
    (tmp_path / "a").symlink_to("gone")
    (tmp_path / "folder").mkdir()
    (tmp_path / "c").symlink_to("folder")
    assert SYSTEM.list_folder(str(tmp_path)) == ("a", "b")
    assert SYSTEM.list_folder(str(tmp_path / "b")) is None
