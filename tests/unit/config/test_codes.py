import re

import pytest

import isthmus.config.values  # noqa: F401  (registers its codes)
from isthmus.config import CODES, register


def test_every_code_of_this_package_is_explained():
    assert len(CODES) > 30
    for code, explanation in CODES.items():
        assert re.fullmatch(r"[EWND]\d{4}", code)
        assert explanation.code == code
        assert explanation.title
        assert explanation.text.endswith((".", "?"))


@pytest.mark.parametrize("code", ["", "E1", "X0001", "E00001", "e0001", "E0001 "])
def test_a_malformed_code_is_refused(code):
    with pytest.raises(ValueError, match="diagnostic code"):
        register(code, "t", "x.")


def test_a_code_keeps_its_meaning():
    first = CODES["E0001"]
    with pytest.raises(ValueError, match="twice"):
        register("E0001", "something else", "x.")
    assert CODES["E0001"] == first
