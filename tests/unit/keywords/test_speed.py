"""A configuration of thousands of sections is read in a time that grows with its length, not its square."""

from __future__ import annotations

import sys

from paper import TIMEOUTS, built


def calls(sections: int) -> int:
    """How many functions of the project are called for a configuration of so many sections and servers."""
    text = TIMEOUTS + "".join(
        f"listen l{i}\n bind :{i + 1}\n server s 10.0.0.1:80\n" for i in range(sections)
    )
    text += "backend b\n" + "".join(f" server s{i} 10.0.0.1:80\n" for i in range(sections))
    count = 0

    def tally(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event == "call"

    before = sys.getprofile()
    sys.setprofile(tally)
    try:
        built(text)
    finally:
        sys.setprofile(before)
    return count


def test_twice_the_sections_cost_twice_the_work() -> None:
    built(TIMEOUTS)  # what is done once only is done now
    assert calls(200) < 2.2 * calls(100)
