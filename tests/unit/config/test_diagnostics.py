import pytest

from isthmus.config import Diagnostic, Diagnostics, Severity, Span, render


def shown(source, span, **more):
    return render(Diagnostic("E0104", Severity.ALERT, "a message", span, **more), source)


def test_a_message_shows_its_place_line_underline_and_hint():
    diagnostics = Diagnostics()
    diagnostics.keep_source("web.cfg", ("",) * 8 + ("    bind :8080 namespce blue",))
    diagnostics.alert(
        "E0104",
        "unknown keyword `namespce` on a bind line",
        Span("web.cfg", 9, 16, 24),
        hint="did you mean `namespace`?",
    )
    assert diagnostics.render() == (
        "web.cfg:9:16: E0104: unknown keyword `namespce` on a bind line\n"
        "  9 |     bind :8080 namespce blue\n"
        "    |                ^^^^^^^^\n"
        "hint: did you mean `namespace`?\n"
    )


def test_what_was_expected_comes_before_the_hint():
    assert shown("x", Span("f", 1, 1, 2), expected="y", hint="z").splitlines()[-2:] == [
        "expected: y",
        "hint: z",
    ]


def test_a_message_without_a_place_is_one_line():
    assert shown(None, None) == "E0104: a message\n"


def test_a_message_about_an_unknown_source_has_no_source_line():
    assert shown(None, Span("f", 3, 4, 5)) == "f:3:4: E0104: a message\n"


UNDERLINES = [
    ("\tab c", (2, 4), "    | \t^^"),
    ("日本 x", (4, 5), "    |      ^"),
    ("日本 x", (1, 3), "    | ^^^^"),
    ("e\u0301 x", (4, 5), "    |   ^"),
    ("a", (2, 2), "    |  ^"),
    ("a\x1bb", (3, 4), "    |   ^"),
]


@pytest.mark.parametrize(("source", "columns", "underline"), UNDERLINES)
def test_the_underline_stands_below_its_word(source, columns, underline):
    assert shown(source, Span("f", 1, *columns)).splitlines()[2] == underline


def test_what_a_terminal_would_act_upon_is_not_printed():
    text = shown("a\x1b[31m\udcff", Span("f\x07", 1, 1, 2))
    assert "\x1b" not in text
    assert "\x07" not in text
    text.encode("utf-8")


def test_a_newline_in_a_message_does_not_forge_another_one():
    message = Diagnostic("N0036", Severity.NOTICE, "a\nb.cfg:1:1: E0001: forged", None)
    assert len(render(message, None).splitlines()) == 1


def test_a_long_line_is_shown_around_what_is_wrong():
    source = "a" * 300 + "wrong" + "b" * 300
    line, underline = shown(source, Span("f", 1, 301, 306)).splitlines()[1:3]
    assert line == "  1 | ..." + "a" * 60 + "wrong" + "b" * 60 + "..."
    assert underline == "    | " + " " * 63 + "^^^^^"


def test_messages_of_the_diagnostic_mode_are_shown_in_it_alone():
    diagnostics = Diagnostics()
    diagnostics.diag("D0001", "d", None)
    assert (diagnostics.render(), diagnostics.render(diagnostic_mode=True)) == ("", "D0001: d\n")


def test_only_an_alert_makes_a_run_fail():
    diagnostics = Diagnostics()
    diagnostics.warning("W0001", "w", None)
    diagnostics.notice("N0001", "n", None)
    diagnostics.diag("D0001", "d", None)
    assert (diagnostics.failed, len(diagnostics)) == (False, 3)
    diagnostics.alert("E0001", "e", None)
    assert diagnostics.failed
