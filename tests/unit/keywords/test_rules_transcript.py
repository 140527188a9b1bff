"""What an operator reads about tests/configs/rules/mistakes.conf is what stands in mistakes.txt."""

from pathlib import Path

from paper import VOCABULARY, PaperWorld, tree

from isthmus.keywords import load

FOLDER = Path(__file__).parents[2] / "configs" / "rules"


def test_every_mistake_is_shown_at_its_word():
    _, diagnostics = load(tree((FOLDER / "mistakes.conf").read_text()), VOCABULARY, PaperWorld())
    assert diagnostics.render() == (FOLDER / "mistakes.txt").read_text()
