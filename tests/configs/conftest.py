"""Puts tests/unit on the import path, for its machine on paper."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "unit"))
