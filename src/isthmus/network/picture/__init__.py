"""How a network is drawn: pure functions from a State (what is there, or what is wanted) to text.

    State ──reading──▶ Graph ──folding──▶ Graph ──▶ tree, mermaid, dot, svg
                         └─────────────────────────▶ json (never folded)

Nothing here reads the kernel or writes a file.
"""

from isthmus.network.picture.document import as_json
from isthmus.network.picture.drawing import svg
from isthmus.network.picture.flowchart import mermaid
from isthmus.network.picture.graphviz import dot
from isthmus.network.picture.reading import graph
from isthmus.network.picture.shape import Edge, Gateway, Graph, Group, Node, Running, Tie, printable
from isthmus.network.picture.terminal import Ink, Paint, tree

__all__ = [
    "Edge",
    "Gateway",
    "Graph",
    "Group",
    "Ink",
    "Node",
    "Paint",
    "Running",
    "Tie",
    "as_json",
    "dot",
    "graph",
    "mermaid",
    "printable",
    "svg",
    "tree",
]
