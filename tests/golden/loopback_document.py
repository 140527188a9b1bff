"""The plan that crates/engine/tests/loopback.rs begins with, as a configuration makes it."""

from __future__ import annotations

from msgspec.structs import replace

from isthmus.config import Features, read_text
from isthmus.keywords import SECTIONS, System, load
from isthmus.keywords.vocabulary import Vocabulary
from isthmus.plan import build
from isthmus.plan import document as d

CONFIGURATION = """
defaults
  mode tcp
  timeout client 30s
  timeout server 30s
  timeout connect 5s
frontend web
  bind 127.0.0.1:1
  default_backend web
backend web
  retries 0
  fullconn 100
  server s 127.0.0.1:9
"""


def plan() -> d.Plan:
    """Return it without logs; its bind's port is the kernel's to choose, which the language cannot say."""
    features = Features("3.5")
    tree = read_text(CONFIGURATION, environment={}, features=features, sections=SECTIONS, file="loopback.cfg")
    found, diagnostics = load(
        tree, Vocabulary({}, {}, {}, frozenset(("ci", "cp", "fi", "fp", "f"))), System()
    )
    assert not diagnostics.failed, diagnostics.render()
    built = build(found, System(), diagnostics)
    assert not diagnostics.failed, diagnostics.render()
    (front,), (back,) = built.engine.frontends, built.engine.backends
    bind = replace(front.binds[0], address=d.Inet("127.0.0.1", 0))
    return replace(
        built.engine,
        global_=replace(built.engine.global_, hostname="here", nbthread=2, maxconn=1000),
        frontends=(replace(front, binds=(bind,), log=d.LogPolicy()),),
        backends=(replace(back, log=d.LogPolicy()),),
    )
