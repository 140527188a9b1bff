import pytest

from isthmus.config import Diagnostics, read
from isthmus.config.files import find_files, read_bytes

from .builders import FEATURES, SECTIONS, codes


def read_paths(*paths):
    return read([str(path) for path in paths], environment={}, features=FEATURES, sections=SECTIONS)


def test_a_directory_stands_for_its_cfg_files_in_byte_order(tmp_path):
    for name in ["b.cfg", "B.cfg", "10.cfg", "2.cfg", "é.cfg", ".hidden.cfg", "note.txt"]:
        (tmp_path / name).write_text("global\n")
    (tmp_path / "sub.cfg").mkdir()
    (tmp_path / "sub.cfg" / "x.cfg").write_text("global\n")
    (tmp_path / "z.cfg").symlink_to("b.cfg")
    found = find_files([f"{tmp_path}"], Diagnostics())
    assert [file.removeprefix(f"{tmp_path}/") for file in found] == [
        "10.cfg",
        "2.cfg",
        "B.cfg",
        "b.cfg",
        "z.cfg",
        "é.cfg",
    ]


def test_files_are_read_in_the_order_given_even_twice(tmp_path):
    first, second = tmp_path / "1.cfg", tmp_path / "2.cfg"
    first.write_text("frontend a\n")
    second.write_text('frontend b\n log-tag "$HAPROXY_CFGFILES"\n')
    tree = read_paths(second, first, second)
    assert [section.name.text for section in tree.sections] == ["b", "a", "b"]
    assert tree.files == (str(second), str(first), str(second))
    assert tree.sections[0].lines[0].words[1].text == f"{second};{first};{second}"


def test_every_file_that_cannot_be_read_is_reported_and_the_others_are_read(tmp_path):
    good = tmp_path / "good.cfg"
    good.write_text("global\n")
    (tmp_path / "empty").mkdir()
    tree = read_paths(tmp_path / "missing", tmp_path / "empty", "", "a\0b", good)
    assert codes(tree) == ["E0013", "E0012", "E0012", "E0012"]
    assert "No such file or directory" in tree.diagnostics.render()
    assert len(tree.sections) == 1


def test_a_link_to_nowhere_in_a_directory_is_reported(tmp_path):
    (tmp_path / "1.cfg").write_text("global\n")
    (tmp_path / "2.cfg").symlink_to(tmp_path / "was-here")
    (tmp_path / "3.cfg").mkdir()
    diagnostics = Diagnostics()
    files = find_files([str(tmp_path)], diagnostics)
    read = [read_bytes(file, diagnostics) for file in files]
    assert read == [b"global\n", None]
    assert "2.cfg`: No such file or directory" in diagnostics.render()


def test_a_section_and_a_block_end_with_their_file(tmp_path):
    (tmp_path / "1.cfg").write_text("global\n.if 0\n")
    (tmp_path / "2.cfg").write_text(" log-tag x\nfrontend f\n bind :80\n")
    tree = read_paths(tmp_path)
    assert codes(tree) == ["E0033", "E0020"]
    assert [len(section.lines) for section in tree.sections] == [0, 1]


@pytest.mark.parametrize("last", [b"global\n", b"", b"\n", b"# c\n"])
def test_an_empty_or_complete_file_has_nothing_wrong(tmp_path, last):
    (tmp_path / "1.cfg").write_bytes(last)
    assert codes(read_paths(tmp_path)) == []
