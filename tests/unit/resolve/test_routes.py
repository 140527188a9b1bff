"""Whether a machine on paper has a default route for IPv6, and how long the answer holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from isthmus.resolve.routes import Routes

NONE = "0" * 32
ROUTER = "fe800000000000000000000000000001"


def line(destination: str, length: str, flags: str, device: str) -> str:
    return f"{destination} {length} {NONE} 00 {ROUTER} 00000400 00000001 00000000 {flags} {device:>8}\n"


@pytest.mark.parametrize(
    ("table", "routed"),
    [
        ("", False),
        (line(NONE, "00", "00000003", "eth0"), True),
        (line(NONE, "00", "00200200", "lo"), False),
        (line(NONE, "00", "00000001", "eth0"), False),
        (line("fe80" + "0" * 28, "40", "00000003", "eth0"), False),
        ("not a route\n", False),
    ],
)
def test_a_default_route_is_one_to_anywhere_by_a_router(tmp_path: Path, table: str, routed: bool) -> None:
    (tmp_path / "ipv6_route").write_text(table)
    assert Routes(tmp_path / "ipv6_route").to_ipv6(1.0) is routed


def test_a_machine_without_ipv6_has_no_route(tmp_path: Path) -> None:
    assert Routes(tmp_path / "none").to_ipv6(1.0) is False


def test_what_was_seen_holds_for_half_a_minute(tmp_path: Path) -> None:
    file = tmp_path / "ipv6_route"
    file.write_text("")
    routes = Routes(file)
    assert routes.to_ipv6(100.0) is False
    file.write_text(line(NONE, "00", "00000003", "eth0"))
    assert routes.to_ipv6(129.0) is False
    assert routes.to_ipv6(130.0) is True


def test_no_more_of_a_table_is_read_than_up_to_the_default_route(tmp_path: Path) -> None:
    file = tmp_path / "ipv6_route"
    other = line("2001" + "0" * 28, "20", "00000003", "eth0")
    # What is read and is no ASCII would raise.
    file.write_bytes((line(NONE, "00", "00000003", "eth0") + other * 2000).encode() + b"\xff\n")
    assert Routes(file).to_ipv6(1.0) is True
