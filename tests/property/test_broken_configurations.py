"""Whatever is broken in a configuration, reading it on to the end tells so and raises nothing."""

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from isthmus.config import Features, read_text
from isthmus.engine import vocabulary
from isthmus.keywords import SECTIONS, System, load
from isthmus.keywords.vocabulary import Vocabulary
from isthmus.plan.building import unknown_names

FOLDER = Path(__file__).parent.parent / "configs" / "accept"
TEXTS = [path.read_text() for path in sorted(FOLDER.glob("*.cfg"))]
WORDS = sorted({word for text in TEXTS for word in text.split()})
VOCABULARY = Vocabulary.read(vocabulary())


@st.composite
def broken(draw: st.DrawFn) -> str:
    """A good text of which some words are gone, doubled or others."""
    lines = draw(st.sampled_from(TEXTS)).splitlines()
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(lines) - 1))
        words = lines[at].split(" ")
        place = draw(st.integers(0, len(words) - 1))
        match draw(st.sampled_from(["drop", "double", "replace", "cut"])):
            case "drop":
                del words[place]
            case "double":
                words.insert(place, words[place])
            case "replace":
                words[place] = draw(st.sampled_from(WORDS))
            case "cut":
                del words[place:]
        lines[at] = " ".join(words)
    return "\n".join(lines) + "\n"


@settings(max_examples=200)
@given(broken())
def test_a_broken_configuration_is_read_to_its_end(text: str) -> None:
    tree = read_text(text, environment={}, features=Features("3.5"), sections=SECTIONS, file="t.cfg")
    found, diagnostics = load(tree, VOCABULARY, System())
    for message in unknown_names(found, System()):
        diagnostics.add(message)
    diagnostics.render()
