"""How this same Isthmus is run as another process, from wherever it was started."""

from __future__ import annotations

import os
import sys

MODULE = (sys.executable, "-P", "-m")
"""Runs a module. -P: never one that lies in the folder where it is started."""


def python_variables() -> dict[str, str]:
    """Return the variables that make an interpreter find what this one found, in any folder."""
    found = {name: value for name, value in os.environ.items() if name.startswith("PYTHON")}
    if found.get("PYTHONPATH"):
        folders = found["PYTHONPATH"].split(os.pathsep)
        found["PYTHONPATH"] = os.pathsep.join(os.path.abspath(each) for each in folders)
    return found
