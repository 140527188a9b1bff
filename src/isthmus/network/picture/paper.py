"""The look of the SVG, and the few elements it is made of, escaped.

Colours suit light and dark: a background of our own, another palette where the viewer prefers dark.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from xml.sax.saxutils import escape, quoteattr

_LIGHT = {
    "bg": "#ffffff", "box": "#f6f8fa", "edge": "#afb8c1", "host": "#eef4fb", "hostedge": "#6d9bd1",
    "chip": "#ffffff", "chipedge": "#57606a", "switch": "#fff4d6", "switchedge": "#bf8700",
    "text": "#1f2328", "soft": "#59636e", "line": "#0969da", "good": "#1a7f37", "bad": "#cf222e",
}  # fmt: skip
_DARK = {
    "bg": "#0d1117", "box": "#161b22", "edge": "#3d444d", "host": "#12233a", "hostedge": "#4272ad",
    "chip": "#0d1117", "chipedge": "#8b949e", "switch": "#3a2e0c", "switchedge": "#d29922",
    "text": "#e6edf3", "soft": "#9198a1", "line": "#58a6ff", "good": "#3fb950", "bad": "#f85149",
}  # fmt: skip

_RULES = """\
.bg{{fill:{bg}}}.box{{fill:{box};stroke:{edge}}}.host{{fill:{host};stroke:{hostedge}}}
.far{{fill:none;stroke:{edge};stroke-dasharray:4 3}}.chip{{fill:{chip};stroke:{chipedge}}}
.switch{{fill:{switch};stroke:{switchedge}}}.down{{fill:{chip};stroke:{bad};stroke-dasharray:4 3}}
text{{fill:{text}}}.soft{{fill:{soft}}}.good{{fill:{good}}}.bad{{fill:{bad}}}
.line{{fill:none;stroke:{line};stroke-width:1.6;stroke-linejoin:round}}.master{{stroke:{switchedge}}}
.parent{{stroke-dasharray:6 3}}.remote{{stroke-dasharray:2 3}}
"""

_FIXED = """\
text{font-family:system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
.b{font-weight:600}
"""


def style() -> str:
    """Return the style element."""
    light, dark = _RULES.format(**_LIGHT), _RULES.format(**_DARK)
    return f"<style>\n{_FIXED}{light}@media (prefers-color-scheme:dark){{\n{dark}}}\n</style>"


def number(value: float) -> str:
    """Write a coordinate, the same on every machine."""
    return f"{round(value, 1) + 0.0:g}" if abs(value) < 100_000 else f"{value:.0f}"


def rectangle(x: float, y: float, wide: float, high: float, look: str, radius: float = 6.0) -> str:
    """Return a rounded rectangle."""
    place = f'x="{number(x)}" y="{number(y)}" width="{number(wide)}" height="{number(high)}"'
    return f'<rect class="{look}" {place} rx="{number(radius)}"/>'


def words(x: float, y: float, text: str, size: float, look: str = "", middle: bool = False) -> str:
    """Return a line of text, its base line at y, which begins at x (or has its middle there)."""
    anchor = ' text-anchor="middle"' if middle else ""
    kind = f" class={quoteattr(look)}" if look else ""
    place = f'x="{number(x)}" y="{number(y)}" font-size="{number(size)}"'
    return f"<text{kind} {place}{anchor}>{escape(text)}</text>"


def group(title: str, parts: Iterable[str]) -> str:
    """Return parts that belong together, with what a pointer or a screen reader says of them."""
    return "\n".join(["<g>", f"<title>{escape(title)}</title>", *parts, "</g>"])


def path(points: Sequence[tuple[float, float]], look: str, title: str) -> str:
    """Return a line through points."""
    corners = " ".join(f"{number(x)},{number(y)}" for x, y in points)
    return f'<polyline class="line {look}" points="{corners}"><title>{escape(title)}</title></polyline>'
