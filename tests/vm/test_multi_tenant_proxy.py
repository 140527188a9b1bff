"""The example multi-tenant-proxy with real VLANs: each tenant's own server, by way of the filter."""

from __future__ import annotations

import urllib.request
from pathlib import Path

import pytest

from . import programs as programs_of_services
from .ground import inside
from .state import everything
from .test_networks import Network, done

FILE = Path(__file__).parents[2] / "examples" / "multi-tenant-proxy" / "network.yaml"
LOG = Path("/run/isthmus/log/multi-tenant-proxy/filter.log")

programs = programs_of_services.programs


@pytest.mark.usefixtures("programs")
def test_every_vlan_reaches_its_own_server_through_the_filter() -> None:
    before = everything()
    try:
        network = Network(FILE)
        network.apply()
        network.assert_unchanged_by_applying_again()
        seen = asked()
        for number in (1, 2, 3):
            page = f"the server of VLAN {number} was asked by 10.9.0.1\n"
            assert inside(f"client{number}", fetched) == page
        assert asked() == seen + 3
    finally:
        done("down", FILE)
    assert everything() == before


def fetched() -> str:
    with urllib.request.urlopen("http://10.9.0.80/", timeout=30) as answer:
        return answer.read().decode()


def asked() -> int:
    """How many connections the filter has passed on."""
    return LOG.read_text().count("10.0.0.2 asks 10.9.0.80\n")
