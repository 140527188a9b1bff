"""Sessions that the proxy keeps (`no-tls-tickets`): how often each is resumed."""

from __future__ import annotations

import shutil
import ssl
from pathlib import Path

import pytest

from .http_lab import PREAMBLE
from .lab import Both, Lab
from .test_tls_sessions import VERSIONS, ask, client
from .tls_paper import Paper, made

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")

ANSWER = 'http-request return status 200 content-type text/plain lf-string "used=%[ssl_c_used]"'
TIMES = 5


@pytest.fixture(scope="module")
def paper(tmp_path_factory: pytest.TempPathFactory) -> Paper:
    return made(tmp_path_factory.mktemp("tls"))


def frontend(name: str, paper: Paper, said: str) -> str:
    bind = f"bind 127.0.0.1:<{name}> ssl crt {paper['site.pem']} no-tls-tickets {said}"
    return f"frontend {name}\n  {bind}\n  {ANSWER}\n"


def again_and_again(lab: Lab, line: str, context: ssl.SSLContext) -> list[str]:
    """How connections ended of which all but the first showed the session of the first."""
    began, session = ask(lab, line, context)
    return [began, *(ask(lab, line, context, session)[0] for _ in range(TIMES))]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_session_that_is_kept_is_resumed_as_often_as_it_is_shown(
    both: Both, paper: Paper, version: ssl.TLSVersion
) -> None:
    demanding = f"verify required ca-file {paper['ca.crt']}"
    config = frontend("open", paper, "") + frontend("required", paper, demanding)

    def traffic(lab: Lab) -> dict[str, list[str]]:
        context = client(version, paper, shows=True)
        return {line: again_and_again(lab, line, context) for line in ("open", "required")}

    seen = both(config, traffic, preamble=PREAMBLE, origins={}, normal=lambda line: "")
    assert seen.value == {line: ["anew", *["resumed"] * TIMES] for line in ("open", "required")}


def test_a_session_that_may_bring_early_data_is_resumed_once(
    program: str, paper: Paper, tmp_path: Path
) -> None:
    lab = Lab(program, tmp_path / "lab", PREAMBLE + frontend("early", paper, "allow-0rtt"), {})
    try:
        context = client(ssl.TLSVersion.TLSv1_3, paper, shows=False)
        assert again_and_again(lab, "early", context) == ["anew", "resumed", *["anew"] * (TIMES - 1)]
    finally:
        lab.close()


@pytest.mark.parametrize("version", VERSIONS)
def test_no_session_is_kept_beyond_the_size_of_the_cache(
    program: str, paper: Paper, tmp_path: Path, version: ssl.TLSVersion
) -> None:
    text = "global\n  tune.ssl.cachesize 4\n" + PREAMBLE + frontend("small", paper, "")
    lab = Lab(program, tmp_path / "lab", text, {})
    try:
        context = client(version, paper, shows=False)
        _, session = ask(lab, "small", context)
        assert ask(lab, "small", context, session)[0] == "resumed"
        assert [ask(lab, "small", context)[0] for _ in range(4)] == ["anew"] * 4
        assert ask(lab, "small", context, session)[0] == "anew"
    finally:
        lab.close()
