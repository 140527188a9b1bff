"""What `isthmus net check` does: expectations are tried, judged and, where they fail, explained.

    survey ──aims──▶ pinging, reaching ──attempts──▶ judging ──▶ verdict ──▶ matrix
                                          diagnosis ──┘

Everything is asked of the kernel; nothing in the network is changed, apart from listeners that stand
in, for the time of the check, where nothing listens.
"""

from isthmus.network.expecting.checking import check
from isthmus.network.expecting.matrix import matrix, verdicts_as_json
from isthmus.network.expecting.verdict import Verdict

__all__ = ["Verdict", "check", "matrix", "verdicts_as_json"]
