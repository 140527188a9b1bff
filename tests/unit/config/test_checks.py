import pytest

from isthmus.config import Diagnostics, Verdict, check_condition

from .builders import FEATURES


@pytest.mark.parametrize(
    ("condition", "verdict"),
    [
        ("1", Verdict.TRUE),
        ("", Verdict.FALSE),
        ("feature(NS) && !0", Verdict.TRUE),
        ('streq("$X",1)', Verdict.TRUE),
        ("streq(a#,a#)", Verdict.TRUE),
        ("defined(Y)", Verdict.FALSE),
        ("foo", Verdict.ERROR),
        ('"1', Verdict.ERROR),
    ],
)
def test_the_verdict_is_the_exit_status(condition, verdict):
    diagnostics = Diagnostics()
    found = check_condition(condition, environment={"X": "1"}, features=FEATURES, diagnostics=diagnostics)
    assert found is verdict
    assert diagnostics.failed == (verdict is Verdict.ERROR)
    assert [Verdict.TRUE, Verdict.FALSE, Verdict.ERROR] == [0, 1, 2]


def test_an_error_is_shown_in_the_condition():
    diagnostics = Diagnostics()
    check_condition("1 && stre(a,b)", environment={}, features=FEATURES, diagnostics=diagnostics)
    assert diagnostics.render() == (
        "-cc:1:6: E0030: unknown predicate `stre`\n"
        "  1 | 1 && stre(a,b)\n"
        "    |      ^^^^\n"
        "hint: did you mean `streq`?\n"
    )
