"""Networks that share the host's namespace leave each other's things alone."""

from __future__ import annotations

from itertools import count

from isthmus.network.netlink.mark import protocol_of

from .net_command import done, ip, write
from .world import in_world, snapshot

ONE = "one"
OTHER = next(f"n{each}" for each in count() if protocol_of(f"n{each}") == protocol_of(ONE))


def text(name: str, number: int) -> str:
    return f"""
network: {name}
namespaces:
  {name}x: {{}}
  host:
    routes: [{{to: 10.{number}.9.0/24, via: 10.{number}.0.2}}, {{to: 10.{number}.8.0/24, type: blackhole}}]
    rules: [{{priority: {number}, from: 10.{number}.0.0/16, table: {number}}}]
    neighbours: [{{address: 10.{number}.0.77, dev: v{number}, mac: "02:00:00:00:00:77"}}]
links:
  - veth:
      - {{name: v{number}, addresses: [10.{number}.0.1/24]}}
      - {{in: {name}x, name: eth0, addresses: [10.{number}.0.2/24]}}
"""


def numbered(number: int) -> list[str]:
    """What is there of the network of this number that is known by a protocol number alone."""
    lines = [*ip("route").splitlines(), *ip("rule").splitlines(), *ip("neigh").splitlines()]
    return [line for line in lines if f"10.{number}." in line and "proto kernel" not in line]


@in_world()
def test_two_networks_of_the_same_protocol_number_have_each_their_own() -> None:
    before = snapshot()
    one, other = write(text(ONE, 101), "/run/one.yaml"), write(text(OTHER, 102), "/run/other.yaml")
    done("apply", one)
    first = numbered(101)
    assert len(first) == 4
    done("apply", other)
    second = numbered(102)
    assert len(second) == 4
    assert done("apply", one) == "one: nothing to do\n"
    # Fewer lines: of the one network alone.
    write(text(ONE, 101).replace("{to: 10.101.9.0/24, via: 10.101.0.2}, ", ""), one)
    done("apply", one)
    assert numbered(101) == [line for line in first if "10.101.9.0" not in line]
    assert numbered(102) == second
    done("down", one)
    assert numbered(101) == []
    assert numbered(102) == second
    done("down", other)
    assert snapshot() == before
