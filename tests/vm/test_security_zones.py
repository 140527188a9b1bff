"""The example security-zones with real VLANs: services, and the firewall at the other end."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from . import programs as programs_of_services
from .ground import inside, ip
from .state import everything
from .test_networks import Network, done

FOLDER = Path(__file__).parents[2] / "examples" / "security-zones"
ZONES = FOLDER / "network.yaml"
OUTSIDE = FOLDER / "outside" / "network.yaml"
SERVING = Path("/run/isthmus-zones")

programs = programs_of_services.programs


@pytest.mark.usefixtures("programs")
def test_zones_on_vlans_reach_what_the_firewall_outside_allows() -> None:
    before = everything()
    try:
        done("apply", OUTSIDE)
        zones = Network(ZONES)
        zones.apply()
        zones.assert_unchanged_by_applying_again()
        assert inside("dmz", lambda: heard("10.20.0.11", 8080)) == "orders was asked by 10.10.0.11\n"
        assert inside("app", lambda: heard("10.30.0.11", 5432)) == "store was asked by 10.20.0.11\n"
        assert inside("dmz", lambda: heard("10.30.0.11", 5432)) is None
        assert "lladdr 02:00:0a:00:07:01" in ip("-n firewall neigh")
        assert len(list(SERVING.iterdir())) == 5
    finally:
        done("down", ZONES)
        done("down", OUTSIDE)
    assert list(SERVING.iterdir()) == []
    assert everything() == before


def heard(address: str, port: int) -> str | None:
    """The line that a service says, None where it is out of reach."""
    try:
        with socket.create_connection((address, port), 5) as connection:
            return connection.makefile().readline()
    except OSError:
        return None
