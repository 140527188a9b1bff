import pytest

from isthmus.config import ConditionError, Features, evaluate

from .builders import FEATURES

TRUE = [
    *["1", "-1", "+1", "01", "0x10", "!0", "!!1", "! 0", "(1)", "((1))", "( 1 )"],
    *["1 && 1", "0||1", "1 || 0", "0 || 0 || 1", "1 && (0 || 1)", "!(1 && 0)", "0 && 0 || 1", "1 || 0 && 0"],
    *["defined(SET)", "!defined(UNSET)", 'defined("SET")', "!streq(a,b)&&defined(SET)"],
    *["streq(a,a)", "streq(a,a) ", "streq(,)", 'streq("","")', "streq(\"a,b\",'a,b')", "streq(a, a)||1"],
    *["strneq(a,b)", "strstr(abc,b)", "strstr(abc,)", "feature(OPENSSL)", "enabled(POLL)"],
    *["version_atleast(2.6)", "version_atleast(2.6.12)", "version_before(2.6.13)", "version_before(3)"],
    *["openssl_version_atleast(1.1.1)", "openssl_version_before(3.0.23)", "ssllib_name_startswith(OpenSSL)"],
    *["awslc_api_atleast(32)", "awslc_api_before(33)"],
]
FALSE = [
    *["", "  ", "0", "00", "-0", "0x0", "!1", "!!0", "1 && 0", "0 || 0", "1 && 0 || 0"],
    *["defined(UNSET)", "defined()", "defined( SET )", "streq(a,b)", "streq(a, a)", "strneq(a,a)"],
    *["strstr(b,abc)", "feature(NOPE)", "feature(openssl)", "enabled(NOPE)"],
    *["version_atleast(2.6.13)", "version_before(2.6.12)", "version_before(2.6-dev1)"],
    *["openssl_version_before(1.1.1)", "ssllib_name_startswith(AWS)"],
    *["awslc_api_atleast(33)", "awslc_api_before(32)"],
]


@pytest.mark.parametrize("condition", TRUE)
def test_condition_holds(condition):
    assert evaluate(condition, FEATURES, {"SET": ""})


@pytest.mark.parametrize("condition", FALSE)
def test_condition_does_not_hold(condition):
    assert not evaluate(condition, FEATURES, {"SET": ""})


ERRORS = [
    ("a", 0, 1, None),
    ("2x", 1, 1, None),
    ("1 1", 2, 1, None),
    ("1 & 1", 2, 1, "conditions are joined with && and ||"),
    ("1)", 1, 1, None),
    ("(1", 0, 1, None),
    ("()", 1, 1, None),
    ("!", 1, 0, None),
    ("1 &&", 4, 0, None),
    ("&& 1", 0, 1, None),
    ("0 && foo", 5, 3, None),
    ("1 || foo", 5, 3, None),
    ("deefined(X)", 0, 8, "did you mean `defined`?"),
    ("STREQ(a,a)", 0, 5, "did you mean `streq`?"),
    ("defined", 0, 7, "write defined(NAME)"),
    ("defined (X)", 0, 7, "write defined(NAME)"),
    ("defined(X", 7, 1, None),
    ("streq(a)", 0, 8, None),
    ("streq(a,b,c)", 0, 12, None),
    ('streq("a,b)', 6, 1, None),
    ("version_atleast(abc)", 16, 3, None),
    ("awslc_api_atleast(x)", 18, 1, None),
    ("(" * 200 + "1" + ")" * 200, 100, 1, None),
]


@pytest.mark.parametrize(("condition", "offset", "length", "hint"), ERRORS)
def test_a_condition_that_does_not_parse_says_where(condition, offset, length, hint):
    with pytest.raises(ConditionError) as caught:
        evaluate(condition, FEATURES, {})
    assert (caught.value.offset, caught.value.length) == (offset, length)
    if hint:
        assert caught.value.hint == hint


def test_without_aws_lc_its_predicates_never_hold():
    assert not evaluate("awslc_api_atleast(0) || awslc_api_before(99)", Features("2.6"), {})
