"""All expectations of a network: examined at once, answered in the order of the file."""

from __future__ import annotations

import resource
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from isthmus.network.expecting import pinging, reaching
from isthmus.network.expecting.judging import Case
from isthmus.network.expecting.listener import Listeners
from isthmus.network.expecting.survey import AbsentError, Survey
from isthmus.network.expecting.verdict import Verdict, error_words
from isthmus.network.model import Bound, Expectation, Network, Ping, Reach, ReachAs
from isthmus.network.spaces import Space

_AT_ONCE = 128
"""Expectations under examination together: most of them wait for silence, which costs nothing."""


def check(network: Network, spaces: Mapping[str, Space]) -> list[Verdict]:
    """Examine every expectation of a network and return a verdict on each, in the file's order.

    `spaces` holds the network's namespaces by name; `host` and `outside` need not be in it. Raises
    nothing for what the network does wrong: that is what the verdicts tell.
    """
    expectations = network.expectations
    if not expectations:
        return []
    _allow_descriptors()
    with Listeners() as listeners:
        survey = Survey(network, spaces, listeners)
        with ThreadPoolExecutor(min(_AT_ONCE, len(expectations))) as pool:
            verdicts = list(pool.map(lambda each: _judge(survey, each, Bound()), expectations))
        # Times and rates are measured one at a time: together they would measure each other.
        return [_measured(survey, verdict) for verdict in verdicts]


def _allow_descriptors() -> None:
    """Raise the limit of open files as far as it may be: each listener and each attempt is a socket."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _measured(survey: Survey, verdict: Verdict) -> Verdict:
    bound = getattr(verdict.expectation.meaning, "bound", Bound())
    if not verdict.ok or bound == Bound():
        return verdict
    return _judge(survey, verdict.expectation, bound)


def _judge(survey: Survey, expectation: Expectation, bound: Bound) -> Verdict:
    meaning = expectation.meaning
    case = Case(survey, expectation, meaning)
    try:
        survey.facts(meaning.source)
        if meaning.target.name is not None:
            survey.facts(meaning.target.name)
        match meaning:
            case Ping():
                return pinging.judge(case, meaning, bound)
            case Reach():
                return reaching.judge(case, meaning, bound)
            case ReachAs():
                return reaching.judge_as(case, meaning)
    except AbsentError as error:
        return case.verdict(False, "not tested", str(error))
    except OSError as error:
        return case.verdict(False, f"not tested: {error_words(error)}", "the attempt could not be made")
