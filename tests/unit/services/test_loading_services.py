"""A file registers its services, or says what is wrong with it and where."""

from __future__ import annotations

from pathlib import Path

import pytest

from isthmus.services import Request, Response, service
from isthmus.services.loading import LoadError, load, load_file
from isthmus.services.registry import Services

IMPORT = "from isthmus.services import Request, AsyncRequest, Response, service\n"


def test_services_are_named_by_the_decorator_or_by_their_function() -> None:
    found = load(
        "a.py",
        (
            IMPORT + "@service('one')\ndef first(request): return Response()\n"
            "@service\nasync def two(request): return Response()\n"
            "class Three:\n    async def __call__(self, request): return Response()\n"
            "service('three')(Three())\n"
        ).encode(),
    )
    assert {name: each.is_async for name, each in found.items()} == {
        "python.one": False,
        "python.two": True,
        "python.three": True,
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1/0", "ZeroDivisionError: division by zero (a.py:2)"),
        ("def f(:", "SyntaxError: invalid syntax (a.py:2)"),
        ("import isthmus_no_such", "ModuleNotFoundError: No module named 'isthmus_no_such' (a.py:2)"),
        ("\nimport json\njson.loads('')", "(a.py:4)"),
        ("raise SystemExit(3)", "SystemExit: 3 (a.py:2)"),
        ("service('a b')(print)", "ValueError: a service cannot be named 'a b' (a.py:2)"),
        ("service('a')(5)", "TypeError: a service is a function, and 5 is none (a.py:2)"),
        ("for _ in 'ab': service('a')(print)", "ValueError: there is a service 'a' already (a.py:2)"),
    ],
)
def test_what_is_wrong_is_told_with_its_file_and_line(text: str, message: str) -> None:
    with pytest.raises(LoadError) as failed:
        load("a.py", (IMPORT + text).encode())
    assert str(failed.value).endswith(message)


def test_a_missing_file_is_told_by_its_name(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match=r"none\.py` cannot be read: No such file"):
        load_file(str(tmp_path / "none.py"))


def test_a_file_is_run_anew_each_time_and_finds_its_neighbours(tmp_path: Path) -> None:
    (tmp_path / "isthmus_test_neighbour.py").write_text("WORD = 'x'\n")
    file = tmp_path / "site.py"
    file.write_text(IMPORT + "from isthmus_test_neighbour import WORD\nservice('one')(print)\n")
    assert set(load_file(str(file))) == {"python.one"}
    file.write_text(IMPORT + "service('two')(print)\n")
    assert set(load_file(str(file))) == {"python.two"}


def test_a_dataclass_can_be_defined_in_a_file() -> None:
    lines = (
        b"from __future__ import annotations",
        b"from dataclasses import dataclass",
        b"@dataclass",
        b"class A:",
        b"  x: int",
    )
    assert load("a.py", b"\n".join(lines)) == Services()


def test_outside_of_a_load_a_service_is_a_plain_function() -> None:
    @service("outside")
    def answer(_request: Request) -> Response:
        return Response(201)

    assert answer(Request(method="GET", target="/")).status == 201
