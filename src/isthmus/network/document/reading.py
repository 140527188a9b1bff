"""The way from a file to a network that has been checked as a whole."""

from __future__ import annotations

import re
from pathlib import Path

from isthmus.config import Diagnostics, Span
from isthmus.network.document.checks import check
from isthmus.network.document.codes import BAD_VALUE, TOO_LARGE
from isthmus.network.document.document_rows import DOCUMENT
from isthmus.network.document.gathering import gather
from isthmus.network.document.kinds import Reader
from isthmus.network.document.report import Report
from isthmus.network.document.words import NETWORK_NAME
from isthmus.network.model import Network
from isthmus.records import replace


def read(file: Path, diagnostics: Diagnostics) -> Network | None:
    """Read a network file. Returns None where there are errors; all of them are in `diagnostics`.

    Warnings alone do not make it None. Nothing is raised for what the file says.
    """
    report = Report()
    try:
        network = _read(file, diagnostics, report)
    except RecursionError:
        report.alert(TOO_LARGE, "nested too deep", Span(str(file), 1, 1, 1))
        network = None
    report.flush(diagnostics)
    return None if report.failed else network


def _read(file: Path, diagnostics: Diagnostics, report: Report) -> Network | None:
    root = gather(file, diagnostics, report)
    if root is None:
        return None
    reader = Reader(report)
    network = DOCUMENT.read(root, reader)
    if not isinstance(network, Network):
        return None
    if not network.name:
        network = replace(network, name=_stem(file, report, named=root.get("network") is not None))
    check(network, reader)
    return network


def _stem(file: Path, report: Report, *, named: bool) -> str:
    """Return the name that a file gives its network, with what a name may not have made dashes."""
    name = re.sub(r"[^a-z0-9]+", "-", file.stem.lower()).strip("-")[:31]
    if not name and not named:
        report.alert(
            BAD_VALUE,
            f"`{file.name}` gives no name for the network",
            Span(str(file), 1, 1, 1),
            expected=f"network: NAME ({NETWORK_NAME.words})",
        )
    return name
