"""Where the time of one `isthmus net apply` and `down` goes, in milliseconds, as a line of JSON.

python bench/net/breakdown.py NETWORK.yaml        (in a world of its own: run.py calls it there)
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

STARTED = time.perf_counter()

from isthmus.config import Diagnostics  # noqa: E402
from isthmus.network import building, command, document, preflight  # noqa: E402, F401  (as the command does)
from isthmus.network.desired import spaces  # noqa: E402
from isthmus.network.machine import machine  # noqa: E402


class Laps:
    def __init__(self, start: float) -> None:
        self._last = start
        self.found: dict[str, float] = {}

    def end(self, name: str) -> None:
        now = time.perf_counter()
        self.found[name] = round((now - self._last) * 1000, 1)
        self._last = now


def main() -> None:
    laps = Laps(STARTED)
    laps.end("import")
    network = document.read(Path(sys.argv[1]), Diagnostics())
    if network is None:
        raise SystemExit(f"{sys.argv[1]} has errors")
    laps.end("read")
    with machine(spaces(network).values()) as opened:
        comparison = building.compare(network, opened)
        laps.end("compare")
        preflight.lacking(comparison.kernel_steps, network.name)
        laps.end("preflight")
        building.build(network, comparison, opened, lambda _: None)
        laps.end("build")
    laps.end("close")
    with machine(spaces(network).values()) as opened:
        building.dismantle(network, opened, lambda _: None)
        laps.end("dismantle")
    print(json.dumps(laps.found))


if __name__ == "__main__":
    main()
