"""Arguments of converters and fetches that no start could use: `-c` refuses them, each at its line."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

HEAD = """\
defaults
  mode http
  timeout connect 1s
  timeout client 1s
  timeout server 1s
frontend f
  bind 127.0.0.1:23456
"""
EXPRESSIONS = (
    "str(x),digest(foo)",
    "str(x),hmac(foo,YQ==)",
    "str(x),hmac(sha256,not_base64!)",
    "str(x),sha2(3)",
    "str(x),be2dec(x)",
    "str(x),mqtt_field_value(connect,foo)",
    "str(x),jwt_payload_query($.iss,foo)",
    "str(x),json_query($.a,foo)",
    "str(x),json(foo)",
    "str(x),url_enc(foo)",
    "str(x),word(0,x)",
    "str(x),aes_gcm_dec(99,YQ==,YQ==,txn.a)",
    "ssl_fc_cipherlist_bin(2)",
)
# HAProxy takes this one for no filter at all.
OURS_ALONE = {"ssl_fc_cipherlist_bin(2)"}
NEAREST = {
    "str(x),digest(sha265)": "sha256",
    "str(x),json(utf-8)": "utf8",
    "str(x),mqtt_field_value(connect,user_name)": "username",
}


def check(program: str, folder: Path, lines: list[str]) -> tuple[int, str]:
    """How `-c` ends for a frontend with these lines, and what it says."""
    path = folder / "t.cfg"
    path.write_text(HEAD + "".join(f"  {line}\n" for line in lines))
    done = subprocess.run([program, "-c", "-f", "t.cfg"], cwd=folder, capture_output=True, timeout=60)
    return done.returncode, (done.stdout + done.stderr).decode()


def refused(program: str, folder: Path, expressions: tuple[str, ...]) -> set[str]:
    """Those of them at whose lines something is said; nothing is told by a status alone."""
    found = set()
    lines = [f'http-request set-header x "%[{each}]"' for each in expressions]
    status, said = check(program, folder, lines)
    assert status == 1, said
    first = HEAD.count("\n") + 1
    for number in re.findall(r"t\.cfg:(\d+)", said):
        if int(number) >= first:
            found.add(expressions[int(number) - first])
    return found


def test_arguments_of_no_use_are_refused_when_the_files_are_read(
    programs: tuple[str, str], tmp_path: Path
) -> None:
    # What the engine alone knows to be wrong is found once the files' words are right.
    words = tuple(each for each in EXPRESSIONS if "be2dec" not in each)
    for each in EXPRESSIONS:
        status, _ = check(programs[0], tmp_path, [f'http-request set-header x "%[{each}]"'])
        assert status == (each not in OURS_ALONE), each
    assert refused(programs[1], tmp_path, words) == {*words}
    assert refused(programs[1], tmp_path, ("str(x),be2dec(x)",)) == {"str(x),be2dec(x)"}


def test_what_an_acl_compares_is_compiled_too(programs: tuple[str, str], tmp_path: Path) -> None:
    lines = ["acl never str(x),be2dec(x) -m str a", "http-request deny if never"]
    assert [check(program, tmp_path, lines)[0] for program in programs] == [1, 1]
    assert f"[t.cfg:{HEAD.count(chr(10)) + 1}] : " in check(programs[1], tmp_path, lines)[1]


def test_the_nearest_word_is_named(programs: tuple[str, str], tmp_path: Path) -> None:
    lines = [f'http-request set-header x "%[{each}]"' for each in NEAREST]
    _, said = check(programs[1], tmp_path, lines)
    for word in NEAREST.values():
        assert f"did you mean `{word}`?" in said


def test_a_start_blames_no_listener_for_what_is_none(programs: tuple[str, str], tmp_path: Path) -> None:
    path = tmp_path / "t.cfg"
    path.write_text(HEAD + '  http-request set-header x "%[str(x),be2dec(x)]"\n')
    done = subprocess.run([programs[1], "-db", "-f", path], capture_output=True, timeout=60)
    said = done.stderr.decode()
    assert done.returncode == 1
    assert "t.cfg:8] : " in said
    assert "listener" not in said
    assert "Nothing was started." in said
