"""`ssl-f-use`, which came after HAProxy 2.6: certificates of a frontend, for lines that name none."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from .http_lab import PREAMBLE
from .lab import Lab
from .test_tls_issuers import shown
from .tls_paper import Paper

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")


@pytest.fixture(scope="module")
def paper(tmp_path_factory: pytest.TempPathFactory) -> Paper:
    paper = Paper(tmp_path_factory.mktemp("tls"))
    for name in ("shared", "own", "later"):
        paper.authority(name, f"/CN={name}")
    return paper


@pytest.fixture
def lab(
    program: str, beyond: object, paper: Paper, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Lab]:
    text = f"""
frontend web
  bind 127.0.0.1:<one> ssl
  bind 127.0.0.1:<two> ssl crt {paper["own.pem"]}
  ssl-f-use crt {paper["shared.pem"]} ssl-min-ver TLSv1.3
  http-request return status 200
"""
    made = Lab(program, tmp_path_factory.mktemp("lab") / "lab", PREAMBLE + text, {})
    yield made
    made.close()


def test_lines_without_certificates_show_those_of_the_frontend(lab: Lab) -> None:
    assert [shown(lab, line) for line in ("one", "two")] == [["shared"], ["own"]]


def test_the_list_of_a_frontend_is_changed_while_running(lab: Lab, paper: Paper) -> None:
    name, later = paper["shared.pem"], paper["later.pem"]
    assert "@web" in lab.command("show ssl crt-list").splitlines()
    assert f"{name}:1 [ssl-min-ver TLSv1.3]" in lab.command("show ssl crt-list -n @web")
    lab.command(f"new ssl cert {later}")
    with open(later) as file:
        lab.command(f"set ssl cert {later} <<\n{file.read()}\n")
    lab.command(f"commit ssl cert {later}")
    assert "Success" in lab.command(f"add ssl crt-list @web {later}")
    assert later in lab.command("show ssl crt-list @web")
    assert "deleted" in lab.command(f"del ssl crt-list @web {name}")
    assert shown(lab, "one") == ["later"]
