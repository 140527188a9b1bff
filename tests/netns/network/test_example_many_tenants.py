"""Two hundred tenants with the same addresses behind one proxy: each port leads to its own tenant."""

from __future__ import annotations

import time

from ..machine import Machine
from .proxied import VISITORS, Visitor, visit

EXAMPLE = "many-tenants"
TENANTS = range(1, 201)
# Wide of what is measured (22 s and 90 MB), and far from what a cost per pair of tenants would take.
SECONDS = 150.0
MEGABYTES = 400.0


@VISITORS
def test_every_port_leads_to_its_tenant(machine: Machine, user: int) -> None:
    with visit(machine, user, EXAMPLE) as visitor:
        began = time.monotonic()
        visitor.net("apply", "--quiet", "network.yaml")
        assert "nothing to do" in visitor.net("apply", "network.yaml")
        assert time.monotonic() - began < SECONDS
        assert "all hold" in visitor.net("check", "network.yaml")
        pages = [f"http://127.0.0.1:{20_000 + number}/" for number in TENANTS]
        expected = "".join(f"tenant {number}\n" for number in TENANTS)
        assert visitor.ask("outside", *pages, *reversed(pages)).startswith(expected)
        assert megabytes_of_services(visitor) < MEGABYTES
        visitor.net("down", "network.yaml")


def megabytes_of_services(visitor: Visitor) -> float:
    """Sum up what the network's processes hold of memory, shared pages counted in parts."""
    program = (
        "for f in /proc/[0-9]*/environ; do"
        " grep -qs ISTHMUS_NETWORK=many-tenants $f && cat ${f%environ}smaps_rollup; done; true"
    )
    text = visitor.inside("host", "sh", "-c", program)
    sizes = [int(line.split()[1]) for line in text.splitlines() if line.startswith("Pss:")]
    assert len(sizes) >= 2, "the servers and the proxy"
    return sum(sizes) / 1024


def test_the_template_is_ten_lines_and_the_proxys_file_is_as_it_is_made(machine: Machine) -> None:
    with visit(machine, 0, EXAMPLE) as visitor:
        lines = (visitor.folder / "network.yaml").read_text().splitlines()
        assert len([each for each in lines if each and not each.lstrip().startswith("#")]) <= 10
        made = machine.run(0, "python3", str(visitor.folder / "tenants.py"), "200").stdout
        assert made == (visitor.folder / "tenants.cfg").read_text()
