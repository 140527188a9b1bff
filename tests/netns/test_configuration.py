"""What is said about namespaces when a configuration is read."""

from __future__ import annotations

import pytest

from .wire import Origin, greeting

BASE = """global
  nbthread 1
defaults
  mode tcp
  timeout client 1s
  timeout server 1s
  timeout connect 1s
"""
# BASE has seven lines, so the first line of a case is line 8.
REFUSED = {
    "a bind in a missing namespace": ("listen l\n  bind :8000 namespace nowhere\n", 9, "nowhere"),
    "a server in a missing namespace": (
        "listen l\n  bind :8000\n  server s 10.0.0.1:80 namespace nowhere\n",
        10,
        "nowhere",
    ),
    "a listed missing namespace": ("namespace_list\n  namespace red nowhere\n", 9, "nowhere"),
    "a duplicate in the list": ("namespace_list\n  namespace red\n  namespace red\n", 10, "red"),
    "an unknown keyword in the list": ("namespace_list\n  namespaces red\n", 9, "namespaces"),
    "a name that leaves the folder": ("listen l\n  bind :8000 namespace ../netns/red\n", 9, "../netns/red"),
    "a path that leaves its folder": (
        "listen l\n  bind :8000 namespace /run/netns/../netns/red\n",
        9,
        "/run/netns/../netns/red",
    ),
    "a process that is not there": ("listen l\n  bind :8000 namespace pid:4194305\n", 9, "pid:4194305"),
    "a process that is no number": ("listen l\n  bind :8000 namespace pid:one\n", 9, "pid:one"),
    "a file that is no namespace": ("listen l\n  bind :8000 namespace /etc/passwd\n", 9, "/etc/passwd"),
    "a bind in every namespace": ("listen l\n  bind :8000 namespace *\n", 9, "*"),
    "no name": ("listen l\n  bind :8000 namespace\n", 9, "namespace"),
}
WARNED = {
    "accept-proxy from everybody": ("listen l\n  bind :8000 accept-proxy\n", 9, "accept-proxy"),
    "a check without a namespace to check in": (
        "listen l\n  bind :8000\n  server s 10.0.0.1:80 namespace * check\n",
        10,
        "check-namespace",
    ),
}
ACCEPTED = {
    "an optional namespace that is missing": (
        "listen l\n  bind :8000 namespace nowhere optional\n"
        "  server s 10.0.0.1:80 namespace nowhere optional\n"
    ),
    "a path": "listen l\n  bind :8000 namespace /run/netns/red\n",
    "a list": "namespace_list\n  namespace red\nlisten l\n  bind :8000\n",
    "a default bind": "defaults d\n  mode tcp\n  timeout client 1s\n  default-bind namespace red\n"
    "frontend f from d\n  bind :8000\n",
}


@pytest.fixture
def check(ground, isthmus_path, tmp_path):
    ground.add("red")

    def run(text: str, *options: str):
        path = tmp_path / "web.cfg"
        path.write_text(BASE + text)
        return ground.run(isthmus_path, *options, "-f", str(path), check=False)

    return run


@pytest.mark.parametrize("case", REFUSED)
@pytest.mark.parametrize("options", [("-c",), ("-db",)], ids=["check", "start"])
def test_is_an_error_at_its_line_and_nothing_is_started(check, case, options):
    text, number, word = REFUSED[case]
    done = check(text, *options)
    assert done.returncode == 1, done
    assert f"web.cfg:{number}" in done.stderr, done.stderr
    assert word in done.stderr


@pytest.mark.parametrize("case", WARNED)
def test_is_a_warning_at_its_line(check, case):
    text, number, word = WARNED[case]
    done = check(text, "-c")
    assert done.returncode == 0, done
    assert f"web.cfg:{number}" in done.stderr, done.stderr
    assert word in done.stderr


@pytest.mark.parametrize("case", ACCEPTED)
def test_is_accepted(check, case):
    done = check(ACCEPTED[case], "-c")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("text", "capability"),
    [
        ("listen l\n  bind :8000 namespace red\n", "sys_admin"),
        ("listen l\n  bind :8000 transparent\n", "net_admin"),
    ],
)
def test_a_missing_capability_is_said_by_name_at_the_line_that_needs_it(
    ground, isthmus_path, tmp_path, text, capability
):
    ground.add("red")
    path = tmp_path / "web.cfg"
    path.write_text(BASE + text)
    without = "-sys_admin" if capability == "sys_admin" else "-net_admin,-net_raw"
    done = ground.run(
        "setpriv", f"--bounding-set={without}", isthmus_path, "-db", "-f", str(path), check=False
    )
    assert done.returncode == 1, done
    assert "web.cfg:9" in done.stderr, done.stderr
    assert f"CAP_{capability.upper()}" in done.stderr, done.stderr


def test_all_missing_namespaces_are_named_in_one_run(check):
    done = check("listen l\n  bind :8000 namespace here\n  bind :8001 namespace there\n", "-c")
    assert "web.cfg:9" in done.stderr
    assert "web.cfg:10" in done.stderr


def test_default_bind_puts_every_bind_of_the_proxies_in_a_namespace(ground, isthmus):
    red = ground.add("red")
    Origin(ground.default, "127.0.0.1", 81, name="default")
    isthmus("""
defaults inner
  mode tcp
  timeout client 5s
  timeout server 5s
  timeout connect 5s
  default-bind namespace red
listen in-red from inner
  bind 127.0.0.1:8000
  server s 127.0.0.1:81
""")
    assert greeting(red, "127.0.0.1", 8000).startswith("default")
