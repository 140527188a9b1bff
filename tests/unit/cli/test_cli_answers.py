"""What the command prints and with which status it ends, beside what HAProxy 2.6 does."""

from __future__ import annotations

import re
from pathlib import Path

import fake_native
import pytest

from isthmus.cli import main

RIGHT = """\
defaults
  mode tcp
  timeout connect 1s
  timeout client 1s
  timeout server 1s
listen a
  bind 127.0.0.1:23456
  server s1 127.0.0.1:9
"""
WARNED = "listen a\n  mode tcp\n  bind 127.0.0.1:23456\n"
WRONG = WARNED + "  foo bar\n"
REFUSED = RIGHT.replace("listen a", "listen unheard-of")
SILENT = "global\n  maxconn 10\n"


@pytest.fixture(autouse=True)
def _stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    module = fake_native.module()
    monkeypatch.setitem(__import__("sys").modules, "isthmus.engine._native", module)
    # Where another test has imported the real one, the package knows it by its name.
    monkeypatch.setattr("isthmus.engine._native", module, raising=False)


def written(folder: Path, text: str) -> str:
    (folder / "x.cfg").write_text(text)
    return str(folder / "x.cfg")


@pytest.mark.parametrize(
    ("options", "text", "status", "out", "error"),
    [
        ("-c", RIGHT, 0, "Configuration file is valid\n", ""),
        ("-c -V", RIGHT, 0, "Configuration file is valid\n", ""),
        ("-c -q", RIGHT, 0, "", ""),
        ("-W -c -V", RIGHT, 0, "Configuration file is valid\n", ""),
        ("-c", WARNED, 0, "Warnings were found.\nConfiguration file is valid\n", "W0170"),
        ("-c -V", WARNED, 0, "Warnings were found.\nConfiguration file is valid\n", "W0170"),
        ("-c -q", WARNED, 0, "", None),
        ("-c -dW", WARNED, 1, "", "Some warnings were found and 'zero-warning' is set. Aborting."),
        ("-c", REFUSED, 1, "", "[x.cfg:7] : of that nobody has heard: ever\n"),
        ("-c", REFUSED, 1, "", "Fatal errors found in configuration."),
        ("-c", WRONG, 1, "", "Fatal errors found in configuration."),
        ("-c", WRONG, 1, "", "Error(s) found in configuration file : "),
        ("-c -q", WRONG, 1, "", None),
        (
            "-c",
            SILENT,
            2,
            "Configuration file has no error but will not start (no listener) => exit(2).\n",
            "",
        ),
        ("-db", SILENT, 1, "", "No enabled listener found (check for 'bind' directives) ! Exiting."),
        ("-c -dM -V", RIGHT, 0, "Configuration file is valid\n", "option -dM has no effect: "),
    ],
)
def test_a_file_is_judged_as_haproxy_judges_it(
    options: str,
    text: str,
    status: int,
    out: str,
    error: str | None,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main([*options.split(), "-f", written(tmp_path, text)]) == status
    said = capsys.readouterr()
    assert said.out == out
    assert (said.err == "") if error is None else (error in said.err)


def test_a_file_that_is_missing_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-c", "-f", "/nonexistent.cfg"]) == 1
    assert "/nonexistent.cfg" in capsys.readouterr().err


def test_the_version_line_reads_as_haproxys_and_names_isthmus(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-v"]) == 0
    first, second, *_ = capsys.readouterr().out.splitlines()
    found = re.match(r"HA-?Proxy version (\d+\.\d+\.\d+)-isthmus\S+ \d{4}/\d\d/\d\d - ", first)
    assert found
    assert found[1] == "3.5.0"
    assert second.startswith("Status: Isthmus ")


def test_build_options_have_the_lists_that_scripts_look_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-vv"]) == 0
    text = capsys.readouterr().out
    (features,) = re.findall(r"^Feature list : (.*)$", text, re.MULTILINE)
    assert all(re.fullmatch(r"[+-][A-Z0-9_]+", each) for each in features.split())
    assert "+NS" in features.split()
    assert "-OPENSSL" in features.split()
    assert "Built with network namespace support." in text


@pytest.mark.parametrize(
    ("condition", "status"),
    [
        ("version_atleast(3.5)", 0),
        ("version_atleast(9)", 1),
        ("feature(NS)", 0),
        ("feature(LUA)", 1),
        ("foo(", 2),
    ],
)
def test_a_condition_answers_by_its_status(condition: str, status: int) -> None:
    assert main(["-cc", condition]) == status


def test_no_option_at_all_gives_the_usage(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 1
    said = capsys.readouterr()
    assert said.out.startswith("HAProxy version ")
    assert said.err.startswith("Usage : isthmus ")


def test_a_directory_that_is_missing_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-C", "/nonexistent", "-c", "-f", "x"]) == 1
    assert "cannot change to directory /nonexistent: No such file or directory." in capsys.readouterr().err


def test_keywords_are_dumped_with_or_without_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-dKcfg"]) == 0
    assert "maxconn" in capsys.readouterr().out


def test_the_plan_is_printed_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", written(tmp_path, RIGHT)]) == 0
    assert '"version": 1' in capsys.readouterr().out


def test_check_tells_everything(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", written(tmp_path, WARNED)]) == 0
    said = capsys.readouterr()
    assert said.out == "Warnings were found.\nConfiguration file is valid\n"
    assert "W0170" in said.err


def test_how_explain_is_used_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    for option in ("--help", "-h"):
        assert main(["explain", option]) == 0
        assert capsys.readouterr().out.startswith("usage: isthmus explain --sni NAME")


def test_a_code_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "e0160"]) == 0
    assert capsys.readouterr().out.startswith("E0160: namespace does not exist\n")
    assert main(["explain", "E9999"]) == 1


def test_an_unknown_subcommand_gets_the_nearest_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["chek"]) == 2
    assert "did you mean `isthmus check`?" in capsys.readouterr().err
