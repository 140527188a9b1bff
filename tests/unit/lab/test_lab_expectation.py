import pytest

from isthmus.lab.expectation import expect_answer, expect_distinct, expect_each, expect_silence
from isthmus.lab.origin import Answer, Fetched

RED = Fetched(Answer("red", "10.0.0.10:80", "10.0.0.10:5000", "net:[1]"))
BLUE = Fetched(Answer("blue", "10.0.0.10:80", "10.0.0.10:5000", "net:[2]"))
NOBODY = Fetched(failure="Connection refused")


@pytest.mark.parametrize(
    ("made", "ok", "got"),
    [
        (expect_answer("n", "red at 10.0.0.10:80", RED), True, "red at 10.0.0.10:80"),
        (expect_answer("n", "red at 10.0.0.10:80", BLUE), False, "blue at 10.0.0.10:80"),
        (expect_answer("n", "red at 10.0.0.10:80", NOBODY), False, "Connection refused"),
        (expect_silence("n", NOBODY), True, "no answer"),
        (expect_silence("n", BLUE), False, "blue at 10.0.0.10:80"),
        (expect_distinct("n", [RED, BLUE]), True, "1 address in 2 namespaces"),
        (expect_distinct("n", [RED, RED]), False, "1 address in 1 namespaces"),
        (expect_distinct("n", [RED, NOBODY]), False, "1 address in 1 namespaces"),
    ],
)
def test_a_claim_holds_where_what_came_is_what_was_expected(made, ok, got):
    assert (made.ok, made.got) == (ok, got)


def test_of_many_answers_the_first_wrong_one_is_told():
    names = ["red at 10.0.0.10:80", "blue at 10.0.0.10:80", "red at 10.0.0.10:80"]
    assert expect_each("n", names, [RED, BLUE, RED]).ok
    wrong = expect_each("n", names, [RED, RED, NOBODY])
    assert not wrong.ok
    assert wrong.got == "1 of 3 right; wanted blue at 10.0.0.10:80, got red at 10.0.0.10:80"
