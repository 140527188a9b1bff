"""Of many namespaces with one address, the one that a source can reach comes first."""

from isthmus.network.expecting.nearness import Wires
from isthmus.network.model import Bridge, End, Link, Macvlan, Network, Veth


def end(namespace: str, name: str, master: str | None = None) -> End:
    return End(namespace, name, master=master)


def network(*links: Link) -> Network:
    return Network("test", links=links)


def test_a_tenants_own_gateway_comes_before_two_hundred_others() -> None:
    wires = Wires(
        network(*(Link(end(f"t{n}", "e"), Veth(end(f"g{n}", "e"))) for n in range(200))),
    )
    assert wires.nearest_first("t150", [f"g{n}" for n in range(200)])[0] == "g150"


def test_who_is_on_the_same_bridge_comes_before_who_is_behind_a_router() -> None:
    links = [
        Link(end("switch", "br1"), Bridge()),
        Link(end("switch", "br2"), Bridge()),
        Link(end("red", "e"), Veth(end("switch", "p1", "br1"))),
        Link(end("router", "e1"), Veth(end("switch", "p2", "br1"))),
        Link(end("router", "e2"), Veth(end("switch", "p3", "br2"))),
        Link(end("far", "e"), Veth(end("switch", "p4", "br2"))),
        Link(end("near", "e"), Macvlan("switch", "br1")),
    ]
    ordered = Wires(network(*links)).nearest_first("red", ["nowhere", "far", "near", "router"])
    assert ordered[-2:] == ("far", "nowhere")
