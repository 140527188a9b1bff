from ipaddress import IPv4Interface

from isthmus.lab.configuration import Ports, core_configuration, edge_configuration
from isthmus.lab.tenant import Tenant

TENANTS = (
    Tenant("red", IPv4Interface("10.0.0.10/24")),
    Tenant("blue", IPv4Interface("10.0.0.10/24")),
)
PORTS = Ports((8001, 8002), 9000)


def lines(text):
    return [line.strip() for line in text.splitlines()]


def test_the_edge_has_a_port_of_the_host_for_every_tenant():
    edge = lines(edge_configuration(TENANTS, PORTS))
    assert edge.index("bind 127.0.0.1:8001") == edge.index("frontend red") + 1
    assert edge.index("bind 127.0.0.1:8002") == edge.index("frontend blue") + 1


def test_the_same_address_stands_once_for_every_namespace():
    edge = lines(edge_configuration(TENANTS, PORTS))
    assert "server origin 10.0.0.10:80 namespace red" in edge
    assert "server origin 10.0.0.10:80 namespace blue" in edge


def test_the_edge_listens_in_every_tenant_and_sends_the_header_on():
    edge = lines(edge_configuration(TENANTS, PORTS))
    assert "bind :8080 namespace red" in edge
    assert "bind :8080 namespace blue" in edge
    assert "server core 127.0.0.1:9000 send-proxy-v2" in edge


def test_the_core_lists_every_tenant_and_goes_back_into_the_clients_own():
    core = lines(core_configuration(TENANTS, PORTS))
    listed = core.index("namespace_list")
    assert core[listed + 1 : listed + 3] == ["namespace red", "namespace blue"]
    assert "bind 127.0.0.1:9000" in core
    assert "tcp-request connection expect-proxy layer4 if { src 127.0.0.1 }" in core
    # With a port of its own: the client's was the edge's, and would lead back to the edge.
    assert "server origin *:80 namespace *" in core
