from .builders import tree


def test_errors_are_the_messages_that_keep_a_configuration_from_being_used():
    read = tree('.warning w\n.notice n\n.alert a\nglobal\n "\n')
    assert [each.code for each in read.errors] == ["E0036", "E0001"]
    assert len(read.diagnostics) == 4


def test_a_section_without_a_name_has_none_and_no_rest():
    (section,) = tree("global\n").sections
    assert (section.kind.text, section.name, section.rest, section.lines) == ("global", None, (), ())
