"""Section `userlist`: what it means, beside what tests/configs says of wrong ones."""

from __future__ import annotations

import pytest
from paper import TIMEOUTS, built, loaded, messages

from isthmus.model.userlist import User
from isthmus.plan import document as d

SHA256 = "$5$salt$HcpxOfa925mFNRuYAscuC4oWpw6c8l.YtrFMtUG7fp9"
TEXT = f"""userlist staff
 group admins users ann,bob
 group all
 user ann insecure-password "a b" groups all
 user bob password {SHA256}
 user carl groups all,admins
"""


def test_users_and_groups_may_name_each_other() -> None:
    (found,) = loaded(TEXT).userlists
    assert found.name == "staff"
    assert found.groups == {"admins", "all"}
    assert found.users == (
        User("ann", "a b", False, ("all", "admins")),
        User("bob", SHA256, True, ("admins",)),
        User("carl", None, False, ("all", "admins")),
    )


def test_a_userlist_is_handed_to_the_engine_with_the_plan() -> None:
    text = TEXT + "frontend f\n bind :1\n tcp-request content reject unless { http_auth(staff) }\n"
    plan = built(TIMEOUTS + text).engine
    assert plan.userlists == (
        d.Userlist(
            "staff",
            (
                d.User("ann", d.PasswordPlain("a b"), ("all", "admins")),
                d.User("bob", d.PasswordHashed(SHA256), ("admins",)),
                d.User("carl", None, ("all", "admins")),
            ),
        ),
    )
    (acl,) = plan.acls
    assert acl.tests[0].expression.fetch == d.Call("http_auth", (d.ArgUserlist(0),))


@pytest.mark.parametrize(
    "hash_",
    [
        "$1$abc$9dV135Rc3U8Xbm2DxadgF0",
        SHA256,
        "$5$rounds=1000$salt$HcpxOfa925mFNRuYAscuC4oWpw6c8l.YtrFMtUG7fp9",
        "$2b$04$abcdefghijklmnopqrstuuV3duMsC0HpUex6N9qapiuOHHWkwRXVm",
        "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$PmNgGTLMFjJn.URBv11CpTEm5RwlKtPjRtztKe6.b33",
        "$y$jD5.7$LdJMENpBABJJ3hIHjB1Bi.$CKqD6ucol.rOh6dDWHqMkAd35IlBEcha6iKZxYZFOL5",
    ],
)
def test_a_hash_that_the_engine_knows_is_taken(hash_: str) -> None:
    (found,) = loaded(f"userlist u\n user a password {hash_}\n").userlists
    assert found.users[0].hashed


def test_a_hash_of_des_is_taken_with_a_warning() -> None:
    text = "userlist u\n user a password rl.3StKT.4T8M\n"
    assert messages(text) == [("W0194", 2)]
    (found,) = loaded(text).userlists
    assert found.users[0].hashed


@pytest.mark.parametrize("parameters", ["jCT", "jET", "j9zzzzz", "jzzzzzz"])
def test_a_hash_that_takes_too_much_memory_is_refused(parameters: str) -> None:
    hash_ = f"$y${parameters}$F5Jx5fExrKuPp53xLKQ..1$PmNgGTLMFjJn.URBv11CpTEm5RwlKtPjRtztKe6.b33"
    assert messages(f"userlist u\n user a password {hash_}\n") == [("E0191", 2)]


@pytest.mark.parametrize(
    "parameters",
    [
        pytest.param("19T", id="flavor 3"),
        pytest.param("i9T", id="flavor 46"),
        pytest.param("k.9T", id="flavor 48"),
        pytest.param("j9T.D", id="17 lanes"),
        pytest.param("j9T.", id="lanes that are missing"),
    ],
)
def test_parameters_of_yescrypt_that_the_engine_lacks_are_refused(parameters: str) -> None:
    hash_ = f"$y${parameters}$F5Jx5fExrKuPp53xLKQ..1$PmNgGTLMFjJn.URBv11CpTEm5RwlKtPjRtztKe6.b33"
    assert messages(f"userlist u\n user a password {hash_}\n") == [("E0191", 2)]
    accepted = loaded("userlist u\n user a password " + hash_.replace(parameters, "j9T.C") + "\n")
    assert accepted.userlists[0].users[0].hashed
