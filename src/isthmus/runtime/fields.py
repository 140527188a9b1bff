"""Named values with HAProxy's three tags and a type, and the typed and JSON forms of them.

The tags are letters (management manual 9.2): origin M(etric) S(tatus) K(ey) C(onfig) P(roduct); nature
A(ge) a(verage) C(ounter) D(uration) G(auge) L(imit) M(ax) N(ame) O(utput) P(roportion) R(ate); scope
C(luster) P(rocess) S(ervice) s(ystem).
"""

from __future__ import annotations

from collections.abc import Mapping

from isthmus.records import dataclass

Value = int | str | None
"""A field's value; None where the field has none."""

_ORIGINS = {"M": "Metric", "S": "Status", "K": "Key", "C": "Config", "P": "Product"}
_NATURES = {
    "A": "Age",
    "a": "Avg",
    "C": "Counter",
    "D": "Duration",
    "G": "Gauge",
    "L": "Limit",
    "M": "Max",
    "m": "Min",
    "N": "Name",
    "O": "Output",
    "R": "Rate",
    "T": "Time",
}
_SCOPES = {"C": "Cluster", "P": "Process", "S": "Service", "s": "System"}


@dataclass(frozen=True, slots=True)
class Field:
    """A field: its name, its tags in three letters, and the type of its values."""

    name: str
    tags: str
    type: str


def typed(fields: tuple[Field, ...], values: Mapping[str, Value], head: str = "") -> str:
    """Return the values that are there, one a line, in the typed form."""
    lines = []
    for place, field in enumerate(fields):
        value = values.get(field.name)
        if value is not None:
            lines.append(f"{head}{place}.{field.name}.1:{field.tags}:{field.type}:{value}\n")
    return "".join(lines)


def described(
    fields: tuple[Field, ...], values: Mapping[str, Value], head: Mapping[str, object] | None = None
) -> list[dict[str, object]]:
    """Return the values that are there as objects of HAProxy's JSON form."""
    return [
        {
            **(head or {}),
            "field": {"pos": place, "name": field.name},
            "processNum": 1,
            "tags": {
                "origin": _ORIGINS[field.tags[0]],
                "nature": _NATURES[field.tags[1]],
                "scope": _SCOPES[field.tags[2]],
            },
            "value": {"type": field.type, "value": values[field.name]},
        }
        for place, field in enumerate(fields)
        if values.get(field.name) is not None
    ]


def csv(text: Value) -> str:
    """Return a value as CSV has it: in quotes where it holds a comma or a quote."""
    if text is None:
        return ""
    written = str(text)
    if any(each in written for each in ',"\n'):
        return '"' + written.replace('"', '""').replace("\n", " ") + '"'
    return written
