"""A machine on paper, and configurations read on it: builders for tests of the model and the plan."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

from http_words import FILES as HTTP_FILES
from http_words import with_http
from tls_words import TLS_FILES

from isthmus.config import Features, Severity, Tree, read_text
from isthmus.engine.lists import ListCheck
from isthmus.keywords import SECTIONS, load
from isthmus.keywords.vocabulary import Vocabulary
from isthmus.model.configuration import Configuration
from isthmus.plan import Built, build
from isthmus.process.lists import read_lists
from isthmus.services.loading import LoadError
from isthmus.services.loading import load as load_services
from isthmus.services.registry import Services

FILES = HTTP_FILES | TLS_FILES
VOCABULARY = with_http(Vocabulary.read((Path(__file__).parent / "keywords" / "vocabulary.json").read_bytes()))
TIMEOUTS = "defaults\n timeout connect 1s\n timeout client 2s\n timeout server 3s\n"


class PaperWorld:
    """Namespaces red and blue, a host `origin.test`, users and groups `web` and `root`.

    Its files are those of `http_words` and `tls_words`.
    """

    def __init__(self, *paths: str) -> None:
        self.held = frozenset({"CAP_SYS_ADMIN", "CAP_NET_ADMIN"})
        self.paths = {"/run/netns/red", "/run/netns/blue", *paths}

    def namespace_fault(self, path: str) -> str | None:
        return None if path in self.paths else "does not exist"

    def resolve(self, host: str, family: int | None) -> IPv4Address | IPv6Address | None:
        if host != "origin.test":
            return None
        return ip_address("2001:db8::7" if family == 6 else "192.0.2.7")

    def is_socket(self, descriptor: int) -> bool:
        return descriptor < 9

    def user_id(self, name: str) -> int | None:
        return {"web": 33, "root": 0}.get(name)

    def group_id(self, name: str) -> int | None:
        return {"web": 34, "root": 0}.get(name)

    def read_bytes(self, path: str) -> bytes:
        if path not in FILES:
            raise FileNotFoundError(path)
        return FILES[path]

    def list_folder(self, path: str) -> tuple[str, ...] | None:
        inside = [name[len(path) + 1 :] for name in FILES if name.startswith(path + "/")]
        return tuple(sorted(inside)) or None

    def load_services(self, path: str) -> Services:
        try:
            return load_services(path, self.read_bytes(path))
        except OSError:
            raise LoadError(f"`{path}` cannot be read") from None

    def controls_congestion(self, algorithm: str) -> bool:
        return algorithm in ("reno", "cubic")

    def capabilities(self) -> frozenset[str]:
        return self.held

    def open_files(self) -> int:
        return 2040

    def host_name(self) -> str:
        return "paper"


def tree(text: str) -> Tree:
    """The sections of a text."""
    return read_text(text, environment={}, features=Features("3.5"), sections=SECTIONS, file="t.cfg")


def loaded(text: str) -> Configuration:
    """What a text means, where it has no error."""
    found, diagnostics = load(tree(text), VOCABULARY, PaperWorld())
    assert not diagnostics.failed, diagnostics.render()
    return found


def built(text: str) -> Built:
    """The plan of a text that has no error."""
    read = tree(text)
    found, diagnostics = load(read, VOCABULARY, PaperWorld())
    assert not diagnostics.failed, diagnostics.render()
    plan = build(found, PaperWorld(), diagnostics)
    assert not diagnostics.failed, diagnostics.render()
    return plan


def nothing_wrong(_text: bytes, _check: ListCheck) -> list[tuple[int, str]]:
    """Find no mistake in a pattern file."""
    return []


def messages(text: str) -> list[tuple[str, int]]:
    """Code and line of every message about a text, the plan's included where there is one."""
    read = tree(text)
    found, diagnostics = load(read, VOCABULARY, PaperWorld())
    if not diagnostics.failed:
        read_lists(build(found, PaperWorld(), diagnostics), PaperWorld(), nothing_wrong)
    shown = (each for each in diagnostics if each.severity is not Severity.DIAG)
    return [(each.code, each.span.line if each.span else 0) for each in shown]


def dangers(text: str) -> list[tuple[str, int]]:
    """Code and line of what is told about a text without an error in diagnostic mode alone."""
    told = (each for each in built(text).diagnostics if each.severity is Severity.DIAG)
    return [(each.code, each.span.line if each.span else 0) for each in told]


def exit_status(text: str) -> int:
    """What `-c` exits with: 1 for an error, 2 where nothing would listen, else 0."""
    read = tree(text)
    found, diagnostics = load(read, VOCABULARY, PaperWorld())
    if not diagnostics.failed:
        read_lists(build(found, PaperWorld(), diagnostics), PaperWorld(), nothing_wrong)
    if diagnostics.failed or found is None:
        return 1
    return 0 if found.listens else 2
