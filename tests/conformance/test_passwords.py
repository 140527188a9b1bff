"""Passwords of userlists beside HAProxy, which asks crypt(3) of glibc; and what guessing may take."""

from __future__ import annotations

import base64
from pathlib import Path

from .http_lab import PREAMBLE, Client, Reply, Script, until
from .lab import Both, Lab

HASHES = {
    "yescrypt": "$y$j9T$F5Jx5fExrKuPp53xLKQ..1$PmNgGTLMFjJn.URBv11CpTEm5RwlKtPjRtztKe6.b33",
    "lanes": "$y$jD5.7$LdJMENpBABJJ3hIHjB1Bi.$CKqD6ucol.rOh6dDWHqMkAd35IlBEcha6iKZxYZFOL5",
    "des": "ab0ozUNIgzCZ.",
    "md5": "$1$abc$9dV135Rc3U8Xbm2DxadgF0",
    "sha256": "$5$salt$HcpxOfa925mFNRuYAscuC4oWpw6c8l.YtrFMtUG7fp9",
    "bcrypt": "$2b$04$abcdefghijklmnopqrstuuV3duMsC0HpUex6N9qapiuOHHWkwRXVm",
}
"""By user, hashes of `hunter2`."""
LONG = "./yPRzyX/WeSM"
"""DES of `longer than eight`, of which eight characters count."""
USERS = "\n".join(f"  user {name} password {hash_}" for name, hash_ in HASHES.items())
CONFIG = f"""
userlist staff
  group all users yescrypt,des
{USERS}
  user long password {LONG}
frontend f
  bind 127.0.0.1:<front>
  http-request return status 200 if {{ http_auth_group(staff) all }}
  http-request return status 202 if {{ http_auth(staff) }}
  http-request return status 401
"""


def answers(lab: Lab, attempts: list[tuple[str, str]]) -> list[str]:
    """The statuses that attempts to come in get, over one connection."""
    client = Client(lab, "front", "a")
    for name, password in attempts:
        basic = base64.b64encode(f"{name}:{password}".encode())
        client.send(b"GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Basic %s\r\n\r\n" % basic)
        client.read(len(client.messages()) + 1)
    return [message.head.split()[1].decode() for message in client.messages()]


def test_both_proxies_let_the_same_people_in(both: Both) -> None:
    attempts = [(name, "hunter2") for name in HASHES]
    attempts += [(name, "hunter3") for name in HASHES if name != "lanes"]
    attempts += [("des", "hunter2x"), ("long", "longer than eight"), ("long", "longer t"), ("long", "longer")]
    attempts += [("nobody", "hunter2"), ("yescrypt", "")]
    seen = both(
        CONFIG,
        lambda lab: answers(lab, attempts),
        origins={"a": Script((Reply(),))},
        preamble=PREAMBLE,
        normal=lambda _line: "",
    )
    assert seen.value[: len(HASHES)] == ["200", "202", "200", "202", "202", "202"]


def test_who_guesses_keeps_nobody_out_who_came_in_before(both: Both, tmp_path: Path) -> None:
    more = CONFIG.replace("  user long", f"  user late password {HASHES['yescrypt']}\n  user long")
    lab = Lab(both.candidate, tmp_path / "isthmus", PREAMBLE + more, {"a": Script((Reply(),))})
    try:
        assert answers(lab, [("yescrypt", "hunter2")]) == ["200"]
        guesses = [("yescrypt", f"guess{number}") for number in range(100)]
        *wrong, late, known = answers(lab, [*guesses, ("late", "hunter2"), ("yescrypt", "hunter2")])
        assert set(wrong) == {"401"}
        assert (late, known) == ("401", "200")
        until(lambda: answers(lab, [("late", "hunter2")]) == ["202"])
    finally:
        lab.close()
