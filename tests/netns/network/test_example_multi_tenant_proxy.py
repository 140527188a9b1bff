"""Three VLANs with the same addresses, through a filter that knows nothing of namespaces, and back out."""

from __future__ import annotations

import pytest

from ..machine import Machine
from .proxied import VISITORS, Visitor, has_no, visit

EXAMPLE = "multi-tenant-proxy"
TENANTS = (1, 2, 3)


@VISITORS
def test_every_tenant_reaches_its_own_server_through_the_filter(machine: Machine, user: int) -> None:
    with visit(machine, user, EXAMPLE) as visitor:
        visitor.made_checked_and_unchanged("network-veth.yaml")
        assert_each_gets_its_own(visitor)
        visitor.net("down", "network-veth.yaml")


@pytest.mark.skipif(has_no("vlan id 2"), reason="this kernel has no vlan (8021q); tests/vm has one that does")
@VISITORS
def test_with_vlans_every_tenant_reaches_its_own_server(machine: Machine, user: int) -> None:
    with visit(machine, user, EXAMPLE) as visitor:
        visitor.made_checked_and_unchanged("network.yaml")
        assert_each_gets_its_own(visitor)
        visitor.net("down", "network.yaml")


@pytest.mark.skipif(not has_no("vlan id 2"), reason="this kernel has vlan")
@VISITORS
def test_without_vlans_in_the_kernel_it_says_so_and_touches_nothing(machine: Machine, user: int) -> None:
    with visit(machine, user, EXAMPLE) as visitor:
        said = visitor.net("apply", "network.yaml", status=1)
        assert "this kernel has no vlan: load its module 8021q" in said


def assert_each_gets_its_own(visitor: Visitor) -> None:
    """Every tenant asks the same address twice and hears its own server; the filter saw every connection."""
    seen = filtered(visitor)
    for number in TENANTS:
        page = f"the server of VLAN {number} was asked by 10.9.0.1\n"
        assert visitor.ask(f"client{number}", *["http://10.9.0.80/"] * 2) == page * 2
    assert filtered(visitor) == seen + 2 * len(TENANTS)


def filtered(visitor: Visitor) -> int:
    """Count the connections that the filter took: it names client and server, which are always the same."""
    log = f"/run/isthmus/log/{EXAMPLE}/filter.log"
    return visitor.inside("host", "cat", log).count("10.0.0.2 asks 10.9.0.80\n")
