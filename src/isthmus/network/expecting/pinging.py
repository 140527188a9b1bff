"""`red can ping blue`, `red cannot ping 10.0.0.9`."""

from __future__ import annotations

from isthmus.network.expecting.connection import Contact
from isthmus.network.expecting.echo import Exchange, saw, sender, witness
from isthmus.network.expecting.judging import Case, attempt_can, judge_cannot, too_slow
from isthmus.network.expecting.survey import Aim
from isthmus.network.expecting.verdict import Verdict, duration_words, error_words
from isthmus.network.model import Bound, Ping

_ROUND_TRIPS = 2
_MEASURED_ROUND_TRIPS = 6


def judge(case: Case, meaning: Ping, bound: Bound) -> Verdict:
    """Ping, and judge what comes back."""
    trips = _ROUND_TRIPS if bound.latency is None else _MEASURED_ROUND_TRIPS
    aims = case.survey.aims(meaning.source, meaning.target)

    def attempt(aim: Aim, patience: float) -> Contact:
        return _ping(case, aim, patience, trips)

    if not meaning.possible:
        return judge_cannot(case, aims, attempt)
    outcome = attempt_can(case, aims, attempt)
    if isinstance(outcome, Verdict):
        return outcome
    aim, contact = outcome
    seconds = contact.seconds or 0.0
    slow = too_slow(case, aim, bound, seconds)
    return slow or case.verdict(True, f"{aim.address} answers in {duration_words(seconds)}")


def _ping(case: Case, aim: Aim, patience: float, round_trips: int) -> Contact:
    """Ping an address; where a namespace was asked for, see whether it is that one that is pinged."""
    version = aim.address.version
    observers = [witness(case.survey.space(owner), version) for owner in aim.owners] if aim.named else []
    try:
        with sender(case.survey.space(case.meaning.source), version) as sending:
            exchange = Exchange(sending, aim.address, patience)
            echo = exchange.run(round_trips)
        watching = [each for each in observers if each is not None]
        arrived = any(saw(each, exchange.token) for each in watching) if watching else None
        return Contact(echo.round_trip, echo.error, arrived=arrived)
    except OSError as error:
        return Contact(None, error_words(error))
    finally:
        for each in observers:
            if each is not None:
                each.close()
