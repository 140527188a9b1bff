import os

import pytest

from isthmus.lab import isolation
from isthmus.lab.isolation import rootless_wanted, user_is_mapped


@pytest.mark.parametrize(
    ("asked", "user", "capable", "ours", "wanted"),
    [
        (False, 0, True, True, False),
        (True, 0, True, True, True),
        (False, 1000, False, False, True),
        (True, 1000, False, False, True),
        (False, 0, False, True, True),
        (False, 0, True, False, True),
    ],
)
def test_a_rootless_lab_is_for_whoever_asks_and_whoever_has_no_other_way(
    monkeypatch, asked, user, capable, ours, wanted
):
    monkeypatch.setattr(isolation, "_may_administrate", lambda: capable)
    monkeypatch.setattr(isolation, "_namespaces_are_ours", lambda: ours)
    assert rootless_wanted(asked, user) is wanted


def test_the_users_own_number_is_mapped_and_one_beyond_all_is_not():
    assert user_is_mapped(os.geteuid())
    assert not user_is_mapped(2**32 - 1)
