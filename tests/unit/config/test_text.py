from isthmus.config import Span, split_line
from isthmus.config.text import Line


def test_a_part_of_a_span_never_reaches_beyond_it():
    span = Span("f", 1, 5, 10)
    assert (span.part(1, 2), span.part(3, 99), span.part(99, 1)) == (
        Span("f", 1, 6, 8),
        Span("f", 1, 8, 10),
        Span("f", 1, 10, 10),
    )


def test_a_line_spans_its_words_and_ends_behind_them():
    text = "  bind :80 x # c"
    line = Line(split_line(text, "f", 4, {}.get).words, "f", 4, text)
    assert (line.keyword.text, line.span, line.end) == ("bind", Span("f", 4, 3, 13), Span("f", 4, 13, 13))
