"""What the demo expects of its network, beside what it got. Pure: answers in, verdicts out."""

from collections.abc import Sequence

import msgspec

from isthmus.lab.origin import Fetched


class Expectation(msgspec.Struct, frozen=True):
    """One claim about the network, and whether it held."""

    name: str
    expected: str
    got: str
    ok: bool


def expect(name: str, expected: str, got: str) -> Expectation:
    """State a claim that holds where both texts are the same."""
    return Expectation(name, expected, got, expected == got)


def identity(fetched: Fetched) -> str:
    """Tell who answered: `red at 10.0.0.10:80`, or why nobody did."""
    if fetched.answer is None:
        return fetched.failure
    return f"{fetched.answer.tenant} at {fetched.answer.server}"


def expect_answer(name: str, expected: str, fetched: Fetched) -> Expectation:
    """State that one certain origin answers, `expected` being its identity."""
    return expect(name, expected, identity(fetched))


def expect_silence(name: str, fetched: Fetched) -> Expectation:
    """State that nobody answers, for whatever reason."""
    got = "no answer" if fetched.answer is None else identity(fetched)
    return expect(name, "no answer", got)


def expect_distinct(name: str, fetched: Sequence[Fetched]) -> Expectation:
    """State that the same address answered from as many namespaces as there were questions."""
    answers = [each.answer for each in fetched if each.answer is not None]
    addresses = {answer.server for answer in answers}
    namespaces = {answer.namespace for answer in answers}
    return expect(
        name,
        f"1 address in {len(fetched)} namespaces",
        f"{len(addresses)} address{'es' if len(addresses) != 1 else ''} in {len(namespaces)} namespaces",
    )


def expect_each(name: str, expected: Sequence[str], fetched: Sequence[Fetched]) -> Expectation:
    """State that every one of many answers came from the origin that was asked."""
    wrong = [
        f"wanted {wanted}, got {identity(each)}"
        for wanted, each in zip(expected, fetched, strict=True)
        if identity(each) != wanted
    ]
    total = len(expected)
    got = f"{total - len(wrong)} of {total} right"
    return expect(name, f"{total} of {total} right", got if not wrong else f"{got}; {wrong[0]}")
