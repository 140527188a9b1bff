import time

from .builders import codes, places, tree


def test_sections_hold_their_lines_and_the_whole_header():
    read = tree(
        "# c\nglobal\n daemon\n\nbackend b from d extra # c\n server s 1.2.3.4:80\n mode tcp\nglobal\n"
    )
    assert codes(read) == []
    assert [(s.kind.text, s.name and s.name.text, [w.text for w in s.rest]) for s in read.sections] == [
        ("global", None, []),
        ("backend", "b", ["from", "d", "extra"]),
        ("global", None, []),
    ]
    server = read.sections[1].lines[0]
    assert (server.line, server.text, [word.text for word in server.arguments]) == (
        6,
        " server s 1.2.3.4:80",
        ["s", "1.2.3.4:80"],
    )
    assert server.arguments[1].span.column == 11


def test_pseudo_variables_tell_where_the_reading_stands():
    text = '"${.SECTION-none}"\n' + 'global\n x "$.SECTION:$.LINE:$.FILE"\nbackend b\n x "${.SECTION}"\n'
    read = tree(text)
    assert [section.lines[0].words[1].text for section in read.sections] == ["global:3:t.cfg", "b"]
    assert read.diagnostics.render().startswith("t.cfg:1:1: E0020: keyword `none` stands outside a section\n")


def test_lines_outside_a_section_are_reported_once_with_the_nearest_word():
    read = tree("fronted web\n bind :80\n mode tcp\nglobal\n daemon\n")
    assert places(read) == [("E0020", 1, 1)]
    (message,) = read.diagnostics
    assert message.hint == "did you mean `frontend`?"
    assert [section.kind.text for section in read.sections] == ["global"]


def test_all_errors_of_a_file_come_in_one_run():
    read = tree('nope\nglobal\n a "x\n b \\xg\n "" c\n d "${"\nfrontend "f\n e "$1"\n f')
    assert places(read) == [
        ("E0020", 1, 1),
        ("E0001", 3, 4),
        ("E0002", 4, 4),
        ("E0011", 5, 2),
        ("E0004", 6, 5),
        ("E0001", 7, 10),
        ("E0004", 8, 5),
        ("E0007", 9, 3),
    ]
    assert read.diagnostics.failed
    assert len(read.errors) == 8


def test_a_header_that_could_not_be_split_still_begins_its_section():
    read = tree('global\n a\nfrontend "web\n b\n')
    assert [(s.kind.text, s.name and s.name.text, len(s.lines)) for s in read.sections] == [
        ("global", None, 1),
        ("frontend", "web", 1),
    ]


def test_a_missing_line_end_is_an_error_but_the_line_counts():
    read = tree("global\n daemon")
    assert places(read) == [("E0007", 2, 8)]
    assert read.sections[0].lines[0].keyword.text == "daemon"


def test_dos_line_ends_are_line_ends_and_text_behind_a_return_gets_a_warning():
    assert codes(tree("global\r\n daemon\r\r\n")) == []
    read = tree("global\n a\rb\n")
    assert places(read) == [("W0008", 2, 3)]
    assert [word.text for word in read.sections[0].lines[0].words] == ["a"]


def test_bytes_that_are_no_text_pass_through_or_are_named():
    read = tree(b"global\n a \xff\xc3\n b\0c\n")
    assert places(read) == [("E0009", 3, 3)]
    assert read.sections[0].lines[0].words[1].text.encode("utf-8", "surrogateescape") == b"\xff\xc3"


def test_a_byte_order_mark_is_named_and_read_past():
    read = tree(b"\xef\xbb\xbfglobal\n daemon\n")
    assert places(read) == [("E0014", 1, 1)]
    assert read.sections[0].header.keyword.span.column == 2


def test_more_words_than_haproxy_reads_are_told_in_diagnostic_mode_alone():
    read = tree("global\n " + " ".join("w" * 70) + "\n")
    assert [(each.code, each.severity.value) for each in read.diagnostics] == [("D0010", "diag")]
    assert len(read.sections[0].lines[0].words) == 70


def test_lines_may_be_long():
    read = tree("global\n a " + "x" * 100_000 + "\n")
    assert len(read.sections[0].lines[0].words[1].text) == 100_000


def test_ten_thousand_lines_are_read_in_half_a_second():
    part = """frontend f
    bind :80 name x # comment
    log-format "%ci:%cp [%t] %ft" foo 'bar baz'
    acl a path_beg /x\\ y "${HOME}"

    # nothing
    use_backend b if a
    timeout client 10s
    server s1 127.0.0.1:80 check inter 1s
    .if defined(HOME) && streq("$HOME",/root)
    .endif
"""
    text = part * 910
    best = 10.0
    for _ in range(3):
        began = time.process_time()
        read = tree(text, HOME="/root")
        best = min(best, time.process_time() - began)
    assert (len(read.sections), codes(read)) == (910, [])
    assert best < 0.5
