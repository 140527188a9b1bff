"""`show resolvers`: what name servers were asked and what they answered."""

from __future__ import annotations

from isthmus.resolve.section import Section
from isthmus.runtime.instance import CommandError
from isthmus.runtime.registry import Request, command


@command("show resolvers", "dump counters of the name servers", syntax="[id]")
def show_resolvers(request: Request) -> str:
    """Return the counters of a section's name servers, or of every section that a rule names."""
    sections = request.instance.resolvers()
    name = request.argument(0)
    if name and name not in sections:
        raise CommandError("Can't find that resolvers section")
    chosen = [sections[name]] if name else sections.values()
    return "".join(map(_lines, chosen))


def _lines(section: Section) -> str:
    text = f"Resolvers section {section.said.name}\n"
    for server in section.servers:
        rows = "".join(f"  {name + ':':<13}{count}\n" for name, count in server.counters.rows())
        text += f" nameserver {server.said.name}:\n{rows}"
    return text
