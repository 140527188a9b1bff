"""Every configuration of the table gets exactly the messages that its comments name."""

from __future__ import annotations

from collections import Counter

import pytest
from cases import Case, cases
from paper import messages

ALL = cases()


@pytest.mark.parametrize("case", ALL, ids=[each.name for each in ALL])
def test_a_configuration_gets_the_messages_that_it_names(case: Case) -> None:
    assert Counter(messages(case.text)) == case.expected


@pytest.mark.parametrize("case", ALL, ids=[each.name for each in ALL])
def test_a_configuration_stands_in_the_folder_of_its_verdict(case: Case) -> None:
    assert case.name.startswith("reject/" if case.blamed else "accept/")
