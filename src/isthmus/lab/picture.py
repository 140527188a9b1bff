"""The demo's network drawn in plain text, and what its user is told. Pure: facts in, text out."""

from collections.abc import Sequence

from isthmus.lab.configuration import TENANT_PORT
from isthmus.lab.demo import Demo
from isthmus.lab.expectation import Expectation
from isthmus.lab.tenant import Tenant
from isthmus.records import dataclass

_COLOURS = {"red": "31", "green": "32", "blue": "34", "ok": "32", "FAILED": "31"}
_BOX_WIDTH = 23
_GAP = "   "


@dataclass(frozen=True, slots=True)
class Paint:
    """Colours words, where the output is a terminal."""

    on: bool

    def __call__(self, text: str, colour: str) -> str:
        """Return `text` in the colour that belongs to the word `colour`."""
        if not self.on or colour not in _COLOURS:
            return text
        return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m"


def draw(tenants: Sequence[Tenant], ports: Sequence[int], core: int, paint: Paint) -> str:
    """Draw the host's ports, both proxies and the tenants' boxes."""
    width = len(tenants) * _BOX_WIDTH + (len(tenants) - 1) * len(_GAP)
    boxes = [_box(tenant) for tenant in tenants]
    lines = [
        _columns([f"127.0.0.1:{port}" for port in ports], tenants, paint),
        _columns(["|"] * len(tenants), tenants, paint),
        "+" + "-" * (width - 2) + "+",
        "|" + f"proxy edge  --- PROXY v2 with the namespace -->  proxy core :{core}".center(width - 2) + "|",
        "+" + "-" * (width - 2) + "+",
        _columns(["|"] * len(tenants), tenants, paint),
        *(_columns(row, tenants, paint) for row in zip(*boxes, strict=True)),
    ]
    return "\n".join(line.rstrip() for line in lines)


def _columns(cells: Sequence[str], tenants: Sequence[Tenant], paint: Paint) -> str:
    pairs = zip(cells, tenants, strict=True)
    return _GAP.join(paint(cell.center(_BOX_WIDTH), tenant.name) for cell, tenant in pairs)


def _box(tenant: Tenant) -> list[str]:
    inner = _BOX_WIDTH - 2
    edge = "." * _BOX_WIDTH
    texts = [
        f"namespace {tenant.name}",
        str(tenant.address),
        f"origin   :{tenant.origin.rpartition(':')[2]}",
        f"edge     :{TENANT_PORT}",
    ]
    return [edge, *(f":{text.center(inner)}:" for text in texts), edge]


def verdicts(expectations: Sequence[Expectation], paint: Paint) -> str:
    """List every expectation on a line, with what came instead where it did not hold."""
    lines = []
    for each in expectations:
        word = "ok" if each.ok else "FAILED"
        told = each.got if each.ok else f"expected {each.expected}; got {each.got}"
        lines.append(f"  {paint(word.ljust(6), word)}  {each.name}: {told}")
    return "\n".join(lines)


def directions(demo: Demo, tenants: Sequence[Tenant], leader: int) -> str:
    """Tell how to use the network from another terminal, and how to stop it."""
    asks = "\n".join(
        f"    curl http://127.0.0.1:{port}/    # {tenant.name}, {tenant.origin}"
        for tenant, port in zip(tenants, demo.ports.tenants, strict=True)
    )
    first = tenants[0]
    enter = "nsenter --user --preserve-credentials" if demo.rootless else "nsenter"
    inside = f"{enter} --mount --net --target {demo.alive[first.name].process}"
    return f"""\
From this machine, in another terminal:
{asks}
From inside {first.name}, through both proxies, back to {first.name}:
    {inside} curl http://{first.address.ip}:{TENANT_PORT}/
Configurations and logs:
    {demo.edge_file}  {demo.core_file}
    {demo.edge_file.with_suffix(".log")}  {demo.core_file.with_suffix(".log")}
To stop: Ctrl-C here, or kill {leader}; nothing is left behind either way."""
