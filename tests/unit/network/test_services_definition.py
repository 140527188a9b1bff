"""Services as the supervisor knows them, and as they travel to it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from isthmus.config import Span
from isthmus.network.model import (
    AttachedProcess,
    Hook,
    HookPlace,
    Namespace,
    Network,
    Phase,
    Proxy,
    Readiness,
    Restart,
    Service,
)
from isthmus.network.services import ServiceError, check_proxy, definitions, fingerprint, wanted_services
from isthmus.network.services.environment import environment
from isthmus.network.services.protocol import Apply, line, request_decoder

SERVICE = Service(
    "web",
    "red",
    ("web", "-v"),
    hooks=(Hook(Phase.PRE_START, ("ip", "link"), HookPlace.HOST, 3.0, Span("f", 1, 2, 3)),),
    readiness=Readiness(tcp=("127.0.0.1", 80)),
    restart=Restart.ALWAYS,
    environment=(("A", "b"),),
    user="nobody",
    folder=Path("/srv"),
    span=Span("net.yaml", 7, 3, 9),
)
RED = Namespace("red", hostname="alpha")


def network(*services: Service, namespaces=(RED,), **more) -> Network:
    return Network("demo", tuple(namespaces), services=services, **more)


def test_a_namespace_is_resolved_to_its_files():
    (found,) = definitions(network(SERVICE))
    assert (found.net, found.uts) == ("/run/netns/red", "/run/isthmus/uts/demo/red")


def test_a_folder_is_where_the_command_was_given_wherever_the_supervisor_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (found,) = definitions(network(replace(SERVICE, folder=Path("site"))))
    assert found.folder == str(tmp_path / "site")


@pytest.mark.parametrize(
    ("name", "attach", "net"),
    [("outside", None, None), ("host", None, None), ("far", AttachedProcess(7), "/proc/7/ns/net")],
)
def test_reserved_and_attached_namespaces_are_known(name, attach, net):
    namespaces = [Namespace(name, attach=attach)] if attach else []
    (found,) = definitions(network(replace(SERVICE, namespace=name), namespaces=namespaces))
    assert found.net == net


def test_a_definition_survives_the_journey():
    sent = Apply(definitions(network(SERVICE)))
    assert request_decoder.decode(line(sent)) == sent


@pytest.mark.parametrize(
    "change",
    [
        {"command": ("web",)},
        {"namespace": "blue"},
        {"user": None},
        {"stop_timeout": 1.0},
        {"environment": ()},
        {"hooks": ()},
    ],
)
def test_the_fingerprint_changes_with_the_definition(change):
    assert fingerprint(replace(SERVICE, **change)) != fingerprint(SERVICE)


def test_the_fingerprint_does_not_change_with_the_line():
    assert fingerprint(replace(SERVICE, span=Span("net.yaml", 8, 3, 9))) == fingerprint(SERVICE)


def test_another_host_name_space_is_another_service():
    other = network(SERVICE, namespaces=[Namespace("red")])
    assert wanted_services(other) != wanted_services(network(SERVICE))


def test_a_change_of_the_proxys_file_is_a_change_of_the_proxy(tmp_path):
    file = tmp_path / "proxy.cfg"
    wanted = network(proxy=Proxy("outside", (file,)))
    file.write_text("one")
    before = wanted_services(wanted)
    file.write_text("two")
    assert [each.name for each in before] == ["proxy"]
    assert wanted_services(wanted) != before


def test_no_service_may_be_called_as_the_proxy(tmp_path):
    wanted = network(replace(SERVICE, name="proxy"), proxy=Proxy("outside", (tmp_path / "x",)))
    with pytest.raises(ServiceError, match=r"net\.yaml:7: service proxy: the name belongs"):
        definitions(wanted)


CONFIGURATION = """
defaults
  mode tcp
  timeout connect 3s
  timeout client 10s
  timeout server 10s
listen web
  bind 127.0.0.1:8999 namespace {}
  server s 10.0.0.1:80
"""


def test_namespaces_that_the_network_makes_count_as_present_for_its_proxy(tmp_path):
    file = tmp_path / "proxy.cfg"
    file.write_text(CONFIGURATION.format("red"))
    assert check_proxy(network(proxy=Proxy("outside", (file,)))) is None
    file.write_text(CONFIGURATION.format("blau"))
    assert "namespace `blau` does not exist" in (check_proxy(network(proxy=Proxy("outside", (file,)))) or "")
    assert check_proxy(network()) is None


def test_the_environment_is_clean_and_cannot_hide_whose_it_is():
    (found,) = definitions(
        network(replace(SERVICE, environment=(("A", "b"), ("ISTHMUS_NETWORK", "x"), ("PATH", "/p"))))
    )
    assert environment(found, "demo", "/home") == {
        "PATH": "/p",
        "HOME": "/home",
        "A": "b",
        "ISTHMUS_NETWORK": "demo",
        "ISTHMUS_SERVICE": "web",
        "ISTHMUS_NAMESPACE": "red",
    }
